"""The generator of random worlds keeps its promises."""

import random

import pytest
import yaml

from cloison.base import Severity
from tests.oracle.raw import Manifest
from tests.support.session import load
from tests.support.worlds import FlowMaker, random_flow, random_world

SEEDS = range(0, 400, 8)


@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_the_same_seed_gives_the_same_world_and_flows(seed: int) -> None:
    one, two = random.Random(seed), random.Random(seed)
    first, second = random_world(one), random_world(two)
    assert first == second
    assert [random_flow(one, first) for _ in range(5)] == [
        random_flow(two, second) for _ in range(5)
    ]


def test_worlds_are_yaml() -> None:
    for seed in SEEDS:
        objects = random_world(random.Random(seed))
        assert list(yaml.safe_load_all(yaml.safe_dump_all(objects))) == objects


def test_names_and_addresses_are_unique() -> None:
    for seed in SEEDS:
        objects = random_world(random.Random(seed))
        names = [
            (o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in objects
        ]
        assert len(set(names)) == len(names)
        taken = [a for o in objects for a in _addresses(o)]
        assert len(set(taken)) == len(taken)


def _addresses(item: Manifest) -> list[str]:
    if item["kind"] != "Pod" or item["spec"].get("hostNetwork"):
        return []
    status = item.get("status", {})
    if status.get("phase") in ("Succeeded", "Failed"):
        return []
    return [a["ip"] for a in status.get("podIPs", [])] or [a for a in [status.get("podIP")] if a]


def test_flows_are_over_the_world() -> None:
    for seed in SEEDS:
        rng = random.Random(seed)
        objects = random_world(rng)
        maker = FlowMaker(objects)
        for _ in range(10):
            flow = maker.flow(rng)
            assert flow.family in maker.of(flow.src) & maker.of(flow.dst)
            assert {flow.src[0], flow.dst[0]} & {"pod", "workload"}
            assert flow.port is None or 1 <= flow.port <= 65535


def test_the_api_server_would_accept_every_object() -> None:
    for seed in SEEDS:
        session = load(random_world(random.Random(seed)))
        faults = [d for d in session.diagnostics if d.severity is Severity.ERROR]
        assert not faults
