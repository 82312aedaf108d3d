"""What drift remembers, and accepts: files that are whole, whoever is killed meanwhile."""

import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloison.analyses.drift.model import Known, Memory, State
from cloison.app.driftbaseline import accept, baseline
from cloison.app.driftfiles import remember, remembered, swept
from cloison.base import QuestionError, SourceError

DAY = date(2026, 2, 1)


def test_rows_are_accepted_until_their_day(tmp_path: Path) -> None:
    """On that day too, and after it they are told as expired."""
    file = tmp_path / "drift.yaml"
    accept(file, "D4|sandbox/*", "team-a", DAY, "it is a sandbox: nobody lives there")
    accept(file, "D1|x", "team-b", None)
    counting, late = baseline(file, DAY)
    assert [(row.key, row.owner, row.until) for row in counting] == [
        ("D1|x", "team-b", None),
        ("D4|sandbox/*", "team-a", "2026-02-01"),
    ]
    assert not late
    counting, late = baseline(file, date(2026, 2, 2))
    assert [row.key for row in counting] == ["D1|x"]
    assert [row.key for row in late] == ["D4|sandbox/*"]


def test_a_row_takes_the_place_of_its_key(tmp_path: Path) -> None:
    """Whoever accepts again says a later day."""
    file = tmp_path / "drift.yaml"
    accept(file, "D1|x", "team-a", DAY)
    accept(file, "D1|x", "team-b", None)
    assert [row.owner for row in baseline(file, DAY)[0]] == ["team-b"]


@pytest.mark.parametrize("left", ["", "  ", "    "])
def test_comments_are_kept(tmp_path: Path, left: str) -> None:
    """People write into the file, too."""
    file = tmp_path / "drift.yaml"
    written = (
        "# reviewed every quarter\napiVersion: cloison.dev/v1alpha1\nkind: DriftBaseline\n"
        f"accepted:\n{left}- key: D1|x # for now\n{left}  owner: team-a\n"
    )
    file.write_text(written, "utf-8")
    accept(file, "D4|new/*", "team-b", DAY, "why not")
    assert file.read_text("utf-8").startswith(written)
    assert [(row.key, row.owner) for row in baseline(file, DAY)[0]] == [
        ("D1|x", "team-a"),
        ("D4|new/*", "team-b"),
    ]


@pytest.mark.parametrize(
    "key",
    ["", " ", "D99 nonsense", "D99|x", "D4", "x", "D4|", "D4|a\nb", "|x", "D4|" + "x" * 9999],
)
def test_keys_that_no_finding_can_have(tmp_path: Path, key: str) -> None:
    """They would accept nothing, and nobody would notice."""
    file = tmp_path / "drift.yaml"
    with pytest.raises(QuestionError):
        accept(file, key, "team-a", None)
    assert not file.exists()


def test_only_its_own_old_files_are_swept(tmp_path: Path) -> None:
    """Editors and people have files of such names, too; what is young is being written."""
    file = tmp_path / "s.json"
    others = [".s.json.bak", ".s.json.swp", ".s.json.cloison-drift-a.tmp.bak"]
    for name in (*others, ".s.json.cloison-drift-a1_b.tmp"):
        (tmp_path / name).write_text("x", "utf-8")
    swept(file)
    assert len(list(tmp_path.iterdir())) == 4
    swept(file, 0)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(others)


@pytest.mark.parametrize(
    "text",
    [
        "accepted: [{key: D1|x}]",
        "accepted: [{key: D1|x, owner: ' '}]",
        "accepted: [{key: D1|x, owner: o, until: soon}]",
        "accepted: [{key: D1|x, owner: o, expires: 2026-01-01}]",
        "accepted: [{key: x, owner: o}]",
        "accepting: [{key: D1|x, owner: o}]",
        "- a list",
        "apiVersion: v1\nkind: ConfigMap",
        "a: [",
        "",
    ],
)
def test_what_is_no_baseline(tmp_path: Path, text: str) -> None:
    """Nothing is accepted by mistake: half a row is an error."""
    file = tmp_path / "drift.yaml"
    head = "apiVersion: cloison.dev/v1alpha1\nkind: DriftBaseline\n"
    file.write_text(head + text if text.startswith("ac") else text, "utf-8")
    with pytest.raises(SourceError) as error:
        baseline(file, DAY)
    assert error.value.help


def test_no_file_is_nothing(tmp_path: Path) -> None:
    """The first run has no state; a baseline that somebody names is there."""
    assert baseline(None, DAY) == ((), ())
    with pytest.raises(SourceError):
        baseline(tmp_path / "no.yaml", DAY)
    assert not remembered(tmp_path / "no.json").ran


HOURS = st.none() | st.integers(0, 600_000)
KNOWN = st.builds(Known, st.sampled_from(State), HOURS, HOURS, HOURS, HOURS)
TEXTS = st.text(max_size=12)


@given(st.dictionaries(TEXTS, KNOWN, max_size=4), HOURS, st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_what_is_remembered_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    found: dict[str, Known],
    until: int | None,
    labels: dict[str, str],
) -> None:
    """All of it, whatever names are made of."""
    file = tmp_path_factory.mktemp("state") / "drift.json"
    learned = frozenset(labels)
    ranges = {"p": ("192.0.2.0/24",)}
    memory = Memory(1, until, found, {"ns": labels}, ranges, "x", until, learned)
    remember(file, memory)
    back = remembered(file)
    assert back.ran
    assert back.every_label
    assert back.learned == learned
    assert (back.findings, back.until, back.labels, back.ranges, back.since) == (
        found,
        until,
        {"ns": labels},
        {"p": ("192.0.2.0/24",)},
        until,
    )


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"version": 9}', '{"version": 1, "until": "x"}', "\xff"]
)
def test_what_is_no_state(tmp_path: Path, text: str) -> None:
    """A file of something else is not taken for the last run."""
    file = tmp_path / "drift.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(SourceError) as error:
        remembered(file)
    assert error.value.help


WRITER = """
import sys
from pathlib import Path
from cloison.analyses.drift.model import Known, Memory, State
from cloison.app.driftfiles import remember
file, number = Path(sys.argv[1]), 0
while True:
    number += 1
    found = {f"D1|{at}": Known(State.CONFIRMED, number) for at in range(2000)}
    remember(file, Memory(until=number, findings=found))
    print(number, flush=True)
"""


def test_whoever_is_killed_leaves_a_whole_file(tmp_path: Path) -> None:
    """Again and again, at whatever moment: what is there is one run's, all of it."""
    file = tmp_path / "drift.json"
    for times in range(1, 6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(times):
                writer.stdout.readline()
            os.kill(writer.pid, signal.SIGKILL)
        memory = remembered(file)
        assert memory.until is not None
        assert {known.first for known in memory.findings.values()} == {memory.until}
        assert len(memory.findings) == 2000
    swept(file, 0)
    assert [each.name for each in tmp_path.iterdir()] == ["drift.json"]
