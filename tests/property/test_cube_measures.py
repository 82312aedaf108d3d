"""Least privilege in numbers, against counting every pair and every port."""

import random
from collections.abc import Iterator

import pytest

from cloison.algebra import TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, Map
from cloison.analyses.question import parse_traffic
from cloison.analyses.reconcile.kinds import Cell, Evidence, Kind, State
from cloison.analyses.reconcile.measures import closure, measures
from cloison.app.session import Session
from tests.support.session import load
from tests.support.worlds import random_world

Port = tuple[str, int]
LISTED = 4096
"""Ports of a protocol that somebody may have listed."""


def declared(session: Session) -> dict[EndRef, set[Port]]:
    found: dict[EndRef, set[Port]] = {}
    for name, workload in session.world.workloads.items():
        own = EndRef("workload", name.namespace, name.name, name.kind)
        end = EndRef("pod", name.namespace, name.name) if name.kind == "Pod" else own
        found[end] = {(p.protocol, p.number) for pod in workload.endpoints for p in pod.ports}
    return found


def open_(known: Map) -> Iterator[tuple[EndRef, EndRef, TrafficSet]]:
    for edge in known:
        yield edge.src, edge.dst, edge.allowed


def ports(traffic: TrafficSet, among: set[Port]) -> set[Port]:
    return {(p, n) for p, n in among if TrafficSet.ports(p, n) <= traffic}


def named(traffic: TrafficSet) -> set[Port]:
    """Return the ports that are permitted, of protocols of which no more than some are."""
    found: dict[str, set[Port]] = {}
    for entry in traffic.entries():
        if entry.protocol in {"TCP", "UDP", "SCTP"}:
            low, high = entry.low or 1, entry.high or 65535
            if high - low < LISTED:
                mine = {(entry.protocol, number) for number in range(low, high + 1)}
                found.setdefault(entry.protocol, set()).update(mine)
            else:
                found.setdefault(entry.protocol, set()).add((entry.protocol, -1))
    listed = (f for f in found.values() if len(f) <= LISTED and all(n > 0 for _, n in f))
    return set[Port]().union(*listed)


def reached(hops: dict[EndRef, set[EndRef]], start: EndRef) -> set[EndRef]:
    seen, todo = set[EndRef](), [start]
    while todo:
        for end in hops[todo.pop()] - seen:
            seen.add(end)
            todo.append(end)
    return seen


@pytest.mark.parametrize("seed", range(30))
def test_measures_are_what_counting_comes_to(seed: int) -> None:
    rng = random.Random(f"measures {seed}")
    session = load(random_world(rng))
    permitted = session.map()
    ends = [end for end in permitted.ends if end.kind in ("workload", "pod")]
    if not ends:
        pytest.skip("nobody is there")
    cells = tuple(cell(rng, ends) for _ in range(rng.randint(0, 6)))
    served = declared(session)
    running = {end: set(own) for end, own in served.items()}
    used: dict[tuple[EndRef, EndRef], set[Port]] = {}
    for each in cells:
        mine = {(e.protocol, e.low or 0) for e in each.traffic.entries()}
        if each.evidence.allowed:
            running[each.destination] |= mine
        if each.kind is not Kind.ATTEMPTED and each.source != each.destination:
            used.setdefault((each.source, each.destination), set()).update(mine)
    points: dict[tuple[EndRef, EndRef], set[Port]] = {}
    outside: set[EndRef] = set()
    for source, destination, traffic in open_(permitted):
        if destination not in ends:
            continue
        there = ports(traffic, running[destination]) | named(traffic)
        if source in ends and source != destination and there:
            points[source, destination] = points.get((source, destination), set()) | there
        elif source.kind == "ip" and there:
            outside.add(destination)
    hops = {end: {d for s, d in points if s == end} for end in ends}
    far = {end: reached(hops, end) - {end} for end in ends}
    keeping = rng.sample(ends, rng.randint(0, len(ends)))
    every = [(s, d) for s in ends for d in ends if s != d]
    whole = {(s, d): t for s, d, t in open_(permitted) if s in ends and d in ends and s != d}
    counted = {
        (s, d): served[d] | ports(whole.get((s, d), TrafficSet()), running[d]) for s, d in every
    }
    found = measures(cells, permitted, session.world, keeping)
    assert found.workloads == len(ends)
    assert found.possible == sum(map(len, counted.values()))
    assert found.admitted == sum(len(ports(whole[k], counted[k])) for k in whole)
    assert found.permitted == sum(map(len, points.values()))
    assert found.needed == sum(len(p & points.get(key, set())) for key, p in used.items())
    assert found.one_hop.worst == max(map(len, hops.values()))
    assert found.one_hop.mean == pytest.approx(sum(map(len, hops.values())) / len(ends))
    assert found.any_hops.worst == max(map(len, far.values()))
    assert found.any_hops.mean == pytest.approx(sum(map(len, far.values())) / len(ends))
    assert found.from_outside == len(outside)
    assert found.from_outside_hops == len(outside.union(*(far[end] for end in outside)))
    into = [sum(end in reach for reach in hops.values()) for end in keeping]
    assert found.to_data == pytest.approx(sum(into) / len(into) if into else 0)
    through = [sum(end in reach for reach in far.values()) for end in keeping]
    assert found.to_data_hops == pytest.approx(sum(through) / len(through) if through else 0)


