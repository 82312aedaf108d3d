"""`reconcile` for people: where intention, permission and observation disagree, the worst first."""

from collections.abc import Iterator, Sequence

from cloison.analyses.reconcile.asked import Asked
from cloison.analyses.reconcile.kinds import Cell, Evidence, Kind, State
from cloison.analyses.reconcile.marks import Mark, Status
from cloison.analyses.reconcile.reconciled import EXCESS, Reconciled
from cloison.analyses.reconcile.seen import Loss
from cloison.analyses.reconcile.surplus import Surplus
from cloison.base.words import some as some_of
from cloison.report.about import About, Look
from cloison.report.documents.reconciled import because, named, told_time, why
from cloison.report.text.closing import closing
from cloison.report.text.layout import at, count, listed, wrapped

STYLES: dict[str, tuple[str, ...]] = {
    Kind.CONTRADICTED: ("bold", "red"),
    Kind.BROKEN: ("bold", "red"),
    Kind.ATTEMPTED: ("bold", "red"),
    Kind.UNDOCUMENTED: ("bold", "yellow"),
    Kind.UNDETERMINED: ("bold", "yellow"),
    EXCESS: ("bold",),
    Kind.UNUSED: ("cyan",),
    Kind.UNOBSERVED: ("cyan",),
    Kind.HEALTHY: ("green",),
}
_SHORT = (Kind.UNUSED, Kind.UNOBSERVED, Kind.HEALTHY)
"""Kinds of which a line each is enough."""
_FEW = 3
"""What decides, as much of it as is shown."""
_MOST = 12
"""Cells of a kind that are shown, and lines of excess."""


