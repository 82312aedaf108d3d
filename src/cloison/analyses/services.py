"""Services followed to the pods behind them: address, port and apparent source.

Policies judge the packet that arrives: the backend pod's address and its own port.

Source: kubernetes/api core/v1 types.go (ServiceSpec, ServicePort, ServiceExternalTrafficPolicy);
kubernetes/kubernetes staging/src/k8s.io/endpointslice/utils.go, pkg/proxy.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import NO_ADDRESSES, AddressSet, TrafficSet
from cloison.analyses.aliases import alias
from cloison.analyses.backends import Listed, itself, members, nodes_of, on_node, own_port
from cloison.analyses.ends import (
    AddressEnd,
    End,
    PodsEnd,
    ServiceEnd,
    SomeNodeEnd,
)
from cloison.analyses.question import Traffic
from cloison.analyses.servicestops import (
    left_out,
    no_port,
    no_target,
    nobody,
    not_here,
    not_in_ranges,
)
from cloison.base import QuestionError
from cloison.engine import Engine
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.platform.routes.model import Stop
from cloison.resources.objects import Service, ServicePort


@dataclass(frozen=True, slots=True)
class Followed:
    """A question as the enforcement points see it; `returned` to the very pod that asks."""

    source: End
    destination: End
    traffic: Traffic
    caveats: tuple[Caveat, ...] = ()
    notes: tuple[str, ...] = ()
    returned: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes of a part of a call to a Service: somebody gets it, or nobody does.

    Args:
        source: Who calls.
        traffic: What they call, as they dial it.
        followed: Where it arrives.
        stop: Why it arrives nowhere, though no policy is to blame.
    """

    source: End
    traffic: Traffic
    followed: tuple[Followed, ...] = ()
    stop: Stop | None = None


def follow(engine: Engine, source: End, end: ServiceEnd, traffic: Traffic) -> list[Followed]:
    """Return the questions that one through a Service comes to.

    Raises:
        QuestionError: the Service has no such port, or nothing behind it.
    """
    found = lead(engine, source, end, traffic)
    arriving = [each for part in found for each in part.followed]
    stops = [part.stop for part in found if part.stop is not None]
    if not arriving:
        raise QuestionError(stops[0].text, stops[0].help)
    notes = tuple(f"{stop.text}: that part of the question was left out" for stop in stops)
    return [replace(each, notes=(*each.notes, *notes)) for each in arriving]


def lead(engine: Engine, source: End, end: ServiceEnd, traffic: Traffic) -> tuple[Part, ...]:
    """Return what becomes of a call to a Service, part by part; at least one.

    Args:
        engine: Whose world.
        source: Who calls.
        end: The Service.
        traffic: What is dialled.
    """
    service = end.service
    if service.type == "ExternalName":
        return _alias(engine, source, end, traffic)
    if "None" in service.cluster_ips:
        return _headless(engine, source, end, traffic)
    own = itself(service)
    if own is not None and not matching(service, traffic):
        return (Part(source, traffic, (Followed(source, own, traffic),)),)
    ports = matching(service, traffic)
    if not ports:
        return (Part(source, traffic, stop=no_port(end, traffic)),)
    admitted, barred = _filtered(source, end)
    if admitted is None:
        return (Part(source, traffic, stop=not_in_ranges(end)),)
    source = admitted
    parts = [Part(barred, traffic, stop=not_in_ranges(end))] if barred is not None else []
    parts += [
        part
        for port in ports
        for part in _translated(engine, source, end, port, _dialled(port, traffic, ports))
    ]
    if all(part.stop is not None for part in parts):
        # What is behind it serves no port: one reason for all of them.
        reasons = {part.stop.text: part for part in parts if part.stop is not None}
        return tuple(reasons.values())
    return tuple(parts)


def _filtered(source: End, end: ServiceEnd) -> tuple[End | None, End | None]:
    """Return the part of a client that a load balancer takes calls of, and the part it does not.

    Nobody filters what is sent to an external address, or to a port of a node.
    """
    service = end.service
    filters = service.type == "LoadBalancer" and not service.external_ips and not end.direct
    filters = filters and end.landing is None
    blocks = source_ranges(service) if filters else None
    if not isinstance(source, AddressEnd) or blocks is None or not source.addresses:
        return source, None
    inside, rest = source.addresses & blocks, source.addresses - blocks
    if not inside or not rest:
        return (source, None) if inside else (None, source)
    return replace(source, addresses=inside), replace(source, addresses=rest)


