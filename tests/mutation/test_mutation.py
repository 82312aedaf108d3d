"""Thirty planted faults are each noticed; every night, for it takes minutes."""

import pytest

from tests.mutation.faults import FAULTS
from tests.mutation.plant import NOTICED, SOURCE, Fault, imported_from, planted, run_tests


def test_there_are_enough_faults() -> None:
    assert len(FAULTS) >= 30
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_the_fault_can_still_be_planted(fault: Fault) -> None:
    text = (SOURCE / fault.path).read_text("utf-8")
    compile(fault.planted(text), fault.file, "exec")


def test_the_copy_is_what_gets_tested() -> None:
    with planted(None) as source:
        assert imported_from(source) == source / "cloison" / "__init__.py"


@pytest.mark.nightly
def test_nothing_is_noticed_without_a_fault() -> None:
    with planted(None) as source:
        result = run_tests(source)
    assert result.returncode == 0, result.stdout


@pytest.mark.nightly
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_the_fault_is_noticed(fault: Fault) -> None:
    with planted(fault) as source:
        result = run_tests(source, fault.tests)
    assert result.returncode == NOTICED, result.stdout + result.stderr
