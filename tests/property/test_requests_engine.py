"""Rules that ask for requests: the engine's sets against one request after the other."""

import random
from collections import Counter
from collections.abc import Iterable

import pytest

from cloison.algebra import Request, RequestSet, TrafficSet
from cloison.analyses.explain import verdict_of
from cloison.analyses.request import requested
from cloison.engine import Engine, Networks
from cloison.engine.reach import HORIZON
from cloison.ir.fidelity import Verdict
from cloison.ir.ruleset import Outcome
from tests.oracle.ir import IROracle
from tests.property.test_ir_random import asked_of
from tests.support.asking import REQUESTS, asking
from tests.support.budget import tries
from tests.support.policies import Question, Snapshot, describe, random_question
from tests.support.richer import rich_snapshot

SNAPSHOTS = tries(64, 600)
CHUNKS = 4
FLOWS = 6


def samples(seed: int) -> tuple[Snapshot, Engine, list[Question]]:
    rng = random.Random(seed)
    snapshot = asking(rng, rich_snapshot(rng))
    engine = Engine(
        snapshot.world, snapshot.policies, snapshot.profile, Networks(names=snapshot.names)
    )
    return snapshot, engine, [random_question(rng, snapshot) for _ in range(FLOWS)]


def oracles(snapshot: Snapshot) -> dict[Request, IROracle]:
    said = (snapshot.world, snapshot.policies, snapshot.profile, snapshot.names)
    return {request: IROracle(*said, request=request) for request in REQUESTS}


def expected(oracle: IROracle, question: Question) -> Verdict:
    return oracle.decide(question.src, question.dst, question.traffic, question.family)


def told(outcome: Outcome, traffic: int, request: Request) -> Verdict:
    """Return what an outcome says of one request."""
    for each in outcome.when:
        if traffic in each.traffic:
            if request in each.allowed:
                return Verdict.ALLOWED
            return Verdict.UNDETERMINED if request in each.undetermined else Verdict.DENIED
    if traffic in outcome.allowed:
        return Verdict.ALLOWED
    return Verdict.UNDETERMINED if traffic in outcome.undetermined else Verdict.DENIED


def over_all(verdicts: Iterable[Verdict]) -> Verdict:
    found = set(verdicts)
    return found.pop() if len(found) == 1 else Verdict.MIXED


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_sets_of_requests_are_what_each_request_comes_to(chunk: int) -> None:
    decided: Counter[Verdict] = Counter()
    for seed in range(880_000 + chunk, 880_000 + SNAPSHOTS, CHUNKS):
        snapshot, engine, questions = samples(seed)
        known = oracles(snapshot)
        for question in questions:
            outcome = asked_of(engine, question)
            why = f"seed {seed}: {question}\n{describe(snapshot)}"
            want = {request: expected(oracle, question) for request, oracle in known.items()}
            found = {request: told(outcome, question.traffic, request) for request in REQUESTS}
            assert found == want, why
            verdict = over_all(want.values())
            assert verdict_of(outcome, TrafficSet([(question.traffic,) * 2])) is verdict, why
            decided[verdict] += 1
    assert min(decided[verdict] for verdict in Verdict) > 3, decided


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_request_known_in_part_is_all_it_may_be(chunk: int) -> None:
    decided: Counter[Verdict] = Counter()
    for seed in range(890_000 + chunk, 890_000 + SNAPSHOTS // 2, CHUNKS):
        snapshot, engine, questions = samples(seed)
        known = oracles(snapshot)
        for asked in (Request(method="GET"), Request(path="/a"), Request(method="PUT", path="/b")):
            judged = requested(engine, asked)
            like = [r for r in REQUESTS if r in RequestSet.of(asked)]
            for question in questions:
                verdict = over_all(expected(known[request], question) for request in like)
                point = TrafficSet([(question.traffic,) * 2])
                why = f"seed {seed}: {question} {asked}\n{describe(snapshot)}"
                assert verdict_of(asked_of(judged, question), point) is verdict, why
                decided[verdict] += 1
    assert min(decided[Verdict.MIXED], decided[Verdict.DENIED], decided[Verdict.ALLOWED]), decided


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_whole_picture_has_the_requests_of_each_pair(chunk: int) -> None:
    conditional = 0
    for seed in range(900_000 + chunk, 900_000 + SNAPSHOTS, CHUNKS):
        snapshot, engine, _ = samples(seed)
        units = engine.table.units
        for rectangle in engine.rectangles():
            for source in rectangle.sources:
                for target in rectangle.destinations:
                    if len({units[source].family, units[target].family} - {0}) > 1:
                        continue  # told besides, of addresses of the other family
                    outcome = engine.outcome(source, target).within(HORIZON)
                    assert rectangle.outcome == outcome, f"seed {seed}: {describe(snapshot)}"
                    conditional += bool(outcome.when)
    assert conditional > 20
