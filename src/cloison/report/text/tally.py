"""`map --tiers` for people: who decides, tier by tier."""

from collections.abc import Iterator

from cloison.analyses.tiers import Handover, StageCount, StageKind, Tiers
from cloison.ir.policy import Direction
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import count, table, wrapped

_TITLES = {
    Direction.EGRESS: "Leaving a workload: {pairs}, decided by the policies of the source",
    Direction.INGRESS: "Entering a workload: {pairs}, decided by the policies of the destination",
}
_NAMES = {
    StageKind.BUILTIN: "(the enforcer's own rules)",
    StageKind.OPAQUE: "(policies not understood)",
    StageKind.DEFAULT: "(no tier decided)",
}
_HEAD = ("TIER", "COMES TO IT", "ALLOWS", "DENIES", "UNDETERMINED", "GOES ON")


def lines(result: Tiers, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of the count."""
    if not any(result.pairs.values()):
        yield "there is no pair of a workload and another end, so there is nothing to decide"
        yield from closing(about, look)
        return
    for direction, title in _TITLES.items():
        pairs = result.pairs[direction]
        yield look.paint(title.format(pairs=count(pairs, "pair")), "bold")
        rows = [_row(each, result) for each in result.counts if each.direction is direction]
        yield from table(_right([_HEAD, *rows]))
        yield ""
        for each in result.handovers:
            if each.direction is direction:
                yield from wrapped(_left(each, pairs), look)
                yield ""
    said = (
        "A pair is two workloads, or a workload and the outside, in one order; it counts wherever "
        "some of its TCP, UDP or SCTP traffic does."
    )
    yield from wrapped(said, look)
    if result.partial:
        yield "other pairs were not asked for"
    for caveat in result.caveats:
        yield from wrapped(caveat.text, look, f"caveat {caveat.id}: ", "  ")
    yield from closing(about, look)


def _row(each: StageCount, result: Tiers) -> tuple[str, ...]:
    name = each.stage.name or _NAMES[each.stage.kind]
    if len(result.layers) > 1:
        name = f"{result.layers[each.stage.layer]}: {name}"
    last = each.stage.kind is StageKind.DEFAULT
    numbers = (each.comes, each.allows, each.denies, each.undetermined, each.goes_on)
    return (name, *(str(n) if n else "-" for n in numbers[:-1]), "" if last else str(numbers[-1]))


def _right(rows: list[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Iterate over rows with their numbers put to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for name, *numbers in rows:
        yield (name, *(n.rjust(w) for n, w in zip(numbers, widths[1:], strict=True)))


def _left(each: Handover, pairs: int) -> str:
    share = round(100 * (each.whole + each.partly) / pairs)
    parts = [f"{each.whole} whole"] if each.whole else []
    parts += [f"{each.partly} in part"] if each.partly else []
    said = f" ({', '.join(parts)})" if parts else ""
    left = each.whole + each.partly
    return (
        f"Earlier tiers leave {left} of {count(pairs, 'pair')}, {share}%, to {each.tier}{said}, "
        f"the first tier with policies of namespaces, and decide {each.nothing} themselves."
    )
