"""What parts of the platform need besides names, probes and metrics, as edges.

What says so is what the doctor goes by: who is let call the API server, whom that calls, where
certificates come from, which replicas belong together.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cloison.algebra import NO_ADDRESSES, LabelSelector
from cloison.analyses.contract.compile.edges import ports_of
from cloison.analyses.contract.compile.model import UNRESOLVED, UNWRITTEN, Edge, Notes
from cloison.analyses.contract.compile.peers import on_host
from cloison.analyses.doctor.api import needing
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.control import Control, calling, listening
from cloison.analyses.doctor.judged import outside
from cloison.analyses.ends import AddressEnd, End, Names, PodsEnd, ServiceEnd, SomeNodeEnd
from cloison.analyses.question import EVERYTHING, Traffic
from cloison.analyses.reconcile.sources import behind
from cloison.analyses.services import follow
from cloison.base import QuestionError, Severity
from cloison.base.words import few
from cloison.intent import EndForm, Platform
from cloison.ir.allowlist import Known, PortRange
from cloison.ir.peers import PeerMatch, PodsMatch
from cloison.platform.apiserver import FRONT_PORT, api_port
from cloison.platform.calls import calls, configs
from cloison.platform.certificates import CONTROLLER, issuers
from cloison.platform.component import ANY_VALUE, Role
from cloison.platform.metadata import (
    CREDENTIALS,
    POD_IDENTITY,
    Metadata,
    associated,
    metadata,
    needed,
)
from cloison.platform.replicas import groups
from cloison.platform.routes.arrivals import Apparent, arrivals
from cloison.platform.webhooks import Hook, hooks
from cloison.resources.objects import Service
from cloison.resources.world import Workload, WorkloadId

_SERVER: Final = "kube-apiserver"
"""What enforcers call the API server that know it by themselves."""
_TALKERS: Final = (
    Role.CERTIFICATES,
    Role.CONTROLLER,
    Role.GATEWAY,
    Role.GATEWAY_CONTROL,
    Role.MESH_CONTROL,
)
"""Roles whose components are said to need the API server, or are called by it."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Finds what parts of a platform need.

    Args:
        clinic: The cluster.
        among: The workloads that policies are written for.
        known: Names of ends that the enforcer knows by itself.
        roles: All parts of the platform that the contract names, by what they do.
        forms: Forms of ends that the contract's dependencies have.
        notes: Takes what cannot be said.
    """

    clinic: Clinic
    among: Sequence[Workload]
    known: frozenset[str]
    roles: frozenset[str]
    forms: frozenset[EndForm]
    notes: Notes

    def of(self, role: str, said: Platform) -> Iterator[Edge]:
        """Yield what a part of the platform needs.

        Args:
            role: What it does.
            said: What the contract says of it.
        """
        found: Iterable[Edge] = ()
        match role:
            case Role.API_SERVER:
                found = (*self._callers(said, None), *self._called(said, None))
            case Role.METADATA:
                found = self._metadata(said)
            case Role.STATEFUL:
                found = self._replicas(said)
            case Role.LOAD_BALANCER:
                found = self._checks(said)
            case Role.NODE:
                pass  # probes are always let through, and nodes are no pods
            case _ if role in _TALKERS:
                found = self._talkers(Role(role), said)
            case _:
                self._unwritten(said, f"nothing is written for what does {role!r}")
        for each in found:
            yield replace(each, role=role)

    def _unwritten(self, said: Platform, what: str, advice: str | None = None) -> None:
        self.notes.say(
            UNWRITTEN,
            Severity.WARNING,
            f"platform {said.id!r}: {what}",
            "workloads that need it are shut off from it, or it from them",
            advice or "write dependencies for it, and ask the doctor afterwards",
            span=said.span,
        )

    def _reason(self, said: Platform, why: str) -> str:
        return f"platform {said.id}: {said.reason or 'the platform needs it'} ({why})"

    # Controllers, gateways, certificates

    def _talkers(self, role: Role, said: Platform) -> Iterator[Edge]:
        site, ours = self.clinic.site, {each.id for each in self.among}
        mine = [each for each in site.components if each.component.role is role]
        names = frozenset(name for each in mine for name in each.workloads)
        if not names & ours:
            self._unwritten(said, f"no workload that policies are written for does {str(role)!r}")
            return
        if Role.API_SERVER not in self.roles:
            yield from self._callers(said, names)
            yield from self._called(said, names)
        if role is Role.CERTIFICATES:
            issuing = (each for each in mine if each.component.id == CONTROLLER)
            yield from self._issuing(said, [n for e in issuing for n in e.workloads if n in ours])
        if role is Role.MESH_CONTROL:
            self._unwritten(said, "nothing is written for what proxies beside pods ask of it")
        if role is Role.GATEWAY and EndForm.GATEWAY not in self.forms:
            self._unwritten(
                said,
                "whom gateways lead to, and who may call them, is for dependencies to say",
                "write dependencies from and to gw:NAMESPACE/NAME",
            )

    def _issuing(self, said: Platform, names: Iterable[WorkloadId]) -> Iterator[Edge]:
        every = tuple(issuers(self.clinic.engine.world))
        for name in names:
            for each in every:
                end = self._server(each.host)
                why = self._reason(said, f"{each.item.shown} names {each.host}")
                port = (PortRange("TCP", each.port, each.port),)
                if end is not None:
                    yield Edge(self.clinic.pods(name), end, port, reason=why)
            proven = sorted({each.item.shown for each in every if each.over_http})
            if proven:
                self._unwritten(
                    said,
                    f"{few(proven)} proves names over HTTP: {name} calls them first, and pods "
                    "that come and go answer",
                    f"write a dependency from {name} to those names on port 80",
                )

    def _server(self, host: str) -> End | None:
        names = Names(self.clinic.engine)
        for form in (
            (host, f"dns:{host}") if host[:1].isdigit() or ":" in host else (f"dns:{host}",)
        ):
            try:
                return names.end(form)
            except QuestionError:
                continue
        return None

    # The API server

    def _callers(self, said: Platform, only: frozenset[WorkloadId] | None) -> Iterator[Edge]:
        """Yield who calls the API server, of some workloads or of all."""
        ours = {each.id for each in self.among}
        asking = [
            (workload, why[0].text)
            for workload, why in needing(self.clinic)
            if workload.id in ours and (only is None or workload.id in only)
        ]
        if not asking:
            return
        servers = listening(self.clinic)
        if _SERVER in self.known:
            servers = (self._by_name(said, servers),)
        if not servers:
            names = few([str(workload.id) for workload, _ in asking])
            self._unwritten(
                said,
                f"where the API server is is not known, and {names} cannot call it",
                "read the EndpointSlices of default/kubernetes, or the nodes of the control plane",
            )
        for workload, why in asking:
            for each in servers:
                peer = Known(_SERVER) if _SERVER in self.known else None
                ports = self._ports(each)
                reason = self._reason(said, why)
                source = self.clinic.pods(workload.id)
                yield Edge(source, each.end, ports, reason=reason, destination_peer=peer)

    def _by_name(self, said: Platform, servers: tuple[Control, ...]) -> Control:
        """Return the API server where the enforcer knows it by name; its port it does not."""
        if servers:
            return servers[0]
        self.notes.say(
            UNRESOLVED,
            Severity.WARNING,
            f"platform {said.id!r}: which port the API server has is not known",
            f"{FRONT_PORT} and {api_port(self.clinic.site.platform)} are let through",
            "read the EndpointSlices of default/kubernetes as well",
            span=said.span,
        )
        return Control(AddressEnd(_SERVER, NO_ADDRESSES), 0, "")

    def _ports(self, server: Control) -> tuple[PortRange, ...]:
        numbers = (
            {server.port} if server.port else {FRONT_PORT, api_port(self.clinic.site.platform)}
        )
        return tuple(PortRange("TCP", each, each) for each in sorted(numbers))

    def _called(self, said: Platform, only: frozenset[WorkloadId] | None) -> Iterator[Edge]:
        """Yield whom the API server calls, from where its calls really come."""
        spoken = {each.id.namespace for each in self.among}
        meant = [each for each in hooks(self.clinic.engine.world) if each.namespace in spoken]
        ends = [
            (hook, to, traffic)
            for hook in meant
            for to, traffic in self._behind(hook)
            if (only is None or to.workload.id in only) and not on_host(to.workload)
        ]
        if not ends:
            return
        callers = tuple(self._from(said))
        if not callers:
            names = few(sorted({f"{each.called} {each.name}" for each, _, _ in ends}))
            self._unwritten(
                said,
                f"where the API server calls from is not known: {names} is not let in",
                "read the EndpointSlices of default/kubernetes, or the nodes of the control plane",
            )
        for hook, to, traffic in ends:
            ports = ports_of(traffic, to, self.clinic.engine) or ()
            why = self._reason(said, f"{hook.item.shown}, {hook.called} {hook.name}")
            for end, peer in callers:
                assumed = isinstance(peer, PodsMatch)
                yield Edge(end, to, ports, reason=why, source_peer=peer, out=not assumed)

    def _behind(self, hook: Hook) -> Iterator[tuple[PodsEnd, Traffic]]:
        service = self.clinic.engine.world.services.get((hook.namespace, hook.service))
        if service is None:
            return
        # It is dialled at its address within, however it may be reached from outside.
        inner = replace(service, type="ClusterIP", external_ips=())
        end = ServiceEnd(f"svc:{hook.namespace}/{hook.service}", inner)
        try:
            found = list(
                follow(self.clinic.engine, SomeNodeEnd("a node"), end, on("TCP", hook.port))
            )
        except QuestionError:
            return
        for each in found:
            if isinstance(each.destination, PodsEnd):
                yield each.destination, each.traffic

    def _from(self, said: Platform) -> Iterator[tuple[End, PeerMatch | Known | None]]:
        """Yield where calls of the API server come from."""
        every = calling(self.clinic)
        near = [each for each in every if not each.vague]
        if _SERVER in self.known:
            end = next((e.end for e in near if isinstance(e.end, AddressEnd)), None)
            yield end or AddressEnd(_SERVER, NO_ADDRESSES), Known(_SERVER)
            near = near if any(isinstance(each.end, PodsEnd) for each in near) else []
        for each in near:
            yield each.end, self._labels(each)
        if near and len(near) < len(every):
            self.notes.say(
                UNRESOLVED,
                Severity.WARNING,
                f"platform {said.id!r}: {every[0].why}, or from elsewhere",
                "calls that come from elsewhere are not let in",
                "write a dependency from the range of the control plane",
                span=said.span,
            )

    def _labels(self, caller: Control) -> PeerMatch | None:
        """Return by which labels pods are named that the input does not hold."""
        if caller.engine is None or not isinstance(caller.end, PodsEnd):
            return None
        pods = caller.end.workload.endpoints
        labels = {k: v for k, v in pods[0].labels.items() if v != ANY_VALUE}
        match = LabelSelector.of(labels)
        return PodsMatch(namespace=caller.end.workload.id.namespace, pods=match)

    # Credentials, replicas, health checks

    def _metadata(self, said: Platform) -> Iterator[Edge]:
        world, platform = self.clinic.engine.world, self.clinic.site.platform
        plain = configs(world)
        for workload in self.among:
            shape, home = workload.endpoints[0].shape, workload.id.namespace
            source = self.clinic.pods(workload.id)
            for need in needed(world, platform, home, shape):
                for each in map(metadata, need.services):
                    yield self._asking(said, source, each, need.why)
            item = associated(world, home, shape)
            if item is not None:
                why = f"{item.shown} is about its service account"
                yield self._asking(said, source, metadata(POD_IDENTITY), why)
            for call in calls(plain, home, shape.runtime):
                if call.name != CREDENTIALS or call.port is None:
                    continue
                try:
                    end = outside(call.host, (call.host,))
                except ValueError:
                    continue  # a name, or none
                port = (PortRange("TCP", call.port, call.port),)
                why = self._reason(said, f"{call.by} names {call.host}")
                if not call.host.startswith("127.") and call.host != "::1":
                    yield Edge(source, end, port, reason=why)

    def _asking(self, said: Platform, source: PodsEnd, service: Metadata, why: str) -> Edge:
        end = AddressEnd(few(service.component.blocks), service.addresses)
        ports = tuple(PortRange(*number, number[1]) for number in service.numbers)
        return Edge(source, end, ports, reason=self._reason(said, why))

    def _replicas(self, said: Platform) -> Iterator[Edge]:
        ours = {each.id for each in self.among}
        for group in groups(self.clinic.engine.world, self.clinic.site.components):
            names = [each for each in group.workloads if each in ours]
            between = [port for choice in group.needed for port in choice]
            for name in names:
                why = self._reason(said, f"{name} is {group.component.name}")
                to = self.clinic.pods(name)
                for port in between:
                    number = (PortRange(port.protocol, int(port.port), int(port.port)),)
                    for other in names:
                        yield Edge(self.clinic.pods(other), to, number, reason=why)
                for operator in group.component.operators:
                    pods = [
                        self.clinic.pods(each.id)
                        for each in self.clinic.everyone()
                        if operator.labels.items() <= each.endpoints[0].labels.items()
                    ]
                    for port in group.ports:
                        if port.port in operator.ports:
                            asked = (PortRange(port.protocol, int(port.port), int(port.port)),)
                            yield from (Edge(each, to, asked, reason=why) for each in pods)

    def _checks(self, said: Platform) -> Iterator[Edge]:
        """Yield the health checks of load balancers that call pods themselves."""
        spoken = {each.id.namespace for each in self.among}
        for service in self.clinic.engine.world.services.values():
            for arrival in arrivals(service, self.clinic.site.platform):
                if not arrival.checks or service.namespace not in spoken:
                    continue
                source = self._checking(said, service, arrival.apparent, arrival.blocks)
                for pods, traffic in behind(self.clinic.engine, service, EVERYTHING):
                    ports = ports_of(Traffic("", traffic), pods, self.clinic.engine)
                    if source is not None and ports is not None:
                        yield Edge(source, pods, ports, reason=self._reason(said, arrival.why))

    def _checking(
        self, said: Platform, service: Service, apparent: Apparent, blocks: tuple[str, ...]
    ) -> End | None:
        if apparent is Apparent.NODE:
            return SomeNodeEnd("a node that checks for the load balancer", passing=True)
        if blocks:
            return outside("health checks of load balancers", blocks)
        self._unwritten(
            said,
            f"where the load balancer of Service {service.namespace}/{service.name} checks from is "
            "not known",
            "write a dependency from its subnets, as an external",
        )
        return None
