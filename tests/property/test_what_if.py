"""An engine with one policy changed answers as one made anew: the same flows, the same rules."""

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from cloison.engine import Engine, Networks
from cloison.engine.point import Point
from cloison.ir.policy import Direction, Policy, PolicyId
from tests.support.policies import Snapshot
from tests.support.richer import rich_snapshot

SEEDS = range(60)


def bound(snapshot: Snapshot) -> Engine:
    """Return the policies of a snapshot, bound."""
    networks = Networks(names=snapshot.names)
    return Engine(snapshot.world, snapshot.policies, snapshot.profile, networks)


def said(engine: Engine, point: Point) -> object:
    """Return what a point says, whichever engine said it."""
    rules = point.piece.rules if point.piece else ()
    return (
        point.outcome,
        [(bound.policy.id, bound.rule, sure, bound.traffic) for bound, sure in rules],
        [
            (outcome, [(s.cause, s.tier, s.traffic) for s in steps])
            for outcome, steps in engine.steps(point)
        ],
    )


def everything(engine: Engine) -> object:
    """Return what becomes of every pair of endpoints and addresses outside, and why."""
    table = engine.table
    outside = [table.external(point) for point in (1 << 24, 10 << 24 | 2 << 16, 0xC0000201)]
    ends = [*(units for units in table.by_endpoint), *((unit,) for unit in outside)]
    found: list[object] = []
    for direction in Direction:
        for one in ends:
            for other in ends:
                # A unit of each family; which number it has is the engine's own affair.
                found += [
                    [said(engine, engine.point(a, b, direction)) for a in one for b in other],
                ]
    return found


def wholes(engine: Engine) -> object:
    """Return who is in which rectangle, told by the endpoints that are in it."""
    units = engine.table.units
    found = {}
    for each in engine.rectangles():
        for a in each.sources:
            for b in each.destinations:
                for one in units[a].endpoints:
                    for other in units[b].endpoints:
                        key = (one, other, units[a].family, units[b].family)
                        found[key] = each.outcome
    return found


def another(rng: random.Random, policies: tuple[Policy, ...], seed: int) -> Policy:
    """Return a policy of another world, under the name of one of these or one of its own."""
    (*others,) = rich_snapshot(random.Random(10_000 + seed)).policies.policies
    new = rng.choice(others) if others else rng.choice(policies)
    if policies and rng.random() < 0.7:
        old = rng.choice(policies)
        return _renamed(new, old)
    return _renamed(new, None)


def _renamed(new: Policy, old: Policy | None) -> Policy:
    if old is None:
        return replace(new, id=PolicyId(new.id.kind, new.id.namespace, "another"))
    return replace(new, id=old.id, tier=old.tier, band=old.band, order=old.order)


def anew(engine: Engine, policies: Iterable[Policy]) -> Engine:
    """Return an engine of other policies, made from nothing."""
    found = replace(engine.policies, policies=tuple(policies))
    return Engine(engine.world, found, engine.profile, engine.networks)


def assert_same(changed: Engine, fresh: Engine) -> None:
    assert [p.id for p in changed.ordered] == [p.id for p in fresh.ordered]
    assert everything(changed) == everything(fresh)
    assert wholes(changed) == wholes(fresh)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_changed_policy_is_as_if_it_had_been_there(seed: int) -> None:
    rng = random.Random(seed)
    engine = bound(rich_snapshot(rng))
    # What has been asked before is what may be wrongly remembered.
    if rng.random() < 0.7:
        everything(engine)
    if rng.random() < 0.3:
        wholes(engine)
    for step in range(3):
        policies = engine.policies.policies
        if policies and rng.random() < 0.4:
            name = rng.choice(policies).id
            expected = [p for p in policies if p.id != name]
            changed = engine.without(name)
        else:
            new = another(rng, policies, 3 * seed + step)
            expected = [*(p for p in policies if p.id != new.id), new]
            changed = engine.with_policy(new)
        before = everything(engine)
        assert_same(changed, anew(engine, expected))
        # The engine that it was made from is what it was.
        assert everything(engine) == before
        engine = changed


@pytest.mark.parametrize("seed", range(20))
def test_policies_put_in_one_by_one_are_all_there(seed: int) -> None:
    # At first nothing tells any two pods apart.
    snapshot = rich_snapshot(random.Random(5000 + seed))
    policies = {policy.id: policy for policy in snapshot.policies.policies}
    engine = anew(bound(snapshot), ())
    for policy in policies.values():
        everything(engine)
        engine = engine.with_policy(policy)
    assert_same(engine, anew(engine, policies.values()))


@pytest.mark.parametrize("seed", range(20))
def test_policies_changed_at_once_are_as_if_changed_one_by_one(seed: int) -> None:
    rng = random.Random(7000 + seed)
    engine = bound(rich_snapshot(rng))
    if rng.random() < 0.7:
        everything(engine)
    policies = engine.policies.policies
    changes: dict[PolicyId, Policy | None] = {}
    for step in range(4):
        new = another(rng, policies, 3 * seed + step)
        changes[new.id] = None if rng.random() < 0.3 else new
    kept = [p for p in policies if p.id not in changes]
    expected = anew(engine, [*kept, *(p for p in changes.values() if p is not None)])
    assert_same(engine.changed(changes), expected)
