"""What is told of the way through the tiers is what the engine decided, on random policies."""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from cloison.algebra import L4, NO_TRAFFIC, TrafficSet
from cloison.analyses.advice import Advice
from cloison.analyses.ask import Explanation, ask
from cloison.analyses.ask import Question as Asked
from cloison.analyses.ends import PodsEnd
from cloison.analyses.explain import CaseAnswer, PointAnswer
from cloison.analyses.mend import Proposal, proposals
from cloison.analyses.question import Traffic
from cloison.analyses.walk import Came
from cloison.engine import Engine, UnitKind
from cloison.engine.steps import Cause
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Action, Policy
from cloison.resources.world import PodEndpoint
from tests.support.policies import Snapshot, describe, random_snapshot

SNAPSHOTS = max(int(os.environ.get("CLOISON_FLOWS", "0")) // 500, 60)
TRAFFIC = (
    TrafficSet.ports("TCP", 80),
    TrafficSet.ports("UDP", 53),
    TrafficSet.icmp(8),
    L4,
)


def engine_of(snapshot: Snapshot) -> Engine:
    return Engine(snapshot.world, snapshot.policies, snapshot.profile)


def named(endpoint: PodEndpoint) -> str:
    return f"{endpoint.namespace}/{endpoint.workload.name}"


def answers(seed: int) -> Iterator[tuple[Snapshot, Engine, Explanation]]:
    """Yield answers about pairs of pods of one random snapshot."""
    rng = random.Random(seed)
    snapshot = random_snapshot(rng)
    engine = engine_of(snapshot)
    ends = [
        PodsEnd(named(e), snapshot.world.workloads[e.workload], (i,), single=True)
        for i, e in enumerate(engine.table.endpoints)
    ]
    for _ in range(6):
        source, destination = rng.choice(ends), rng.choice(ends)
        asked = rng.choice(TRAFFIC)
        family = rng.choice([4, 6])
        families = [
            {engine.table.units[u].family for u in _units(engine, e)} for e in (source, destination)
        ]
        if not all(f & {0, family} for f in families):
            continue
        yield (
            snapshot,
            engine,
            ask(engine, Asked(source, destination, Traffic("asked", asked), family=family)),
        )


def _units(engine: Engine, end: PodsEnd) -> tuple[int, ...]:
    return engine.table.by_endpoint[end.endpoints[0]]


def points(answer: Explanation) -> Iterator[tuple[CaseAnswer, PointAnswer]]:
    for case in answer.cases:
        for point in case.points:
            yield case, point


def test_the_walk_adds_up_to_the_decision() -> None:
    seen: Counter[object] = Counter()
    for seed in range(SNAPSHOTS):
        for snapshot, _, answer in answers(seed):
            for case, point in points(answer):
                where = f"seed {seed}: {answer.question} {point.direction}\n{describe(snapshot)}"
                if point.walk is None:
                    assert point.verdict is Verdict.ALLOWED
                    continue
                _check(case, point, where)
                seen.update(t.came for t in point.tiers)
                seen.update(d.action for d in point.decided_by)
                seen["conflict"] += bool(point.walk.conflicts)
    assert all(seen[came] for came in (*Came, None, "conflict", Action.ALLOW, Action.DENY)), seen


def _check(case: CaseAnswer, point: PointAnswer, where: str) -> None:
    walk = point.walk
    assert walk is not None
    asked = case.case.traffic
    outcome = walk.outcome
    allowed = denied = NO_TRAFFIC
    for step in walk.steps:
        if step.action is Action.ALLOW:
            allowed |= step.traffic
        elif step.action is Action.DENY:
            denied |= step.traffic
        elif step.action is None and step.cause is not Cause.ENTRY:
            allowed |= step.traffic
            denied |= step.traffic
    assert allowed | denied == asked, where
    assert allowed - denied == outcome.allowed & asked, where
    assert denied - allowed == outcome.denied & asked, where
    # Who is named did what came of it, and somebody is named.
    assert point.decided_by, where
    actions = {d.action for d in point.decided_by}
    if point.verdict is Verdict.ALLOWED:
        assert actions == {Action.ALLOW}, where
    if point.verdict is Verdict.DENIED:
        assert actions == {Action.DENY}, where
    # The last tier that was asked decided, where the default did not.
    asked_tiers = [t for t in point.tiers if t.came is not None]
    if point.verdict in {Verdict.ALLOWED, Verdict.DENIED} and not walk.default and asked_tiers:
        assert asked_tiers[-1].came not in {Came.PASSED, Came.UNMATCHED}, where
    for tier in asked_tiers[:-1]:
        assert tier.came not in {Came.ALLOWED, Came.DENIED} or tier.traffic != asked, where


def test_a_proposal_opens_what_was_asked_and_closes_nothing() -> None:
    flipped = advised = 0
    for seed in range(SNAPSHOTS):
        for snapshot, engine, answer in answers(seed):
            if answer.verdict is not Verdict.DENIED:
                continue
            where = f"seed {seed}: {answer.question}\n{describe(snapshot)}"
            changes = proposals(engine, answer)
            if not changes:
                continue
            advised += any(isinstance(c, Advice) for c in changes)
            for change in changes:
                if isinstance(change, Advice):
                    assert change.text, where
            if any(isinstance(c, Advice) for c in changes):
                continue
            after = changed(snapshot, [c for c in changes if isinstance(c, Proposal)])
            again = ask(engine_of(after), answer.question)
            assert again.verdict is Verdict.ALLOWED, f"{where}\n-> {again}\n{describe(after)}"
            now = set(passing(engine_of(after)))
            closed = [flow for flow in passing(engine) if flow not in now]
            assert not closed, f"{where}\nnow closed: {closed}"
            flipped += 1
    assert min(flipped, advised) > 10, (flipped, advised)


def passing(engine: Engine) -> Iterator[tuple[int, int, int, int]]:
    """Yield what passes between pods: their places, the family, and a flow's place in TRAFFIC."""
    pods = [
        (place, unit)
        for place, units in enumerate(engine.table.by_endpoint)
        for unit in units
        if engine.table.units[unit].kind is UnitKind.POD
    ]
    for one, source in pods:
        for other, destination in pods:
            family = engine.table.units[source].family
            if one == other or family != engine.table.units[destination].family:
                continue
            outcome = engine.outcome(source, destination, family=family)
            for number, traffic in enumerate(TRAFFIC):
                if traffic <= outcome.allowed:
                    yield one, other, family, number


def changed(snapshot: Snapshot, proposed: list[Proposal]) -> Snapshot:
    """Return the snapshot with the proposals applied."""
    policies: dict[object, Policy] = {p.id: p for p in snapshot.policies.policies}
    for proposal in proposed:
        known = policies.get(proposal.policy.id)
        if known is None:
            policies[proposal.policy.id] = proposal.policy
            continue
        rule = replace(proposal.rule, index=99)
        policies[proposal.policy.id] = replace(known, rules=(*known.rules, rule))
    return replace(snapshot, policies=replace(snapshot.policies, policies=tuple(policies.values())))
