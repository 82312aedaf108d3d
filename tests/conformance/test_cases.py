"""The cases themselves: they parse, name what exists, and say where they are from."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cloison.dialects.adminpolicy import fields as adminpolicy
from cloison.dialects.networkpolicy import fields as networkpolicy
from cloison.ir.fidelity import Fidelity
from cloison.platform import CATALOGUE, profile_names
from tests.conformance.cases import BASE, HERE, Case, cases, identity, read

FILES = (
    "networkpolicy",
    "networkpolicy-validation",
    "adminpolicy",
    "adminpolicy-v1alpha1",
    "adminpolicy-validation",
)
FIELDS = (
    (networkpolicy.FIELDS, ("networkpolicy",)),
    (adminpolicy.FIELDS, ("adminpolicy", "adminpolicy-v1alpha1", "adminpolicy-validation")),
)
"""The fields of each dialect, and the files whose cases name them."""
KINDS = {
    "np": {"NetworkPolicy"},
    "ap": {"AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"},
}
"""By the first letters of a case's id, what its probes are about."""
EVERY = [case for name in FILES for case in cases(name)]
VERDICTS = {"allowed", "denied", "undetermined", "mixed"}
TRAFFIC = re.compile(r"(TCP|UDP|SCTP)/([1-9]\d{0,4}|[a-z0-9-]{1,15})|ICMP/\d+/\d+|\d{1,3}")
BARE = {name for full in profile_names() for name in (full, full.partition("@")[0])}

every_case = pytest.mark.parametrize("case", EVERY, ids=lambda case: case.id)


def test_case_ids_are_unique() -> None:
    repeated = [name for name, times in Counter(case.id for case in EVERY).items() if times > 1]
    assert repeated == []


@every_case
def test_case_says_why_and_who_says_so(case: Case) -> None:
    assert re.fullmatch(r"(np|ap)-[a-z0-9-]+", case.id)
    assert case.why.endswith(".")
    assert case.source
    assert (HERE / "worlds" / f"{case.world}.yaml").is_file()
    assert bool(case.rows) != bool(case.probes), "a case has rows or probes"


@every_case
def test_case_manifests_parse(case: Case) -> None:
    for step in (BASE, *case.steps):
        texts = case.texts(step)
        objects = [
            doc for name, text in texts.items() if name != "second.yaml" for doc in read(text)
        ]
        keys = [identity(doc) for doc in objects if doc is not None]
        assert len(keys) == len(set(keys))
        assert "NetworkPolicy" not in {identity(doc)[0] for doc in read(texts["world.yaml"])}
    for probe in case.judged:
        (document,) = read(probe.policies)
        assert document["kind"] in KINDS[case.id[:2]]
        assert probe.verdict in {"accept", "reject"}
        assert probe.field_validation in {"warn", "strict"}


@every_case
def test_rows_use_words_that_exist(case: Case) -> None:
    for row in case.rows:
        assert row.verdict in VERDICTS
        assert row.state in {"new", "reply", "established"}
        assert row.family in {None, 4, 6}
        assert TRAFFIC.fullmatch(row.on), row
        assert row.step == BASE or row.step in case.steps
        assert row.profile in BARE or row.profile in case.profiles
        assert set(row.caveats or ()) <= set(CATALOGUE)
        if row.verdict == "undetermined":
            assert row.caveats, "an undetermined answer says what it lacks"


@every_case
def test_every_step_is_asked_about(case: Case) -> None:
    assert set(case.steps) <= {row.step for row in case.rows}


@every_case
def test_fields_occur_in_the_manifests(case: Case) -> None:
    texts = [case.policies, *(step.policies for step in case.steps.values())]
    texts += [probe.policies for probe in case.judged]
    found = {path for text in texts for doc in read(text) if doc for path in _paths(doc, "")}
    assert set(case.fields) <= found


@pytest.mark.parametrize(("fields", "files"), FIELDS, ids=["networkpolicy", "adminpolicy"])
def test_every_modelled_field_is_named_by_a_case(
    fields: Mapping[str, Any], files: tuple[str, ...]
) -> None:
    modelled = {path for path, fact in fields.items() if fact.fidelity is Fidelity.MODELLED}
    named = {path for file in files for case in cases(file) for path in case.fields}
    assert modelled - named == set()


def _paths(value: Any, prefix: str) -> Iterator[str]:
    """Iterate over field paths as the dialect writes them: `[]` for items, `*` for label keys."""
    if not isinstance(value, dict):
        return
    for key, below in value.items():
        path = f"{prefix}.{key}".lstrip(".")
        yield path
        yield f"{path}[]"
        if key == "matchLabels":
            yield f"{path}.*"
        yield from _paths(below, path)
        for item in below if isinstance(below, list) else ():
            yield from _paths(item, f"{path}[]")
