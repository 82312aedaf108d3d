"""How much speaks for a call, and how sure that makes it."""

from collections.abc import Iterable, Sequence

from cloison.analyses.draft.model import Hint, Sure
from cloison.analyses.past.course import HOUR
from cloison.analyses.past.link import LET, Link
from cloison.analyses.past.watch import Watch
from cloison.analyses.recommend.model import Evidence, Ground
from cloison.base.words import plural

_DAY = 24
_OFTEN = 10
"""Connections from which on it is a habit."""
_DAYS = 3
"""Days on which it was seen, likewise."""


def evidence(
    links: Sequence[Link], hints: Sequence[Hint], watch: Watch, *, contract: bool = False
) -> Evidence:
    """Return what speaks for a call.

    Args:
        links: What was seen of it.
        hints: What manifests say of it.
        watch: When anybody watched.
        contract: Whether the contract says it.
    """
    count = sum(_count(each, *LET) for each in links)
    hours = {hour for each in links for hour in each.allowed.hours}
    grounds = tuple(
        ground
        for ground, there in (
            (Ground.CONTRACT, contract),
            (Ground.MANIFEST, bool(hints)),
            (Ground.OBSERVED, count > 0),
        )
        if there
    )
    days = {hour // _DAY for hour in hours}
    watched = {hour // _DAY for hour in watch.hours}
    sure, why = _sure(grounds, hints, count, len(days), len(watched))
    return Evidence(
        grounds,
        count,
        sum(_count(each, "denied") for each in links),
        min((t for each in links if (t := each.first()) is not None), default=None),
        max((t for each in links if (t := each.last()) is not None), default=None),
        len(hours),
        len({s.source.pod for each in links for s in each.seen if s.source.pod is not None}),
        tuple(sorted({name for each in links for name in each.adapters})),
        tuple(dict.fromkeys(each.said for each in sorted(hints, key=lambda h: (-h.sure, h.said)))),
        sure,
        why,
    )


def _count(link: Link, *became: str) -> int:
    """Return how many connections became something, by the source that tells of most."""
    found: dict[tuple[str, ...], int] = {}
    for each in link.seen:
        if each.became in became:
            found[each.adapters] = found.get(each.adapters, 0) + each.count
    return max(found.values(), default=0)


def counts(links: Iterable[Link]) -> tuple[int, int]:
    """Return how many connections got through, and how many policy stopped."""
    some = tuple(links)
    return sum(_count(e, *LET) for e in some), sum(_count(e, "denied") for e in some)


def _sure(
    grounds: Sequence[Ground], hints: Sequence[Hint], count: int, days: int, watched: int
) -> tuple[Sure, str]:
    seen = f"seen on {days} of {plural(watched, 'watched day')}" if days else "seen"
    unseen = "and it was not seen" if watched else "and nobody watched"
    if Ground.CONTRACT in grounds:
        if count:
            return Sure.HIGH, f"the contract says it, {seen}"
        return Sure.HIGH, f"the contract says it, {unseen}"
    if not count:
        surest = max((each.sure for each in hints), default=Sure.LOW)
        return min(surest, Sure.MEDIUM), f"manifests say it, {unseen}"
    if hints:
        return Sure.HIGH, f"manifests say it, {seen}"
    if days >= _DAYS and count >= _OFTEN:
        return Sure.HIGH, seen
    if days > 1 or count >= _OFTEN:
        return Sure.MEDIUM, f"{seen}, which is little"
    return Sure.LOW, f"{seen}, {plural(count, 'time')} only"


def day_of(time: int) -> int:
    """Return the day since 1970 of a time in microseconds."""
    return time // (HOUR * _DAY)
