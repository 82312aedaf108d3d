"""The engine and the IR oracle agree on policy sets that no dialect writes today."""

import os
import random
from collections import Counter

import pytest

from cloison.engine import Engine, Networks
from cloison.engine.related import Relations
from cloison.ir.fidelity import Verdict
from cloison.ir.peers import Relative, plain_matches
from cloison.ir.policy import Combine
from cloison.ir.ruleset import Outcome
from cloison.resources.objects import Node
from cloison.resources.world import PodEndpoint
from tests.oracle.ir import IROracle
from tests.oracle.ir_ways import End
from tests.support.policies import (
    Question,
    Snapshot,
    describe,
    random_question,
    random_snapshot,
)
from tests.support.richer import rich_snapshot

DEFAULT_FLOWS = 6_000
FLOWS_PER_SNAPSHOT = 15
CHUNKS = 6
SNAPSHOTS = max(int(os.environ.get("CLOISON_FLOWS", "0")), DEFAULT_FLOWS) // FLOWS_PER_SNAPSHOT


def asked_of(engine: Engine, question: Question) -> Outcome:
    """Ask the engine: the only place here that knows how."""
    table = engine.table

    def unit(end: End) -> int:
        if isinstance(end, int):
            return table.external(end)
        if isinstance(end, Node):
            found = table.by_node[end.name]
        else:
            found = table.by_endpoint[table.endpoints.index(end)]
        return next(u for u in found if table.units[u].family in (0, question.family))

    def on_node(end: End) -> tuple[bool, str | None]:
        if isinstance(end, Node):
            return True, end.name
        if isinstance(end, PodEndpoint):
            return end.shape.host_network, end.shape.node
        return False, None

    def relations(subject: End, peer: End) -> Relations:
        itself = isinstance(peer, PodEndpoint) and peer.pod is not None and peer == subject
        sure = {Relative.SELF} if itself else set()
        maybe = set()
        mine, own = on_node(subject)
        hosted, name = on_node(peer)
        if isinstance(subject, PodEndpoint):
            own = subject.shape.node
        if hosted and (mine or isinstance(subject, PodEndpoint)):
            if name is None or own is None:
                maybe |= {Relative.OWN_NODE, Relative.LOOPBACK, Relative.OTHER_NODE}
            elif name == own:
                sure |= {Relative.OWN_NODE, Relative.LOOPBACK}
            else:
                sure.add(Relative.OTHER_NODE)
        elif mine and isinstance(peer, PodEndpoint):
            if own is None or peer.shape.node is None:
                maybe.add(Relative.OWN_POD)
            elif own == peer.shape.node:
                sure.add(Relative.OWN_POD)
        return Relations(frozenset(sure), frozenset(maybe))

    src, dst = question.src, question.dst
    return engine.outcome(
        unit(src), unit(dst), relations(src, dst), relations(dst, src), question.family
    )


def engine_verdict(engine: Engine, question: Question) -> Verdict:
    """Return what the engine says of one flow."""
    outcome = asked_of(engine, question)
    if question.traffic in outcome.allowed:
        return Verdict.ALLOWED
    return Verdict.UNDETERMINED if question.traffic in outcome.undetermined else Verdict.DENIED


def samples(seed: int) -> tuple[Snapshot, list[Question]]:
    rng = random.Random(seed)
    snapshot = rich_snapshot(rng) if seed % 3 else random_snapshot(rng)
    return snapshot, [random_question(rng, snapshot) for _ in range(FLOWS_PER_SNAPSHOT)]


def oracle_of(snapshot: Snapshot) -> IROracle:
    return IROracle(snapshot.world, snapshot.policies, snapshot.profile, snapshot.names)


def reproduction(seed: int, snapshot: Snapshot, question: Question) -> str:
    return f"seed {seed}: {question}\n{describe(snapshot)}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_engine_agrees_with_the_oracle(chunk: int) -> None:
    for seed in range(chunk, SNAPSHOTS, CHUNKS):
        snapshot, questions = samples(seed)
        oracle = oracle_of(snapshot)
        networks = Networks(names=snapshot.names)
        engine = Engine(snapshot.world, snapshot.policies, snapshot.profile, networks)
        for q in questions:
            expected = oracle.decide(q.src, q.dst, q.traffic, q.family)
            found = engine_verdict(engine, q)
            assert found is expected, reproduction(seed, snapshot, q)


def test_policy_sets_are_of_every_shape() -> None:
    verdicts: Counter[Verdict] = Counter()
    shapes: Counter[object] = Counter()
    for seed in range(DEFAULT_FLOWS // FLOWS_PER_SNAPSHOT):
        snapshot, questions = samples(seed)
        oracle = oracle_of(snapshot)
        verdicts.update(oracle.decide(q.src, q.dst, q.traffic, q.family) for q in questions)
        shapes.update(c for la in snapshot.policies.layers for t in la.tiers for c in t.bands)
        shapes.update(r.action for p in snapshot.policies.policies for r in p.rules)
        policies = snapshot.policies.policies
        shapes["about nodes"] += any(p.nodes for p in policies)
        shapes["about some"] += any(r.subjects is not None for p in policies for r in p.rules)
        shapes["by name"] += any(r.traffic.excepted for p in policies for r in p.rules)
        shapes["ends both"] += any(t.ends_both for la in snapshot.policies.layers for t in la.tiers)
        plain = (
            m for p in policies for r in p.rules for e in r.peers for m in plain_matches(e.match)
        )
        shapes.update(type(match) for match in plain)
        shapes["opaque"] += any(p.opaque for p in snapshot.policies.policies)
        shapes["layers"] += len(snapshot.policies.layers) > 1
    assert min(verdicts[v] for v in Verdict if v is not Verdict.MIXED) > 400
    assert min(shapes[c] for c in Combine) > 100
    assert min(shapes.values()) > 30
