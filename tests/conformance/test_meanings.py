"""One meaning in many languages; see meanings/README.md."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from cloison.app import Session, load_texts
from cloison.app.compared import differences
from cloison.app.convert import Conversion
from cloison.base import Severity
from cloison.dialects import targets
from tests.conformance.cases import HERE, read
from tests.support.apart import alike
from tests.support.cli import ROOT
from tests.support.texts import convert_texts

PROFILES = {"adminnetworkpolicy": "calico@3.31", "cilium": "cilium@1.20"}
"""Who enforces a language, where it is not `calico@3.32`."""


@dataclass(frozen=True)
class Meaning:
    """One intent and its texts."""

    id: str
    intent: str
    texts: Mapping[str, str]
    row: tuple[str, ...]
    impossible: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    snapshot: Mapping[str, str] = field(default_factory=dict)
    apart: Mapping[str, str] = field(default_factory=dict)
    under: str | None = None

    def profile(self, language: str) -> str:
        """Return who enforces a text."""
        return self.under or PROFILES.get(language, "calico@3.32")


@cache
def meanings() -> tuple[Meaning, ...]:
    """Return every entry; an unknown key is an error."""
    return tuple(
        Meaning(**{**entry, "row": tuple(entry["row"])})
        for path in sorted((HERE / "meanings").glob("*.yaml"))
        for listed in read(path.read_text(encoding="utf-8"))
        for entry in listed
    )


WORLD = (Path(HERE) / "worlds" / "meanings.yaml").read_text(encoding="utf-8")
EACH = [pytest.param(m, id=m.id) for m in meanings()]
TURNS = [
    pytest.param(meaning, source, target, id=f"{meaning.id}-{source}-to-{target}")
    for meaning in meanings()
    for source in meaning.texts
    for target in targets()
    if target != source
]


def _session(meaning: Meaning, language: str) -> Session:
    found = load_texts(
        {"world.yaml": WORLD, "policies.yaml": meaning.texts[language]},
        profile=meaning.profile(language),
    )
    errors = [d for d in found.diagnostics if d.severity is Severity.ERROR]
    assert not errors, errors
    return found


def _converted(meaning: Meaning, source: str, target: str, *, snapshot: bool) -> Conversion:
    return _once(meaning.id, source, target, snapshot)


@cache
def _once(name: str, source: str, target: str, snapshot: object) -> Conversion:
    (meaning,) = (each for each in meanings() if each.id == name)
    return convert_texts(
        {"world.yaml": WORLD, "policies.yaml": meaning.texts[source]},
        to=target,
        profile=meaning.profile(source),
        snapshot=bool(snapshot),
    )


def _named(found: Conversion) -> list[str]:
    return [d.message for d in found.written.refusals if d.severity is Severity.ERROR]


@pytest.mark.parametrize("meaning", EACH)
def test_texts_mean_the_same(meaning: Meaning) -> None:
    first, *others = meaning.texts
    for other in others:
        found = differences(_session(meaning, first), _session(meaning, other))
        assert not found, (first, other, [str(c.src.name) for c in found.changes])


@pytest.mark.parametrize("meaning", EACH)
def test_a_text_does_something(meaning: Meaning) -> None:
    for language in meaning.texts:
        assert _session(meaning, language).policies.policies


@pytest.mark.parametrize(("meaning", "source", "target"), TURNS)
def test_converts_or_says_why_not(meaning: Meaning, source: str, target: str) -> None:
    turn = f"{source} to {target}"
    found = _converted(meaning, source, target, snapshot=False)
    if turn in meaning.snapshot:
        assert not found.texts
        assert any(f"{meaning.snapshot[turn]}`" in each for each in _named(found)), _named(found)
        assert all(d.code == "CNV002" for d in found.written.refusals)
        found = _converted(meaning, source, target, snapshot=True)
        assert any(d.code == "CNV003" for d in found.written.refusals)
    if turn in meaning.refused:
        assert any(f"{meaning.refused[turn]}`" in each for each in _named(found)), _named(found)
        return
    if target in meaning.impossible:
        assert found.refused
        return
    assert not _named(found)
    assert found.texts
    assert not [d for d in found.after.diagnostics if d.severity is Severity.ERROR]
    if turn in meaning.apart:
        assert found.difference
        assert not alike(found)
        return
    assert not found.difference, list(found.difference.changes)[:3]


@pytest.mark.parametrize("meaning", EACH)
def test_a_language_is_said_or_impossible(meaning: Meaning) -> None:
    for target in targets():
        said = target in meaning.texts or target in meaning.impossible
        turned = any(
            f"{source} to {target}" in {**meaning.refused, **meaning.snapshot}
            for source in meaning.texts
        )
        assert said or turned or target in _written(meaning), target


def _written(meaning: Meaning) -> set[str]:
    """Return the languages that the texts are converted to, and so said in."""
    return {
        target
        for target in targets()
        if any(
            _converted(meaning, source, target, snapshot=False).texts for source in meaning.texts
        )
    }


PAGE = (ROOT / "docs" / "reference" / "portability.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| ((?:np|cnp|anp|banp|calico|cilium)-[a-z-]+) \|.*\| ([a-z ]+) \| ([a-z0-9, -]+) \|$",
    PAGE,
    re.MULTILINE,
)
LANGUAGES = {
    "np": "networkpolicy",
    "cnp": "clusternetworkpolicy",
    "anp": "adminnetworkpolicy",
    "banp": "adminnetworkpolicy",
    "calico": "calico",
    "cilium": "cilium",
}
OUTCOMES = {
    "exact": {"said"},
    "rewrite": {"said"},
    "in part": {"said", "no"},
    "snapshot": {"snapshot"},
    "no": {"no"},
}


@pytest.mark.parametrize(("row", "verdict", "proof"), ROWS, ids=[row for row, _, _ in ROWS])
def test_the_page_says_what_is_proved(row: str, verdict: str, proof: str) -> None:
    source, target = (LANGUAGES[each] for each in row.split("-")[:2])
    proved = {m.id: m for m in meanings() if row in m.row}
    assert sorted(proof.split(", ")) == sorted(proved)
    found = set()
    for meaning in proved.values():
        assert source in meaning.texts
        turn = f"{source} to {target}"
        refused = turn in meaning.refused or target in meaning.impossible
        found.add("snapshot" if turn in meaning.snapshot else "no" if refused else "said")
    assert found == OUTCOMES[verdict]


def test_every_row_is_on_the_page() -> None:
    listed = [row for row, _, _ in ROWS]
    assert len(listed) == len(set(listed))
    assert {row for meaning in meanings() for row in meaning.row} == set(listed)
