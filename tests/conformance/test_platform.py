"""The real path: each case is run through the command line, as it is and repaired."""

from pathlib import Path

import pytest

from tests.conformance.cases import read
from tests.conformance.platformcases import (
    REPAIRED,
    PlatformCase,
    Run,
    ask,
    mended,
    platform_cases,
    problems,
)

CASES = platform_cases()
NOT_YET: dict[str, str] = {}
"""Cases that do not come out yet, and why; each is held to fail, until its row is taken away."""


_NO_POLICY = "no policy mends it"
_UNKNOWN = "the addresses to admit are not in the input"
_CLIENTS = "which clients to admit is for people to say"
_LABELS = "the Job's labels are to change, or a namespace to be isolated: people choose"
UNMENDED = {
    "P19": _NO_POLICY,
    "P30": _NO_POLICY,
    "P34": _UNKNOWN,
    "P35": _UNKNOWN,
    "P38": _UNKNOWN,
    "P41": _NO_POLICY,
    "P78": _CLIENTS,
    "P79": _LABELS,
    "P80": _NO_POLICY,
    "P81": _NO_POLICY,
    "P83": _NO_POLICY,
}
"""Cases that the doctor's changes do not end, and why; held to that in the same way."""
_MOST = 8
"""Changes after which a directory is taken not to heal."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_command_line_says_of_each_case_what_is_true(case: PlatformCase) -> None:
    wrong = [f"{name}: {each}" for name, run in case.runs.items() for each in problems(run)]
    if case.id in NOT_YET:
        assert wrong, f"{case.id} comes out now: strike it from NOT_YET"
    else:
        assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_making_the_changes_that_the_doctor_proposes_silences_it(
    case: PlatformCase, tmp_path: Path
) -> None:
    left = [each for name, run in case.runs.items() for each in _healed(run, tmp_path / name)]
    if case.id in UNMENDED:
        assert left, f"{case.id} is mended now: strike it from UNMENDED"
    else:
        assert not left


def _healed(run: Run, place: Path) -> list[str]:
    """Return what the doctor still says after its changes are made, one finding's at a time."""
    for step in range(_MOST):
        found = ask(run, "doctor")["findings"]
        written = ([m for m in each["mend"] if m["manifest"]] for each in found)
        mends = next((each for each in written if each), None)
        if mends is None:
            return [f"{each['code']} {each['message']}" for each in found]
        into = place / str(step)
        into.mkdir(parents=True)
        run = mended(run, mends, into)
    return ["the changes do not end what they are for"]


def test_what_does_not_come_out_yet_are_cases() -> None:
    assert NOT_YET.keys() | UNMENDED.keys() <= {case.id for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_each_case_has_a_twin_of_which_nothing_is_to_be_said(case: PlatformCase) -> None:
    assert case.home.joinpath("case.yaml").is_file()
    assert case.situation
    assert all(run.directory.is_dir() for run in case.runs.values())
    directories = {each.name for each in case.home.iterdir()}
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
