"""How much speaks for a call, and how sure that makes it."""

from collections import defaultdict
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
    by_port: dict[tuple[str, int], list[Link]] = defaultdict(list)
    for each in links:
        by_port[each.key.protocol, each.key.port].append(each)
    counted = {at: sum(each.count(*LET) for each in some) for at, some in by_port.items()}
    count = sum(counted.values())
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
    if contract or not count:
        sure, why = _sure(grounds, hints, count, len({hour // _DAY for hour in hours}), watched)
    else:
        # Ports were seen apart: what speaks for one says nothing of another.
        told = {at: _of_port(some, hints, at, watched) for at, some in sorted(by_port.items())}
        at, (sure, why) = min(told.items(), key=lambda item: item[1][0])
        if len({each for each, _ in told.values()}) > 1:
            why = f"{why}, on {_said(at)}"
    told_apart = len(set(counted.values())) > 1
    return Evidence(
        grounds,
        count,
        sum(each.count("denied") for each in links),
        min((t for each in links if (t := each.first()) is not None), default=None),
        max((t for each in links if (t := each.last()) is not None), default=None),
        len(hours),
        len({s.source.pod for each in links for s in each.seen if s.source.pod is not None}),
        tuple(sorted({name for each in links for name in each.adapters})),
        tuple(dict.fromkeys(each.said for each in sorted(hints, key=lambda h: (-h.sure, h.said)))),
        sure,
        why,
        tuple((_said(at), n) for at, n in sorted(counted.items())) if told_apart else (),
    )


def _of_port(
    links: Sequence[Link], hints: Sequence[Hint], at: tuple[str, int], watched: int
) -> tuple[Sure, str]:
    """Return how sure a call is on one of its ports."""
    mine = [each for each in hints if (each.edge.protocol, each.edge.port) == at]
    days = {hour // _DAY for each in links for hour in each.allowed.hours}
    count = sum(each.count(*LET) for each in links)
    return _sure((), mine, count, len(days), watched)


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
