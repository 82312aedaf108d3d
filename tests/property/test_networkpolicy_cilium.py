"""NetworkPolicies under Cilium: engine, IR oracle and raw-manifest oracle give one answer.

Worlds are those of the specification's own suite; version and settings are drawn besides. Seeds are
fixed, so a run is the same everywhere.
"""

import random
from collections import Counter
from collections.abc import Iterator

import pytest
import yaml

from cloison.app.load import load_objects
from tests.oracle.ir import IROracle
from tests.oracle.raw_cilium import RawCiliumOracle
from tests.support.session import ask, endpoint
from tests.support.worlds import FlowMaker, random_world

CHUNKS, WORLDS, FLOWS = 3, 36, 15
SETTINGS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"cilium.patch": "4"},
    {"cilium.patch": "5"},
    {"policy-cidr-match-mode": "nodes"},
    {"policy-cidr-match-mode": "pods"},
    {"policy-cidr-match-mode": "nodes pods", "cilium.U4": "matches-like-nodes"},
    {"policy-default-local-cluster": "false"},
    {"policy-default-local-cluster": "true"},
    {"policy-default-local-cluster": "false", "cilium.patch": "4"},
    {"enable-node-selector-labels": "true"},
    {"enable-node-selector-labels": "true", "cilium.patch": "4"},
    {"enable-policy": "always"},
    {"enable-policy": "never"},
    {"allow-localhost": "policy"},
    {"labels": "k8s:app"},
    {"labels": "!app"},
    {"policy-audit-mode": "true"},
    {"enable-k8s-networkpolicy": "false"},
)


def answers(seed: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield a reproduction and the three answers for every flow of a seed."""
    rng = random.Random(seed)
    objects = random_world(rng)
    maker = FlowMaker(objects)
    flows = [maker.flow(rng) for _ in range(FLOWS)]
    minor, settings = rng.choice((18, 19, 20)), rng.choice(SETTINGS)
    raw = RawCiliumOracle(objects, (1, minor), settings)
    session = load_objects(objects, profile=f"cilium@1.{minor}", cilium=settings)
    ir = IROracle(session.world, session.policies, session.profile)
    for flow in flows:
        protocol, port, family = flow.protocol, flow.port, flow.family
        src, dst = endpoint(session.world, flow.src), endpoint(session.world, flow.dst)
        what = f"seed {seed}, cilium@1.{minor} {settings}, {flow.question()}"
        yield (
            f"{what}\n{yaml.safe_dump_all(objects)}",
            {
                "raw manifests": raw.verdict(flow.src, flow.dst, protocol, port, family),
                "IR oracle": str(ir.verdict(src, dst, protocol, port, family)),
                "engine": ask(session, flow),
            },
        )


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_three_ways_agree(chunk: int) -> None:
    found: Counter[str] = Counter()
    for seed in range(chunk, WORLDS, CHUNKS):
        for what, said in answers(seed):
            assert len(set(said.values())) == 1, f"{said}\n{what}"
            found[said["engine"]] += 1
    assert found["allowed"] > FLOWS
    assert found["denied"] > FLOWS
