"""The public Python interface: what it is, and that having it costs nothing."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import cloison
from tests.support.cli import ROOT, plain_environment


def test_the_public_names_are_these_and_few() -> None:
    assert sorted(cloison.__all__) == cloison.__all__
    assert len(cloison.__all__) <= 30
    for name in cloison.__all__:
        assert getattr(cloison, name) is not None
    visible = {n for n in vars(cloison) if not n.startswith("_")}
    modules = {n for n in visible if isinstance(getattr(cloison, n), type(cloison))}
    leftovers = visible - set(cloison.__all__) - modules - {"TYPE_CHECKING", "import_module"}
    assert not leftovers
    assert dir(cloison) == cloison.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(cloison, "no_such_name")


def test_importing_it_imports_nothing_of_it() -> None:
    code = "import sys, cloison; print([m for m in sys.modules if m.startswith('cloison.')])"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "[]"


def test_the_version_is_the_distribution_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cloison.__version__ == project["version"]


def test_an_explanation_reads_as_a_line() -> None:
    session = cloison.load(str(ROOT / "examples" / "case-management"))
    answer = session.why("case-management/case-api", "evidence/evidence-api:8080")
    assert str(answer) == (
        "allowed: case-management/case-api -> evidence/evidence-api on TCP/8080 "
        "(case-management/case-api egress rule 1, evidence/evidence-api ingress rule 1)"
    )


def test_sources_may_be_paths() -> None:
    one, other = (Path(ROOT, "examples", n) for n in ("case-management", "case-management-broken"))
    assert cloison.load(one).map().edges == cloison.load(str(one)).map().edges
    assert cloison.diff(one, other).opens
    before, after = cloison.what_if(one, apply=[other])
    assert before.diff(after).opens
    odd: tuple[Any, ...] = (3, b"examples", None)
    for wrong in odd:
        with pytest.raises(cloison.QuestionError, match="names no source"):
            cloison.load(wrong)
