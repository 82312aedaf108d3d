"""`effective` for people: what governs one workload, in one place."""

from collections.abc import Iterator, Sequence

from cloison.analyses.effective import Effective, Section, Selecting, Side
from cloison.analyses.entries import Entry
from cloison.ir.policy import Action, Direction
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import count, listed, table, wrapped

TOLD = ("pods", "nodes", "block", "groups", "several")
"""Kinds of peers that stand for somebody else than what they say."""
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
                    s.policy.said,
                    _governed(s),
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
        yield f"does not select it: {other.policy.said}{place}"
        yield from wrapped(other.text, look, "  ")
    rest = section.more + max(len(section.others) - _NEAREST, 0)
    if rest:
        yield f"nor {'does' if rest == 1 else 'do'} {count(rest, 'other')} of the namespace"


def _side(side: Side, look: Look) -> Iterator[str]:
    yield from wrapped(
        side.text, look, f"{look.paint(str(side.direction).upper(), 'bold')}  ", "  "
    )
    if side.tiers:
        yield from _tiers(side, look)
        return
    if not side.isolated:
        return
    yield from _entries(side.entries, side.direction, look, "  ")
    if side.otherwise:
        yield from wrapped(side.otherwise, look, "  otherwise: ", "    ")


def _governed(known: Selecting) -> str:
    if known.isolates or not known.governs:
        return " and ".join(str(d) for d in known.isolates) or "isolates nothing"
    return f"has rules for {' and '.join(str(d) for d in known.governs)}"


def _tiers(side: Side, look: Look) -> Iterator[str]:
    """Iterate over the tiers in turn, each with what it says and what it leaves."""
    always = [entry for entry in side.entries if entry.tier is None]
    if always:
        yield "  before every tier"
        yield from _entries(always, side.direction, look, "    ")
    several = len({tier.layer for tier in side.tiers}) > 1
    for tier in side.tiers:
        layer = f" ({tier.layer})" if several else ""
        lead = f"  {look.paint(f'tier {tier.name}', 'bold')}{layer}: "
        names = listed([source.text for source in tier.policies])
        yield from wrapped(names, look, lead, "    ")
        if not tier.asked:
            yield "    not asked: an earlier tier decides on everything"
            continue
        entries = [entry for entry in side.entries if entry.tier == tier.name]
        if entries:
            yield from _entries(entries, side.direction, look, "    ", action=True)
        yield from wrapped(tier.otherwise, look, "    ", "    ")
    if side.otherwise:
        yield from wrapped(side.otherwise, look, "  at last: ", "    ")


def _entries(
    entries: Sequence[Entry], direction: Direction, look: Look, indent: str, *, action: bool = False
) -> Iterator[str]:
    word = "FROM" if direction is Direction.INGRESS else "TO"
    rows: list[tuple[str, ...]] = [(word, "TRAFFIC", "WHO THAT IS")]
    if action:
        rows = [("DOES", *rows[0])]
        rows += [(str(e.action), e.peer, e.traffic, _means(e)) for e in entries]
    else:
        rows += [(_peer(e), e.traffic, _means(e)) for e in entries]
    head, *body = table(rows, indent=indent)
    yield head
    for entry, line in zip(entries, body, strict=True):
        yield line
        for source in entry.sources:
            place = f"  {look.paint(source.span.place, 'cyan')}" if source.span else ""
            yield f"{indent}  {source.text}{place}"
        if entry.remark:
            yield from wrapped(entry.remark, look, f"{indent}  ! ")


def _peer(entry: Entry) -> str:
    return entry.peer if entry.action is Action.ALLOW else f"{entry.action}: {entry.peer}"


def _means(entry: Entry) -> str:
    """Say whom a selector, or a block, comes to."""
    known = entry.resolved
    if known.kind in TOLD:
        return known.text
    return ""
