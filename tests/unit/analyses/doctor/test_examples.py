"""The doctor on the example clusters: silent on the good one, and right about the broken one."""

from pathlib import Path

import pytest

from cloison.analyses.doctor import Finding, Mode
from cloison.app import load_texts
from cloison.app.doctor import doctor
from tests.support.cli import ROOT
from tests.support.doctoring import mended


def texts(name: str) -> dict[str, str]:
    """Return the manifests of an example, without its tests."""
    here: Path = ROOT / "examples" / name
    return {
        str(path.relative_to(ROOT)): path.read_text("utf-8")
        for path in sorted(here.glob("[0-9]*.yaml"))
    }


@pytest.fixture(scope="module")
def findings() -> tuple[Finding, ...]:
    return doctor(load_texts(texts("case-management-broken")))


def test_the_good_example_has_nothing_wrong() -> None:
    assert doctor(load_texts(texts("case-management"))) == ()


@pytest.mark.parametrize(
    ("code", "mode", "file", "line"),
    [
        ("SEL004", Mode.BROAD, "40-evidence.yaml", 296),
        ("SEL003", Mode.DEPENDENCY, "31-enforcement.yaml", 194),
        ("DNS001", Mode.DNS, "32-payments.yaml", 10),
        ("CAN001", Mode.VERSION, "30-case-management.yaml", 398),
        ("SCR009", Mode.SCRAPE, "50-audit.yaml", 10),
        ("PRT001", Mode.DEPENDENCY, "31-enforcement.yaml", 204),
    ],
)
def test_every_planted_cause_is_named_where_it_is(
    findings: tuple[Finding, ...], code: str, mode: Mode, file: str, line: int
) -> None:
    (found,) = [each for each in findings if each.code == code]
    assert found.span is not None
    assert found.span.file.endswith(file)
    assert found.span.line == line
    assert found.mode is mode
    assert found.mend
    assert found.evidence


def test_causes_are_told_once(findings: tuple[Finding, ...]) -> None:
    assert len(findings) == 6


def test_proposals_done_leave_nothing_to_say(findings: tuple[Finding, ...]) -> None:
    after = load_texts(mended(texts("case-management-broken"), findings))
    assert doctor(after) == ()


def test_proposals_open_what_was_closed_and_close_what_was_open(
    findings: tuple[Finding, ...],
) -> None:
    after = load_texts(mended(texts("case-management-broken"), findings))
    assert load_texts(texts("case-management")).diff(after).changes == ()
    tests = str(ROOT / "examples" / "case-management" / "tests.yaml")
    assert [each.row.name for each in after.verify([tests]) if not each.passed] == []
