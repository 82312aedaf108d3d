"""The engine, the IR oracle and the raw-manifest oracle give one answer.

Seeds are fixed, so a run is the same everywhere. `CLOISON_FLOWS` asks for more flows.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest
import yaml

from tests.oracle.ir import IROracle
from tests.oracle.raw import Manifest, RawOracle
from tests.support.features import RARE, REQUIRED, features
from tests.support.session import ask, endpoint, load
from tests.support.worlds import Flow, FlowMaker, random_world

DEFAULT_FLOWS = 20_000
FLOWS_PER_WORLD = 20
CHUNKS = 20
WORLDS = -(-max(int(os.environ.get("CLOISON_FLOWS", "0")), DEFAULT_FLOWS) // FLOWS_PER_WORLD)
"""Worlds of a run; each chunk takes every twentieth."""


def samples(seed: int) -> tuple[list[Manifest], list[Flow]]:
    """Return the world and the flows of a seed."""
    rng = random.Random(seed)
    objects = random_world(rng)
    maker = FlowMaker(objects)
    return objects, [maker.flow(rng) for _ in range(FLOWS_PER_WORLD)]


def disagreements(seed: int) -> Iterator[str]:
    """Yield a reproduction for every flow of a seed that the three do not answer alike."""
    objects, flows = samples(seed)
    raw = RawOracle(objects)
    session = load(objects)
    ir = IROracle(session.world, session.policies, session.profile)
    for flow in flows:
        protocol, port, family = flow.protocol, flow.port, flow.family
        answers = {
            "raw manifests": raw.verdict(flow.src, flow.dst, protocol, port, family),
            "IR oracle": str(
                ir.verdict(
                    endpoint(session.world, flow.src),
                    endpoint(session.world, flow.dst),
                    protocol,
                    port,
                    family,
                )
            ),
            "engine": ask(session, flow),
        }
        if len(set(answers.values())) > 1:
            yield f"seed {seed}, {flow.question()}: {answers}\n{yaml.safe_dump_all(objects)}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_engine_and_both_oracles_agree(chunk: int) -> None:
    for seed in range(chunk, WORLDS, CHUNKS):
        wrong = list(disagreements(seed))
        assert not wrong, "\n".join([f"{len(wrong)} flow(s) of one world differ", wrong[0]])


def test_flows_cover_the_specification() -> None:
    verdicts: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for seed in range(DEFAULT_FLOWS // FLOWS_PER_WORLD):
        objects, flows = samples(seed)
        raw = RawOracle(objects)
        for flow in flows:
            verdicts[raw.verdict(flow.src, flow.dst, flow.protocol, flow.port, flow.family)] += 1
            hits.update(features(raw, flow))
    total = verdicts.total()
    assert total >= DEFAULT_FLOWS
    assert verdicts["allowed"] * 5 >= total
    assert verdicts["denied"] * 5 >= total
    assert verdicts["undetermined"] >= 200
    few = {feature: hits[feature] for feature in REQUIRED if hits[feature] < 200}
    assert not few
    assert min(hits[feature] for feature in RARE) >= 20
    assert set(hits) == REQUIRED | RARE
