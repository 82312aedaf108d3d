"""`effective` for people: what governs one workload, in one place."""

from collections.abc import Iterator

from cloison.analyses.effective import Effective, Entry, Section, Side
from cloison.ir.policy import Action, Direction
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import count, listed, table, wrapped

_NEAREST = 2
"""Policies that do not select the workload which are shown."""


def lines(result: Effective, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of what governs a workload."""
    yield f"{look.paint(result.endpoint, 'bold')}  {result.workload.kind}"
    for note in result.notes:
        yield from wrapped(note, look, "note: ")
    for section in result.sections:
        yield ""
        if len(result.sections) > 1:
            yield from wrapped(listed(section.pods), look, f"{count(len(section.pods), 'pod')}: ")
        yield from _section(section, look)
    caveats = sorted({c for s in result.sections for side in s.sides for c in side.caveats})
    caveats += [c for c in sorted(result.known) if c not in caveats]
    if caveats:
        yield ""
    for caveat in caveats:
        yield from wrapped(caveat.text, look, f"caveat {caveat.id}: ", "  ")
    yield ""
    yield from closing(about, look)


def _section(section: Section, look: Look) -> Iterator[str]:
    labels = ", ".join(f"{k}={v}" for k, v in section.labels)
    yield from wrapped(labels or "none", look, "labels: ")
    if section.remark:
        yield from wrapped(section.remark, look, "")
    if section.selecting:
        yield f"{count(len(section.selecting), 'policy')} select" + (
            "s it:" if len(section.selecting) == 1 else " it:"
        )
        yield from table(
            [
                (
                    str(s.policy),
                    " and ".join(str(d) for d in s.isolates) or "isolates nothing",
                    s.span.place if s.span else "",
                    s.remark or "",
                )
                for s in section.selecting
            ],
            indent="  ",
        )
    else:
        yield "no policy selects it"
    for side in section.sides:
        yield ""
        yield from _side(side, look)
    for other in section.others[:_NEAREST]:
        yield ""
        place = f"  {look.paint(other.span.place, 'cyan')}" if other.span else ""
        yield f"does not select it: {other.policy}{place}"
        yield from wrapped(other.text, look, "  ")
    rest = section.more + max(len(section.others) - _NEAREST, 0)
    if rest:
        yield f"nor {'does' if rest == 1 else 'do'} {count(rest, 'other')} of the namespace"


def _side(side: Side, look: Look) -> Iterator[str]:
    yield from wrapped(
        side.text, look, f"{look.paint(str(side.direction).upper(), 'bold')}  ", "  "
    )
    if not side.isolated:
        return
    word = "FROM" if side.direction is Direction.INGRESS else "TO"
    rows = [(word, "TRAFFIC", "WHO THAT IS")]
    rows += [(_peer(e), e.traffic, _means(e)) for e in side.entries]
    head, *body = table(rows, indent="  ")
    yield head
    for entry, line in zip(side.entries, body, strict=True):
        yield line
        for source in entry.sources:
            place = f"  {look.paint(source.span.place, 'cyan')}" if source.span else ""
            yield f"    {source.text}{place}"
        if entry.remark:
            yield from wrapped(entry.remark, look, "    ! ")
    if side.otherwise:
        yield from wrapped(side.otherwise, look, "  otherwise: ", "    ")


def _peer(entry: Entry) -> str:
    return entry.peer if entry.action is Action.ALLOW else f"{entry.action}: {entry.peer}"


def _means(entry: Entry) -> str:
    """Say whom a selector, or a block, comes to."""
    known = entry.resolved
    if known.kind in ("pods", "nodes", "block"):
        return known.text
    return ""
