"""What changes between two random worlds, against asking both engines about every pair."""

import io
import json
import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from cloison.analyses.connectivity import EndRef, MapOptions
from cloison.analyses.diff import Change, Diff, Kind, PolicyKind, Seen, Shift
from cloison.app import Session
from cloison.app.change import what_if
from tests.oracle.raw import Manifest
from tests.support.changes import (
    NOTHING,
    Name,
    Passing,
    by_pairs,
    changed_world,
    outer,
    overlaid,
    told,
    undone,
)
from tests.support.session import load
from tests.support.worlds import random_world

WORLDS = 40
CHUNKS = 4
Pair = tuple[list[Manifest], list[Manifest]]


def pairs(chunk: int, start: int = 910_000) -> Iterator[tuple[int, random.Random, Pair]]:
    for seed in range(start + chunk, start + WORLDS, CHUNKS):
        rng = random.Random(seed)
        before = random_world(rng)
        yield seed, rng, (before, changed_world(rng, before))


def keyed(diff: Diff) -> dict[tuple[EndRef, EndRef], Shift]:
    return {(c.src, c.dst): c.shift for c in diff}


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_changes_between_workloads_are_those_of_all_pairs(chunk: int) -> None:
    seen: set[Kind] = set()
    for seed, _, (old, new) in pairs(chunk):
        before, after = load(old), load(new)
        diff = before.diff(after)
        assert told(diff) == by_pairs(before, after), f"seed {seed}"
        seen.update(kind for kind, number in diff.counts.items() if number)
    assert seen == set(Kind)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_changes_with_the_outside_are_those_of_every_address(chunk: int) -> None:
    for seed, _, (old, new) in pairs(chunk, 920_000):
        before, after = load(old), load(new)
        diff = before.diff(after)
        starts = {p for s in (before, after) for p in s.engine.table.vocabulary.starts}
        for point in sorted(starts):
            expected = _outside(before, after, point)
            found = {}
            for change in diff:
                for near, far, outward in (
                    (change.src, change.dst, True),
                    (change.dst, change.src, False),
                ):
                    if far.addresses is not None and point in far.addresses:
                        name = (near.namespace, near.name, near.type or "Pod")
                        assert (name, outward) not in found, f"seed {seed}: told twice"
                        found[name, outward] = _passing(change)
            assert found == expected, f"seed {seed} at {point}"


def _passing(change: Change) -> tuple[Passing, Passing]:
    before, after = change.before, change.after
    return (before.allowed, before.undetermined), (after.allowed, after.undetermined)


def _outside(
    before: Session, after: Session, point: int
) -> dict[tuple[Name, bool], tuple[Passing, Passing]]:
    was, now = (
        {(name, outward): passing for name, outward, passing in outer(side, point)}
        for side in (before, after)
    )
    return {
        key: (was.get(key, NOTHING), now.get(key, NOTHING))
        for key in sorted({*was, *now})
        if was.get(key, NOTHING) != now.get(key, NOTHING)
    }


_UNDONE = {
    PolicyKind.ADDED: PolicyKind.REMOVED,
    PolicyKind.REMOVED: PolicyKind.ADDED,
    PolicyKind.CHANGED: PolicyKind.CHANGED,
    PolicyKind.RENAMED: PolicyKind.RENAMED,
}


@pytest.mark.parametrize("chunk", range(2))
def test_there_and_back_mirror_each_other(chunk: int) -> None:
    for seed, _, (old, new) in pairs(chunk, 930_000):
        before, after = load(old), load(new)
        there, back = before.diff(after), after.diff(before)
        assert keyed(there) == {ends: undone(s) for ends, s in keyed(back).items()}, f"seed {seed}"
        assert (there.opens, there.closes) == (back.closes, back.opens)
        assert there.new_ends == back.removed_ends
        assert there.removed_ends == back.new_ends
        for one, other in zip(there, back, strict=True):
            assert set(one.reasons.before) == set(other.reasons.after), f"seed {seed} {one}"
            assert set(one.reasons.after) == set(other.reasons.before), f"seed {seed} {one}"
        ours = sorted((c.kind, str(c.was or c.id)) for c in there.policies)
        theirs = sorted((_UNDONE[c.kind], str(c.id)) for c in back.policies)
        assert ours == theirs, f"seed {seed}"


@pytest.mark.parametrize("pods", [False, True])
def test_lines_expand_to_exactly_the_changes(*, pods: bool) -> None:
    for seed, _, (old, new) in pairs(1, 940_000):
        diff = load(old).diff(load(new), MapOptions(pods=pods))
        because = {(c.src, c.dst): c.reasons for c in diff}
        found = []
        for line in diff.lines:
            alone = line.sources == line.destinations and len(line.sources) == 1
            members = [
                (src, dst, line.shift)
                for src in line.sources
                for dst in line.destinations
                if alone or src != dst
            ]
            assert len(members) == line.pairs
            found += members
            whys = [because[src, dst] for src, dst, _ in members]
            if line.joint:
                for why in whys:
                    assert set(why.before) <= set(line.reasons.before), f"seed {seed}"
                    assert set(why.after) <= set(line.reasons.after), f"seed {seed}"
            else:
                assert set(whys) == {line.reasons}, f"seed {seed}"
        said = [(c.src, c.dst, c.shift) for c in diff]
        assert sorted(map(repr, found)) == sorted(map(repr, said)), f"seed {seed}"
        assert sum(diff.counts.values()) == len(said)


