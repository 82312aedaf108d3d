"""Runs of the command line against what they printed when somebody last read it."""

import os
import shlex
from pathlib import Path

import pytest

from tests.support.cli import ROOT, Ran, run_cloison

CASES = Path(__file__).parent / "cli"
UPDATE = os.environ.get("CLOISON_GOLDEN") == "update"


def _arguments(case: Path) -> list[str]:
    lines = (case / "cmd").read_text(encoding="utf-8").splitlines()
    return shlex.split(" ".join(line for line in lines if not line.startswith("#")))


def _run(case: Path) -> Ran:
    stdin = case / "stdin"
    return run_cloison(
        *_arguments(case),
        cwd=case if (case / "in").is_dir() else ROOT,
        stdin=stdin.read_text(encoding="utf-8") if stdin.exists() else "",
    )


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8") if path.exists() else ""


def _write(path: Path, text: str) -> None:
    if text:
        path.write_bytes(text.encode("utf-8"))
    else:
        path.unlink(missing_ok=True)


@pytest.mark.parametrize(
    "case", sorted(p.parent for p in CASES.glob("*/cmd")), ids=lambda case: case.name
)
def test_prints_what_it_printed(case: Path) -> None:
    ran = _run(case)
    if UPDATE:
        (case / "out").write_bytes(ran.out.encode("utf-8"))
        _write(case / "err", ran.err)
        (case / "exit").write_text(f"{ran.exit}\n", encoding="utf-8")
    assert ran.out == _read(case / "out")
    assert ran.err == _read(case / "err")
    assert ran.exit == int(_read(case / "exit"))


@pytest.mark.parametrize(
    "case", sorted(p for p in CASES.glob("*") if p.is_dir()), ids=lambda case: case.name
)
def test_a_case_is_whole(case: Path) -> None:
    missing = [name for name in ("cmd", "out", "exit") if not (case / name).is_file()]
    assert not missing, "write `cmd` and run `make golden`"
    assert "Traceback (most recent call last)" not in _read(case / "err")
