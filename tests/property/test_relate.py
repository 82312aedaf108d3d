"""Every relation against its definition, flow by flow, on random worlds and policies."""

import os
import random
from collections import Counter
from dataclasses import replace

import pytest

from cloison.algebra import EVERY_ADDRESS, NO_ADDRESSES, AddressSet
from cloison.analyses.relate import Part, Related, Relation, relate_one, relate_two
from cloison.engine import Engine, Networks
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Action, Mode
from tests.oracle.ir_ways import Match
from tests.support.policies import Snapshot, describe
from tests.support.relations import (
    Asked,
    Flow,
    Said,
    flows,
    in_scope,
    random_pair,
    recut,
    shows,
    without,
)

CHUNKS = 4
PAIRS = max(12, int(os.environ.get("CLOISON_FLOWS", "0")) // 500)
ENOUGH = 15_000
"""Flows, times parts to leave out, that one world may come to; larger ones are not asked."""
OF_TWO = [relation for relation in Relation if relation.of_two]


POD_RANGES = (NO_ADDRESSES, AddressSet.block("10.2.0.0/17"))
"""Where pods are known to have their addresses; if at all."""


def relate(
    relation: Relation, one: Snapshot, other: Snapshot, pods: AddressSet = NO_ADDRESSES
) -> Related:
    sets = (one.policies, other.policies)
    networks = Networks(pods, names=one.names)
    return relate_two(relation, one.world, sets, one.profile, networks)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_relations_of_two_are_those_of_all_flows(chunk: int) -> None:
    seen: Counter[tuple[Relation, bool | None]] = Counter()
    for seed in range(chunk, PAIRS, CHUNKS):
        one, other = random_pair(random.Random(40_000 + seed))
        asked = Asked(one), Asked(other)
        pods = POD_RANGES[seed // CHUNKS % 2]
        kinds = flows((one, other), pods or EVERY_ADDRESS)
        every = [(flow, asked[0].say(flow), asked[1].say(flow)) for flow in kinds]
        for relation in OF_TWO:
            found = relate(relation, one, other, pods)
            seen[relation, found.holds] += 1
            complaint = _wrong(relation, found, every)
            assert complaint is None, f"seed {seed} {relation}: {complaint}\n{found}\n" + _told(
                one, other
            )
    assert {holds for _, holds in seen} >= {True, False}


def _told(*snapshots: Snapshot) -> str:
    return "\n---\n".join(map(describe, snapshots))


def _wrong(relation: Relation, found: Related, every: list[tuple[Flow, Said, Said]]) -> str | None:
    """Return what is wrong with an answer, if anything is."""
    shown = [(flow, a, b, shows(relation, a, b)) for flow, a, b in every]
    sure = [each for each in shown if each[3]]
    doubtful = [each for each in shown if each[3] is None and in_scope(each[0][2])]
    holds = found.holds
    if relation is Relation.INTERFERES and holds is not None:
        holds = not holds
    if holds is False:
        return None if sure else "nothing shows it"
    if sure:
        return f"shown by {sure[0]}"
    if holds is None:
        return None if doubtful else "nothing is in doubt"
    # Both may be in doubt for the same reason, and then they are the same.
    alone = [each for each in doubtful if _alone(relation, each[1], each[2])]
    return f"in doubt: {alone[0]}" if alone else None


def _alone(relation: Relation, one: Said, other: Said) -> bool:
    unknown = Verdict.UNDETERMINED
    if relation is Relation.FORBIDS:
        return True
    return (one.verdict is unknown) != (other.verdict is unknown)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_set_of_policies_stands_to_itself_as_everything_does(chunk: int) -> None:
    for seed in range(chunk, PAIRS, CHUNKS):
        one, _ = random_pair(random.Random(50_000 + seed))
        for relation, expected in (
            (Relation.EQUIVALENT, True),
            (Relation.CONTAINED, True),
            (Relation.PERMITS, True),
            (Relation.INTERFERES, False),
        ):
            found = relate(relation, one, one)
            assert found.holds is expected, f"seed {seed} {found}\n{describe(one)}"


@pytest.mark.parametrize("pods", POD_RANGES, ids=["anywhere", "in a range"])
def test_how_blocks_are_cut_changes_nothing(pods: AddressSet) -> None:
    seen: Counter[bool | None] = Counter()
    for seed in range(PAIRS // 2):
        one, _ = random_pair(random.Random(80_000 + seed))
        other = replace(one, policies=recut(one.policies))
        for relation in (Relation.EQUIVALENT, Relation.CONTAINED, Relation.PERMITS):
            found = relate(relation, one, other, pods)
            seen[found.holds] += 1
            # What nobody knows of an end may be of one block and not of two, for all one can say.
            told = found.flow and {found.flow.first.verdict, found.flow.second.verdict}
            assert found.holds or told == {Verdict.UNDETERMINED}, (
                f"seed {seed} {relation} {found}\n{_told(one, other)}"
            )
    assert seen[True] > seen[None]


def _parts(found: Related) -> dict[object, bool]:
    parts = [each for each in found.found if isinstance(each, Part)]
    return {(p.policy, p.direction, p.rule): p.sure for p in parts}


@pytest.mark.parametrize("chunk", range(2))
def test_what_is_redundant_could_go(chunk: int) -> None:
    seen: Counter[bool | None] = Counter()
    for seed in range(chunk, PAIRS, 2):
        one, _ = random_pair(random.Random(60_000 + seed))
        engine = Engine(one.world, one.policies, one.profile, Networks(names=one.names))
        found = relate_one(Relation.REDUNDANT, engine)
        parts = _parts(found)
        every = list(flows((one,)))
        if len(every) * sum(1 + len(p.rules) for p in one.policies.policies) > ENOUGH:
            continue
        asked = Asked(one)
        before = [(flow, asked.verdict(flow)) for flow in every]
        for policy in one.policies.policies:
            if policy.mode is not Mode.ENFORCED or not one.profile.enforces:
                continue
            rules = [r for r in policy.rules if r.action is not Action.LOG]
            for rule in (None, *(() if policy.opaque else rules)):
                left = replace(one, policies=without(one.policies, policy, rule))
                key = (policy.id, rule.direction, rule.index) if rule else (policy.id, None, None)
                could = (parts[key] or None) if key in parts else False
                complaint = _kept(before, left, could=could)
                assert complaint is None, f"seed {seed} {key}: {complaint}\n{describe(one)}"
                seen[could] += 1
    assert seen[True]
    assert seen[False]


def _kept(before: list[tuple[Flow, Verdict]], left: Snapshot, *, could: bool | None) -> str | None:
    """Return what is wrong with saying that something could go, or could not, if anything is."""
    asked = Asked(left)
    sure, doubtful, alone = [], [], []
    for flow, was in before:
        now = asked.verdict(flow)
        if Verdict.UNDETERMINED in (was, now):
            if in_scope(flow[2]):
                doubtful.append(flow)
                if was is not now:
                    alone.append(flow)
        elif was is not now:
            sure.append(flow)
    if could is False:
        return None if sure else "nothing changes"
    if sure:
        return f"changes {sure[0]}"
    if could is None:
        return None if doubtful else "nothing is in doubt"
    return f"in doubt: {alone[0]}" if alone else None


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_is_empty_is_about_nobody(chunk: int) -> None:
    seen: Counter[Match] = Counter()
    for seed in range(chunk, PAIRS, CHUNKS):
        one, _ = random_pair(random.Random(70_000 + seed))
        engine = Engine(one.world, one.policies, one.profile, Networks(names=one.names))
        found = relate_one(Relation.EMPTY, engine)
        parts = _parts(found)
        asked = Asked(one)
        every = list(flows((one,)))
        for policy in asked.oracle.enforced:
            for rule in () if policy.opaque else policy.rules:
                match = max(asked.matches(policy, rule, flow) for flow in every)
                key = (policy.id, rule.direction, rule.index)
                expected = {Match.NO: True, Match.MAY: False, Match.MUST: None}[match]
                assert parts.get(key) is expected, f"seed {seed} {key} {match}\n{describe(one)}"
                seen[match] += 1
    assert seen[Match.NO]
    assert seen[Match.MUST]
