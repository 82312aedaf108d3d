"""The whole picture of policy sets that say all the IR can, against a loop over pairs."""

import random

import pytest

from cloison.algebra import TrafficSet
from cloison.engine import Engine, Networks, UnitKind
from cloison.engine.reach import HORIZON
from cloison.ir.policy import Direction
from tests.support.policies import Snapshot, describe
from tests.support.richer import rich_snapshot

SNAPSHOTS = 240
CHUNKS = 4
Sets = tuple[TrafficSet, TrafficSet]


def engines(chunk: int) -> list[tuple[int, Snapshot, Engine]]:
    found = []
    for seed in range(970_000 + chunk, 970_000 + SNAPSHOTS, CHUNKS):
        snapshot = rich_snapshot(random.Random(seed))
        networks = Networks(names=snapshot.names)
        said = snapshot.world, snapshot.policies, snapshot.profile, networks
        found.append((seed, snapshot, Engine(*said)))
    return found


def by_pairs(engine: Engine) -> dict[tuple[int, int], Sets]:
    """Ask for every pair of units that share a family and are not both outside."""
    table = engine.table
    outside = table.kinds[UnitKind.EXTERNAL]
    found = {}
    for source, one in enumerate(table.units):
        for target, other in enumerate(table.units):
            if len({one.family, other.family} - {0}) > 1 or {source, target} <= set(outside):
                continue
            outcome = engine.outcome(source, target)
            undetermined = outcome.undetermined & HORIZON
            if outcome.allowed or undetermined:
                found[source, target] = (outcome.allowed, undetermined)
    return found


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_rectangles_are_what_all_pairs_come_to(chunk: int) -> None:
    for seed, snapshot, engine in engines(chunk):
        units = engine.table.units
        told: dict[tuple[int, int], Sets] = {}
        for rectangle in engine.rectangles():
            sets = rectangle.outcome.allowed, rectangle.outcome.undetermined
            for source in rectangle.sources:
                for target in rectangle.destinations:
                    if len({units[source].family, units[target].family} - {0}) > 1:
                        continue  # told besides, of addresses of the other family
                    assert (source, target) not in told, f"seed {seed}: {describe(snapshot)}"
                    told[source, target] = sets
        assert told == by_pairs(engine), f"seed {seed}: {describe(snapshot)}"


def test_units_that_are_alike_fare_alike() -> None:
    alike = 0
    for seed, snapshot, engine in (e for chunk in range(CHUNKS) for e in engines(chunk)):
        pods = list(engine.table.kinds[UnitKind.POD])
        for number, one in enumerate(pods):
            for other in pods[number + 1 :]:
                if engine.alike([one, other]) == [one]:
                    alike += 1
                    for direction in Direction:
                        for peer in range(len(engine.table.units)):
                            if peer not in (one, other):
                                same = [engine.point(u, peer, direction) for u in (one, other)]
                                same += [engine.point(peer, u, direction) for u in (one, other)]
                                a, b, c, d = (point.outcome for point in same)
                                why = f"seed {seed}: {one} {other} {describe(snapshot)}"
                                assert (a, c) == (b, d), why
    assert alike > 10