def source_ranges(service: Service) -> AddressSet | None:
    """Return the addresses that a load balancer takes calls of; None where it takes all."""
    if service.type != "LoadBalancer" or not service.source_ranges:
        return None
    found = NO_ADDRESSES
    for text in service.source_ranges:
        try:
            found |= AddressSet.block(text.strip())
        except ValueError:
            return None  # the control plane refuses such a Service
    return found


def _alias(engine: Engine, source: End, end: ServiceEnd, traffic: Traffic) -> tuple[Part, ...]:
    """An alias is for resolvers only: who calls it dials what it stands for, on its own port."""
    found = alias(engine, end)
    if isinstance(found, Stop):
        return (Part(source, traffic, stop=found),)
    named = _named_port(end, traffic)
    if named is None:
        return (Part(source, traffic, stop=no_port(end, traffic)),)
    note = f"{end.text} is an alias for {_bare(found)}: the client dials that, on its own port"
    if isinstance(found, ServiceEnd):
        parts = lead(engine, source, found, named)
        return tuple(
            replace(
                part,
                followed=tuple(replace(f, notes=(note, *f.notes)) for f in part.followed),
            )
            for part in parts
        )
    return (Part(source, named, (Followed(source, found, named, (), (note,)),)),)


def _bare(end: End) -> str:
    return end.text.partition(":")[2] or end.text


def _named_port(end: ServiceEnd, traffic: Traffic) -> Traffic | None:
    """Return traffic with the number that a Service gives a name; None where it gives it none."""
    if traffic.name is None:
        return traffic
    for port in end.service.ports:
        if port.name == traffic.name:
            return _on(port.protocol, port.port)
    return None


def _on(protocol: str, port: int) -> Traffic:
    return Traffic(f"{protocol}/{port}", TrafficSet.ports(protocol, port))


def _headless(engine: Engine, source: End, end: ServiceEnd, traffic: Traffic) -> tuple[Part, ...]:
    """A headless name stands for the pods' own addresses, and nothing rewrites the port.

    A record for a port by its name leads to the pods' own port instead.
    """
    service = end.service
    found = members(engine, service)
    if not found.ends:
        return (Part(source, traffic, stop=nobody(end, found)),)
    note = f"Service {end.text[4:]} is headless: its name leads to the pods, the port is theirs"
    if service.publish_not_ready:
        note = f"{note}; also to those that are not ready"
    notes = (note, *left_out(found.left_out))
    arriving: list[Followed] = []
    for backend, ports in found.ends:
        if traffic.name is None:
            arriving.append(Followed(source, backend, traffic, (), notes))
            continue
        for port in (p for p in service.ports if p.name == traffic.name):
            for to, own, _ in _own(engine, port, backend, ports):
                arriving.append(Followed(source, to, _on(port.protocol, own), (), notes))
    if not arriving:
        return (Part(source, traffic, stop=no_port(end, traffic)),)
    return (Part(source, traffic, tuple(arriving)),)


def _translated(
    engine: Engine, source: End, end: ServiceEnd, port: ServicePort, traffic: Traffic
) -> Iterator[Part]:
    """Yield what becomes of a call to one port: address and port are replaced by a backend's."""
    service = end.service
    caveats = set() if end.direct else {known.SERVICE_NAT}
    apparent = _apparent(source, end, caveats)
    own = itself(service)
    found = members(engine, service)
    led = list(_led(engine, source, service, port, found.ends))
    if not led:
        yield Part(source, traffic, stop=nobody(end, found))
        return
    served: list[tuple[PodsEnd | AddressEnd, int, str]] = []
    lacking: list[str] = []
    for backend, ports in led:
        served += _own(engine, port, backend, ports)
        lacking += _lacking(engine, port, backend, ports)
    if not served:
        yield Part(source, traffic, stop=no_target(end, port, lacking))
        return
    what = f"Service {end.text[4:]}" if own is None else end.text
    said = (*left_out(found.left_out), *left_out(tuple(lacking)))
    for part_source, group, stop, unsure in _placed(engine, source, apparent, end, served):
        if stop is not None:
            yield Part(part_source, traffic, stop=stop)
            continue
        shown = part_source if apparent == source else apparent
        carried = tuple(sorted({*caveats, *unsure}))
        arriving: list[Followed] = []
        for to, number, protocol in group:
            leads = "leads" if to != own else "is not redirected here: it leads"
            note = f"{what} port {port.port} {leads} to {to.text} on {protocol}/{number}"
            for seen, part in _seen(engine, shown, end, to):
                one = Followed(seen, part, _on(protocol, number), carried, (note, *said))
                arriving += _hairpin(engine, one)
        yield Part(part_source, traffic, tuple(arriving))


