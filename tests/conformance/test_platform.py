"""The real path: each case is run through the command line, as it is and repaired."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.cases import read
from tests.conformance.platformcases import (
    HOME,
    REPAIRED,
    PlatformCase,
    ask,
    mended,
    platform_cases,
    problems,
)

CASES = platform_cases()
NOT_YET: dict[str, str] = {
    "P6": "a call to the address that a cache on the node has taken is followed to pods",
    "P9": "a call to the address that a cache on the node has taken is followed to pods",
    "P26": "a gateway on the host network is not examined",
    "P33": "a gateway on the host network is not examined",
    "P34": "a load balancer whose subnets are not in the input is not examined",
    "P38": "nothing is said of the proxy-only subnet",
}
"""Cases that do not come out yet, and why; each is held to fail, until its row is taken away."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_command_line_says_of_each_case_what_is_true(case: PlatformCase) -> None:
    wrong = [f"{name}: {each}" for name, run in case.runs.items() for each in problems(run)]
    if case.id in NOT_YET:
        assert wrong, f"{case.id} comes out now: strike it from NOT_YET"
    else:
        assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_the_doctor_proposes_ends_what_it_found(case: PlatformCase, tmp_path: Path) -> None:
    for name, run in case.runs.items():
        for number, found in enumerate(ask(run, "doctor")["findings"]):
            mends = [each for each in found["mend"] if each["manifest"]]
            if not mends:
                continue
            place = tmp_path / f"{name}{number}"
            place.mkdir()
            left = ask(mended(run, mends, place), "doctor")["findings"]
            assert _told(found) not in [_told(each) for each in left], _told(found)


def _told(found: Mapping[str, Any]) -> tuple[str, str]:
    return found["code"], found["message"]


def test_what_does_not_come_out_yet_are_cases() -> None:
    assert NOT_YET.keys() <= {case.id for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_each_case_has_a_twin_of_which_nothing_is_to_be_said(case: PlatformCase) -> None:
    assert HOME.joinpath(f"P{int(case.id[1:]):02}", "case.yaml").is_file()
    assert case.situation
    assert all(run.directory.is_dir() for run in case.runs.values())
    directories = {each.name for each in (HOME / f"P{int(case.id[1:]):02}").iterdir()}
    assert directories - {"case.yaml", "cloison.yaml"} == set(case.runs)
    for name, run in case.runs.items():
        assert bool(run.doctor) != (name in REPAIRED)
    if case.outcome == "WORKS":
        assert list(case.runs) == ["works"]  # it is its own twin: there is nothing to repair
    else:
        assert {"broken", "repaired"} <= set(case.runs)
        assert _texts(case, "broken") != _texts(case, "repaired")


def _texts(case: PlatformCase, name: str) -> dict[str, tuple[object, ...]]:
    files = sorted(case.runs[name].directory.glob("*.yaml"))
    return {file.name: read(file.read_text(encoding="utf-8")) for file in files}
