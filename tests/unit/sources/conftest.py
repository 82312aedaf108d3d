"""Places for sources."""

from pathlib import Path

import pytest

from tests.support.programs import NEUTRAL, Repository


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def repository(here: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    for key, value in NEUTRAL.items():
        monkeypatch.setenv(key, value)
    return Repository.make(here)
