"""The pictures of the documentation are those that Cloison draws of the examples."""

import os
from pathlib import Path

import pytest

import cloison
from cloison.report.picture import draw, of, place
from tests.support.cli import ROOT

UPDATE = os.environ.get("CLOISON_GOLDEN") == "update"
PICTURES = ROOT / "docs" / "how-to" / "pictures"


def examples() -> tuple[cloison.Session, cloison.Session]:
    """The example as it should be, and broken."""
    sound, broken = (ROOT / "examples" / f"case-management{end}" for end in ("", "-broken"))
    return cloison.load(str(sound)), cloison.load(str(broken))


def held(file: Path, text: str) -> None:
    """Compare with a file, or write it anew."""
    if UPDATE:
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text, "run `make golden` and look at it"


@pytest.mark.parametrize("kind", ["map", "diff"])
def test_pictures_are_drawn_anew(kind: str) -> None:
    sound, broken = examples()
    result = sound.map() if kind == "map" else cloison.diff(sound, broken)
    held(PICTURES / f"{kind}.svg", draw(place(of(kind, result))))
