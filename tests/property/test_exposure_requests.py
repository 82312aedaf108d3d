"""Exposure under rules that ask for requests, against really adding the pods it speaks of."""

import random
from collections import Counter
from collections.abc import Iterable

import pytest

from cloison.algebra import ANY, L4, TrafficSet
from cloison.analyses.connectivity import EndRef, Map, MapOptions
from cloison.analyses.ends import Names
from cloison.analyses.exposure import Opening, expose
from cloison.analyses.survey import survey
from cloison.engine import Engine, Networks
from cloison.ir.fidelity import Verdict
from cloison.ir.flows import NO_FLOWS, Flows, Known
from cloison.ir.policy import Direction
from tests.property.test_exposure import LEFT_OPEN, by_number, looks_into_values, openings
from tests.support.asking import asking
from tests.support.budget import tries
from tests.support.newcomers import ir_added, ir_newcomers
from tests.support.policies import describe, random_snapshot
from tests.support.richer import rich_snapshot

CHUNKS = 2
WORLDS = tries(24, 200)
NOTHING = Known(NO_FLOWS, NO_FLOWS)


def by_map(found: Map, names: set[str]) -> dict[tuple[str, EndRef, Direction], Known]:
    known = {}
    for edge in found:
        if edge.src.kind == "pod" and edge.src.name in names:
            known[edge.src.name, edge.dst, Direction.INGRESS] = Known.of(edge.passage)
        if edge.dst.kind == "pod" and edge.dst.name in names:
            known[edge.dst.name, edge.src, Direction.EGRESS] = Known.of(edge.passage)
    return known


def union(said: Iterable[Opening], verdict: Verdict) -> Flows:
    found = NO_FLOWS
    for each in said:
        if each.verdict is verdict:
            some = each.requests
            found |= Flows(each.traffic) if some is None else Flows.of(each.traffic, some)
    return found


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_exposure_is_what_happens_with_every_request(chunk: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(chunk, WORLDS, CHUNKS):
        rng = random.Random(seed + 970_000)
        snapshot = asking(rng, rich_snapshot(rng) if seed % 4 else random_snapshot(rng))
        policies = by_number(snapshot.policies)
        said = (policies, snapshot.profile, Networks(names=snapshot.names))
        engine = Engine(snapshot.world, *said)
        told = expose(engine, MapOptions(), Names(engine))
        newcomers = ir_newcomers(rng)
        after = Engine(ir_added(snapshot.world, newcomers), *said)
        truth = by_map(survey(after, MapOptions(), Names(after)), {n.name for n in newcomers})
        # Of what is left open only TCP, UDP and SCTP are told.
        about: TrafficSet = L4 if looks_into_values(policies) else ANY
        for newcomer in newcomers:
            here = openings(told, newcomer, after.world)
            for end in told.ends:
                for direction in Direction:
                    found = here.get((end, direction), [])
                    surely, perhaps = (
                        union(found, verdict) for verdict in (Verdict.ALLOWED, Verdict.UNDETERMINED)
                    )
                    real = truth.get((newcomer.name, end, direction), NOTHING)
                    why = f"seed {seed}: {newcomer} {direction} {end}: {found}\n"
                    why += describe(snapshot)
                    assert surely <= real.allowed, why
                    assert real.passing.within(about) <= surely | perhaps, why
                    if any(LEFT_OPEN & set(each.caveats) for each in found):
                        continue
                    assert real.allowed.within(about) == surely.within(about), why
                    assert real.undetermined == perhaps - surely, why
                    seen["by request"] += bool(surely.some)
                    seen["all"] += bool(surely.traffic)
    assert min(seen["by request"], seen["all"]) > 20, seen
