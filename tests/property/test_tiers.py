"""What tiers decide, counted pair by pair and flow by flow."""

import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from cloison.algebra import PORT_PROTOCOLS, family_of
from cloison.analyses.connectivity import MapOptions
from cloison.analyses.ends import Names
from cloison.analyses.tiers import StageKind, Tiers, tiers
from cloison.engine import Engine, Networks
from cloison.ir.policy import Direction
from cloison.resources.world import PodEndpoint
from tests.oracle.ir import IROracle
from tests.oracle.ir_ways import End, Way, Ways, traffic_point
from tests.support.policies import Snapshot, random_snapshot
from tests.support.richer import rich_snapshot

DEFAULT_WORLDS = 24
FLOWS_PER_WORLD = 2000
WORLDS = max(int(os.environ.get("CLOISON_FLOWS", "0")) // FLOWS_PER_WORLD, DEFAULT_WORLDS)
CHUNKS = 2
PORTS = (53, 80, 81, 8080, 9999)
"""Every port that a random policy may tell apart, and one of the rest."""
Key = tuple[str, int, str]
"""Direction, place of the layer, and name of the tier; the default has none."""
FATES = ("comes", "allows", "denies", "undetermined", "goes_on")


def snapshot_of(rng: random.Random) -> Snapshot:
    """Return a snapshot whose pods have addresses of their own, and no opaque policies."""
    found = rich_snapshot(rng) if rng.random() < 0.7 else random_snapshot(rng)
    placed = {
        id_: workload
        for id_, workload in found.world.workloads.items()
        if all(e.addresses and not e.shape.host_network for e in workload.endpoints)
    }
    known = tuple(p for p in found.policies.policies if p.opaque is None)
    return replace(
        found,
        world=replace(found.world, workloads=placed),
        policies=replace(found.policies, policies=known),
    )


def fates(ways: Ways) -> Iterator[str]:
    yield "comes"
    if ways == {Way.ALLOW}:
        yield "allows"
    elif ways == {Way.DENY}:
        yield "denies"
    elif ways & {Way.ALLOW, Way.DENY}:
        yield "undetermined"
    if Way.ON in ways:
        yield "goes_on"


def by_hand(snapshot: Snapshot, engine: Engine) -> tuple[Counter[str], Counter[tuple[Key, str]]]:
    """Return pairs by direction, and pairs of which something holds, by asking about each flow."""
    oracle = IROracle(snapshot.world, snapshot.policies, snapshot.profile, snapshot.names)
    pods = list(oracle.pods())
    ends: list[End] = [*pods, *engine.table.vocabulary.starts]
    found: dict[tuple[Key, str], set[tuple[str, str]]] = defaultdict(set)
    pairs: dict[str, set[tuple[str, str]]] = defaultdict(set)
    flows = [traffic_point(p, n) for p, n in product(PORT_PROTOCOLS, PORTS)]
    for subject, peer, direction in product(pods, ends, Direction):
        families = {family_of(a) for a in subject.addresses} & {
            family_of(a) for a in oracle.addresses(peer)
        }
        if peer == subject or not families:
            continue
        pair = subject.name, peer.name if isinstance(peer, PodEndpoint) else "outside"
        pairs[direction].add(pair)
        for family, flow, (number, layer) in product(
            families, flows, enumerate(snapshot.policies.layers)
        ):
            for name, ways in oracle.tiers(layer, (subject, peer), direction, (flow, family)):
                for fate in fates(ways):
                    found[(direction, number, name), fate].add(pair)
    numbers = Counter({key: len(pairs) for key, pairs in found.items()})
    return Counter({d: len(some) for d, some in pairs.items()}), numbers


def told(result: Tiers) -> Counter[tuple[Key, str]]:
    found: Counter[tuple[Key, str]] = Counter()
    for each in result.counts:
        if each.stage.kind in (StageKind.TIER, StageKind.DEFAULT):
            key = (each.direction, each.stage.layer, each.stage.name)
            found.update({(key, fate): getattr(each, fate) for fate in FATES})
    return found


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_tiers_are_counted_as_every_flow_finds_them(chunk: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(chunk, WORLDS, CHUNKS):
        snapshot = snapshot_of(random.Random(seed + 400_000))
        networks = Networks(names=snapshot.names)
        engine = Engine(snapshot.world, snapshot.policies, snapshot.profile, networks)
        result = tiers(engine, MapOptions(), Names(engine))
        pairs, numbers = by_hand(snapshot, engine)
        assert Counter({str(d): n for d, n in result.pairs.items()}) == pairs, f"seed {seed}"
        assert +told(result) == +numbers, f"seed {seed}"
        for (_, fate), number in numbers.items():
            seen[fate] += number
    assert min(seen[fate] for fate in FATES) > 1
