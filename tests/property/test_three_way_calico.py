"""The engine, the IR oracle and the raw oracle give one answer where Calico enforces.

Seeds are fixed, so a run is the same everywhere. `CLOISON_FLOWS` asks for more flows.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml

from cloison.app import load_objects
from tests.oracle.ir import IROracle
from tests.oracle.ir_ways import traffic_point
from tests.oracle.raw import Manifest
from tests.oracle.raw_calico import RawCalicoOracle
from tests.support.adminpolicies import AdminMaker, Seen
from tests.support.calicopolicies import CalicoMaker
from tests.support.calicoservices import peopled
from tests.support.session import endpoint
from tests.support.worlds import Flow, FlowMaker, random_world

DEFAULT_FLOWS = 2_000
FLOWS_PER_WORLD = 20
CHUNKS = 6
WORLDS = -(-max(int(os.environ.get("CLOISON_FLOWS", "0")), DEFAULT_FLOWS) // FLOWS_PER_WORLD)
"""Worlds of a run; each chunk takes every sixth."""
MESSAGES = ((8, 0), (3, 4), (3, 1), (0, 0))
OWN = ("NetworkPolicy", "GlobalNetworkPolicy", "ClusterNetworkPolicy")


@dataclass(frozen=True)
class Asked:
    """A flow, with the message of one that is ICMP."""

    flow: Flow
    icmp: tuple[int, int]


def samples(seed: int) -> tuple[list[Manifest], list[Asked]]:
    """Return the world and the flows of a seed."""
    rng = random.Random(3_000_000 + seed)
    objects = random_world(rng)
    seen = Seen(objects)
    objects += CalicoMaker(seen, rng).objects(rng.randint(1, 7))
    if rng.random() < 0.5:
        cluster = AdminMaker(seen, rng).policies(rng.randint(1, 4), ("ClusterNetworkPolicy",))
        objects += cluster
    if rng.random() < 0.5:
        objects = peopled(rng, objects, seen.addresses)
    rng.shuffle(objects)
    maker = FlowMaker(objects)
    flows: list[Asked] = []
    while len(flows) < FLOWS_PER_WORLD:
        flow = maker.flow(rng)
        if flow.port is not None or flow.protocol == "ICMP":
            flows.append(Asked(flow, rng.choice(MESSAGES)))
    return objects, flows


def raw_verdict(oracle: RawCalicoOracle, asked: Asked) -> str:
    """Ask the oracle over manifests."""
    flow = asked.flow
    oracle.icmp = asked.icmp
    return oracle.verdict(flow.src, flow.dst, flow.protocol, flow.port, flow.family)


def disagreements(seed: int) -> Iterator[str]:
    """Yield a reproduction for every flow of a seed that the three do not answer alike."""
    objects, flows = samples(seed)
    raw = RawCalicoOracle(objects)
    session = load_objects(objects, profile="calico@3.32")
    ir = IROracle(session.world, session.policies, session.profile)
    for asked in flows:
        flow = asked.flow
        src, dst, protocol, port, family = flow.question()
        ends = endpoint(session.world, flow.src), endpoint(session.world, flow.dst)
        kind, code = asked.icmp
        told: tuple[str | None, int | str | None] = (protocol, port)
        point = traffic_point(protocol, port)
        if protocol == "ICMP":
            told, point = (None, f"icmp/{kind}/{code}"), 1 << 16 | kind << 8 | code
        answers = {
            "raw manifests": raw_verdict(raw, asked),
            "IR oracle": str(ir.decide(*ends, point, family)),
            "engine": str(session.verdict(src, dst, *told, family)),
        }
        if len(set(answers.values())) > 1:
            yield f"seed {seed}, {asked}: {answers}\n{yaml.safe_dump_all(objects)}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_engine_and_both_oracles_agree(chunk: int) -> None:
    for seed in range(chunk, WORLDS, CHUNKS):
        wrong = list(disagreements(seed))
        assert not wrong, "\n".join([f"{len(wrong)} flow(s) of one world differ", wrong[0]])


def test_flows_meet_every_kind_and_verdict() -> None:
    verdicts: Counter[str] = Counter()
    decisive: Counter[str] = Counter()
    kinds = ("NetworkPolicy", "GlobalNetworkPolicy", "ClusterNetworkPolicy", "Tier", "NetworkSet")
    for seed in range(DEFAULT_FLOWS // FLOWS_PER_WORLD):
        objects, flows = samples(seed)
        answers = [raw_verdict(RawCalicoOracle(objects), asked) for asked in flows]
        verdicts.update(answers)
        for kind in kinds:
            left = RawCalicoOracle([o for o in objects if kind not in o["kind"]])
            others = (raw_verdict(left, asked) for asked in flows)
            decisive[kind] += sum(a != b for a, b in zip(answers, others, strict=True))
    assert min(verdicts[v] for v in ("allowed", "denied", "undetermined")) > 20
    assert min(decisive[kind] for kind in kinds) > 5
