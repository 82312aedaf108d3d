"""`cloison lab`, as a person types it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloison.probe.lab.client import Lab
from tests.support.cli import Ran, run_process

EXAMPLE = "examples/case-management"
Typed = Callable[..., Ran]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: None) -> Iterator[Typed]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    yield run_process
    for each in Lab.all():
        each.down()


def test_a_lab_s_whole_life(typed: Typed, tmp_path: Path) -> None:
    assert typed("lab", "status").out.startswith("no lab runs")
    up = typed("lab", "up", "-f", EXAMPLE, "--name", "mine")
    assert up.exit == 0, up.err
    assert up.out.startswith("lab mine is up\n")
    assert "cloison lab exec --name mine " in up.out
    again = typed("lab", "up", "-f", EXAMPLE, "--name", "mine")
    assert again.exit == 2
    assert "error: there is a lab called 'mine' already" in again.err
    assert "help: end it with `cloison lab down mine`" in again.err
    assert typed("lab", "status").out.startswith("lab mine\n")
    inside = typed("lab", "exec", "--name", "mine", "web/case-portal", "--", "sh", "-c", "exit 5")
    assert (inside.exit, inside.out, inside.err) == (5, "", "")
    after = typed("lab", "exec", "web/case-portal", "--name", "mine", "--", "sh", "-c", "exit 6")
    assert (after.exit, after.out, after.err) == (6, "", "")
    assert typed("lab", "exec", "--name", "mine", "web/case-portal", "no-such-program").exit == 127
    piped = typed("lab", "exec", "--name", "mine", "web/case-portal", "--", "cat", stdin="x\ny\n")
    assert piped.out == "x\ny\n"
    down = typed("lab", "down", "mine")
    assert (down.exit, down.out) == (0, "lab mine is gone\n")
    assert not list((tmp_path / "cloison" / "labs").iterdir())


@pytest.mark.parametrize(
    ("words", "error", "advice"),
    [
        (["exec", "web/x"], "there is no lab called 'default'", "cloison lab up"),
        (["down"], "there is no lab called 'default'", "cloison lab up"),
        (["exec", "web/x", "--name", "y", "--", "true"], "there is no lab called 'y'", "lab up"),
        (["exec", "web/x", "--name=y"], "there is no lab called 'y'", "cloison lab up"),
        (["exec", "web/x", "--label", "y"], "'--label' is no program", "write -- before"),
        (["down", "--all", "extra"], "--all ends every lab, and 'extra' names one", "either"),
        (["status", "--name", "x"], "there is no lab called 'x'", "cloison lab up"),
        (["up", "-f", EXAMPLE, "--name", "A/b"], "'A/b' cannot be the name", "small letters"),
        (["up", "-f", "nowhere"], "nowhere", ""),
    ],
)
def test_what_does_not_fit_is_said(typed: Typed, words: list[str], error: str, advice: str) -> None:
    ran = typed("lab", *words)
    assert ran.exit == 2
    assert error in ran.err
    assert advice in ran.err
    assert "Traceback" not in ran.err


def test_there_may_be_nothing_to_end(typed: Typed) -> None:
    ran = typed("lab", "down", "--all")
    assert (ran.exit, ran.out) == (0, "no lab runs\n")
