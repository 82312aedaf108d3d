"""Relations of policies that ask for requests, against every request of every flow."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice

import pytest

from cloison.algebra import Request
from cloison.analyses.relate import Part, Related, Relation, relate_one, relate_two
from cloison.engine import Engine, Networks
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Action, Mode, Policy, Rule
from tests.support.asking import PAIRS, REQUESTS, asking
from tests.support.budget import tries
from tests.support.chances import chance
from tests.support.policies import Snapshot, describe
from tests.support.relations import Asked, Flow, Said, flows, in_scope, random_pair, shows, without

CHUNKS = 2
WORLDS = tries(5, 20)
MOST_FLOWS = 1000
"""Flows of a world that are asked about one by one; worlds of more are left out."""
ASKED = (*(Request(method=m, path=p) for m, p in PAIRS), REQUESTS[len(PAIRS)])
OF_TWO = [relation for relation in Relation if relation.of_two]
Row = tuple[Flow, Request, Said, Said]


def worlds(chunk: int, first: int) -> list[tuple[int, Snapshot, Snapshot, list[Flow]]]:
    found: list[tuple[int, Snapshot, Snapshot, list[Flow]]] = []
    for seed in count(first + chunk, CHUNKS):
        rng = random.Random(seed)
        if seed // CHUNKS % 2:
            one, other = random_pair(rng, asking)
        else:
            plain, _ = random_pair(rng)
            one = asking(rng, plain)
            other = asking(rng, plain) if chance(rng, 0.3) else swapped(rng, one)
        kinds = list(islice(flows((one, other)), MOST_FLOWS + 1))
        if len(kinds) <= MOST_FLOWS:
            found.append((seed, one, other, kinds))
        if len(found) == WORLDS:
            break
    return found


def swapped(rng: random.Random, snapshot: Snapshot) -> Snapshot:
    """Return a snapshot in which another request is asked for here and there."""
    other = asking(rng, snapshot)
    policies = tuple(
        replace(policy, rules=tuple(b if chance(rng, 0.3) else a for a, b in pairs(policy, new)))
        for policy, new in zip(snapshot.policies.policies, other.policies.policies, strict=True)
    )
    return replace(snapshot, policies=replace(snapshot.policies, policies=policies))


def pairs(policy: Policy, other: Policy) -> Iterator[tuple[Rule, Rule]]:
    return zip(policy.rules, other.rules, strict=True)


def relate(relation: Relation, one: Snapshot, other: Snapshot) -> Related:
    networks = Networks(names=one.names)
    return relate_two(relation, one.world, (one.policies, other.policies), one.profile, networks)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_relations_of_two_are_those_of_all_requests(chunk: int) -> None:
    seen: Counter[bool | None] = Counter()
    by_request = 0
    for seed, one, other, kinds in worlds(chunk, 240_000):
        every: list[Row] = []
        for request in ASKED:
            ours, theirs = Asked(one, request), Asked(other, request)
            every += ((flow, request, ours.say(flow), theirs.say(flow)) for flow in kinds)
        for relation in OF_TWO:
            found = relate(relation, one, other)
            seen[found.holds] += 1
            by_request += found.flow is not None and found.flow.requests is not None
            complaint = wrong(relation, found, every)
            told = f"seed {seed} {relation}: {complaint}\n{found}\n"
            assert complaint is None, told + "\n---\n".join(map(describe, (one, other)))
    assert min(seen[holds] for holds in (True, False)) > 1, seen
    assert by_request > 1, seen


def wrong(relation: Relation, found: Related, every: list[Row]) -> str | None:
    """Return what is wrong with an answer, if anything is."""
    shown = [(row, shows(relation, row[2], row[3])) for row in every]
    sure = [row for row, shows_it in shown if shows_it]
    holds = found.holds
    if relation is Relation.INTERFERES and holds is not None:
        holds = not holds
    if holds is False:
        return None if any(is_of(found, row) for row in sure) else "nothing shows it"
    if sure:
        return f"shown by {sure[0]}"
    doubtful = [row for row, shows_it in shown if shows_it is None and in_scope(row[0][2])]
    if holds is None:
        return None if any(is_of(found, row) for row in doubtful) else "nothing is in doubt"
    unknown = Verdict.UNDETERMINED
    alone = [row for row in doubtful if (row[2].verdict is unknown) != (row[3].verdict is unknown)]
    if relation is Relation.FORBIDS:
        alone = doubtful
    return f"in doubt: {alone[0]}" if alone else None


def is_of(found: Related, row: Row) -> bool:
    """Return whether a row has the traffic and the request that an answer shows."""
    (_, _, traffic, _), request, *_ = row
    shown = found.flow
    if shown is None or traffic not in shown.traffic:
        return False
    return shown.requests is None or request in shown.requests


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_policies_that_ask_stand_to_themselves_as_everything_does(chunk: int) -> None:
    for seed, one, _, _ in worlds(chunk, 250_000):
        for relation, expected in (
            (Relation.EQUIVALENT, True),
            (Relation.CONTAINED, True),
            (Relation.PERMITS, True),
            (Relation.INTERFERES, False),
        ):
            found = relate(relation, one, one)
            assert found.holds is expected, f"seed {seed} {found}\n{describe(one)}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_is_redundant_could_go_with_every_request(chunk: int) -> None:
    seen: Counter[bool | None] = Counter()
    for seed, one, _, _ in worlds(chunk, 260_000):
        kinds = list(flows((one,)))
        number = sum(1 + len(p.rules) for p in one.policies.policies)
        if len(kinds) * number > 8 * MOST_FLOWS:
            continue
        engine = Engine(one.world, one.policies, one.profile, Networks(names=one.names))
        found = relate_one(Relation.REDUNDANT, engine)
        parts = {
            (p.policy, p.direction, p.rule): p.sure for p in found.found if isinstance(p, Part)
        }
        before = said(one, kinds)
        for policy in one.policies.policies:
            if policy.mode is not Mode.ENFORCED or not one.profile.enforces:
                continue
            rules = [r for r in policy.rules if r.action is not Action.LOG]
            for rule in (None, *(() if policy.opaque else rules)):
                left = replace(one, policies=without(one.policies, policy, rule))
                key = (policy.id, rule.direction, rule.index) if rule else (policy.id, None, None)
                could = (parts[key] or None) if key in parts else False
                complaint = kept(before, said(left, kinds), could=could)
                assert complaint is None, f"seed {seed} {key}: {complaint}\n{describe(one)}"
                seen[could] += 1
    assert seen


Verdicts = list[tuple[int, Verdict]]


def said(snapshot: Snapshot, kinds: list[Flow]) -> Verdicts:
    """Return what becomes of each flow with each request, with the traffic it is of."""
    asked = [Asked(snapshot, request) for request in ASKED]
    return [(flow[2], each.verdict(flow)) for flow in kinds for each in asked]


def kept(before: Verdicts, after: Verdicts, *, could: bool | None) -> str | None:
    """Return what is wrong with saying that something could go, or could not, if anything is."""
    unknown = Verdict.UNDETERMINED
    sure = doubtful = alone = False
    for (traffic, was), (_, now) in zip(before, after, strict=True):
        if unknown in (was, now):
            doubtful = doubtful or in_scope(traffic)
            alone = alone or (in_scope(traffic) and was is not now)
        elif was is not now:
            sure = True
    match could:
        case False:
            return None if sure else "nothing changes"
        case None:
            return "it changes something" if sure else None if doubtful else "nothing is in doubt"
        case _:
            return "it changes something" if sure else "it is in doubt" if alone else None
