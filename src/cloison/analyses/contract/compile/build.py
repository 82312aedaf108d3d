"""From the calls of a contract to allowlists: one for each workload, and a denial for the rest."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from cloison.analyses.contract.compile import platform
from cloison.analyses.contract.compile.apart import left_out, stays_open
from cloison.analyses.contract.compile.around import around
from cloison.analyses.contract.compile.edges import selected, wanted
from cloison.analyses.contract.compile.model import (
    ONE_SIDED,
    OPEN,
    UNRESOLVED,
    UNSAID,
    Added,
    Compiled,
    Edge,
    Notes,
    Sheet,
    Subject,
)
from cloison.analyses.contract.compile.naming import Naming, Order, pods_of
from cloison.analyses.contract.compile.needs import Needs
from cloison.analyses.contract.compile.numbered import numbered
from cloison.analyses.contract.compile.peers import blocks, node_addresses, on_host, text, within
from cloison.analyses.contract.compile.sayable import sayable
from cloison.analyses.contract.compile.sheets import Written, sheets
from cloison.analyses.contract.compile.subjects import Subjects, is_pods
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.doctor.probes import exempt
from cloison.analyses.ends import AnyEnd, End, PodsEnd
from cloison.base import QuestionError, Severity
from cloison.base.words import few
from cloison.ir.allowlist import Opening, PortRange
from cloison.ir.peers import PeerMatch, PodsMatch, Relative, RelativeMatch
from cloison.ir.policy import Direction
from cloison.platform.component import ANY_VALUE, Role
from cloison.platform.resolvers import DNS_PORT, Resolver, ResolverKind
from cloison.resources.world import Workload, WorkloadId

_ROLES: Final = frozenset(map(str, Role))


def build(order: Order) -> Compiled:
    """Return what a contract comes to.

    Raises:
        QuestionError: A namespace to be written has no pods in the input.
    """
    return _Build(order).compiled()


@dataclass
class _Build:
    """Puts one contract together; lives for one call."""

    order: Order
    notes: Notes = field(default_factory=Notes)
    added: dict[tuple[str, ...], Added] = field(default_factory=dict)
    whom: dict[tuple[str, ...], set[WorkloadId]] = field(default_factory=lambda: defaultdict(set))
    written: Written = field(default_factory=Written)
    lookups: list[Edge] = field(default_factory=list)

    def compiled(self) -> Compiled:
        edges = list(wanted(self.order.contract, self.order.ends, self.order.today, self.notes))
        edges = [each for each in edges if not _itself(each)]
        self.spoken = self._spoken(edges)
        asked = frozenset(e.entry.name for e in edges if e.entry is not None and self._ours(e))
        edges = [one for each in edges for one in numbered(each, self.clinic, self.notes)]
        edges = [each for each in edges if not _itself(each)]
        edges += self._platform()
        self.names = {each.id: platform.lookups(self.clinic, each) for each in self.workloads}
        self.subjects = Subjects(self.clinic.engine.world, self._keys(edges), self.notes, edges)
        self.naming = Naming(self.order, self.subjects, self.notes, self.spoken)
        for workload in self.workloads:
            self._subject(workload.id)
        done = [each for edge in edges if (each := self._edge(edge)) is not None]
        for each in done:
            if each.role:
                self._listed(each)
        self.asked = {
            each.source.workload.id
            for each in done
            if isinstance(each.source, PodsEnd)
            and not isinstance(each.destination, PodsEnd)
            and any(port.first == DNS_PORT for port in each.ports)
        }
        for workload in self.workloads:
            self._dns(workload)
        if not exempt(self.clinic):
            for workload in self.workloads:
                self._probes(workload)
        left_out(self.order, self.spoken, self.notes)
        stays_open(self.order, self.spoken, self.notes)
        around(done, self.clinic.engine, self.notes)
        self.notes.settle(done)
        self.subjects.settle(self.written.subjects, self.spoken)
        made: Sequence[Sheet] = sheets(
            self.written, self.spoken, self.order.ends.placed, self.order.prefix
        )
        return Compiled(
            tuple(made),
            (*done, *self.lookups),
            tuple(
                replace(each, workloads=max(1, len(self.whom[key])))
                for key, each in sorted(self.added.items())
            ),
            tuple(self.notes.said.values()),
            tuple(sorted(self.spoken)),
            frozenset(self.notes.refused),
            asked,
            self.subjects.missing,
        )

    @property
    def clinic(self) -> Clinic:
        return self.order.clinic

    def _spoken(self, edges: Iterable[Edge]) -> frozenset[str]:
        """Return the namespaces that policies are written for."""
        ends = (end for edge in edges for end in (edge.source, edge.destination))
        found = {end.workload.id.namespace for end in ends if isinstance(end, PodsEnd)}
        found |= {
            end.namespace
            for e in edges
            for end in (e.source, e.destination)
            if isinstance(end, AnyEnd) and end.namespace
        }
        found |= {each.match.namespace for each in self.order.contract.workloads}
        held = {
            each.id.namespace
            for each in self.clinic.engine.world.workloads.values()
            if is_pods(each)
        }
        only = self.order.only
        unknown = only - held
        if unknown:
            msg = f"there are no pods in {few(sorted(unknown))}"
            raise QuestionError(msg, "name namespaces that the input has workloads of")
        return frozenset(only or found & held)

    def _ours(self, edge: Edge) -> bool:
        """Return whether policies are written for an end of an edge."""
        ends = (edge.source, edge.destination)
        everywhere = any(isinstance(e, AnyEnd) and e.namespace is None for e in ends)
        return everywhere or any(
            _home(end) in self.spoken and not (isinstance(end, PodsEnd) and on_host(end.workload))
            for end in ends
        )

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """The workloads that policies are written for."""
        every = self.clinic.engine.world.workloads.values()
        return tuple(
            each
            for each in every
            if is_pods(each) and each.id.namespace in self.spoken and not on_host(each)
        )

    def _platform(self) -> list[Edge]:
        """Return what the platform needs besides names and probes."""
        made: list[Edge] = []
        contract = self.order.contract
        forms = {e.form for d in contract.dependencies for e in (d.source, d.destination)}
        words = self.order.words
        roles = platform.roles(contract)
        some = frozenset(roles), frozenset(forms)
        needs = Needs(self.clinic, self.workloads, words.known, *some, self.notes)
        for role, each in roles.items():
            match role:
                case platform.DNS:
                    pass  # each workload looks up names, whether the contract says so or not
                case platform.METRICS:
                    made += platform.scraped(self.clinic, each)
                case platform.TELEMETRY:
                    made += platform.reported(self.clinic, each, self.workloads)
                case _ if role in _ROLES:
                    made += needs.of(role, each)
        return [each for each in made if not _itself(each)]

    def _listed(self, edge: Edge) -> None:
        """List an edge among what is added for the platform."""
        source, to = edge.source, edge.destination
        workload, who = _workload(to), source.text
        if workload is None:
            workload, who = _workload(source), "workloads"
        self._add(edge.role, who, to.text, edge.ports, edge.reason, workload)

    def _add(
        self,
        role: str,
        source: str,
        destination: str,
        ports: Sequence[PortRange],
        why: str,
        workload: WorkloadId | None,
    ) -> None:
        said = tuple(each.text for each in ports)
        key = (role, source, destination, *said)
        self.added.setdefault(key, Added(role, source, destination, said, why))
        if workload is not None:
            self.whom[key].add(workload)

    def _keys(self, edges: Iterable[Edge]) -> dict[WorkloadId, frozenset[object]]:
        """Return what each workload is to be let do, in a form that can be compared."""
        found: dict[WorkloadId, set[object]] = defaultdict(set)
        for edge in edges:
            for key, end in edge.asks():
                found[end.workload.id].add(key)
        for name, lookups in self.names.items():
            found[name].add(frozenset(each.id for each in lookups.resolvers))
        return {name: frozenset(keys) for name, keys in found.items()}

    def _subject(self, name: WorkloadId) -> Subject | None:
        subject = self.subjects.of(name)
        if subject is not None and name.namespace in self.spoken:
            self.written.sheet(subject)
        return subject

    # Edges

    def _edge(self, edge: Edge) -> Edge | None:
        """Write both ends of an edge; return it as it is let through, None where it is not."""
        self.notes.whose = f"platform {edge.role!r}: " if edge.role else ""
        said = sayable(edge, self.order.words, self.notes)
        if said is None:
            return None
        edge, ports = said, said.ports
        heres = [self._here(edge, Direction.EGRESS), self._here(edge, Direction.INGRESS)]
        if None in heres:
            self._refuse(edge)
            return None
        out, into = (here or () for here in heres)
        if not self._both(edge, out=bool(out), into=bool(into)):
            return None
        targets = self.naming.peers(edge, edge.destination, edge.destination_peer) if out else ()
        callers = self.naming.peers(edge, edge.source, edge.source_peer) if into else ()
        if targets is None or callers is None:
            self._refuse(edge)
            return None
        asked = edge.http
        for here in out:
            http = None if into else asked
            to = ports if edge.dialled is None else edge.dialled
            for peer in targets:
                self._write(here, Opening(Direction.EGRESS, peer, to, http, (edge.reason,)), edge)
        for here in into:
            for peer in callers:
                self._write(
                    here, Opening(Direction.INGRESS, peer, ports, asked, (edge.reason,)), edge
                )
        edge = replace(
            edge,
            source=within(edge.source, callers),
            destination=within(edge.destination, targets),
        )
        return edge if out or into else None

    def _refuse(self, edge: Edge) -> None:
        if edge.entry is not None:
            self.notes.refused.add(edge.entry.name)

    def _write(self, here: Subject | str, opening: Opening, edge: Edge | None = None) -> None:
        self.written.add(here, opening, edge.entry if edge is not None else None)

    def _here(self, edge: Edge, direction: Direction) -> tuple[Subject | str, ...] | None:
        """Return whom to write an end of an edge for; None where no labels select it."""
        egress = direction is Direction.EGRESS
        end = edge.source if egress else edge.destination
        if not (edge.out if egress else edge.into):
            return ()
        match end:
            case PodsEnd() if end.workload.id.namespace not in self.spoken:
                return ()
            case PodsEnd() if on_host(end.workload):
                self.notes.of(
                    edge.entry,
                    OPEN,
                    f"{end.text} uses the network of its nodes, to which policies do not apply",
                    f"its {direction} stays open, and nothing is written for it",
                    None,
                    Severity.WARNING,
                )
                return ()
            case PodsEnd():
                subject = self.subjects.of(end.workload.id)
                return None if subject is None else (subject,)
            case AnyEnd() if end.namespace is not None:
                return (end.namespace,) if end.namespace in self.spoken else ()
            case AnyEnd():
                return tuple(sorted(self.spoken))
            case _:
                return ()

    def _both(self, edge: Edge, *, out: bool, into: bool) -> bool:
        """Return whether an edge is let through at both ends."""
        for end, here, allowed, other in (
            (edge.source, out, edge.out, "ingress"),
            (edge.destination, into, edge.into, "egress"),
        ):
            home = _home(end)
            if here or allowed or home is None or home not in self.spoken:
                continue
            if isinstance(end, PodsEnd) and on_host(end.workload):
                continue
            self.notes.shut(
                edge.entry,
                ONE_SIDED,
                f"it is to be enforced for {other} only, and the default deny of {home} shuts the "
                "other end",
                edge.text,
                "say `direction: both`, or leave that namespace out with -n",
            )
            return False
        return True

    # The platform

    def _dns(self, workload: Workload) -> None:
        subject = self._subject(workload.id)
        if subject is None:
            return
        found = self.names[workload.id]
        self._unclear(workload, found)
        said = platform.roles(self.order.contract).get(platform.DNS)
        reason = (said.reason if said else None) or "names are looked up"
        for resolver in found.resolvers:
            ports = platform.dns_ports(resolver)
            why = f"platform dns: {reason} ({resolver.why})"
            for name in resolver.workloads if resolver.is_pods else ():
                pods = self.clinic.pods(workload.id), self.clinic.pods(name)
                self.lookups.append(Edge(*pods, ports, reason=why))
            for peer in self._resolver(resolver):
                opening = Opening(Direction.EGRESS, peer, ports, None, (why,), lookup=True)
                self._write(subject, opening)
                key = text(peer)
                self._add(platform.DNS, "workloads", key, ports, resolver.why, workload.id)
            why = "platform dns: every pod looks up names here"
            self._answered(resolver, (PodsMatch(),), "every pod", why)
        for resolver in found.upstream:
            why = "platform dns: caches on nodes ask here, from their nodes' addresses"
            self._answered(resolver, self._every_node(resolver), "every node", why)

    def _answered(
        self, resolver: Resolver, callers: Sequence[PeerMatch], text_: str, why: str
    ) -> None:
        """Write who may ask a resolver, where policies are written for it."""
        ports = platform.dns_ports(resolver)
        for name in resolver.workloads:
            server = self.clinic.engine.world.workloads.get(name)
            if server is None or name.namespace not in self.spoken or on_host(server):
                continue
            here = self._subject(name)
            for peer in callers if here is not None else ():
                self._write(here or "", Opening(Direction.INGRESS, peer, ports, None, (why,)))
                self._add(platform.DNS, text_, str(name), ports, resolver.why, name)

    def _every_node(self, resolver: Resolver) -> Sequence[PeerMatch]:
        if self.order.words.nodes:
            return tuple(RelativeMatch(each) for each in (Relative.OWN_NODE, Relative.OTHER_NODE))
        found = node_addresses(self.clinic.engine, [None])
        if found is None and not self.order.words.outside_in:
            return ()
        if found is None:
            self.notes.say(
                UNRESOLVED,
                Severity.WARNING,
                f"caches on nodes ask {resolver.text}, and the addresses of nodes are not known",
                "a cache reaches the resolver on its own node at most",
                "read the nodes too, or say --node-cidr",
            )
            return ()
        return blocks(found)

    def _unclear(self, workload: Workload, found: platform.Lookups) -> None:
        for each in found.caveats:
            self.notes.say(
                UNRESOLVED,
                Severity.WARNING,
                f"lookups of names: {each.text}",
                "what is written for names stands on that",
                "read the resolver too, and say which platform it is",
            )
        for why in found.unclear if workload.id not in self.asked else ():
            self.notes.say(
                UNRESOLVED,
                Severity.WARNING,
                f"nothing shows whom {workload.id} asks for names: {why}",
                "no lookup of its is let through but to those that are known",
                "write a dependency to the resolvers of its nodes",
                span=workload.span,
                about=f"{workload.id.kind} {workload.id}",
            )

    def _resolver(self, resolver: Resolver) -> Iterator[PeerMatch]:
        if resolver.is_pods:
            # Where nothing selects one, its own Service's labels name it.
            chosen = [self.subjects.maybe(name) for name in resolver.workloads]
            subjects = [each for each in chosen if each is not None]
            for each in subjects:
                yield pods_of(each)
            labels = {k: v for k, v in resolver.pod_labels.items() if v != ANY_VALUE}
            if not subjects and resolver.namespace and labels:
                yield selected(resolver.namespace, labels)
            return
        if not resolver.addresses:
            return
        if resolver.kind is ResolverKind.NODE_CACHE and self.order.words.nodes:
            yield RelativeMatch(Relative.OWN_NODE)
            return
        yield from blocks(platform.dialled(resolver))

    def _probes(self, workload: Workload) -> None:
        ports = platform.probed(workload)
        subject = self._subject(workload.id)
        if not ports or subject is None:
            return
        why = "platform probes: the kubelet of the own node, which this enforcer does not exempt"
        if self.order.words.nodes:
            peers: tuple[PeerMatch, ...] = (RelativeMatch(Relative.OWN_NODE),)
        else:
            found = node_addresses(self.clinic.engine, [None])
            if found is None:
                self.notes.say(
                    UNSAID,
                    Severity.ERROR,
                    f"the probes of {workload.id} come from its node, whose address is not known",
                    "they fail, and the kubelet acts on that",
                    "read the nodes too, or say --node-cidr",
                    span=workload.span,
                )
                return
            peers = blocks(found)
        for peer in peers:
            self._write(subject, Opening(Direction.INGRESS, peer, ports, None, (why,)))
            self._add(platform.PROBES, text(peer), "workloads with probes", (), why, workload.id)


def _home(end: End) -> str | None:
    if isinstance(end, PodsEnd):
        return end.workload.id.namespace
    return end.namespace if isinstance(end, AnyEnd) else None


def _workload(end: End) -> WorkloadId | None:
    return end.workload.id if isinstance(end, PodsEnd) else None


def _itself(edge: Edge) -> bool:
    """Return whether an edge is a lone pod calling itself, which no policy is about."""
    source, destination = edge.source, edge.destination
    return (
        isinstance(source, PodsEnd)
        and isinstance(destination, PodsEnd)
        and source.workload.id == destination.workload.id
        and source.single
        and destination.single
        and source.endpoints == destination.endpoints
    )
