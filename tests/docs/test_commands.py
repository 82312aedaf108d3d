"""What the pages tell people to type works, and prints what the pages show."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import ROOT, plain_environment, write_command
from tests.support.consoles import Console, agrees, consoles

PAGES = sorted(
    page
    for pattern in ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "examples/**/*.md")
    for page in ROOT.glob(pattern)
    if not any(part.startswith("_") for part in page.relative_to(ROOT).parts)
)
BLOCKS = [console for page in PAGES for console in consoles(page)]


def _name(console: Console) -> str:
    return f"{console.page.relative_to(ROOT)}:{console.line}"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what commands in the pages may name, so that they may also write."""
    top = tmp_path / "cloison"
    shutil.copytree(ROOT / "examples", top / "examples")
    return top


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    programs = tmp_path / "bin"
    programs.mkdir()
    write_command(programs)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return plain_environment() | {"PATH": path, "HOME": str(tmp_path)}


@pytest.mark.parametrize("console", BLOCKS, ids=_name)
def test_runs_as_shown(console: Console, checkout: Path, environment: dict[str, str]) -> None:
    for command in console.commands:
        ran = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command.line],
            cwd=checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        printed = ran.stdout + ran.stderr
        assert ran.returncode == command.exit, f"$ {command.line}\n{printed}"
        if command.shown:
            assert agrees(command.shown, printed), f"$ {command.line}\n{printed}"


@pytest.mark.parametrize("console", BLOCKS, ids=_name)
def test_only_cloison_is_run(console: Console) -> None:
    """Anything else belongs in a `sh` block, which nobody runs."""
    for command in console.commands:
        assert "cloison" in command.line.split(), command.line
