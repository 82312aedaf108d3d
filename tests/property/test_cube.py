"""The cube against its definition, flow by flow: every point is in the one cell it belongs to."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloison.algebra import AddressSet, TrafficSet
from cloison.analyses.ask import Question, verdict_only
from cloison.analyses.connectivity import EndRef, Map, MapOptions
from cloison.analyses.ends import AddressEnd, End
from cloison.analyses.explain import case_outcome, verdict_of
from cloison.analyses.question import cases, parse_traffic
from cloison.analyses.reconcile.kinds import Cell, Kind
from cloison.analyses.reconcile.reconciled import Reconciled
from cloison.analyses.reconcile.seen import NODES, Became, Seen, SeenEnd
from cloison.app import load_objects
from cloison.app.contract import Agreed
from cloison.app.reconcile import put
from cloison.app.session import Session
from cloison.base import QuestionError
from cloison.ir.fidelity import Verdict
from cloison.resources.world import APART, WorkloadId
from tests.property.balanced import NODE, balancers, is_block, led_in, of_nodes
from tests.support.adminpolicies import Seen as Vocabulary
from tests.support.calicopolicies import CalicoMaker
from tests.support.ciliumpolicies import cilium_world
from tests.support.session import load
from tests.support.worlds import random_world
from tests.unit.intent.said import of_spec

WORLDS = 24
PORTS = ("80/TCP", "8080/TCP", "53/UDP", "9/SCTP", "icmp/8")
WRITTEN = ("80", "8080", "53/UDP", "1-100", "9/SCTP", "icmp/8")
BLOCKS = ("192.0.2.0/24", "192.0.2.64/26", "198.51.100.0/24", "203.0.113.0/25", "0.0.0.0/0")
ADDRESSES = ("192.0.2.9", "192.0.2.70", "198.51.100.3", "203.0.113.200", "203.0.113.7")
BECAME: tuple[Became, ...] = ("allowed", "allowed", "denied", "audited", "unknown")
Point = tuple[str, str, str]


@dataclass(frozen=True)
class Dependency:
    """A dependency as plain tests on points."""

    source: str
    destination: str
    ports: tuple[str, ...]

    def means(self, point: Point) -> bool:
        traffic = parse_traffic(point[2]).traffic
        return (
            covers(self.source, point[0])
            and covers(self.destination, point[1])
            and any(traffic <= parse_traffic(port).traffic for port in self.ports)
        )


def covers(written: str, end: str) -> bool:
    if is_block(written) and is_block(end):
        return AddressSet.block(end) <= AddressSet.block(written)
    return written == end


def names(session: Session) -> list[str]:
    """Workloads that pods of are there, as questions name them."""
    found = []
    for name, workload in session.world.workloads.items():
        host = any(pod.shape.host_network for pod in workload.endpoints)
        if name.namespace != APART and workload.endpoints and not host:
            found.append(f"{name.namespace}/{name.kind}/{name.name}")
    return found


def random_contract(rng: random.Random, ends: list[str]) -> list[Dependency]:
    found = []
    for _ in range(rng.randint(1, 8)):
        source, destination = rng.choice(ends), rng.choice(ends)
        side = rng.random()
        if side < 0.25:
            source = rng.choice(BLOCKS)
        elif side < 0.6:
            destination = rng.choice(BLOCKS)
        ports = tuple(rng.sample(WRITTEN, rng.randint(1, 2)))
        found.append(Dependency(source, destination, ports))
    return found


def random_rows(
    rng: random.Random, ends: list[str], meant: list[Dependency], *, nodes: bool = False
) -> list[tuple[Point, Seen]]:
    found = []
    for number in range(rng.randint(0, 14)):
        source, destination = rng.choice(ends), rng.choice(ends)
        side = rng.random()
        if side < 0.2:
            source = rng.choice(ADDRESSES)
        elif side < 0.5:
            destination = rng.choice(ADDRESSES)
        elif side < 0.8:
            one = rng.choice(meant)
            source = one.source if not is_block(one.source) else rng.choice(ADDRESSES)
            destination = one.destination
            if is_block(destination):
                destination = rng.choice(ADDRESSES)
            if is_block(source) and is_block(destination):
                continue
        if nodes and not is_block(destination) and rng.random() < 0.2:
            source = NODE
        port = rng.choice(PORTS)
        start = rng.randint(0, 50)
        count = rng.randint(1, 9)
        seen = Seen(
            seen_end(source),
            seen_end(destination),
            protocol=port.partition("/")[2] if port[0].isdigit() else "ICMP",
            port=int(port.partition("/")[0]) if port[0].isdigit() else None,
            became=rng.choice(BECAME),
            count=count,
            first=start,
            last=start + rng.randint(0, 20),
            adapters=(f"a{number % 2}",),
            initiator=rng.choice(("known", "known", "known", "inferred", "unknown")),
            ambiguous=rng.choice((0, 0, 0, 0, count, count // 2)),
            icmp_type=8 if port == "icmp/8" else None,
        )
        found.append(((source, destination, port), seen))
    return found


def seen_end(text: str) -> SeenEnd:
    if is_block(text):
        return SeenEnd("world", ip=text)
    if text == NODE:
        return SeenEnd("host")
    namespace, kind, name = text.split("/")
    return SeenEnd("pod", namespace, name, kind)


def counts(seen: Seen) -> bool:
    return seen.initiator != "unknown" and seen.ambiguous < seen.count


def end_of(session: Session, text: str) -> End:
    return NODES if text == NODE else session.names.end(text)


def state(session: Session, source: End, destination: End, port: str) -> str:
    """Return whether a point is permitted, by single verdicts."""
    traffic = parse_traffic(port)
    engine = session.engine
    if source == NODES:
        return of_nodes(session, destination, port)
    try:
        verdict = verdict_only(engine, Question(source, destination, traffic))
    except QuestionError:
        return "unclear"
    if verdict is not Verdict.MIXED:
        return {"allowed": "yes", "denied": "no", "undetermined": "unclear"}[verdict]
    found = {
        verdict_of(case_outcome(engine, case), traffic.traffic)
        for case in cases(engine, source, destination, traffic)
    }
    if Verdict.UNDETERMINED in found:
        return "unclear"
    if Verdict.DENIED in found:
        return "partly"
    return "yes, with some requests"


def expected(state_: str, rows: list[Seen], *, intended: bool, watched: bool) -> Kind:
    """Return a point's kind by the table of the definition."""
    told = {word: [r for r in rows if r.became == word] for word in BECAME}
    closed = (
        bool(told["allowed"])
        and bool(told["denied"])
        and (max(r.last or 0 for r in told["allowed"]) < min(r.first or 0 for r in told["denied"]))
    )
    passed = bool(told["allowed"]) and not closed
    stopped = bool(told["denied"]) and (not told["allowed"] or closed)
    if state_ == "unclear":
        return Kind.UNDETERMINED
    if state_ == "no" and passed:
        return Kind.CONTRADICTED
    if state_ in ("no", "partly") and intended:
        return Kind.BROKEN
    if state_ == "no" or (state_ == "partly" and stopped):
        return Kind.ATTEMPTED
    if state_ == "yes" and stopped:
        return Kind.CONTRADICTED
    if stopped:
        return Kind.UNDETERMINED if intended else Kind.ATTEMPTED
    never = Kind.UNUSED if watched else Kind.UNOBSERVED
    return (Kind.HEALTHY if rows else never) if intended else Kind.UNDOCUMENTED


