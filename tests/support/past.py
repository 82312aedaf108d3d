"""Edges that were seen over time, made by hand."""

from collections.abc import Iterable, Mapping

from cloison.algebra import AddressSet, TrafficSet
from cloison.analyses.ends import AddressEnd, End, NameEnd, PodsEnd
from cloison.analyses.past.course import HOUR, Course
from cloison.analyses.past.link import Link, links
from cloison.analyses.past.watch import Watch
from cloison.analyses.reconcile.pairs import Placed
from cloison.analyses.reconcile.seen import NODES, Became, Loss, Outside, Seen, SeenEnd
from cloison.base import Span
from cloison.resources.cron import Schedule
from cloison.resources.objects import PodShape
from cloison.resources.world import PodEndpoint, Workload, WorkloadId, World

START = 490_896
"""The hour since 1970 in which 2026 begins, on a Thursday."""
HERE = Span("past.yaml", 1, 1)
Hours = Mapping[int, int] | Iterable[int]


def workload(
    name: str,
    kind: str = "Deployment",
    *,
    nodes: Iterable[str | None] = (None,),
    host_network: bool = False,
    schedule: Schedule | None = None,
    replicas: int | None = None,
) -> Workload:
    """Return a workload, `namespace/name`, with a pod on each of some nodes."""
    namespace, _, own = name.partition("/")
    id_ = WorkloadId(namespace, own, kind)
    shapes = [PodShape({}, host_network=host_network, node=node) for node in nodes]
    pods = tuple(PodEndpoint(id_, None, shape, HERE) for shape in shapes)
    return Workload(id_, pods, replicas=replicas, span=HERE, schedule=schedule)


def world(*workloads: Workload) -> World:
    """Return a world of some workloads."""
    return World(workloads={each.id: each for each in workloads})


def pods(known: Workload | str, kind: str = "Deployment") -> PodsEnd:
    """Return a workload as an end."""
    if isinstance(known, str):
        known = workload(known, kind)
    return PodsEnd(str(known.id), known, tuple(range(len(known.endpoints))))


def outside(ip: str | None = None, name: str | None = None) -> Outside:
    """Return an end outside."""
    address = None if ip is None else AddressEnd(ip, AddressSet.address(ip))
    return Outside(address, None if name is None else NameEnd(f"dns:{name}", ()))


def seen(
    source: End | Outside | str,
    destination: End | Outside | str,
    hours: Hours,
    port: int = 8080,
    became: Became = "allowed",
    *,
    adapter: str = "hubble",
    pod: str | None = None,
    ambiguous: int = 0,
    protocol: str = "TCP",
) -> Placed:
    """Return what was seen of an edge.

    Args:
        source: Who called; text is a Deployment.
        destination: Who was called.
        hours: Connections of each hour after the start; of mere hours, one in each.
        port: The port; below 0 there is none, and it is ICMP.
        became: What became of them.
        adapter: Which source tells.
        pod: A pod of the source.
        ambiguous: How many of them had an address that several held.
        protocol: The protocol, unless it is ICMP.
    """
    one, other = (pods(e) if isinstance(e, str) else e for e in (source, destination))
    rows = hours if isinstance(hours, Mapping) else dict.fromkeys(hours, 1)
    course = Course.of((START + hour, count) for hour, count in rows.items())
    times = [(START + hour) * HOUR for hour in rows]
    edge = Seen(
        _end(one, pod),
        _end(other, None),
        "ICMP" if port < 0 else protocol,
        None if port < 0 else port,
        became,
        course.total,
        min(times, default=None),
        max(times, default=None),
        (adapter,),
        ambiguous=ambiguous,
        icmp_type=8 if port < 0 else None,
        course=course,
    )
    traffic = TrafficSet.icmp(8, 0) if port < 0 else TrafficSet.ports(protocol, port)
    return Placed(edge, one, other, traffic)


def _end(end: End | Outside, pod: str | None) -> SeenEnd:
    if isinstance(end, PodsEnd):
        known = end.workload.id
        return SeenEnd("pod", known.namespace, known.name, known.kind, pod)
    if isinstance(end, Outside):
        ip = None if end.address is None else end.address.text
        return SeenEnd("world", ip=ip, name=None if end.name is None else end.name.text[4:])
    return SeenEnd("host" if end is NODES else "unknown")


def linked(*rows: Placed) -> tuple[Link, ...]:
    """Return edges of what was seen, sorted."""
    return links(rows)


def watch(hours: int | Iterable[int], *lost: Loss) -> Watch:
    """Return a watch of the first hours after the start, or of some."""
    each = range(hours) if isinstance(hours, int) else sorted(hours)
    return Watch({"hubble": tuple(START + hour for hour in each)}, lost)