def lines(result: Reconciled, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of what was reconciled."""
    yield from head(result, look)
    told = result.told()
    for kind in Kind:
        found = [each for each in told if each[0].kind is kind]
        if kind is Kind.HEALTHY and not result.kinds:
            continue
        yield from _kind(kind, found, result, look)
    yield from _excess(result, look)
    yield from _sources(result.marks, look)
    yield from _left_over(result, look)
    yield ""
    yield from measures(result, look)
    yield from closing(about, look)


def head(result: Reconciled, look: Look) -> Iterator[str]:
    """Iterate over the lines that say what was compared, and what it came to."""
    for sentence in summary(result):
        yield from wrapped(sentence, look, "", "  ")


def summary(result: Reconciled) -> Iterator[str]:
    """Iterate over the sentences that say what was compared, and what it came to."""
    said = [f"{number} {kind}" for kind, number in result.counts.items() if number] or ["no cell"]
    name = f"contract {' and '.join(result.contracts)}" if result.contracts else "the contract"
    excess = len(result.excess)
    more = f"; {count(excess, 'line')} of excess" if excess else ""
    yield f"{name}: {', '.join(said)}{more}"
    yield _flows(result)
    yield from _doubts(result)


def _flows(result: Reconciled) -> str:
    if result.store is None:
        return "no flows were read, so what is observed is not known: see cloison flows ingest"
    by = f" ({', '.join(result.adapters)})" if result.adapters else ""
    seen = [cell.evidence for cell in result.cube.cells if cell.evidence]
    first = min((e.first for e in seen if e.first is not None), default=None)
    last = max((e.last for e in seen if e.last is not None), default=None)
    if not result.seen:
        when = f" of {' to '.join(_ends(result))}" if any(result.span) else ""
        return f"there are no flows{when} in {result.store}, so what is observed is not known"
    when = "" if first is None else f", seen from {told_time(first)} to {told_time(last)}"
    return f"flows of {result.store}{by}{when}"


def _ends(result: Reconciled) -> tuple[str, str]:
    since, until = map(told_time, result.span)
    return since or "the first", until or "the last"


def _doubts(result: Reconciled) -> Iterator[str]:
    """Yield what flows do not tell, or are all that tells it."""
    lost = [each for each in result.lost if not each.gap]
    events = sum(each.events for each in lost)
    if lost:
        why = ", ".join(sorted({each.reason for each in lost if each.reason}))
        many = f"{events:,} lost by sources" if events else "sources kept a sample"
        by = f" ({why})" if why else ""
        yield f"{many}{by}{_where(result, lost)}: what was not seen may have been"
    gaps = [each for each in result.lost if each.gap]
    if gaps:
        times = [f"{told_time(each.since)} to {told_time(each.until)}" for each in gaps[:_FEW]]
        more = f" and {len(gaps) - _FEW} times more" if len(gaps) > _FEW else ""
        by = ", ".join(sorted({each.reason for each in gaps}))
        yield (
            f"not one record of {', '.join(times)}{more} ({by}){_where(result, gaps)}, though "
            "there are many of other hours: what was not seen may have been"
        )
    if result.learned:
        yield f"addresses as flows show them: {listed(list(result.learned))}"


def _where(result: Reconciled, lost: Sequence[Loss]) -> str:
    """Return on which nodes something was lost, and for whom that counts."""
    nodes = sorted({each.node for each in lost if each.node is not None})
    if not nodes or any(each.node is None for each in lost):
        return ""
    some = f" on {some_of(nodes)}"
    if result.cube.missed is None:
        return f"{some} (which workloads have pods there is not known)"
    return f"{some} (it counts for {count(len(result.cube.missed), 'workload')} there)"


def _kind(
    kind: Kind, found: Sequence[tuple[Cell, Asked]], result: Reconciled, look: Look
) -> Iterator[str]:
    if not found:
        return
    limit = len(found) if result.kinds else _MOST
    word = look.paint(str(kind), *STYLES[kind])
    if kind in _SHORT:
        yield ""
        for cell, asked in found[:limit]:
            yield from wrapped(f"{_edge(cell)}{_owned(cell)}", look, f"{word}: ", "  ")
            yield from _decided(asked, result, look, "  ")
    else:
        for cell, asked in found[:limit]:
            yield ""
            yield from wrapped(_edge(cell), look, f"{word}: ", "  ")
            yield from _evidence(cell, asked, result, look)
    if len(found) > limit:
        yield f"and {len(found) - limit} more {kind}: --kind {kind} shows all"


def _edge(cell: Cell) -> str:
    some = " (for some of them)" if cell.state is State.PARTLY else ""
    asks = " (with some requests)" if cell.conditional else ""
    return f"{cell.names[0]} -> {cell.names[1]} on {cell.traffic}{some}{asks}"


def _owned(cell: Cell) -> str:
    names = [f"{e.name}{f' ({e.owner})' if e.owner else ''}" for e in cell.intended]
    return f", for {listed(names)}" if names else ""


def _evidence(cell: Cell, asked: Asked, result: Reconciled, look: Look) -> Iterator[str]:
    for one in cell.intended:
        owner = f", {one.owner}" if one.owner else ""
        yield from wrapped(f"{one.name}{owner}{at(one.span)}", look, "  intended: ", "    ")
    yield from wrapped(observed(cell, result), look, "  observed: ", "    ")
    yield from _decided(asked, result, look, "  ")


def _decided(asked: Asked, result: Reconciled, look: Look, indent: str) -> Iterator[str]:
    """Yield what decides, what it stands on, and the command that shows it."""
    then = f"{indent}  "
    if asked.denied:
        yield from wrapped(asked.denied, look, f"{indent}denied: ", then)
    said = because(asked.deciders)
    for each in said[:_FEW]:
        yield from wrapped(each, look, f"{indent}by: ", then)
    if len(said) > _FEW:
        yield f"{indent}and {len(said) - _FEW} more"
    for caveat in asked.caveats:
        yield from wrapped(caveat.text, look, f"{indent}caveat {caveat.id}: ", then)
    if asked.words:
        yield f"{indent}see: {why(asked, result)}"


def observed(cell: Cell, result: Reconciled) -> str:
    """Return what flows say of a cell, in words."""
    found, cube = cell.evidence, result.cube
    if found or found.ambiguous or not cube.observed:
        return seen_text(found, result)
    if not cube.covered(cell):
        return "not covered: no source tells of either end"
    return "never" if cube.whole(cell.source, cell.destination) else "never, but flows were lost"


def seen_text(found: Evidence, result: Reconciled) -> str:
    """Return what flows say, in words."""
    if not result.cube.observed:
        return "not known"
    parts = [
        f"{number:,} {word}"
        for word, number in (
            ("got through", found.allowed),
            ("denied", found.denied),
            ("audited", found.audited),
            ("of which nobody says more", found.other),
            ("of doubtful address", found.ambiguous),
        )
        if number
    ]
    if not parts:
        return "never"
    when = ""
    if found.first is not None:
        when = f", {told_time(found.first)} to {told_time(found.last)}"
    closed = "; it got through before, and does not any more" if found.closed else ""
    return f"{', '.join(parts)}{when} ({', '.join(found.adapters)}){closed}"


def _excess(result: Reconciled, look: Look) -> Iterator[str]:
    found = [line for line in result.told_excess() if line.permitted]
    limit = len(found) if result.kinds else _MOST
    word = look.paint(EXCESS, *STYLES[EXCESS])
    for unobserved, use in (
        (False, " or uses it"),
        (True, "; whether it is used is not known"),
    ):
        some = [line for line in found[:limit] if line.unobserved is unobserved]
        if some:
            yield ""
            yield f"{word}: permitted, and nobody means it{use}"
        for line in some:
            yield from wrapped(reach(line), look, "  ", "    ")
            yield from _decided(line.asked, result, look, "    ")
    if len(found) > limit:
        yield f"and {count(len(found) - limit, 'more line')}: --kind excess shows all"


def reach(line: Surplus, most: int = 8) -> str:
    """Return who may call whom with what, in words."""
    source, destination = (
        listed([str(end) for end in side], most) for side in (line.sources, line.destinations)
    )
    each = "each " if len(line.sources) > 1 else ""
    return f"{source} -> {f'{each}itself' if line.itself else destination} on {line.traffic}"


def _sources(marks: Sequence[Mark], look: Look) -> Iterator[str]:
    if not marks:
        return
    yield ""
    yield f"sources that the path model assumes: {statuses(marks)}"
    for mark in marks:
        if mark.status is Status.REFUTED:
            word = look.paint("refuted", "bold", "red")
            yield from wrapped(refuted(mark), look, f"  {word}: ", "    ")
    unseen = [mark.assumed.of for mark in marks if mark.status is Status.UNSEEN]
    if unseen and len(unseen) < len(marks):
        yield from wrapped(listed(list(dict.fromkeys(unseen))), look, "  unseen: ", "    ")


def statuses(marks: Sequence[Mark]) -> str:
    """Return how many assumed sources are confirmed, refuted and unseen."""
    counted = ((status, sum(mark.status is status for mark in marks)) for status in Status)
    return ", ".join(f"{number} {status}" for status, number in counted if number)


def refuted(mark: Mark) -> str:
    """Return what was assumed of a source, and who called instead."""
    one = mark.assumed
    text = f"{one.of}: {named(one.source)} -> {named(one.destination)} on {one.traffic}"
    return f"{text}, but {', '.join(mark.called)} did ({one.why})"


def _left_over(result: Reconciled, look: Look) -> Iterator[str]:
    for missing in result.cube.unmet:
        yield ""
        yield from wrapped(f"{missing.entry.name}: {missing.message}", look, "unmet: ", "  ")
    if not result.cube.unplaced:
        return
    yield ""
    total = sum(each.seen.count for each in result.cube.unplaced)
    edges = count(len(result.cube.unplaced), "observed edge")
    yield f"in no cell: {edges} ({count(total, 'connection')})"
    ranked = reasons(result)
    for reason, number in ranked[:_MOST]:
        yield from wrapped(f"{number:,}: {reason}", look, "  ", "    ")
    if len(ranked) > _MOST:
        yield f"  and {len(ranked) - _MOST} more reasons; -o json has all"


def reasons(result: Reconciled) -> list[tuple[str, int]]:
    """Return why edges are in no cell, with how many connections each is of, most first."""
    alike: dict[str, int] = {}
    for each in result.cube.unplaced:
        alike[each.why] = alike.get(each.why, 0) + each.seen.count
    return sorted(alike.items(), key=lambda item: (-item[1], item[0]))


def measures(result: Reconciled, look: Look) -> Iterator[str]:
    """Iterate over the lines that say it in numbers."""
    for word, sentence in numbers(result):
        yield from wrapped(sentence, look, f"{word}: ", "  ")


def numbers(result: Reconciled) -> Iterator[tuple[str, str]]:
    """Iterate over what is measured, and what it comes to."""
    found = result.measures
    yield (
        "least privilege",
        (
            f"excess {found.excess:.0%} ({found.permitted - found.needed} of {found.permitted} "
            f"permitted), segmentedness {found.segmentedness:.0%}, "
            f"ports a pair {found.ports_allowed:.2f} open and {found.ports_used:.2f} needed"
        ),
    )
    worst = "" if found.one_hop.of is None else f" ({found.one_hop.of})"
    yield (
        "blast radius",
        (
            f"{found.one_hop.mean:.1f} of {found.workloads} workloads in one hop, at most "
            f"{found.one_hop.worst}{worst}; {found.any_hops.mean:.1f} through others; from outside "
            f"{found.from_outside}, and {found.from_outside_hops} through others; to data from "
            f"{found.to_data:.1f}, and {found.to_data_hops:.1f} through others"
        ),
    )