def plain_world(rng: random.Random) -> Session:
    return load(random_world(rng))


def calico_world(rng: random.Random) -> Session:
    """A world where rules also deny and pass, in tiers."""
    objects = random_world(rng)
    objects += CalicoMaker(Vocabulary(objects), rng).objects(rng.randint(1, 7))
    return load_objects(objects, profile="calico@3.32")


def cilium(rng: random.Random) -> Session:
    """A world where rules are about requests too, and some pods are known by other labels."""
    made = cilium_world(rng, random_world(rng), rng.randint(2, 8))
    return load_objects(made.objects, profile="cilium@1.19", cilium=made.switches)


def holds(end: EndRef, text: str) -> bool:
    if (end.kind == "node") != (text == NODE):
        return False
    if text == NODE:
        return True
    if end.addresses is not None:
        return is_block(text) and AddressSet.block(text) <= end.addresses
    if is_block(text):
        return False
    namespace, kind, name = text.split("/")
    own = "" if end.kind == "pod" else end.type
    return (end.namespace, end.name) == (namespace, name) and (own or "Pod") == kind


def at(cells: tuple[Cell, ...], point: Point) -> list[Cell]:
    traffic = parse_traffic(point[2]).traffic
    return [
        cell
        for cell in cells
        if traffic <= cell.traffic
        and holds(cell.source, point[0])
        and holds(cell.destination, point[1])
    ]


