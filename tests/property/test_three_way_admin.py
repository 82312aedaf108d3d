"""The engine, the IR oracle and the raw oracle give one answer where clusters have every tier.

Seeds are fixed, so a run is the same everywhere. `CLOISON_FLOWS` asks for more flows.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest
import yaml

from cloison.app import load_objects
from tests.oracle.ir import IROracle
from tests.oracle.raw import Manifest
from tests.oracle.raw_admin import RawAdminOracle
from tests.support.adminpolicies import KINDS, NAMES, AdminMaker, Seen
from tests.support.session import ask, endpoint
from tests.support.worlds import Flow, FlowMaker, random_world

DEFAULT_FLOWS = 2_000
FLOWS_PER_WORLD = 20
CHUNKS = 6
WORLDS = -(-max(int(os.environ.get("CLOISON_FLOWS", "0")), DEFAULT_FLOWS) // FLOWS_PER_WORLD)
"""Worlds of a run; each chunk takes every sixth."""


def samples(seed: int) -> tuple[list[Manifest], list[Flow]]:
    """Return the world and the flows of a seed."""
    rng = random.Random(2_000_000 + seed)
    objects = random_world(rng)
    maker = AdminMaker(Seen(objects), rng)
    objects += maker.policies(rng.randint(1, 7))
    rng.shuffle(objects)
    flows = FlowMaker(objects)
    return objects, [flows.flow(rng) for _ in range(FLOWS_PER_WORLD)]


def disagreements(seed: int) -> Iterator[str]:
    """Yield a reproduction for every flow of a seed that the three do not answer alike."""
    objects, flows = samples(seed)
    raw = RawAdminOracle(objects, NAMES)
    names = {name: tuple(found) for name, found in NAMES.items()}
    session = load_objects(objects, profile="generic", names=names)
    known = session.settings.networks().names
    ir = IROracle(session.world, session.policies, session.profile, known)
    for flow in flows:
        protocol, port, family = flow.protocol, flow.port, flow.family
        ends = endpoint(session.world, flow.src), endpoint(session.world, flow.dst)
        answers = {
            "raw manifests": raw.verdict(flow.src, flow.dst, protocol, port, family),
            "IR oracle": str(ir.verdict(*ends, protocol, port, family)),
            "engine": ask(session, flow),
        }
        if len(set(answers.values())) > 1:
            yield f"seed {seed}, {flow.question()}: {answers}\n{yaml.safe_dump_all(objects)}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_engine_and_both_oracles_agree(chunk: int) -> None:
    for seed in range(chunk, WORLDS, CHUNKS):
        wrong = list(disagreements(seed))
        assert not wrong, "\n".join([f"{len(wrong)} flow(s) of one world differ", wrong[0]])


def test_flows_meet_every_kind_and_verdict() -> None:
    verdicts: Counter[str] = Counter()
    decisive: Counter[str] = Counter()
    for seed in range(DEFAULT_FLOWS // FLOWS_PER_WORLD):
        objects, flows = samples(seed)
        whole = RawAdminOracle(objects, NAMES)
        answers = [_verdict(whole, flow) for flow in flows]
        verdicts.update(answers)
        for kind in (*KINDS, "NetworkPolicy"):
            left = RawAdminOracle([o for o in objects if o["kind"] != kind], NAMES)
            others = (_verdict(left, flow) for flow in flows)
            decisive[kind] += sum(a != b for a, b in zip(answers, others, strict=True))
    assert min(verdicts[v] for v in ("allowed", "denied", "undetermined")) > 60
    assert min(decisive[kind] for kind in (*KINDS, "NetworkPolicy")) > 20


def _verdict(oracle: RawAdminOracle, flow: Flow) -> str:
    return oracle.verdict(flow.src, flow.dst, flow.protocol, flow.port, flow.family)
