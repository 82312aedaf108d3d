"""How much speaks for a call, and how sure that makes it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from cloison.analyses.draft.model import Hint, Sure
from cloison.analyses.past.course import HOUR
from cloison.analyses.past.link import LET, Link
from cloison.analyses.past.watch import Watch
from cloison.analyses.recommend.model import Evidence, Ground, OfPort
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
    by_port: dict[tuple[str, int], list[Link]] = defaultdict(list)
    for each in links:
        by_port[each.key.protocol, each.key.port].append(each)
    for hint in hints:
        if hint.edge.port is not None:
            by_port.setdefault((hint.edge.protocol, hint.edge.port), [])
    count, denied = counts(links)
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
    watched = len({hour // _DAY for hour in watch.hours})
    grounded = grounds if contract else ()
    told = {
        at: _of_port(some, hints, at, watched, grounded) for at, some in sorted(by_port.items())
    }
    if contract or not count:
        sure, why = _sure(grounds, hints, count, len({hour // _DAY for hour in hours}), watched)
    else:
        # Ports were seen apart: what speaks for one says nothing of another.
        apart = [each for at, each in told.items() if by_port[at]]
        least = min(apart, key=lambda each: each.sure)
        sure, why = least.sure, least.why
        if len({each.sure for each in apart}) > 1:
            why = f"{why}, on {least.port}"
    first, last = _span(links)
    return Evidence(
        grounds,
        count,
        denied,
        first,
        last,
        len(hours),
        len({s.source.pod for each in links for s in each.seen if s.source.pod is not None}),
        _sources(links),
        tuple(dict.fromkeys(each.said for each in sorted(hints, key=lambda h: (-h.sure, h.said)))),
        sure,
        why,
        tuple(told.values()),
    )


def _of_port(
    links: Sequence[Link],
    hints: Sequence[Hint],
    at: tuple[str, int],
    watched: int,
    grounds: Sequence[Ground],
) -> OfPort:
    """Return what speaks for a call on one of its ports."""
    mine = [each for each in hints if (each.edge.protocol, each.edge.port) == at]
    days = {hour // _DAY for each in links for hour in each.allowed.hours}
    count, _ = counts(links)
    sure, why = _sure(grounds, mine, count, len(days), watched)
    return OfPort(_said(at), count, *_span(links), _sources(links), sure, why)


def _span(links: Sequence[Link]) -> tuple[int | None, int | None]:
    """Return when edges were seen first and last."""
    return (
        min((t for each in links if (t := each.first()) is not None), default=None),
        max((t for each in links if (t := each.last()) is not None), default=None),
    )


def _sources(links: Sequence[Link]) -> tuple[str, ...]:
    return tuple(sorted({name for each in links for name in each.adapters}))


def _said(at: tuple[str, int]) -> str:
    """Return a port for people.

    >>> _said(("TCP", 80)), _said(("ICMP", -1))
    ('80/TCP', 'ICMP')
    """
    protocol, port = at
    return protocol if port < 0 else f"{port}/{protocol}"


def counts(links: Iterable[Link]) -> tuple[int, int]:
    """Return how many connections got through, and how many policy stopped."""
    some = tuple(links)
    return sum(e.count(*LET) for e in some), sum(e.count("denied") for e in some)


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
        if not hints:
            return Sure.LOW, f"the platform needs it, {unseen}"
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
