"""What is told to packet filters, read rule by rule, comes to what the engine says.

Nothing of how the engine evaluates is in what the filters are told, so the two may differ.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from cloison.algebra import address_text, family_of, parse_address
from cloison.app import Session, load_objects
from cloison.app.lab import blueprint
from cloison.engine import Engine, Networks
from cloison.engine.resolve import resolve
from cloison.ir.enforcement import Ruleset
from cloison.ir.fidelity import Verdict
from cloison.ir.names import NamePattern
from cloison.resources.objects import Node
from cloison.resources.world import World
from tests.oracle.ir_ways import End
from tests.oracle.raw import Manifest
from tests.property.test_ir_random import oracle_of, reproduction, samples
from tests.support.adminpolicies import AdminMaker, Seen
from tests.support.calicohosts import HostMaker
from tests.support.calicopolicies import CalicoMaker
from tests.support.enforced import Packet, passes, views
from tests.support.netpols import EXTERNAL
from tests.support.worlds import FlowMaker, random_world

PROFILES = {
    "NetworkPolicy": (
        *("generic", "aws-vpc-cni", "kube-network-policies", "cilium@1.20"),
        *("ovn-kubernetes", "kube-router"),
    ),
    "administrators": ("generic", "antrea", "kube-network-policies", "calico@3.32"),
    "tiers": ("calico@3.31", "calico@3.32"),
    "hosts": ("calico@3.31", "calico@3.32"),
}
DEFAULT_PACKETS = 500
PACKETS_PER_WORLD = 50
PACKETS = max(int(os.environ.get("CLOISON_FLOWS", "0")), DEFAULT_PACKETS)
TRAFFIC = (
    *(("TCP", port) for port in (80, 8080, 443, 22)),
    *(("UDP", 53), ("UDP", 8080), ("SCTP", 80), ("47", 0)),
)
_NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132, "47": 47}


def _manifests(kind: str, rng: random.Random) -> list[Manifest]:
    objects = random_world(rng)
    if kind == "administrators":
        return objects + AdminMaker(Seen(objects), rng).policies(5)
    if kind == "NetworkPolicy":
        return objects
    maker = CalicoMaker(Seen(objects), rng)
    objects += maker.objects(4)
    nodes = {
        name: [str(a) for a in addresses]
        for name, addresses in FlowMaker(objects).oracle.nodes.items()
    }
    if kind == "hosts" and nodes:
        objects += HostMaker(maker, nodes, rng).objects()
    return objects


def _session(kind: str, seed: int) -> Session:
    objects = _manifests(kind, random.Random(9_000_000 + seed))
    profile = PROFILES[kind][seed % len(PROFILES[kind])]
    return blueprint(load_objects(objects, profile=profile)).session


def _packets(session: Session, rng: random.Random) -> Iterator[tuple[int, int, str, int]]:
    """Yield packets between addresses that one end has, and addresses outside."""
    nodes = views(session.world)
    inside = [p for n in nodes for low, high in (*n.pods, *n.own) for p in range(low, high + 1)]
    held = Counter(inside)
    outside = [parse_address(text) for text in EXTERNAL]
    ends = [*(p for p in inside if held[p] == 1), *outside]
    for _ in range(PACKETS_PER_WORLD):
        one, other = rng.choice(ends), rng.choice(ends)
        if one != other and family_of(one) == family_of(other) and {one, other} - {*outside}:
            yield one, other, *rng.choice(TRAFFIC)


def _differing(ruleset: Ruleset, session: Session, rng: random.Random) -> Iterator[str]:
    nodes = views(session.world)
    for one, other, protocol, port in _packets(session, rng):
        ends = address_text(one), address_text(other)
        engine = str(session.verdict(*ends, protocol, port or None))
        found = passes(ruleset, nodes, Packet(one, other, _NUMBERS[protocol], port))
        yield engine
        open_ = len(found) > 1 and any(p in a for a, _ in ruleset.unclear for p in (one, other))
        if engine in ("allowed", "denied") and found != {engine == "allowed"} and not open_:
            said = f"the engine says {engine}, filters {sorted(found)}"
            yield f"differ: {' -> '.join(ends)} {protocol}/{port}: {said}"


def _address(end: End, family: int, world: World) -> int | None:
    """Return the address of an end, if it is nobody else's and one knows where it is."""
    nodes = {p: node.name for node in world.nodes.values() for p in node.addresses}
    every = [e for w in world.workloads.values() for e in w.endpoints]
    held = Counter(p for e in every if not e.shape.host_network for p in e.addresses)
    if isinstance(end, int):
        return end if end not in held and end not in nodes else None
    if isinstance(end, NamePattern):
        return None
    for point in end.addresses:
        if isinstance(end, Node):
            known = nodes[point] == end.name and point not in held
        elif end.shape.host_network:
            known = nodes.get(point) == end.shape.node and point not in held
        else:
            alone = held[point] == 1 and point not in nodes
            known = alone and end.shape.node in world.nodes
        if known and family_of(point) == family:
            return point
    return None


def test_what_no_dialect_says_is_told_as_well() -> None:
    """The oracle over the IR is the judge here: the engine is not asked."""
    tally: Counter[str] = Counter()
    for seed in range(PACKETS):
        snapshot, questions = samples(seed)
        world = snapshot.world
        engine = Engine(world, snapshot.policies, snapshot.profile, Networks(names=snapshot.names))
        ruleset, nodes = resolve(engine), views(world)
        oracle = oracle_of(snapshot)
        for q in questions:
            one, other = (_address(end, q.family, world) for end in (q.src, q.dst))
            if one is None or other is None or one == other:
                continue
            packet = Packet(one, other, q.traffic >> 16, q.traffic & 0xFFFF)
            found = passes(ruleset, nodes, packet)
            expected = oracle.decide(q.src, q.dst, q.traffic, q.family)
            tally[str(expected)] += 1
            if expected is Verdict.UNDETERMINED:
                continue
            # A filter cannot be told everything: how ends stand to each other among other things.
            tally["left open"] += len(found) > 1
            assert (expected is Verdict.ALLOWED) in found, reproduction(seed, snapshot, q)
    assert min(tally["allowed"], tally["denied"]) > PACKETS // 5
    assert tally["left open"] < tally.total() // 10


@pytest.mark.parametrize("kind", PROFILES)
def test_filters_are_told_what_the_engine_goes_by(kind: str) -> None:
    tally: Counter[str] = Counter()
    for seed in range(PACKETS // PACKETS_PER_WORLD):
        session = _session(kind, seed)
        ruleset = resolve(session.engine)
        for said in _differing(ruleset, session, random.Random(seed)):
            tally[said] += 1
            assert not said.startswith("differ"), f"{kind}, seed {seed}: {said}"
    assert min(tally["allowed"], tally["denied"]) * 5 > sum(tally.values()) // 2


def test_the_order_of_reading_is_nothing() -> None:
    for kind, profiles in PROFILES.items():
        objects = _manifests(kind, random.Random(9_100_000))
        sessions = [load_objects(some, profile=profiles[0]) for some in (objects, objects[::-1])]
        one, other = (resolve(each.engine) for each in sessions)
        assert one == other
