"""`lab apply` for people: what was changed, and what became of traffic."""

from collections.abc import Iterable, Iterator, Sequence

from cloison.analyses.applied import Applied, Changed, Deed, Held
from cloison.analyses.measured import Agreement
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import count, table, wrapped
from cloison.report.text.measured import alike, cell_lines, named

_HELD = {Held.LIVED: "lives on", Held.DIED: "was cut", Held.NONE: ""}


def lines(result: Applied, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of a change."""
    for done in result.done:
        if done.deed is not Deed.UNCHANGED:
            yield f"{done.deed} {done.kind} {done.name}"
    same = sum(done.deed is Deed.UNCHANGED for done in result.done)
    if same:
        yield f"{count(same, 'object')} as {'it was' if same == 1 else 'they were'}"
    yield f"packet filters replaced on {count(len(result.nodes), 'node')}"
    yield ""
    if result.flows:
        head = ("NOW", "FLOW", "NEW CONNECTION", "OPEN CONNECTION")
        yield from table([head, *map(_row, _alike(result.flows))])
        if result.more:
            yield f"and {result.more} more that were not tried"
        yield ""
    odd = [each for each in result.flows if each.cell.agreement is not Agreement.AGREES]
    for group in alike(each.cell for each in odd):
        yield from cell_lines(group, look)
    if odd:
        yield ""
    for note in result.notes:
        yield from wrapped(note, look, "note: ")
    yield from wrapped(_keeps(result), look)
    yield look.paint(verdict(result), "bold", *(["red"] if result.differs else []))
    yield from closing(about, look)


def verdict(result: Applied) -> str:
    """Return how what was tried compares with what was predicted, in a sentence."""
    if not result.flows:
        return "no flow on a declared port has changed"
    if result.surprising:
        said = "lives on" if result.keeps is False else "was cut"
        return f"a connection {said}, against what the profile says: please report it"
    if result.differs:
        return "the kernel DISAGREES with the prediction: please report it"
    if not result.agrees:
        return "some of it proves nothing"
    return f"{count(len(result.flows), 'flow')} tried, as predicted"


def _keeps(result: Applied) -> str:
    if result.keeps is None:
        return (
            "the profile does not say what becomes of connections that are open; the lab keeps them"
        )
    if result.keeps:
        return "connections that are open stay open, as the profile says"
    return "connections that are open are judged anew, as the profile says"


def _alike(flows: Iterable[Changed]) -> list[list[Changed]]:
    """Return flows in groups that differ in nothing but the address family."""
    groups: dict[object, list[Changed]] = {}
    for each in flows:
        cell = each.cell
        key = (str(cell.flow), each.opened, cell.arrival, cell.agreement, each.held)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def _row(group: Sequence[Changed]) -> tuple[str, str, str, str]:
    known, cell = group[0], group[0].cell
    mark = "" if cell.agreement is Agreement.AGREES else f" ({cell.agreement})"
    came = str(cell.arrival or "not sent")
    word = "open" if known.opened else "closed"
    return word, named(*(each.cell.flow for each in group)), came + mark, _HELD[known.held]
