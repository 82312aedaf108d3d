"""The ends of a question: what people call things, and what those things are.

The forms are part of the interface; see the reference page on naming ends.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from itertools import islice

from cloison.algebra import NO_ADDRESSES, AddressSet, address_text, family_of, parse_address
from cloison.analyses.forms import FORMS, KINDS, unknown
from cloison.base import QuestionError, UnknownEndpointError
from cloison.engine import Engine
from cloison.ir.names import NamePattern, exact_name, host_name, is_host_name
from cloison.platform import names as searched
from cloison.platform.routes.model import Entry
from cloison.resources.names import shown
from cloison.resources.objects import Node, Service
from cloison.resources.world import APART, PodEndpoint, Workload

_PREFIX = re.compile(r"^(node|svc|gw|dns|any|reserved):(.*)$")


@dataclass(frozen=True, slots=True)
class PodsEnd:
    """Pods of one workload, or one pod of it.

    Args:
        text: What to call it in an answer.
        workload: The workload.
        endpoints: Indices of the endpoints that are meant, in the engine's table.
        single: Whether exactly one pod is meant, so that both ends may be the same pod.
        note: How the question's words led here, where that is not obvious.
        gone: A finished pod was named: it takes part in nothing.
        family: Named by an address of this family, 4 or 6.
    """

    text: str
    workload: Workload
    endpoints: tuple[int, ...]
    single: bool = False
    note: str | None = None
    gone: bool = False
    family: int | None = None


@dataclass(frozen=True, slots=True)
class AddressEnd:
    """Addresses outside the cluster, together with whoever inside has one of them.

    Args:
        text: What to call it in an answer.
        addresses: The addresses.
        loopback: Whether they are a pod's way to itself.
        note: How the question's words led here, where that is not obvious.
        name: The DNS name that stands for them, where the question says one.
        own_node: Whether every node has them itself, so that a pod's packet ends at its own node.
    """

    text: str
    addresses: AddressSet
    loopback: bool = False
    note: str | None = None
    name: str | None = None
    own_node: bool = False


@dataclass(frozen=True, slots=True)
class NameEnd:
    """Whatever has a DNS name of which not every address is known, outside the cluster.

    Args:
        text: What to call it in an answer.
        names: The name; or, for a pattern as rules write it, what each language means by that.
        addresses: Those that are known.
        note: How the question's words led here, where that is not obvious.
    """

    text: str
    names: tuple[NamePattern, ...]
    addresses: AddressSet = NO_ADDRESSES
    note: str | None = None


@dataclass(frozen=True, slots=True)
class NodeEnd:
    """A node: its kubelet and other processes of the host."""

    text: str
    node: Node
    note: str | None = None
    family: int | None = None


@dataclass(frozen=True, slots=True)
class Landing:
    """The node whose port is dialled, and what one way of leading on makes of that.

    Args:
        node: The node.
        kept: Whether only pods of that node get it.
        masked: Whether the node puts its own address in the place of the caller's.
        early: Whether who enforces on that node looks before it does so.
    """

    node: str
    kept: bool = False
    masked: bool = True
    early: bool = False


@dataclass(frozen=True, slots=True)
class ServiceEnd:
    """A Service, to be followed to the pods behind it.

    Args:
        text: What to call it in an answer.
        service: The Service.
        note: How the question's words led here, where that is not obvious.
        outside: Whether it is called at an address for clients outside: of its load balancer, or
            an external one.
        direct: Whether its pods are dialled at their own addresses, as gateways do.
        name: The DNS name that the question calls it by, where it says one.
        landing: The node by a port of which it is called, where that is so.
    """

    text: str
    service: Service
    note: str | None = None
    outside: bool = False
    direct: bool = False
    name: str | None = None
    landing: Landing | None = None


@dataclass(frozen=True, slots=True)
class EntryEnd:
    """A Gateway, Ingress or route.

    As a source it stands for whoever serves it, as a destination for all that is behind it.
    """

    text: str
    entry: Entry
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AnyEnd:
    """Every pod, of one namespace or of all."""

    text: str
    namespace: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class SomeNodeEnd:
    """One of the nodes, whichever: the source that address translation may leave visible.

    Args:
        text: What to call it in an answer.
        note: How the question's words led here, where that is not obvious.
        passing: Whether it passes on what another sends, with its own address as the source.
        node: Which one it is, where that is known.
    """

    text: str
    note: str | None = None
    passing: bool = False
    node: str | None = None


End = PodsEnd | AddressEnd | NameEnd | NodeEnd | SomeNodeEnd | ServiceEnd | EntryEnd | AnyEnd


@dataclass(slots=True)
class _Names:
    """What has a name in one namespace: workloads, live pods by index, pods that are finished."""

    workloads: dict[str, list[Workload]] = field(default_factory=lambda: defaultdict(list))
    pods: dict[str, int] = field(default_factory=dict)
    gone: dict[str, Workload] = field(default_factory=dict)


@dataclass(frozen=True)
class Names:
    """Finds ends by name in one engine's world.

    Args:
        engine: Whose world.
        namespace: Where a bare name is looked up.
        entries: Gateways, Ingresses and routes.
    """

    engine: Engine
    namespace: str | None = None
    entries: tuple[Entry, ...] = ()
    _cache: dict[str, End] = field(default_factory=dict)
    _known: "dict[str, _Names]" = field(default_factory=dict)

    @cached_property
    def _workloads(self) -> dict[str, list[Workload]]:
        """Workloads by namespace."""
        found: dict[str, list[Workload]] = defaultdict(list)
        for workload in self.engine.world.workloads.values():
            found[workload.id.namespace].append(workload)
        return found

    def _in(self, namespace: str) -> "_Names":
        """Return what has a name in a namespace; most questions are about one or two."""
        found = self._known.get(namespace)
        if found is None:
            found = self._known[namespace] = _Names()
            for workload in self._workloads.get(namespace, ()):
                found.workloads[workload.id.name].append(workload)
                for endpoint in workload.finished:
                    if endpoint.pod is not None:
                        found.gone[endpoint.pod] = workload
            table = self.engine.table
            for index in table.by_namespace.get(namespace, ()):
                pod = table.endpoints[index].pod
                if pod is not None:
                    found.pods[pod] = index
        return found

    @cached_property
    def _addresses(self) -> dict[int, End]:
        """Known addresses; a Service's give way to a node's, a node's to a pod's."""
        found: dict[int, End] = {}
        for service in self.engine.world.services.values():
            outside = {*service.external_ips, *service.load_balancer}
            for text in (*service.cluster_ips, *sorted(outside)):
                try:
                    point = parse_address(text)
                except ValueError:
                    continue  # `None` marks a headless Service; a load balancer may have a name
                name = f"{service.namespace}/{service.name}"
                end = ServiceEnd(
                    f"svc:{name}", service, f"{text} is Service {name}", outside=text in outside
                )
                if service.redirected is not None:
                    end = ServiceEnd(text, service, f"some traffic to {text} is redirected")
                found[point] = end
        for node in self.engine.world.nodes.values():
            for point in node.addresses:
                note = f"{address_text(point)} is node {node.name}"
                found[point] = NodeEnd(f"node:{node.name}", node, note, family_of(point))
        for point, held in self.engine.holders.items():
            pods = [self.engine.table.endpoints[index] for index in held]
            text = address_text(point)
            note = f"{text} is pod {' and pod '.join(p.name for p in pods)}"
            if len(held) == 1:
                found[point] = replace(
                    self._one(held[0], pods[0]), note=note, family=family_of(point)
                )
            else:
                found[point] = AddressEnd(text, AddressSet.points((point,)), note=note)
        return found

    def _one(self, index: int, endpoint: PodEndpoint) -> PodsEnd:
        workload = self.engine.world.workloads[endpoint.workload]
        return PodsEnd(endpoint.name, workload, (index,), single=True)

    def end(self, text: str) -> End:
        """Return what a name means.

        Raises:
            UnknownEndpointError: nothing has that name.
            QuestionError: the name is not of a known form, or means several things.
        """
        found = self._cache.get(text)
        if found is None:
            found = self._cache[text] = self._find(text)
        return found

    def _find(self, text: str) -> End:
        prefixed = _PREFIX.match(text)
        if prefixed:
            return self._prefixed(text, prefixed[1], prefixed[2])
        address = self._address(text)
        if address is not None:
            return address
        parts = text.split("/")
        if len(parts) == 1:
            if self.namespace is None:
                return self._anywhere(text)
            parts = [self.namespace, text]
        if not all(parts):
            msg = f"{text!r} is not a name"
            raise QuestionError(msg, FORMS)
        match parts:
            case [namespace, name]:
                return self._named(namespace, name, None)
            case [namespace, kind, name]:
                return self._named(namespace, name, self._kind(kind))
            case _:
                msg = f"{text!r} has too many parts"
                raise QuestionError(msg, FORMS)

    def _prefixed(self, text: str, prefix: str, rest: str) -> End:
        world = self.engine.world
        match prefix:
            case "any":
                return AnyEnd(text, rest or None)
            case "node":
                if rest in world.nodes:
                    return NodeEnd(text, world.nodes[rest])
                raise UnknownEndpointError(*unknown(f"node {rest!r}", rest, world.nodes))
            case "svc":
                namespace, _, name = rest.rpartition("/")
                key = (namespace or self.namespace or "default", name)
                found = searched.called(world, *key)
                if found is not None:
                    return ServiceEnd(f"svc:{key[0]}/{key[1]}", found)
                names = [f"{n}/{s}" for n, s in world.services]
                raise UnknownEndpointError(*unknown(f"Service {rest!r}", rest, names))
            case "dns":
                return self._host(text, host_name(rest))
            case "reserved":
                return self._apart(text, rest)
            case _:
                return self._entry(rest)

    def _entry(self, rest: str) -> End:
        """Return the entry of a name, `NAMESPACE/NAME` or with its kind in the middle."""
        namespace, _, name = rest.rpartition("/")
        namespace, _, kind = namespace.partition("/")
        key = (namespace or self.namespace or "default", name)
        found = [
            each
            for each in self.entries
            if (each.namespace, each.name) == key
            and (not kind or each.kind.lower() == kind.lower().removesuffix("s"))
        ]
        if len(found) == 1:
            return EntryEnd(f"gw:{key[0]}/{key[1]}", found[0])
        if found:
            forms = ", ".join(f"gw:{e.namespace}/{e.kind.lower()}/{e.name}" for e in found)
            msg = f"gw:{key[0]}/{key[1]} names {len(found)} things: {forms}"
            raise QuestionError(msg, "say which one, with its kind in the middle")
        names = [f"{each.namespace}/{each.name}" for each in self.entries]
        raise UnknownEndpointError(*unknown(f"Gateway, Ingress or Route {rest!r}", rest, names))

    def _apart(self, text: str, name: str) -> End:
        """Return an end that the enforcer has besides pods."""
        for workload in self._workloads.get(APART, ()):
            if workload.id.name == name:
                return replace(self._workload(workload), text=text)
        msg = f"the enforcer of this cluster has no end {shown(text)}"
        raise UnknownEndpointError(msg, "some have reserved:health@NODE and reserved:ingress")

    def _host(self, text: str, name: str) -> End:
        """Return what a DNS name is, or a pattern that rules write."""
        networks = self.engine.networks
        book = self.engine.binder.matcher.book
        if "*" in name:
            written = [p for p in self.engine.mentioned if not p.exact and p.text == name]
            if not written:
                known = [str(p) for p in self.engine.mentioned if not p.exact]
                raise UnknownEndpointError(*unknown(f"rule about {name!r}", name, known))
            addresses = AddressSet(s for p in written for s in book.of(p).spans)
            if all(map(book.knows, written)):
                if addresses:
                    return AddressEnd(text, addresses, name=name)
                note = f"the DNS table has no address of {name}, so there is {_NOTHING_THERE}"
                return NameEnd(text, tuple(written), note=note)
            return NameEnd(text, tuple(written), addresses)
        if not is_host_name(name):
            msg = f"{shown(name)} is not a DNS name"
            raise QuestionError(msg, "write dns:api.example.com")
        service = self._service(name)
        if service is not None:
            return service
        if name in networks.names:
            addresses = networks.names[name]
            if not addresses:
                note = f"{name} is said to stand for no address, so there is {_NOTHING_THERE}"
                return NameEnd(text, (exact_name(name),), note=note)
            few = list(islice(addresses.blocks(), _FEW + 1))
            held = ", ".join(few[:_FEW]) + (", ..." if len(few) > _FEW else "")
            return AddressEnd(text, addresses, note=f"{name} stands for {held}", name=name)
        if not networks.complete:
            return NameEnd(text, (exact_name(name),))
        close = get_close_matches(name, networks.names, 1, 0.8)
        meant = f"; {close[0]} is, if that was meant" if close else ""
        note = f"{name} is not in the DNS table, so there is {_NOTHING_THERE}{meant}"
        return NameEnd(text, (exact_name(name),), note=note)

    def _service(self, name: str) -> End | None:
        """Return the Service of a full name, or a pod behind it; None where it is no cluster's."""
        found = searched.in_full(self.engine.world, name)
        if found is not None:
            pod = self._in(found.service.namespace).pods.get(found.host or "")
            if pod is not None:
                return replace(self._one(pod, self.engine.table.endpoints[pod]), note=found.note)
            return ServiceEnd(found.text, found.service, found.note, name=name)
        world = self.engine.world
        if searched.is_of_cluster(world, name) and name not in self.engine.networks.names:
            names = searched.close_to(world, name)
            what = f"Service in the input that has the name {name!r}"
            raise UnknownEndpointError(*unknown(what, name, names))
        return None

    def _address(self, text: str) -> End | None:
        bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        try:
            addresses = AddressSet.block(bare) if "/" in bare else AddressSet.address(bare)
        except ValueError:
            if re.fullmatch(r"[0-9.]+(/\d+)?", bare) or bare.count(":") > 1:
                msg = f"{text!r} is not an address or block"
                raise QuestionError(msg, FORMS) from None
            return None
        if addresses.size() == 1:
            point = addresses.spans[0][0]
            if point in self._addresses:
                return self._addresses[point]
            return AddressEnd(bare, addresses, loopback=addresses <= _LOOPBACK)
        return AddressEnd(bare, addresses, loopback=addresses <= _LOOPBACK)

    def _anywhere(self, name: str) -> End:
        every = sorted(self._workloads)
        found = [ns for ns in every if name in self._in(ns).workloads]
        found = found or [ns for ns in every if name in self._in(ns).pods]
        if len(found) == 1:
            end = self._named(found[0], name, None)
            note = f"{name} was taken to be {found[0]}/{name}, the only one of that name"
            return replace(end, note=note)
        if found:
            msg = f"{name!r} is in several namespaces: {', '.join(found)}"
            raise QuestionError(msg, "say which with -n, or as NAMESPACE/NAME")
        raise UnknownEndpointError(*self._unknown_pod("", name))

    def _kind(self, word: str) -> str:
        lower = word.lower()
        for form in (lower, lower.removesuffix("s")):
            if form in KINDS:
                return KINDS[form]
        kinds = {w.kind.lower(): w.kind for w in self.engine.world.workloads}
        if lower in kinds:
            return kinds[lower]
        msg = f"{word!r} is not a kind that has pods here"
        raise QuestionError(msg, FORMS)

    def _named(self, namespace: str, name: str, kind: str | None) -> End:
        here = self._in(namespace)
        every = workloads = here.workloads.get(name, [])
        if kind is not None:
            workloads = [w for w in workloads if w.id.kind == kind]
        if kind is None and len(workloads) > 1:
            # A pod of its own is meant only where no workload has the name.
            workloads = [w for w in workloads if w.id.kind != "Pod"]
        if len(workloads) > 1:
            forms = ", ".join(sorted(f"{namespace}/{w.id.kind.lower()}/{name}" for w in workloads))
            msg = f"{namespace}/{name} names {len(workloads)} workloads: {forms}"
            raise QuestionError(msg, "say which one, with its kind in the middle")
        if workloads:
            return self._workload(workloads[0])
        if kind in (None, "Pod"):
            if name in here.pods:
                index = here.pods[name]
                return self._one(index, self.engine.table.endpoints[index])
            if name in here.gone:
                return PodsEnd(f"{namespace}/{name}", here.gone[name], (), single=True, gone=True)
        if kind is not None:
            others = sorted({w.id.kind for w in every})
            if others:
                msg = f"{namespace}/{name} is no {kind}"
                raise UnknownEndpointError(msg, f"it is a {' and a '.join(others)}")
        raise UnknownEndpointError(*self._unknown_pod(namespace, name))

    def _workload(self, workload: Workload) -> PodsEnd:
        indices = self.engine.table.by_workload[workload.id]
        bare = workload.id.kind == "Pod"
        return PodsEnd(str(workload.id), workload, indices, single=bare, gone=not indices)

    def _unknown_pod(self, namespace: str, name: str) -> tuple[str, str]:
        text = f"{namespace}/{name}" if namespace else name
        known = {
            f"{ns}/{each}"
            for ns in self._workloads
            for each in (*self._in(ns).workloads, *self._in(ns).pods)
        }
        same_name = sorted(k for k in known if k.endswith(f"/{name}"))
        message, help_ = unknown(f"workload or pod {text!r}", text, known)
        if same_name:
            return message, f"did you mean {' or '.join(same_name[:3])}?"
        return message, help_


_LOOPBACK = AddressSet.block("127.0.0.0/8") | AddressSet.block("::1/128")
_FEW = 3
_NOTHING_THERE = "nothing to connect to; what is answered is what policies say of such a name"