def alike(meant: list[Dependency], one: Point, other: Point) -> bool:
    """Return whether two points are of the same ends: addresses in the same blocks are."""
    if one[2] != other[2]:
        return False
    for side in (0, 1):
        if is_block(one[side]) != is_block(other[side]):
            return False
        if not is_block(one[side]):
            if one[side] != other[side]:
                return False
            continue
        partner = one[1 - side]
        named = [
            (each.source, each.destination)[side]
            for each in meant
            if (each.source, each.destination)[1 - side] == partner
        ]
        blocks = [text for text in named if is_block(text)]
        if [covers(b, one[side]) for b in blocks] != [covers(b, other[side]) for b in blocks]:
            return False
    return True


def points(ends: list[str], *, nodes: bool = False) -> Iterator[Point]:
    for port in PORTS:
        for source in (*ends, *ADDRESSES, *([NODE] if nodes else ())):
            for destination in (*ends, *ADDRESSES):
                outside = source == NODE or is_block(source)
                if not (outside and is_block(destination)):
                    yield source, destination, port


def reconciled(session: Session, meant: list[Dependency], seen: tuple[Seen, ...]) -> Reconciled:
    written = [
        {
            "name": f"d{number}",
            "from": each.source,
            "to": each.destination,
            "ports": [int(port) if port.isdigit() else port for port in each.ports],
            "reason": "r",
        }
        for number, each in enumerate(meant)
    ]
    reading = of_spec({"dependencies": written})
    assert not [each for each in reading.diagnostics if each.severity == "error"]
    return put(session, Agreed(reading.contract), seen, Path("store"), (None, None))


def balanced_world(rng: random.Random) -> Session:
    """A world where nodes lead in what comes from outside."""
    objects = random_world(rng)
    return load([*objects, *balancers(rng, objects)])


@pytest.mark.parametrize("world", [plain_world, calico_world, cilium, balanced_world])
@pytest.mark.parametrize("chunk", range(2))
def test_every_point_is_in_the_cell_of_its_definition(
    chunk: int, world: Callable[[random.Random], Session]
) -> None:
    kinds = set()
    for seed in range(chunk, WORLDS, 2):
        rng = random.Random(f"cube {seed}")
        session = world(rng)
        ends = names(session)
        if not ends:
            continue
        ends = rng.sample(ends, min(len(ends), 4))
        meant = random_contract(rng, ends)
        nodes = world is balanced_world
        rows = random_rows(rng, ends, meant, nodes=nodes)
        found = reconciled(session, meant, tuple(seen for _, seen in rows))
        counted = [(point, seen) for point, seen in rows if counts(seen)]
        doubt = len(counted) < len(rows)
        both = {end for point, _ in counted for end in point[:2]} - {NODE}
        watched = {end for end in both if not is_block(end)}
        for point in points(ends, nodes=nodes):
            told = at(found.cube.cells, point)
            led = nodes and "/" not in point[0] and led_in(session, point)
            by = [each for each in meant if means(each, point, led=led)]
            intended = bool(by)
            own = [seen for where, seen in counted if alike(meant, point, where)]
            exactly = [seen for where, seen in counted if where == point]
            if not (intended or exactly):
                assert not told, (seed, point, told)
                continue
            if led and is_block(point[0]) and not own and not told:
                # Nodes lead it in, and none but them can.
                to = end_of(session, point[1])
                blocks = [session.names.end(each.source) for each in by]
                assert {state(session, block, to, point[2]) for block in blocks} != {"yes"}
                continue
            assert len(told) == 1, (seed, point, told)
            (cell,) = told
            source, destination = (
                AddressEnd(text, end.addresses)
                if end.addresses is not None
                else end_of(session, text)
                for end, text in ((cell.source, point[0]), (cell.destination, point[1]))
            )
            if not intended:
                own = [seen for where, seen in counted if at((cell,), where)]
            wanted = expected(
                state(session, source, destination, point[2]),
                own,
                intended=intended,
                watched=bool(watched & {*point[:2]}),
            )
            unseen = (Kind.UNUSED, Kind.UNOBSERVED)
            if led and wanted in unseen and seen_otherwise(by, point, counted):
                wanted = Kind.HEALTHY
            same = cell.kind is wanted or (doubt and {cell.kind, wanted} <= {*unseen})
            assert same, (seed, point, wanted, cell)
            kinds.add(cell.kind)
        beyond(session, found, ends)
        told_use(found, [seen for _, seen in counted])
    assert kinds >= {*Kind} - {Kind.UNDETERMINED}


