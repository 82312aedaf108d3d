"""`lab trace` for people: what a connection met, beside what was predicted."""

from collections.abc import Iterator

from cloison.analyses.explain import Decider
from cloison.analyses.measured import Arrival
from cloison.analyses.traced import Met, Trace
from cloison.ir.policy import Direction
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import count, listed, table, wrapped
from cloison.report.text.measured import named

_POLICIES = 3
_STYLE = {
    Arrival.OPEN: "green",
    Arrival.REFUSED: "green",
    Arrival.FORBIDDEN: "red",
    Arrival.DROPPED: "red",
}


def lines(result: Trace, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of a trace."""
    cell = result.cell
    came = str(cell.arrival or "not sent").upper()
    style = _STYLE.get(cell.arrival, "yellow") if cell.arrival else "yellow"
    yield f"{look.paint(came, 'bold', style)}  {named(cell.flow)}"
    ends = f"from {cell.flow.address} to {cell.flow.target}"
    measured = f"measured {cell.measured}" if cell.measured else "which proves nothing"
    yield f"{ends}: {measured}, predicted {cell.predicted}"
    if cell.reason:
        yield from wrapped(cell.reason, look, "  ")
    if cell.control is not None:
        yield f"  control: {named(cell.control.flow)} arrived (same {cell.control.same})"
    yield ""
    if result.met:
        yield from table([("WAY", "PACKETS", "COUNTED BY", "PREDICTED"), *map(_row, result.met)])
        yield ""
        yield from _places(result)
    else:
        yield "no rule counted a packet, and none was predicted to"
        yield ""
    for note in result.notes:
        yield from wrapped(note, look, "note: ")
    if result.others:
        flows = count(result.others, "flow")
        yield from wrapped(f"the question means {flows} more; this one was sent", look, "note: ")
    yield look.paint(verdict(result), "bold", *([] if result.agrees else ["red"]))
    yield from closing(about, look)


def verdict(result: Trace) -> str:
    """Return how what was seen compares with what was predicted, in a sentence."""
    if result.cell.measured is None:
        return "nothing is proven either way"
    if result.cell.measured is not result.cell.predicted:
        return "the kernel DISAGREES with the prediction: please report it"
    if not result.same_way:
        return "it ends as predicted, but by OTHER RULES than predicted: please report it"
    if not result.compared:
        return "it ends as predicted; whose rules it meets depends on which pod answers"
    return "it went as predicted, by the rules that were predicted"


_WAYS = {Direction.EGRESS: "leaving", Direction.INGRESS: "entering", None: "elsewhere"}


def _row(met: Met) -> tuple[str, str, str, str]:
    packets = ", ".join(str(each.packets) for each in met.counted) or "0"
    counted = ", ".join(each.decider.text for each in met.counted) or "nothing"
    predicted = listed([d.text for d in met.predicted], 3) or "nothing"
    mark = "" if met.agrees else "  <- DIFFERS"
    same = [c.decider.text for c in met.counted] == [d.text for d in met.predicted]
    return _WAYS[met.direction], packets, counted, ("the same" if same else predicted) + mark


def _places(result: Trace) -> Iterator[str]:
    """Say where the rules on the way are written."""
    said: dict[Decider, None] = {}
    for met in result.met:
        said.update(dict.fromkeys((*(each.decider for each in met.counted), *met.predicted)))
    # Of a tier's end, some of the policies because of which it is met.
    ways = {met.direction for met in result.met}
    because = [d for d in result.cell.decided_by if d.rule is None and d.direction in ways]
    said.update(dict.fromkeys(because[:_POLICIES]))
    rows = [(decider.text, decider.span.place) for decider in said if decider.span]
    if rows:
        yield from table(rows, indent="  ")
        if len(because) > _POLICIES:
            yield f"  and {count(len(because) - _POLICIES, 'policy')} more"
        yield ""
