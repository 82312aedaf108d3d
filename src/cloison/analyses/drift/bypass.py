"""D10: ways past the gateway or the egress proxy, where others take the way by it."""

from collections import defaultdict
from collections.abc import Iterator

from cloison.analyses.drift.edge import BALANCERS, Edge
from cloison.analyses.drift.model import Code, Evidence, Key, Sign
from cloison.analyses.drift.newflows import known, recorded
from cloison.analyses.drift.scene import Scene
from cloison.analyses.drift.windows import SLOW
from cloison.analyses.ends import PodsEnd
from cloison.analyses.past.link import shown
from cloison.analyses.past.sorts import Sort
from cloison.analyses.reconcile.seen import Outside
from cloison.base import Severity
from cloison.base.words import few, plural
from cloison.intent import WorkloadClass
from cloison.platform.components import Role
from cloison.platform.ranges import public
from cloison.resources.world import WorkloadId


def bypass(scene: Scene) -> Iterator[Sign]:
    """Yield a sign for each flow past a gateway or proxy by which its ends are joined, too."""
    gateways = _gateways(scene)
    graph = _graph(scene)
    used = {name for called in graph.values() for name in called}
    leading = sorted(str(each) for each in scene.proxies if each in used)
    checks = 0
    for edge in scene.edges:
        if edge.meant or not edge.allowed.hours or known(scene, edge):
            continue
        source, destination = edge.ends
        if isinstance(source, Outside) and isinstance(destination, PodsEnd):
            name = destination.workload.id
            if name in gateways:
                continue
            if edge.source == BALANCERS:
                checks += 1
                continue
            by = sorted(str(each) for each in gateways if name in _reached(graph, each))
            if by:
                yield _sign(scene, edge, f"past {few(by)}, which leads there")
        elif isinstance(source, PodsEnd) and isinstance(destination, Outside):
            name = source.workload.id
            if name in scene.proxies or not _public(destination):
                continue
            if leading:
                yield _sign(scene, edge, f"past {few(leading)}, by which others leave the cluster")
    scene.skip(Code.BYPASS, "it is a health check of a load balancer", checks)


def _gateways(scene: Scene) -> frozenset[WorkloadId]:
    """Return the workloads by which the outside is meant to come in."""
    found: set[WorkloadId] = set()
    if scene.placed is not None:
        for name, place in scene.placed.places.items():
            if place.workload_class is WorkloadClass.GATEWAY:
                found.add(name)
    for each in scene.site.components:
        if each.component.role is Role.GATEWAY:
            found.update(each.workloads)
    return frozenset(found - scene.proxies)


def _graph(scene: Scene) -> dict[WorkloadId, set[WorkloadId]]:
    """Return who is meant, or was seen, to call whom inside the cluster."""
    found: dict[WorkloadId, set[WorkloadId]] = defaultdict(set)
    for one in scene.wanted:
        if isinstance(one.source, PodsEnd) and isinstance(one.destination, PodsEnd):
            found[one.source.workload.id].add(one.destination.workload.id)
    for edge in scene.edges:
        source, destination = edge.ends
        if edge.allowed and isinstance(source, PodsEnd) and isinstance(destination, PodsEnd):
            found[source.workload.id].add(destination.workload.id)
    return found


def _reached(graph: dict[WorkloadId, set[WorkloadId]], start: WorkloadId) -> set[WorkloadId]:
    reached, waiting = set[WorkloadId](), [start]
    while waiting:
        new = graph.get(waiting.pop(), set()) - reached
        reached |= new
        waiting += new
    return reached


def _public(end: Outside) -> bool:
    return end.address is None or end.address.addresses <= public()


def _sign(scene: Scene, edge: Edge, how: str) -> Sign:
    once = edge.why if edge.sort in (Sort.PERSON, Sort.SCAN) else None
    times = plural(edge.allowed.total, "connection")
    return Sign(
        key=Key(Code.BYPASS, edge.source, edge.destination, edge.protocol, edge.port_text),
        severity=Severity.ERROR,
        message=f"{edge.text} goes {how}",
        help="take away the rule that lets it pass, or record why it has to be direct",
        workloads=edge.inside,
        course=edge.allowed,
        pace=SLOW,
        evidence=(Evidence(f"{times} from {shown(edge.source)} ({', '.join(edge.adapters)})"),),
        asked=scene.question(edge),
        brief=edge.text,
        doubt=once,
        namespaces=edge.namespaces,
        allow=recorded(edge),
    )
