"""Which connections records show the first packet of, and which they show to be older."""

from pathlib import Path
from typing import Any

import pytest

from cloison.flows.openings import openings
from cloison.flows.store.ingest import Wanted, ingest
from cloison.flows.store.writer import writer
from tests.support.hubble import trace

PORTS = {("TCP", 5432)}


DAY = 1_767_571_200
"""2026-01-05, in seconds."""


def _line(hour: int, port: int, *, back: bool = False, **more: Any) -> str:
    """Return a record of Hubble's of a connection from `web` to `db`, or of its answer."""
    ends, ports = ("shop/web", "shop/db"), (port, 5432)
    if back:
        ends, ports = ends[::-1], ports[::-1]
    return trace(*ends, DAY + hour * 3600 + 600, ports, is_reply=back, **more)


def _told(place: Path, *lines: str) -> tuple[dict[int, int], dict[int, int]]:
    """Return the connections of each hour that were opened in it, and that go on."""
    (place / "e.log").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    with writer(place / "store") as held:
        ingest(held, place / "e.log", Wanted("hubble"))
    found: list[dict[int, int]] = []
    for table in openings(place / "store", PORTS):
        hours: dict[int, int] = {}
        for row in table.to_pylist():
            assert (row["src_workload"], row["dst_workload"], row["port"]) == ("web", "db", 5432)
            for hour, count in zip(row["at"], row["each"], strict=True):
                hours[hour % 24] = hours.get(hour % 24, 0) + count
        found.append(hours)
    return found[0], found[1]


SYN, ACK = {"SYN": True}, {"ACK": True}


def test_a_connection_is_opened_in_one_hour_and_goes_on_in_the_next(tmp_path: Path) -> None:
    """By flags of TCP; the answer of one that is opened does not make it an old one."""
    opened, going_on = _told(
        tmp_path,
        _line(1, 41_000, flags=SYN),
        _line(1, 41_000, flags=ACK, back=True),
        _line(2, 41_000, flags=ACK),
        _line(2, 41_000, flags=ACK, back=True),
        _line(2, 41_001, flags=ACK),
    )
    assert (opened, going_on) == ({1: 1}, {2: 2})


def test_what_is_new_and_what_is_old_in_one_hour_are_apart(tmp_path: Path) -> None:
    """Each connection counts for itself."""
    lines = [_line(3, 41_000, flags=ACK), _line(3, 41_001, flags=SYN)]
    assert _told(tmp_path, *lines) == ({3: 1}, {3: 1})


@pytest.mark.parametrize(("why", "told"), [("NEW", ({4: 1}, {})), ("ESTABLISHED", ({}, {4: 1}))])
def test_the_agent_says_it_without_flags(
    tmp_path: Path, why: str, told: tuple[dict[int, int], dict[int, int]]
) -> None:
    """What its table of connections knew of the packet."""
    assert _told(tmp_path, _line(4, 41_000, trace_reason=why)) == told


def test_only_answers_show_a_connection_that_is_old(tmp_path: Path) -> None:
    """Nothing of the hour shows that it was opened."""
    assert _told(tmp_path, _line(5, 41_000, flags=ACK, back=True)) == ({}, {5: 1})


def test_records_without_flags_say_neither(tmp_path: Path) -> None:
    """Nor do they where their answers do."""
    lines = [_line(6, 41_000), _line(7, 41_000), _line(7, 41_000, flags=ACK, back=True)]
    assert _told(tmp_path, *lines) == ({}, {})


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    """Other ports, and hours before, are left out."""
    _told(tmp_path, _line(8, 41_000, flags=SYN))
    assert [each.num_rows for each in openings(tmp_path / "store", {("TCP", 80)})] == [0, 0]
    assert [each.num_rows for each in openings(tmp_path / "store", {("UDP", 5432)})] == [0, 0]
    nine = (DAY + 9 * 3600) * 1_000_000
    assert [each.num_rows for each in openings(tmp_path / "store", PORTS, nine)] == [0, 0]
    assert [e.num_rows for e in openings(tmp_path / "store", PORTS, nine - 1)] == [1, 0]