_Group = Sequence[tuple[PodsEnd | AddressEnd, int, str]]


def _placed(
    engine: Engine, source: End, apparent: End, end: ServiceEnd, served: _Group
) -> Iterator[tuple[End, _Group, Stop | None, tuple[Caveat, ...]]]:
    """Yield who gets whose call, where a Service keeps calls on the node they come from."""
    here, service = nodes_of(engine, source), end.service
    if end.landing is not None and end.landing.kept:
        near = _kept(engine, served, end.landing.node)
        ends = [to for to, _, _ in near if isinstance(to, PodsEnd)]
        unsure = len(ends) < len(near) or any(None in nodes_of(engine, to) for to in ends)
        yield source, near, None, (known.LOCAL_ENDPOINTS,) if unsure else ()
        return
    if (
        end.direct
        or end.outside
        or service.internal_traffic_policy != "Local"
        or not here
        or apparent != source
    ):
        yield source, served, None, ()
        return
    there = frozenset(
        node
        for to, _, _ in served
        for node in (nodes_of(engine, to) if isinstance(to, PodsEnd) else {None})
    )
    if None in here | there:
        yield source, served, None, (known.LOCAL_ENDPOINTS,)
        return
    for node in sorted(each for each in here if each is not None):
        mine = on_node(engine, source, node) if isinstance(source, PodsEnd) else source
        if mine is None:
            continue
        mine = replace(mine, text=source.text) if isinstance(mine, PodsEnd) else mine
        local = [
            (kept, number, protocol)
            for to, number, protocol in served
            if isinstance(to, PodsEnd) and (kept := on_node(engine, to, node)) is not None
        ]
        stop = None if local else not_here(service, node)
        yield mine, local, stop, ()


def _kept(engine: Engine, served: _Group, node: str) -> _Group:
    """Return who of those behind a Service is on a node, or may be."""
    return [
        (kept, number, protocol)
        for to, number, protocol in served
        for kept in _here(engine, to, node)
    ]


def _here(engine: Engine, to: PodsEnd | AddressEnd, node: str) -> Iterator[PodsEnd | AddressEnd]:
    """Yield what of a backend is on a node, or may be."""
    if not isinstance(to, PodsEnd):
        yield to
        return
    ends = engine.table.endpoints
    chosen = tuple(index for index in to.endpoints if ends[index].shape.node in (node, None))
    if chosen:
        yield replace(to, endpoints=chosen)


def _seen(
    engine: Engine, source: End, end: ServiceEnd, to: PodsEnd | AddressEnd
) -> Iterator[tuple[End, PodsEnd | AddressEnd]]:
    """Yield whom backends see that are called by a node's port, part by part."""
    at = end.landing
    if at is None or not at.masked:
        yield source, to
        return
    node = SomeNodeEnd(f"{source.text}, translated", passing=True, node=at.node)
    near = list(_here(engine, to, at.node)) if at.early and isinstance(to, PodsEnd) else []
    yield from ((source, each) for each in near)
    held = {index for each in near if isinstance(each, PodsEnd) for index in each.endpoints}
    if not held:
        yield node, to
    elif isinstance(to, PodsEnd) and held != set(to.endpoints):
        others = tuple(index for index in to.endpoints if index not in held)
        yield node, replace(to, endpoints=others)


def _hairpin(engine: Engine, followed: Followed) -> Iterator[Followed]:
    """Where the pods behind a Service are those that ask, a pod may be led back to itself."""
    source, backend = followed.source, followed.destination
    if not (
        isinstance(source, PodsEnd)
        and isinstance(backend, PodsEnd)
        and source.endpoints == backend.endpoints
    ):
        yield followed
        return
    workload = source.workload
    alone = len(source.endpoints) == 1 and (
        source.single
        or workload.replicas == 1
        or engine.table.endpoints[source.endpoints[0]].pod is not None
    )
    pair = replace(source, single=True), replace(backend, single=True)
    yield replace(followed, source=pair[0], destination=pair[1], returned=True)
    if not alone:
        yield followed


