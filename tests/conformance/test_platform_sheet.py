"""Our cases about the real path against the project's fact sheet, where it is at hand.

The sheet is not part of this repository. It lists every case with what becomes of the traffic and
the way in which it shows; each must be among ours, but for those about service meshes.
"""

import re
from pathlib import Path

import pytest

from tests.conformance.platformcases import PlatformCase, platform_cases

SHEET = Path(__file__).parents[2].parent / "shared" / "semantics" / "platform.md"
LAST = 84
CELLS = 6
MESHES = {
    "a pod in Istio's ambient mode": (43, 47, 48, 49, 50, 58, 59, 60),
    "the ports and webhooks of Istio with sidecars": (44, 45, 46),
    "Linkerd": (51, 52, 53),
    "Consul": (54,),
    "Istio's PeerAuthentication": (55,),
    "Istio's AuthorizationPolicy": (56, 57, 61, 62, 63, 84),
    "Istio's outbound traffic policy": (64,),
}
"""Cases left out, since Cloison does not know the meshes that they are about yet."""
OUTCOMES = {"BROKEN", "PARTIAL", "WORKS", "EXPOSED", "UNCERTAIN", "NON_POLICY"}


def _rows() -> dict[str, tuple[str, ...]]:
    if not SHEET.is_file():
        return {}
    rows = {}
    for line in SHEET.read_text(encoding="utf-8").splitlines():
        cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
        if line.startswith("|") and re.fullmatch(r"P[1-9][0-9]*", cells[0]):
            assert cells[0] not in rows
            rows[cells[0]] = cells
    return rows


ROWS = _rows()
pytestmark = pytest.mark.skipif(not ROWS, reason="the fact sheet is not at hand")


def test_the_sheet_is_read_whole() -> None:
    assert list(ROWS) == [f"P{number}" for number in range(1, LAST + 1)]
    assert all(len(row) == CELLS and all(row) for row in ROWS.values())
    assert {row[3] for row in ROWS.values()} == OUTCOMES


def test_every_case_is_among_ours_or_about_a_mesh() -> None:
    left_out = [f"P{number}" for numbers in MESHES.values() for number in numbers]
    ours = [case.id for case in platform_cases() if not case.variant]
    assert sorted(ours + left_out) == sorted(ROWS)


@pytest.mark.parametrize("case", platform_cases(), ids=lambda case: case.id)
def test_outcome_and_failure_mode_are_the_sheets(case: PlatformCase) -> None:
    *_, outcome, _text, mode = ROWS[f"P{case.number}"]
    assert case.outcome == outcome
    assert case.mode == (None if mode == "—" else mode)
