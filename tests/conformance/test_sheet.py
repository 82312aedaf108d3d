"""Our cases against the project's fact sheet of Kubernetes semantics, where it is at hand.

The sheet is not part of this repository. Its tables list every statement with an id, its
probes and their verdicts; each must be among our cases, probe by probe and in order.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.cases import Case, Probe, Row, cases

SHEET = Path(__file__).parents[2].parent / "shared" / "semantics" / "kubernetes.md"
FAMILIES = {
    "N": (("networkpolicy", 89),),
    "V": (("networkpolicy-validation", 17),),
    "C": (("adminpolicy", 44), ("adminpolicy-validation", 60)),
}
"""By the first letter of an id, the files that hold its cases and the last id in each."""
FILES = tuple(file for files in FAMILIES.values() for file, _ in files)
ITEM = re.compile(r"(?P<open>IMPL|AMBIG)\((?P<default>ALLOW|DENY)\)|(?P<word>[A-Z]+)")
WORDS = {
    "ALLOW": "allowed",
    "DENY": "denied",
    "ACCEPT": "accept",
    "REJECT": "reject",
    # Of a rule that denies, unless its case says otherwise.
    "MATCH": "denied",
    "NOMATCH": "allowed",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One row of the sheet's tables."""

    id: str
    probes: tuple[str, ...]
    verdicts: tuple[str, ...]


def _statements() -> list[Statement]:
    if not SHEET.is_file():
        return []
    out = []
    for line in SHEET.read_text(encoding="utf-8").splitlines():
        if not re.match(r"\| [NVC]\d", line):
            continue
        name, _setup, probes, verdicts, _why = (
            cell.strip() for cell in line.strip("| ").split(" | ")
        )
        out.append(Statement(name, tuple(probes.split("; ")), tuple(verdicts.split("; "))))
    return out


STATEMENTS = _statements()
needs_sheet = pytest.mark.skipif(not STATEMENTS, reason="the fact sheet is not at hand")


def _case(name: str) -> Case:
    (case,) = [case for file, _ in FAMILIES[name[0]] for case in cases(file) if name in case.ids]
    return case


def _grouped(items: tuple[Row, ...] | tuple[Probe, ...]) -> list[list[Row | Probe]]:
    """Return the items of each probe; without `probe` keys every item is a probe of its own."""
    if all(item.probe is None for item in items):
        return [[item] for item in items]
    numbers = [item.probe or 0 for item in items]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, max(numbers) + 1))
    return [[item for item in items if item.probe == n] for n in range(1, max(numbers) + 1)]


@needs_sheet
def test_the_sheet_is_read_whole() -> None:
    expected = [
        f"{letter}{n}" for letter, files in FAMILIES.items() for n in range(1, files[-1][1] + 1)
    ]
    assert [statement.id for statement in STATEMENTS] == expected
    assert all(len(s.probes) == len(s.verdicts) for s in STATEMENTS)


@needs_sheet
def test_every_id_has_one_case_and_no_case_names_another() -> None:
    named = [name for file in FILES for case in cases(file) for name in case.ids]
    assert sorted(named) == sorted(statement.id for statement in STATEMENTS)


@needs_sheet
@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.id)
def test_probes_and_verdicts_agree(statement: Statement) -> None:
    case = _case(statement.id)
    groups = _grouped(case.expect or case.probes)
    assert len(groups) == len(statement.verdicts)
    for group, probe, verdict in zip(groups, statement.probes, statement.verdicts, strict=True):
        for item in group:
            _check_verdict(item, verdict, case)
            if isinstance(item, Row):
                _check_flow(item, probe)


def _check_verdict(item: Row | Probe, verdict: str, case: Case) -> None:
    match = ITEM.fullmatch(verdict)
    assert match, verdict
    word = match["default"] or match["word"]
    if word == "NONE" and case.second:
        return  # there can be no such objects; the case says what becomes of an input that has them
    assert item.verdict == case.words.get(word, WORDS.get(word, "undetermined"))
    if isinstance(item, Probe):
        return
    if word == "NONE":
        assert item.caveats == ("POD_PENDING",)
    elif match["open"] or word in {"IMPL", "UNDEF"}:
        assert item.caveats, "what is left open is answered with a caveat"
    else:
        assert not item.caveats, "what the specification fixes needs no caveat"


def _check_flow(row: Row, probe: str) -> None:
    """Compare what the probe's text names for certain: pods, protocol and port."""
    ends = {row.src, row.dst}
    if not row.dst.startswith("svc:"):
        assert set(re.findall(r"\b[xyz]/[a-z]\w*", probe)) <= ends
    if both := re.match(r"([xyz]/\w+)→([xyz]/\w+)", probe):
        assert (row.src, row.dst) == both.groups()
    if ported := re.search(r"\b(TCP|UDP|SCTP) (\d+)", probe):
        assert row.on == "/".join(ported.groups())
    elif numbered := re.search(r":(\d+)", probe):
        assert row.on == f"TCP/{numbered[1]}"
    if "ICMP" in probe:
        assert row.on.startswith("ICMP/")
