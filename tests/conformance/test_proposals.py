"""What the doctor proposes, applied as `kubectl apply` does it: an object takes another's place."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from cloison.algebra import TrafficSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.diff.shifts import Change
from cloison.analyses.doctor import Finding
from cloison.app import Session, load_texts
from cloison.app.doctor import doctor
from tests.conformance.platformcases import REPAIRED, platform_cases
from tests.support.cli import ROOT
from tests.support.doctoring import applied, object_key

BROADER = {
    "P41-broken": "its twin keeps the addresses of clients, by another field of the Service; the "
    "changes let in the nodes that stand for them",
}
"""Worlds whose changes open what their repaired twin does not, and why."""


def _worlds() -> Iterator[tuple[str, Path]]:
    yield "example", ROOT / "examples" / "case-management-broken"
    for case in platform_cases():
        for name, run in case.runs.items():
            if name not in REPAIRED:
                yield f"{case.id}-{name}", run.directory


WORLDS = dict(_worlds())


def texts(directory: Path) -> dict[str, str]:
    """Return the manifests of a directory."""
    files = (each for each in sorted(directory.glob("*.yaml")) if each.name != "tests.yaml")
    return {str(each): each.read_text("utf-8") for each in files}


def manifests(findings: Sequence[Finding]) -> list[str]:
    """Return what is proposed, in the order in which it is printed."""
    return [mend.manifest for each in findings for mend in each.mend if mend.manifest]


def test_what_is_broader_are_worlds() -> None:
    assert BROADER.keys() <= WORLDS.keys()


@pytest.mark.parametrize("name", WORLDS)
def test_everything_applied_in_the_order_printed_leaves_nothing_to_propose(name: str) -> None:
    given = texts(WORLDS[name])
    found = doctor(load_texts(given))
    left = doctor(load_texts(applied(given, manifests(found))))
    assert [f"{each.code} {each.message}" for each in left if manifests([each])] == []


@pytest.mark.parametrize("name", WORLDS)
def test_changes_of_different_objects_may_be_applied_in_any_order(name: str) -> None:
    given = texts(WORLDS[name])
    proposed = manifests(doctor(load_texts(given)))
    objects: dict[object, list[str]] = {}
    for each in proposed:
        objects.setdefault(object_key(yaml.safe_load(each)), []).append(each)
    backwards = [each for group in reversed(objects.values()) for each in group]
    one, other = (
        {object_key(o): o for o in yaml.safe_load_all(applied(given, order)["mended.yaml"])}
        for order in (proposed, backwards)
    )
    assert one == other


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_proposed_opens_no_more_than_whoever_repairs_it_by_hand(name: str) -> None:
    given = texts(WORLDS[name])
    twin = WORLDS[name].parent / ("case-management" if name == "example" else "repaired")
    before = load_texts(given)
    meant = [each for each in before.diff(load_texts(texts(twin))).changes if each.gained]
    after = load_texts(applied(given, manifests(doctor(before))))
    more = [
        f"{each.src} to {each.dst} on {extra}"
        for each in _opened(before, after)
        if (extra := _besides(each, meant))
    ]
    if name in BROADER:
        assert more, f"{name} opens no more than its twin: strike it from BROADER"
    else:
        assert more == []


def _opened(before: Session, after: Session) -> Iterator[Change]:
    return (each for each in before.diff(after).changes if each.gained)


def _besides(change: Change, meant: Sequence[Change]) -> TrafficSet:
    """Return what a change opens that none of some others opens between the same ends."""
    rest = change.gained
    for each in meant:
        if _same_end(change.src, each.src) and _same_end(change.dst, each.dst):
            rest -= each.gained
    return rest


def _same_end(one: EndRef, other: EndRef) -> bool:
    """Return whether an end is another one, or addresses among its addresses."""
    if one.addresses is None or other.addresses is None:
        return one == other
    return one.kind == other.kind and one.addresses <= other.addresses
