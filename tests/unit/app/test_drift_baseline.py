"""Baselines that people write into: rows change where they stand, and faults have a line."""

from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cloison.app.driftbaseline import accept, baseline
from cloison.app.driftrow import edited
from cloison.base import SourceError

DAY = date(2026, 2, 1)
HEAD = "apiVersion: cloison.dev/v1alpha1\nkind: DriftBaseline\n"


def _file(place: Path, text: str) -> Path:
    file = place / "drift.yaml"
    file.write_bytes(text.encode())
    return file


ROWS = (
    "# reviewed every quarter\n"
    + HEAD
    + """accepted:
  # the portal moves in spring
  - key: D1|x # for now
    owner: team-a # was: team-z
    until: 2026-01-01 # extended twice
    reason: >-
      a long story
      in two lines
  - {key: D4|y, owner: team-b, reason: "see #12"} # one day
  # the end
"""
)


@pytest.mark.parametrize(
    ("key", "owner", "until", "reason", "wanted"),
    [
        # What is there is replaced, what is missing is added, what is no more is removed.
        ("D1|x", "team-c", DAY, "new", ROWS.replace("team-a #", "team-c #")
         .replace("2026-01-01", "'2026-02-01'")
         .replace(">-\n      a long story\n      in two lines", "new")),
        ("D1|x", "team-a", DAY, "", ROWS.replace("2026-01-01", "'2026-02-01'")
         .replace("    reason: >-\n      a long story\n      in two lines\n", "")),
        ("D1|x", "team-a", None, "a long story in two lines",
         ROWS.replace("until: 2026-01-01 #", " #")),
        ("D4|y", "team-d", DAY, "see #12",
         ROWS.replace("team-b,", "team-d, until: '2026-02-01',")),
        ("D4|y", "team-b", None, "", ROWS.replace(', reason: "see #12"', "")),
        ("D4|new", "team: e", DAY, "", ROWS.replace("  # the end\n", "")
         + "  - key: D4|new\n    owner: 'team: e'\n    until: '2026-02-01'\n  # the end\n"),
    ],
)  # fmt: skip
def test_a_row_changes_where_it_stands(
    tmp_path: Path, key: str, owner: str, until: date | None, reason: str, wanted: str
) -> None:
    """Nothing else does, comments beside it, above it and at the end of the file least of all."""
    file = _file(tmp_path, ROWS)
    accept(file, key, owner, until, reason)
    assert file.read_text("utf-8") == wanted
    (found,) = (row for row in (r for some in baseline(file, DAY) for r in some) if row.key == key)
    assert (found.owner, found.until, found.reason) == (
        owner,
        until and until.isoformat(),
        reason,
    )


@pytest.mark.parametrize(
    "written",
    [
        "accepted: [] # nobody yet\n",
        "accepted: # nobody yet\n",
        "# nobody yet\n",
        "accepted: # nobody yet\r\n- key: D1|a\r\n  owner: o\r\n",
        "accepted: # nobody yet\n- key: D1|a\n  owner: o",
    ],
)
def test_a_first_row_and_other_ends_of_lines(tmp_path: Path, written: str) -> None:
    """The comment stays, and so do the ends of lines."""
    file = _file(tmp_path, HEAD + written)
    accept(file, "D1|x", "team-a", None)
    assert [row.key for row in baseline(file, DAY)[0]][-1] == "D1|x"
    text = file.read_bytes().decode()
    assert "# nobody yet" in text
    assert ("\r\n" in text.partition("accepted")[2]) == ("\r\n" in written)


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("accepted: [{key: D1|a, owner: o}] # short\n", 3),
        ("accepted: # twice\n- {key: D1|x, owner: o}\n- {key: D1|x, owner: p}\n", 5),
        ("accepted:\n- key: D1|x\n  owner: o\n  reason: | # why\n    so\n", 6),
        ("accepted:\n- &a # both\n  key: D1|x\n  owner: o\n- *a\n", 4),
    ],
)
def test_where_comments_could_get_lost_it_says_where(tmp_path: Path, rows: str, line: int) -> None:
    """Nothing is written, and who asked can do it by hand."""
    file = _file(tmp_path, HEAD + rows)
    with pytest.raises(SourceError) as error:
        accept(file, "D1|x", "team-c", DAY, "new")
    assert f"drift.yaml:{line}: " in error.value.message
    assert error.value.help == (
        "write there by hand: key: D1|x, owner: team-c, until: 2026-02-01, reason: new"
    )
    assert file.read_bytes().decode() == HEAD + rows


LINES = st.text("ab:#'\" \t-{}[]é", max_size=8)


@given(LINES, LINES, st.sampled_from(["block", "flow"]), st.none() | LINES)
def test_any_text_can_be_said(was: str, new: str, form: str, before: str | None) -> None:
    """Whatever there was, and whatever comes in its place."""
    row = {"key": "D1|x", "owner": was, **({} if before is None else {"reason": before})}
    flow = form == "flow"
    dumped = yaml.safe_dump(row if flow else [row], default_flow_style=flow, width=1000)
    dumped = f"- {dumped}" if flow else dumped
    text = f"# a\naccepted:\n- {{key: D2|y, owner: o}} # b\n{dumped}# c\n"
    changed = edited(text, "accepted", "D1|x", {"key": "D1|x", "owner": new, "until": "2026"})
    found = yaml.safe_load(changed)["accepted"]
    assert found == [
        {"key": "D2|y", "owner": "o"},
        {"key": "D1|x", "owner": new, "until": "2026"},
    ]
    assert changed.startswith("# a\n")
    assert " # b\n" in changed
    assert changed.endswith("# c\n")


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("accepted:\n  - key: D1|x\n    owner: [a\n  - key: D2|y\n", "6", ""),
        ("accepted:\n\t- key: D1|x\n", "4", "tab"),
        ("accepted:\n  - key: D1|x\n    owner: o\n  - key: D1|y\n    owner: o\n    until: soon\n",
         "8:12", "'soon' is no day"),
        ("accepted:\n  - key: D1|x\n    owner: o\n    expires: 2026-01-01\n", "6:5", "'expires'"),
        ("accepted:\n  - key: D1|x\n", "4:5", "no owner"),
        ("accepted:\n  - key: D99|x\n    owner: o\n", "4:10", "D99|x"),
        ("accepted:\n  - key: D1|x\n    owner: [o]\n", "5:12", "expected `str`"),
        ("accepted:\n  - D1|x\n", "4:5", "no row"),
        ("accepted: D1|x\n", "3:11", "no list"),
        ("accepting: []\n", "3:1", "'accepting'"),
        ("accepted: []\n---\na: b\n", "5:1", "another"),
        ("accepted:\n  - key: D1|x\n    owner: o\n    owner: p\n", "6:5", "owner"),
    ],
)  # fmt: skip
def test_faults_have_a_line(tmp_path: Path, text: str, place: str, what: str) -> None:
    """Of the file that was named, and of what is wrong in it."""
    file = _file(tmp_path, HEAD + text)
    with pytest.raises(SourceError) as error:
        baseline(file, DAY)
    assert error.value.message.startswith(f"{file.as_posix()}:{place}")
    assert what in error.value.message
    assert error.value.help


def test_a_file_of_another_kind_has_a_line_too(tmp_path: Path) -> None:
    """It is not taken for a baseline."""
    file = _file(tmp_path, "# a\napiVersion: v1\nkind: ConfigMap\n")
    with pytest.raises(SourceError, match=r"drift\.yaml:2:13: .* 'v1'"):
        baseline(file, DAY)
