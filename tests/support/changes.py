"""Random changes to random worlds, and what they come to when every pair is asked."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import product
from typing import Any

from cloison.algebra import L4, TrafficSet, family_of
from cloison.analyses.diff import Diff, Seen, Shift
from cloison.app import Session
from cloison.ir.ruleset import Outcome
from tests.oracle.raw import Manifest
from tests.support.chances import chance
from tests.support.netpols import LABELS
from tests.support.worlds import random_world

Passing = tuple[TrafficSet, TrafficSet]
"""Traffic that passes, and traffic that may."""
Name = tuple[str, str, str]
Told = dict[tuple[Name, Name], tuple[Passing, Passing]]
"""What passes between two workloads before and after, where that differs."""
NOTHING: Passing = (TrafficSet(), TrafficSet())

_UNDONE = {Seen.BOTH: Seen.BOTH, Seen.BEFORE: Seen.AFTER, Seen.AFTER: Seen.BEFORE}


def undone(shift: Shift) -> Shift:
    """Return the same change the other way round."""
    return Shift(shift.after, shift.before, _UNDONE[shift.src], _UNDONE[shift.dst])


def changed_world(rng: random.Random, objects: list[Manifest]) -> list[Manifest]:
    """Return the objects after somebody has worked on them."""
    strange = [o for o in random_world(rng) if o["kind"] == "NetworkPolicy"]
    found = [
        _touched(rng, each)
        for each in deepcopy(objects)
        if not chance(rng, 0.25 if each["kind"] == "NetworkPolicy" else 0.08)
    ]
    known = {_key(each) for each in found}
    found += [each for each in strange[: rng.randrange(4)] if _key(each) not in known]
    rng.shuffle(found)
    return found


def _touched(rng: random.Random, manifest: Manifest) -> Manifest:
    meta = manifest.get("metadata", {})
    if manifest["kind"] == "Pod" and chance(rng, 0.15) and meta.get("labels"):
        key = rng.choice(sorted(LABELS))
        meta["labels"] = {**meta["labels"], key: rng.choice(LABELS[key])}
    return manifest


def _key(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    meta = manifest["metadata"]
    return manifest["kind"], meta.get("namespace", ""), meta["name"]


def overlaid(base: list[Manifest], change: list[Manifest]) -> list[Manifest]:
    """Return a base with the objects of a change in the place of their own."""
    new = {_key(each) for each in change}
    return [each for each in base if _key(each) not in new] + change


def by_pairs(before: Session, after: Session) -> Told:
    """Ask both engines about every pair of pods, and join by workload."""
    was, now = _inner(before), _inner(after)
    return {
        pair: (was.get(pair, NOTHING), now.get(pair, NOTHING))
        for pair in sorted({*was, *now})
        if was.get(pair, NOTHING) != now.get(pair, NOTHING)
    }


def told(diff: Diff) -> Told:
    """Return what a diff says of pairs of workloads."""
    return {
        ((s.namespace, s.name, s.type or "Pod"), (d.namespace, d.name, d.type or "Pod")): (
            (shift.before.allowed, shift.before.undetermined),
            (shift.after.allowed, shift.after.undetermined),
        )
        for s, d, shift in ((c.src, c.dst, c.shift) for c in diff)
        if "ip" not in (s.kind, d.kind)
    }


def _inner(session: Session) -> dict[tuple[Name, Name], Passing]:
    engine, table = session.engine, session.engine.table
    found: dict[tuple[Name, Name], list[Outcome]] = defaultdict(list)
    for (i, one), (j, other) in product(enumerate(table.endpoints), repeat=2):
        src, dst = one.workload, other.workload
        alone = len(session.world.workloads[src].endpoints) == 1
        if (src == dst and src.kind == "Pod") or (i == j and one.pod is not None and not alone):
            continue
        if any(e.pending and e.workload.kind == "Pod" for e in (one, other)):
            continue
        for u, v in product(table.by_endpoint[i], table.by_endpoint[j]):
            if len({table.units[u].family, table.units[v].family} - {0}) < 2:
                pair = ((src.namespace, src.name, src.kind), (dst.namespace, dst.name, dst.kind))
                found[pair].append(engine.outcome(u, v))
    return {pair: passing for pair, held in found.items() if (passing := joined(held)) != NOTHING}


def joined(outcomes: list[Outcome]) -> Passing:
    """Return what passes for one pair of pods or another."""
    allowed, may = TrafficSet(), TrafficSet()
    for outcome in outcomes:
        allowed |= outcome.allowed
        may |= outcome.undetermined & L4
    return allowed, may - allowed


def outer(session: Session, point: int) -> Iterator[tuple[Name, bool, Passing]]:
    """Iterate over what workloads and one address outside may send each other."""
    engine, table = session.engine, session.engine.table
    family = family_of(point)
    for workload, indices in table.by_workload.items():
        held: dict[bool, list[Outcome]] = {True: [], False: []}
        for index in indices:
            units = table.by_endpoint[index]
            near = [u for u in units if table.units[u].family in (0, family)] or units
            if table.endpoints[index].pending and workload.kind == "Pod":
                continue
            for unit in near:
                held[True].append(engine.outcome(unit, table.external(point)))
                held[False].append(engine.outcome(table.external(point), unit))
        for outward, outcomes in held.items():
            yield (workload.namespace, workload.name, workload.kind), outward, joined(outcomes)