def means(one: Dependency, point: Point, *, led: bool) -> bool:
    """Return whether a dependency means a point: that of a node, where it leads in what it does."""
    if point[0] != NODE:
        return one.means(point)
    return led and is_block(one.source) and one.means((one.source, *point[1:]))


def seen_otherwise(by: list[Dependency], point: Point, rows: list[tuple[Point, Seen]]) -> bool:
    """Return whether all that mean a point were seen as the other thing that flows may show."""
    there = [where[0] for where, _ in rows if where[1:] == point[1:]]
    if point[0] != NODE:
        return NODE in there
    return all(
        any(is_block(source) and covers(one.source, source) for source in there) for one in by
    )


def beyond(session: Session, found: Reconciled, ends: list[str]) -> None:
    """Hold excess against the map of everything, point by point."""
    permitted = session.map(MapOptions(self_edges=True))
    for source in ends:
        for destination in ends:
            for port in PORTS[:4]:
                traffic = parse_traffic(port).traffic
                open_ = allowed(permitted, source, destination, traffic)
                in_cell = bool(at(found.cube.cells, (source, destination, port)))
                left = allowed(found.cube.excess, source, destination, traffic)
                assert left == (open_ and not in_cell), (source, destination, port)


def told_use(found: Reconciled, rows: list[Seen]) -> None:
    """Hold what excess says of its use: one end was seen of each pair, and no address is in it."""
    ends = {(end.namespace, end.workload) for seen in rows for end in seen.ends if end.workload}
    for line in found.excess:
        if not line.unobserved:
            for one in line.sources:
                for other in line.destinations:
                    assert {(one.namespace, one.name), (other.namespace, other.name)} & ends
    for seen in rows:
        source, destination = seen.source, seen.destination
        inside = source if source.workload else destination
        outside = source.ip or destination.ip
        if outside is None:
            continue
        address = AddressSet.address(outside)
        for line in found.excess:
            sides = (line.sources, line.destinations)
            near, far = sides if inside is source else sides[::-1]
            held = any(end.addresses is not None and end.addresses & address for end in far)
            here = any((e.namespace, e.name) == (inside.namespace, inside.workload) for e in near)
            if held and here:
                assert not line.traffic & traffic_of(seen), (seen, line)


def traffic_of(seen: Seen) -> TrafficSet:
    """Return the traffic of a row."""
    if seen.port is None:
        return TrafficSet.icmp(8, version=4)
    return TrafficSet.ports(seen.protocol or "", seen.port)


def allowed(known: Map, source: str, destination: str, traffic: TrafficSet) -> bool:
    places = {end: place for place, end in enumerate(known.ends)}
    one, other = (places[_ref(text)] for text in (source, destination))
    if one == other:
        return one in known.itself and traffic <= known.itself[one].allowed
    return any(
        traffic <= passage.allowed
        for passage, members in known.rows.get(one, {}).items()
        if other in members
    )


def _ref(text: str) -> EndRef:
    namespace, kind, name = text.split("/")
    known = WorkloadId(namespace, name, kind)
    if known.kind == "Pod":
        return EndRef("pod", namespace, name)
    return EndRef("workload", namespace, name, kind)
