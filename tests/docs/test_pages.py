"""Pages that must keep up with what they describe."""

import re
import tomllib
from enum import StrEnum

import pytest
from packaging.requirements import Requirement

from cloison.analyses.diff import Kind
from cloison.ir.fidelity import Verdict
from tests.support.cli import ROOT


def _run_time_dependencies() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(text).name for text in project["dependencies"]]


def test_every_run_time_dependency_is_accounted_for() -> None:
    page = (ROOT / "docs/design/dependencies.md").read_text(encoding="utf-8")
    missing = [name for name in _run_time_dependencies() if f"| {name} |" not in page]
    assert not missing


def test_constraints_pin_every_run_time_dependency() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0].lower() for line in lines if "==" in line}
    assert {name.lower() for name in _run_time_dependencies()} <= pinned


@pytest.mark.parametrize("words", [Verdict, Kind])
def test_the_words_of_an_answer_are_explained(words: type[StrEnum]) -> None:
    page = (ROOT / "docs/concepts/words.md").read_text(encoding="utf-8")
    heads = re.findall(r"^(.+)\n: ", page, re.MULTILINE)
    assert set(words) <= {term for head in heads for term in head.split(", ")}
