"""A stream followed by threads of its own: what is quiet is committed, and what ends it is told."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cloison.base import SourceError
from cloison.flows.following import Following
from cloison.flows.schema import Flow, Record
from cloison.flows.store.live import earlier, follow, since
from cloison.flows.store.manifest import load
from cloison.flows.store.writer import Writer, writer

START = 1_700_000_000
"""Seconds, in the middle of an hour."""
ADDRESS = "relay://here:4245"
SECOND = 1_000_000
PATIENCE = 60
"""Seconds after which a test gives up: far more than anything here takes."""


class Line:
    """A stream that tests feed."""

    def __init__(self) -> None:
        self.heard = False
        self.away: tuple[float, str] | None = None
        self._fed = threading.Condition()
        self._left: list[Sequence[Record] | Exception] = []
        self._ended = False

    def end(self) -> None:
        with self._fed:
            self._ended = True
            self._fed.notify()

    def feed(self, *messages: Sequence[Record] | Exception) -> None:
        with self._fed:
            self._left += messages
            self._fed.notify()

    def stream(self, _held: Writer) -> Iterator[Sequence[Record]]:
        while True:
            with self._fed:
                self._fed.wait_for(lambda: self._left or self._ended)
                if not self._left:
                    return
                message = self._left.pop(0)
            if isinstance(message, Exception):
                raise message
            self.heard = True
            yield message


def _flow(number: int, node: str = "n", seconds: int = START) -> Flow:
    return Flow(
        time=(seconds + number) * SECOND,
        verdict="allowed",
        observer="dst",
        node=node,
        obs_id=f"{node}-{number}",
    )


def _rows(store: Path) -> int:
    return sum(part.rows for part in load(store).of("flows"))


def _until(store: Path, rows: int, following: Following) -> None:
    """Wait until a store holds so many flows."""
    wait = threading.Event()
    for _ in range(PATIENCE * 20):
        if _rows(store) == rows and following.caught_up:
            return
        wait.wait(0.05)
    pytest.fail(f"{_rows(store)} flows after all that time")


def test_what_was_read_is_committed_when_nothing_more_comes(tmp_path: Path) -> None:
    """And so is the rest when the block ends."""
    line = Line()
    with Following(tmp_path, ADDRESS, line.stream, line, pause=0) as following:
        assert not following.caught_up
        line.feed([_flow(0)], [_flow(1)])
        _until(tmp_path, 2, following)
        line.feed([_flow(2)])
    assert _rows(tmp_path) == 3
    assert following.problem is None
    assert following.over


def test_what_a_stream_tells_now_is_as_good_as_silence(tmp_path: Path) -> None:
    """A source that is never quiet has told all that it had when it tells what happens."""
    line = Line()
    told = [[_flow(number, seconds=START)] for number in range(3)]
    with Following(
        tmp_path, ADDRESS, line.stream, line, pause=0, clock=lambda: float(START + 2)
    ) as following:
        line.feed(*told)
        _until(tmp_path, 3, following)


def test_what_ends_a_stream_is_told_and_what_it_told_is_kept(tmp_path: Path) -> None:
    """Nothing waits for it for ever."""
    line = Line()
    with Following(tmp_path, ADDRESS, line.stream, line) as following:
        line.feed([_flow(0)], SourceError("refused", "ask somebody"))
        for _ in range(PATIENCE * 20):
            if following.over:
                break
            threading.Event().wait(0.05)
    assert isinstance(following.problem, SourceError)
    assert _rows(tmp_path) == 1


def test_a_store_that_is_held_is_a_problem(tmp_path: Path) -> None:
    """The stream is not even begun."""
    line = Line()
    with writer(tmp_path), Following(tmp_path, ADDRESS, line.stream, line) as following:
        pass
    assert "another run is writing" in str(following.problem)
    assert not line.heard


def test_small_parts_are_joined_when_an_hour_ends(tmp_path: Path) -> None:
    """A stream commits every few seconds, and a day of that would be tens of thousands of parts."""
    line = Line()
    now = [float(START)]
    with Following(
        tmp_path, ADDRESS, line.stream, line, pause=0, clock=lambda: now[0]
    ) as following:
        for number in range(4):
            line.feed([_flow(number)])
            _until(tmp_path, number + 1, following)
        assert len(load(tmp_path).of("flows")) == 4
        now[0] += 3600
        for _ in range(PATIENCE * 20):
            if len(load(tmp_path).of("flows")) == 1:
                break
            threading.Event().wait(0.05)
        assert len(load(tmp_path).of("flows")) == 1
        assert load(tmp_path).of("rollups")
    assert _rows(tmp_path) == 4


def test_how_far_each_node_was(tmp_path: Path) -> None:
    """By its own clock, with what it told in the last seconds; who is gone is not waited for."""
    told = [_flow(number) for number in (0, 5, 14)]
    behind = [_flow(number, "late", START - 3000) for number in (0, 20)]
    gone = [_flow(0, "gone", START - 2 * 86_400)]
    with writer(tmp_path) as held:
        assert earlier(held, ADDRESS) == {}
        follow(held, ADDRESS, [[*gone], [*behind], [*told]])
        assert earlier(held, ADDRESS) == {
            "n": ((START + 14) * SECOND * 1000, (b"n-5", b"n-14")),
            "late": ((START - 3000 + 20) * SECOND * 1000, (b"late-20",)),
            "gone": ((START - 2 * 86_400) * SECOND * 1000, (b"gone-0",)),
        }
        assert since(held, ADDRESS) == (START - 3000 + 20 - 10) * SECOND
