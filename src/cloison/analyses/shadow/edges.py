"""Recorded edges by what becomes of them under a candidate."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from cloison.analyses.ask import Question
from cloison.analyses.past.link import LET, Link, LinkKey, link_key
from cloison.analyses.reconcile.pairs import Placed
from cloison.analyses.reconcile.seen import Became, Seen
from cloison.analyses.shadow.judging import Asked, Asker, Judge
from cloison.analyses.shadow.model import UNTOLD, Edge, Fate, Told, Was
from cloison.analyses.shadow.sides import Sides, alike
from cloison.analyses.shadow.weighing import Scales
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict

_BECAME: dict[Was, tuple[Became, ...]] = {
    Was.LET: LET,
    Was.DENIED: ("denied",),
    Was.UNKNOWN: ("error", "unknown"),
}
_WAS = {became: was for was, some in _BECAME.items() for became in some}
_NOT_LET = (Fate.DENIED, Fate.UNDETERMINED, Fate.ALIKE, Fate.UNCLEAR, Fate.STILL)
"""Fates of which it is told what does not let them through."""

_PLACE = {fate: place for place, fate in enumerate(Fate)}

_Group = tuple[LinkKey, Was, Verdict | None, Verdict, bool]


@dataclass(frozen=True)
class Judged:
    """An observed edge with its verdicts.

    Args:
        asked: The edge, as it was asked about under the candidate.
        before: What policies of today make of it; None where its ends are not there today.
        after: What the candidate makes of it.
        alike: Whether nobody can say of either, and both decide the same, whatever is requested.
    """

    asked: Asked
    before: Verdict | None
    after: Verdict
    alike: bool = False


Today = Mapping[Hashable, tuple[Asked, Verdict]]
"""Edges and verdicts of today, by the identity of what was seen."""

_OPEN = (Verdict.UNDETERMINED, Verdict.MIXED)


def judged(
    here: Sequence[Placed], judge: Judge, before: Today, engine: Engine
) -> tuple[Judged, ...]:
    """Return observed edges with their verdicts.

    Args:
        here: The edges, with their ends under the candidate.
        judge: Says what the candidate makes of them.
        before: What is made of them today.
        engine: Who decides today.
    """
    asker = Asker(judge.engine)
    asked = [asker.asked(each) for each in here]
    verdicts = judge.verdicts(asked)
    return tuple(
        _compared(judge.engine, each, verdict, engine, before.get(each.placed.identity))
        for each, verdict in zip(asked, verdicts, strict=True)
    )


def _compared(
    after: Engine,
    asked: Asked,
    verdict: Verdict,
    before: Engine,
    was: tuple[Asked, Verdict] | None,
) -> Judged:
    if was is None:
        return Judged(asked, None, verdict)
    same = was[1] is verdict and verdict in _OPEN and alike(before, was[0], after, asked)
    return Judged(asked, was[1], verdict, same)


def today(here: Sequence[Placed], judge: Judge) -> dict[Hashable, tuple[Asked, Verdict]]:
    """Return verdicts on observed edges, by the identity of what was seen."""
    asker = Asker(judge.engine)
    asked = [asker.asked(each) for each in here]
    verdicts = judge.verdicts(asked)
    return {e.placed.identity: (e, v) for e, v in zip(asked, verdicts, strict=True)}


def edges(found: Iterable[Judged], engine: Engine, scales: Scales) -> tuple[Edge, ...]:
    """Return observed edges by what becomes of them, the worst first.

    Args:
        found: The edges with their verdicts.
        engine: Who decides under the candidate.
        scales: Tells what breaks when an edge is denied.
    """
    groups: dict[_Group, list[Judged]] = defaultdict(list)
    for each in found:
        placed = each.asked.placed
        was = _WAS[placed.seen.became]
        groups[link_key(placed), was, each.before, each.after, each.alike].append(each)
    told = _told(groups)
    sides = Sides(engine)
    every = [
        edge
        for group, some in groups.items()
        for edge in _edge(group, some, told[group[0]], sides, scales)
    ]
    return tuple(sorted(every, key=lambda edge: (_PLACE[edge.fate], edge.sort_key)))


def _edge(
    group: _Group,
    some: Sequence[Judged],
    told: Mapping[tuple[str, ...], int],
    sides: Sides,
    scales: Scales,
) -> Iterator[Edge]:
    key, was, before, after, same = group
    fate = Fate.ALIKE if same and was is not Was.UNKNOWN else _fate(was, after)
    if was is Was.UNKNOWN:
        some = [each for each in some if not _told_elsewhere(each.asked.placed.seen, told)]
    if not some:
        return
    first = some[0].asked.placed
    seen = tuple(each.asked.placed.seen for each in some)
    link = Link(key, first.source, first.destination, first.traffic, seen)
    yield Edge(
        fate,
        was,
        link,
        link.course(*_BECAME[was]),
        scales.weight(link),
        before,
        after,
        partial(sides.of, some[0].asked) if fate in _NOT_LET else _untold,
        _questions(some) if fate is Fate.DENIED else (),
        tuple(sorted({name for each in some for name in each.asked.nodes})),
    )


def _untold() -> Told:
    return UNTOLD


def _questions(some: Sequence[Judged]) -> tuple[Question, ...]:
    """Return the different questions that an edge stands for: one for each address outside."""
    found: dict[tuple[int, int], Question] = {}
    for each in some:
        key = (id(each.asked.source), id(each.asked.destination))
        if key not in found:
            found[key] = each.asked.question
    return tuple(found.values())


def _fate(was: Was, after: Verdict) -> Fate:
    if was is Was.UNKNOWN:
        return Fate.UNCLEAR
    if after is Verdict.DENIED:
        return Fate.DENIED if was is Was.LET else Fate.STILL
    if after is Verdict.ALLOWED:
        return Fate.PASSING if was is Was.LET else Fate.OPENED
    return Fate.UNDETERMINED


def _told(
    groups: Mapping[_Group, Sequence[Judged]],
) -> dict[LinkKey, dict[tuple[str, ...], int]]:
    """Return of how many connections of each edge each source says what became of them."""
    found: dict[LinkKey, dict[tuple[str, ...], int]] = defaultdict(lambda: defaultdict(int))
    for (key, was, *_), some in groups.items():
        for each in some:
            seen = each.asked.placed.seen
            found[key][seen.adapters] += seen.count if was is not Was.UNKNOWN else 0
    return found


def _told_elsewhere(seen: Seen, told: Mapping[tuple[str, ...], int]) -> bool:
    """Return whether another source says what became of as many connections, and these."""
    mine = told.get(seen.adapters, 0) + seen.count
    return any(number >= mine for source, number in told.items() if source != seen.adapters)
