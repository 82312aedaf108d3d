"""Findings that are accepted: which, until when, and that none is lost."""

from datetime import date
from pathlib import Path

import pytest

from cloison.app.settingsdocument import Suppression
from cloison.app.settingsfile import SettingsFile
from cloison.app.suppress import sort
from cloison.base import Diagnostic, Severity, Span

TODAY = date(2026, 11, 23)


def finding(code: str, file: str = "a.yaml", object_: str | None = None) -> Diagnostic:
    return Diagnostic(code, Severity.WARNING, "m", Span(file, 1), object_)


def settings(*suppressions: Suppression, directory: Path | None = None) -> SettingsFile:
    placed = tuple((one, Span("cloison.yaml", n)) for n, one in enumerate(suppressions, 1))
    path = (directory or Path.cwd()) / "cloison.yaml"
    return SettingsFile(path, "cloison.yaml", {}, {}, placed)


def test_without_suppressions_everything_counts() -> None:
    found = [finding("NPL002"), finding("NPL001")]
    for none in (None, settings()):
        assert sort(found, none, TODAY).kept == tuple(found)


def test_the_code_decides_first() -> None:
    told = sort(
        [finding("NPL001"), finding("NPL002")],
        settings(Suppression(code="NPL001", reason="r")),
        TODAY,
    )
    assert [each.code for each in told.kept] == ["NPL002"]
    assert [(each.code, by.reason) for each, by in told.suppressed] == [("NPL001", "r")]


@pytest.mark.parametrize(
    ("pattern", "object_", "covered"),
    [
        ("NetworkPolicy web/*", "NetworkPolicy web/a", True),
        ("NetworkPolicy web/*", "NetworkPolicy db/a", False),
        ("*", None, True),
        ("NetworkPolicy *", None, False),
        ("networkpolicy web/*", "NetworkPolicy web/a", False),
    ],
)
def test_objects_are_matched_by_pattern(
    pattern: str, object_: str | None, *, covered: bool
) -> None:
    one = Suppression(code="NPL001", reason="r", object=pattern)
    told = sort([finding("NPL001", object_=object_)], settings(one), TODAY)
    assert bool(told.suppressed) is covered


@pytest.mark.parametrize(
    ("pattern", "file", "covered"),
    [
        ("deploy/*", "deploy/a.yaml", True),
        ("deploy/*", "deploy/deep/a.yaml", True),
        ("deploy/*", "./deploy/a.yaml", True),
        ("deploy/*", "other/a.yaml", False),
        ("a.yaml", "deploy/a.yaml", False),
        ("deploy/*", "git:main:deploy/a.yaml", True),
        ("deploy/*", "git:main@{2026-01-31 12:00}:deploy/a.yaml", True),
        ("deploy/chart/*", "deploy/chart/templates/a.yaml (helm)", True),
        ("deploy/app", "deploy/app (kustomize)", True),
    ],
)
def test_paths_are_from_the_settings_files_directory(
    pattern: str, file: str, *, covered: bool
) -> None:
    one = Suppression(code="NPL001", reason="r", path=pattern)
    assert bool(sort([finding("NPL001", file)], settings(one), TODAY).suppressed) is covered


def test_paths_do_not_depend_on_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = tmp_path / "deploy"
    below.mkdir()
    one = settings(Suppression(code="NPL001", reason="r", path="deploy/*"), directory=tmp_path)
    monkeypatch.chdir(below)
    assert sort([finding("NPL001", "a.yaml")], one, TODAY).suppressed
    assert sort([finding("NPL001", str(below / "a.yaml"))], one, TODAY).suppressed
    assert not sort([finding("NPL001", "../a.yaml")], one, TODAY).suppressed


@pytest.mark.parametrize(("last", "holds"), [("2026-11-22", False), ("2026-11-23", True)])
def test_they_hold_through_their_last_day(last: str, *, holds: bool) -> None:
    one = Suppression(code="NPL001", reason="r", expires=date.fromisoformat(last))
    told = sort([finding("NPL001")], settings(one), TODAY)
    assert bool(told.suppressed) is holds
    assert [each.code for each in told.kept] == ([] if holds else ["NPL001", "CFG001"])


def test_an_expired_one_does_not_stand_before_its_renewal() -> None:
    old = Suppression(code="NPL001", reason="old", expires=date(2020, 1, 1))
    new = Suppression(code="NPL001", reason="new")
    told = sort([finding("NPL001")], settings(old, new), TODAY)
    assert [by.reason for _, by in told.suppressed] == ["new"]
    assert [each.code for each in told.kept] == ["CFG001"]


def test_one_that_covers_nothing_is_noted() -> None:
    told = sort([finding("NPL001")], settings(Suppression(code="NPL009", reason="r")), TODAY)
    assert [(each.code, str(each.severity)) for each in told.kept] == [
        ("NPL001", "warning"),
        ("CFG002", "info"),
    ]