def _apparent(source: End, end: ServiceEnd, caveats: set[Caveat]) -> End:
    """Return the source a backend sees.

    A client outside comes through a load balancer or node port, where its address is
    replaced unless the Service keeps traffic on the node it arrived at. Who calls an outside
    address from within is led to the backends as if that policy were `Cluster`.
    """
    service = end.service
    if end.direct:
        return source
    if end.landing is not None and end.landing.masked:
        caveats.update((known.SNAT, known.OVERLAY_SOURCE))
        return source  # whom pods see depends on where they are
    outward = service.type in ("NodePort", "LoadBalancer") or service.external_ips
    local = service.external_traffic_policy == "Local"
    if not isinstance(source, AddressEnd):
        if end.outside:
            caveats.add(known.SHORT_CIRCUIT)
        return source
    if not outward or (local and service.type != "LoadBalancer"):
        return source
    if local:
        caveats.add(known.BALANCER_SOURCE)
        return source
    caveats.update((known.SNAT, known.OVERLAY_SOURCE))
    note = "the source seen may be a node's address"
    return SomeNodeEnd(f"{source.text}, translated", note, passing=True)


def matching(service: Service, traffic: Traffic) -> tuple[ServicePort, ...]:
    """Return the ports of a Service that some traffic asks for.

    Args:
        service: The Service.
        traffic: What is dialled.
    """
    if traffic.text is None:
        return service.ports
    return tuple(
        port
        for port in service.ports
        if (
            port.name == traffic.name
            if traffic.name is not None
            else TrafficSet.ports(port.protocol, port.port) <= traffic.traffic
        )
    )


def _dialled(port: ServicePort, traffic: Traffic, ports: Sequence[ServicePort]) -> Traffic:
    """Return what is dialled to reach one port of several."""
    return traffic if len(ports) == 1 else _on(port.protocol, port.port)


def _led(
    engine: Engine,
    source: End,
    service: Service,
    port: ServicePort,
    behind: Iterable[tuple[PodsEnd | AddressEnd, Listed]],
) -> Iterator[tuple[PodsEnd | AddressEnd, Listed]]:
    """Iterate over what a port of a Service leads to from where somebody is.

    On a node that has a pod to which traffic of the Service is redirected, that gets it.
    """
    redirect = service.redirect
    here = nodes_of(engine, source)
    target = None if redirect is None else redirect.ports.get((port.protocol, port.port))
    everywhere = True
    if redirect is not None and target is not None and here:
        local = [
            (index, end)
            for index, end in enumerate(engine.table.endpoints)
            if end.namespace == service.namespace
            and end.shape.node in here
            and redirect.pods.matches(end.labels)
        ]
        for index, end in local:
            workload = engine.world.workloads[end.workload]
            ports = (replace(port, port=target),)
            yield PodsEnd(end.name, workload, (index,), single=True), ports
        everywhere = bool(here - {end.shape.node for _, end in local})
    if everywhere:
        yield from behind


def _own(
    engine: Engine, port: ServicePort, backend: PodsEnd | AddressEnd, ports: Listed
) -> Iterator[tuple[PodsEnd | AddressEnd, int, str]]:
    """Yield a backend with its own port behind a Service port.

    Pods that give the port's name to different numbers are told apart; one that does not declare
    it is no endpoint of that port.
    """
    if ports is not None:
        match = next((p for p in ports if p.name == port.name), None)
        if match is not None:
            yield backend, match.port, match.protocol
        return
    target = port.target if port.target is not None else port.port
    if isinstance(target, int):
        yield backend, target, port.protocol
        return
    if not isinstance(backend, PodsEnd):
        return
    numbers: dict[int, list[int]] = defaultdict(list)
    for index in backend.endpoints:
        number = own_port(engine.table.endpoints[index], target, port.protocol)
        if number is not None:
            numbers[number].append(index)
    for number, chosen in numbers.items():
        yield replace(backend, endpoints=tuple(chosen)), number, port.protocol


def _lacking(
    engine: Engine, port: ServicePort, backend: PodsEnd | AddressEnd, ports: Listed
) -> Iterator[str]:
    """Yield what is said of pods that do not declare the name that a port leads to."""
    if ports is not None or not isinstance(port.target, str) or not isinstance(backend, PodsEnd):
        return
    for index in backend.endpoints:
        endpoint = engine.table.endpoints[index]
        if own_port(endpoint, port.target, port.protocol) is None:
            yield (
                f"pod {endpoint.name} declares no {port.protocol} port named {port.target!r}, so "
                f"it is no endpoint of port {port.port}"
            )
