"""What a store of flows knows, for people."""

from collections.abc import Iterator
from datetime import datetime

from cloison.flows.answers import Lost, Source, Status
from cloison.report.about import About, Look
from cloison.report.text.layout import count, listed, table, wrapped

_FEW = 12


def lines(result: Status, _about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines."""
    yield look.paint(f"store {result.store}", "bold")
    size = result.size / 1_000_000
    connections = sum(result.connections.values())
    yield (
        f"{connections:,} connections on {count(result.edges, 'edge')} of "
        f"{count(result.workloads, 'workload')}; {size:,.1f} MB in {count(result.parts, 'part')}"
    )
    for source in result.sources:
        yield ""
        yield from _source(source, look)
    if result.nodes:
        yield ""
        head = ("NODE", "FLOWS", "HOURS", "FIRST", "LAST")
        shown = [
            (each.name, f"{each.flows:,}", f"{each.hours:,}", _at(each.first), _at(each.last))
            for each in result.nodes[:_FEW]
        ]
        yield from table([head, *shown])
        if len(result.nodes) > _FEW:
            yield f"and {count(len(result.nodes) - _FEW, 'more node')}"
    yield ""
    yield from _known(result, connections, look)


def _source(source: Source, look: Look) -> Iterator[str]:
    counts = source.counts
    yield look.paint(source.name, "bold")
    said = f"{counts.flows:,} flows in {counts.lines:,} lines of {count(source.inputs, 'file')}"
    yield f"  {said}" + (f", {counts.bad:,} lines bad" if counts.bad else "")
    if counts.skipped:
        yield f"  {count(counts.skipped, 'line')} skipped: readable, with nothing to keep"
    if source.hours:
        span = f"{_at(source.first)} to {_at(source.last)}"
        yield f"  {span}, {count(source.hours, 'hour')} with flows"
    if source.gaps:
        gaps = [f"{_at(each.since)} to {_at(each.until)}" for each in source.gaps]
        yield from wrapped(f"nothing in {listed(gaps, 5)}", look, "  ")
    if source.undated:
        yield f"  {source.undated:,} flows without a time"
    if source.raw < counts.flows:
        yield f"  {source.raw:,} flows are kept one by one; of the rest, the hours' sums are"


def _known(result: Status, connections: int, look: Look) -> Iterator[str]:
    yield "  ".join(f"{name} {number:,}" for name, number in result.connections.items())
    unknown = result.initiators.get("unknown", 0)
    if unknown:
        said = f"{_share(unknown, connections)} of which nobody knows who opened them"
        yield from wrapped(said, look)
    if result.halfway:
        said = (
            f"{_share(result.halfway, connections)} that the source's side let go, and of which "
            "the destination's side said nothing"
        )
        yield from wrapped(said, look)
    if result.ambiguous:
        said = f"{_share(result.ambiguous, connections)} with an address that several held then"
        yield from wrapped(said, look)
    for lost in result.lost:
        yield look.paint(_lost(lost), "yellow")
    if not result.lost:
        yield "no source says that it lost anything"


def _share(number: int, total: int) -> str:
    return f"{number:,} connections ({number / max(total, 1):.1%})"


def _lost(lost: Lost) -> str:
    where = f"node {lost.node}" if lost.node else "somewhere"
    what = f"{lost.events:,} events lost" if lost.events else "not everything was recorded"
    if lost.sampled > 1:
        what = f"one of {lost.sampled:,} recorded" + (f", {what}" if lost.events else "")
    reason = f": {lost.reason}" if lost.reason else ""
    return f"{where}, {_at(lost.since)} to {_at(lost.until)}: {what}{reason}"


def _at(time: datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M}"