def test_an_end_of_one_side_says_so() -> None:
    for seed, _, (old, new) in pairs(2, 950_000):
        before, after = load(old), load(new)
        diff = before.diff(after)
        held = [set(side.map(MapOptions(self_edges=True)).ends) for side in (before, after)]
        for change in diff:
            for end, seen in ((change.src, change.shift.src), (change.dst, change.shift.dst)):
                if end.kind != "ip":
                    expected = (end in held[0], end in held[1])
                    assert _SIDES[seen] == expected, f"seed {seed} {change}"


_SIDES = {Seen.BOTH: (True, True), Seen.BEFORE: (True, False), Seen.AFTER: (False, True)}


def test_policies_named_exist_on_their_side_and_somebody_is_always_named() -> None:
    for seed, _, (old, new) in pairs(3, 960_000):
        before, after = load(old), load(new)
        names = [{p.id for p in side.policies.policies} for side in (before, after)]
        for change in before.diff(after):
            sides = (change.reasons.before, change.reasons.after)
            for deciders, known in zip(sides, names, strict=True):
                assert {d.policy for d in deciders if d.policy} <= known, f"seed {seed} {change}"
            if (change.shift.src, change.shift.dst) == (Seen.BOTH, Seen.BOTH):
                assert all(sides), f"seed {seed} {change}"


@pytest.mark.parametrize("chunk", range(2))
def test_renaming_reordering_and_labels_nobody_asks_for_change_nothing(chunk: int) -> None:
    for seed, rng, (old, _) in pairs(chunk, 970_000):
        new = deepcopy(old)
        for manifest in new:
            meta = manifest["metadata"]
            if manifest["kind"] == "NetworkPolicy":
                meta["name"] = f"renamed-{meta['name']}"
                for direction in ("ingress", "egress"):
                    rng.shuffle(manifest["spec"].get(direction) or [])
            elif manifest["kind"] in ("Pod", "Namespace"):
                meta["labels"] = {**(meta.get("labels") or {}), "nobody-asks": "for-this"}
        rng.shuffle(new)
        diff = load(old).diff(load(new))
        assert not diff, f"seed {seed}"
        assert {c.kind for c in diff.policies} <= {PolicyKind.RENAMED}
        assert (diff.opens, diff.closes, diff.lines) == (False, False, ())


def test_what_if_is_the_diff_of_the_overlay_written_out(tmp_path: Path) -> None:
    differing = 0
    for seed, rng, (old, new) in pairs(0, 980_000):
        kinds = {"NetworkPolicy", "Namespace", "Pod", "Service"}
        change = [m for m in new if m["kind"] in kinds and rng.random() < 0.9]
        file = tmp_path / f"{seed}.json"
        file.write_text(_list(change))
        base = io.BytesIO(_list(old).encode())
        was, now = what_if("-", apply=[str(file)], stdin=base)
        found, expected = was.diff(now), load(old).diff(load(overlaid(old, change)))
        assert keyed(found) == keyed(expected), f"seed {seed}"
        assert [(c.id, c.kind) for c in found.policies] == [
            (c.id, c.kind) for c in expected.policies
        ]
        differing += bool(found)
    assert differing > 3


def test_deleting_is_the_diff_of_what_is_left() -> None:
    for seed, rng, (old, _) in pairs(1, 990_000):
        policies = [m["metadata"] for m in old if m["kind"] == "NetworkPolicy"]
        if not policies:
            continue
        gone = rng.choice(policies)
        base = io.BytesIO(_list(old).encode())
        target = f"netpol/{gone.get('namespace', 'default')}/{gone['name']}"
        was, now = what_if("-", delete=[target], stdin=base)
        left = [m for m in old if m["metadata"] is not gone]
        assert keyed(was.diff(now)) == keyed(load(old).diff(load(left))), f"seed {seed}"


def _list(objects: list[Manifest]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def test_a_filtered_diff_is_the_filter_of_the_diff() -> None:
    for seed, rng, (old, new) in pairs(0, 1_000_000):
        before, after = load(old), load(new)
        whole = list(before.diff(after))
        ends = {str(w) for side in (before, after) for w in side.world.workloads}
        chosen = rng.choice(sorted(ends))
        kinds = {w.kind for s in (before, after) for w in s.world.workloads if str(w) == chosen}
        if len(kinds) > 1:
            continue  # the name would have to say the kind
        namespace, name = chosen.split("/")

        def has(ref: EndRef, namespace: str = namespace, name: str = name) -> bool:
            return (ref.namespace, ref.name) == (namespace, name)

        focused = list(before.diff(after, MapOptions(focus=(chosen,))))
        assert focused == [c for c in whole if has(c.src) or has(c.dst)], f"seed {seed}"
        sent = list(before.diff(after, MapOptions(sources=(chosen,))))
        assert sent == [c for c in whole if has(c.src)], f"seed {seed}"
        home = list(before.diff(after, MapOptions(namespace=namespace)))
        assert home == [c for c in whole if namespace in (c.src.namespace, c.dst.namespace)]
