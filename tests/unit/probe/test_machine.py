"""What tests do where the machine lacks something: in CI they fail rather than skip."""

import pytest

from tests.support import machine
from tests.support.machine import need_users

FAIL = ["false"]


def test_what_is_lacking_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="does not let users"):
        need_users(FAIL)


def test_in_ci_it_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must be able to"):
        need_users(FAIL)
    monkeypatch.setattr(machine, "command", list)
    machine.need_lab()


def test_what_is_there_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    need_users(["env"])
