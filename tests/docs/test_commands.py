"""What the pages tell people to type works, and prints what the pages show."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES
from tests.support.cli import ROOT
from tests.support.consoles import Console, agrees, consoles
from tests.support.machine import need_lab
from tests.support.pages import Desk

_LAB = re.compile(r"cloison lab|--on lab")
BLOCKS = [console for page in PAGES for console in consoles(page)]


def _name(console: Console) -> str:
    return f"{console.page.relative_to(ROOT)}:{console.line}"


@pytest.mark.parametrize("console", BLOCKS, ids=_name)
def test_runs_as_shown(console: Console, tmp_path: Path) -> None:
    if any(_LAB.search(command.line) for command in console.commands):
        need_lab()
    desk = Desk.under(tmp_path)
    desk.lay_out(console)
    try:
        for command in console.commands:
            code, printed = desk.run(command)
            assert code == command.exit, f"$ {command.line}\n{printed}"
            if command.shown:
                assert agrees(command.shown, printed), f"$ {command.line}\n{printed}"
    finally:
        desk.clear()


@pytest.mark.parametrize("console", BLOCKS, ids=_name)
def test_only_cloison_is_run(console: Console) -> None:
    """Anything else belongs in a `sh` block, which nobody runs."""
    for command in console.commands:
        assert "cloison" in command.line.split(), command.line
