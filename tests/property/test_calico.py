"""Random Calico policies: the API takes them, in any order, and engine and oracle agree."""

import random
from collections import Counter

import pytest

from cloison.app import Session, load_objects
from cloison.base import Severity
from tests.oracle.ir import IROracle
from tests.oracle.raw import Manifest
from tests.support.adminpolicies import Seen
from tests.support.calicopolicies import CalicoMaker
from tests.support.session import ask, endpoint
from tests.support.worlds import FlowMaker, random_world

SEEDS = range(60)
FLOWS = 12


def manifests(rng: random.Random) -> list[Manifest]:
    """Return a world and Calico policies for it."""
    world = random_world(rng)
    return [*world, *CalicoMaker(Seen(world), rng).objects(rng.randint(1, 8))]


def loaded(objects: list[Manifest], seed: int) -> Session:
    return load_objects(objects, profile=f"calico@3.3{1 + seed % 2}")


@pytest.mark.parametrize("chunk", range(4))
def test_engine_and_oracle_agree(chunk: int) -> None:
    verdicts: Counter[str] = Counter()
    for seed in SEEDS[chunk::4]:
        rng = random.Random(seed)
        objects = manifests(rng)
        session = loaded(objects, seed)
        oracle = IROracle(session.world, session.policies, session.profile)
        maker = FlowMaker(objects)
        for _ in range(FLOWS):
            flow = maker.flow(rng)
            src, dst = (endpoint(session.world, end) for end in (flow.src, flow.dst))
            said = ask(session, flow)
            told = oracle.verdict(src, dst, flow.protocol, flow.port, flow.family)
            assert said == str(told), (seed, flow.question())
            verdicts[said] += 1
    assert min(verdicts["allowed"], verdicts["denied"]) * 5 > verdicts.total()


def test_the_api_takes_every_policy() -> None:
    for seed in SEEDS[::2]:
        session = loaded(manifests(random.Random(seed)), seed)
        assert [d for d in session.diagnostics if d.severity is Severity.ERROR] == []


def test_the_same_seed_gives_the_same_policies() -> None:
    assert manifests(random.Random(7)) == manifests(random.Random(7))


def test_the_order_of_reading_is_nothing() -> None:
    for seed in SEEDS[::12]:
        rng = random.Random(seed)
        objects = manifests(rng)
        one = loaded(objects, seed)
        rng.shuffle(objects)
        assert not one.diff(loaded(objects, seed))
