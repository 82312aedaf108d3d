"""A stream read into a store: committed as it goes, and nothing twice in a later run."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cloison.flows.schema import Coverage, Flow, Record
from cloison.flows.store.live import AT_ONCE, OVERLAP, follow, since
from cloison.flows.store.manifest import load
from cloison.flows.store.writer import writer

START = 1_700_000_000_000_000
ADDRESS = "relay://here:4245"


def _flow(number: int) -> Flow:
    return Flow(time=START + number, verdict="allowed", observer="dst", obs_id=f"id-{number}")


def _rows(store: Path) -> int:
    return sum(part.rows for part in load(store).of("flows"))


def test_a_stream_goes_on_where_it_was(tmp_path: Path) -> None:
    lost = Coverage(since=START, lost=7)
    with writer(tmp_path) as held:
        assert since(held, ADDRESS) is None
        told = follow(held, ADDRESS, [[_flow(0)], [_flow(1), lost]])
        assert (told.new.lines, told.new.flows, told.new.others) == (2, 2, 1)
    with writer(tmp_path) as held:
        assert since(held, ADDRESS) == START + 1 - OVERLAP
        assert since(held, "relay://there:4245") is None
        told = follow(held, ADDRESS, [[_flow(1)], [_flow(2)]])
        assert (told.new.flows, told.before.flows) == (1, 2)
    assert _rows(tmp_path) == 3
    assert load(tmp_path).inputs[0].counts.flows == 3


def test_a_stream_that_is_stopped_or_pauses_is_kept(tmp_path: Path) -> None:
    def stopped() -> Iterator[Sequence[Record]]:
        yield [_flow(0)]
        yield [_flow(1)]
        assert _rows(tmp_path) == 2, "what is five seconds old is committed"
        yield [_flow(2)]
        raise KeyboardInterrupt

    ticks = iter(range(0, 100, 3))
    with writer(tmp_path) as held:
        told = follow(held, ADDRESS, stopped(), clock=lambda: float(next(ticks)))
    assert told.new.flows == _rows(tmp_path) == 3
    assert AT_ONCE > 3