def cell(rng: random.Random, ends: list[EndRef]) -> Cell:
    kind = rng.choice((Kind.HEALTHY, Kind.UNUSED, Kind.UNDOCUMENTED, Kind.ATTEMPTED))
    traffic = parse_traffic(rng.choice(("80", "8080", "53/UDP"))).traffic
    evidence = Evidence(allowed=rng.randint(0, 1), denied=rng.randint(0, 1))
    return Cell(kind, rng.choice(ends), rng.choice(ends), traffic, State.YES, evidence=evidence)


@pytest.mark.parametrize("seed", range(30))
def test_nothing_that_is_said_or_tried_makes_it_look_better_segmented(seed: int) -> None:
    rng = random.Random(f"segmented {seed}")
    session = load(random_world(rng))
    permitted = session.map()
    ends = [end for end in permitted.ends if end.kind in ("workload", "pod")]
    if not ends:
        pytest.skip("nobody is there")
    bare = measures((), permitted, session.world)
    cells: list[Cell] = []
    last = bare.segmentedness
    for _ in range(12):
        cells.append(scan(rng, ends))
        found = measures(cells, permitted, session.world)
        assert found.segmentedness <= last + 1e-12
        last = found.segmentedness
        silent = [each for each in cells if not each.evidence.allowed]
        assert measures(silent, permitted, session.world).possible == bare.possible
        assert measures(silent, permitted, session.world).permitted == bare.permitted


def scan(rng: random.Random, ends: list[EndRef]) -> Cell:
    """Return traffic with ports that hardly anybody declares."""
    low = rng.randint(1, 60000)
    traffic = TrafficSet.ports("TCP", low, low + rng.randint(0, 300))
    kind, state, allowed = rng.choice(
        (
            (Kind.ATTEMPTED, State.NO, 0),
            (Kind.BROKEN, State.NO, 0),
            (Kind.UNUSED, State.YES, 0),
            (Kind.UNDOCUMENTED, State.YES, 3),
            (Kind.CONTRADICTED, State.NO, 3),
        )
    )
    evidence = Evidence(allowed=allowed, denied=0 if allowed else 2)
    return Cell(kind, rng.choice(ends), rng.choice(ends), traffic, state, evidence=evidence)


def test_a_way_around_does_not_lead_to_oneself() -> None:
    found = closure({0: BitMap([1]), 1: BitMap([2]), 2: BitMap([0]), 3: BitMap()})
    assert found == {0: BitMap([1, 2]), 1: BitMap([0, 2]), 2: BitMap([0, 1]), 3: BitMap()}
