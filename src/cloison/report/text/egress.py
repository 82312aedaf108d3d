"""`egress` for people: how much is open, then by whom to what, then what is too wide."""

from collections import Counter
from collections.abc import Iterator, Sequence

from cloison.algebra import EVERY_ADDRESS
from cloison.analyses.egress.called import called
from cloison.analyses.egress.findings import direct
from cloison.analyses.egress.model import Destination, Egress, Leaver, Reach, Seen
from cloison.ir.fidelity import Verdict
from cloison.platform.ranges import NamedRange
from cloison.report.about import About, Judged, Look
from cloison.report.text.closing import closing
from cloison.report.text.judged import findings, tally
from cloison.report.text.layout import at, count, listed, wrapped
from cloison.report.text.map import addresses_text

_WORDS = {
    Reach.EVERYTHING: "the whole internet, on every port",
    Reach.INTERNET: "the whole internet or most of it, on some ports",
    Reach.SOME: "restricted",
    Reach.UNDETERMINED: "nothing for certain",
    Reach.NONE: "nothing",
}
_NAMED = 12
"""Workloads that are named where many are alike."""
_STYLES = {Reach.EVERYTHING: ("bold", "red"), Reach.INTERNET: ("yellow",)}


def lines(result: Judged[Egress], about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of where workloads may go."""
    found = result.answer
    yield from wrapped(summary(found), look, "", "  ")
    told = _told(found)
    if told is not None:
        yield from wrapped(told, look, "", "  ")
    usual = _usual(found.workloads)
    for one in usual:
        yield from wrapped(_seen(one), look, "seen outside as: ", "  ")
        yield from wrapped(one.detail, look, "  ") if one.detail else ()
    if found.proxies:
        names = listed([str(name) for name in found.proxies])
        yield from wrapped(names, look, "ways out that others use: ", "  ")
    if found.gateways:
        yield from wrapped(listed(found.gateways), look, "egress gateways: ", "  ")
    for members in _alike(found.workloads):
        yield ""
        yield from _group(members, found.ranges, usual, look)
    silent = [str(each.id) for each in found.workloads if each.reach is Reach.NONE]
    if silent:
        yield ""
        yield from wrapped(_many(silent), look, "nothing outside is open to: ", "  ")
    if result.findings or (result.suppressed and result.show_suppressed):
        yield ""
        yield from findings(result, look)
    else:
        yield ""
    for said in found.lacking:
        yield from wrapped(said, look, "note: ")
    for caveat in found.caveats:
        yield from wrapped(caveat.text, look, f"caveat {caveat.id}: ", "  ")
    yield tally(result)
    yield from closing(about, look)


def summary(found: Egress) -> str:
    """Return how many workloads reach how much, in a sentence without its end."""
    counts = found.counts
    every, some = counts.get(Reach.EVERYTHING, 0), counts.get(Reach.INTERNET, 0)
    parts = [
        f"{every + some} open to the whole internet",
        f"{counts.get(Reach.SOME, 0)} restricted",
        f"{counts.get(Reach.NONE, 0)} none",
    ]
    if every and some:
        parts[0] += f" ({every} on every port, {some} on some)"
    elif every or some:
        parts[0] += f" (on {'every port' if every else 'some ports'})"
    if counts.get(Reach.UNDETERMINED, 0):
        parts.insert(2, f"{counts[Reach.UNDETERMINED]} undetermined")
    return f"{count(len(found.workloads), 'workload')}: {', '.join(parts)}"


def _told(found: Egress) -> str | None:
    """Return whether those that are told to use a proxy may go past it; None where none is."""
    users = [each for each in found.workloads if each.proxies and not each.is_proxy]
    if not users:
        return None
    past = sum(direct(each) for each in users)
    if len(users) == 1:
        may = "it may" if past else "it may not"
        return f"1 workload is told to use a proxy; {may} reach the internet without it"
    whom = f"{past} of them" if past else "none of them"
    said = f"{len(users)} workloads are told to use a proxy; {whom}"
    return f"{said} may reach the internet without it"


def _usual(workloads: Sequence[Leaver]) -> tuple[Seen, ...]:
    """Return the source addresses that are seen of most, to be said once."""
    held = Counter(each.seen for each in workloads if each.seen)
    if not held:
        return ()
    first, number = held.most_common(1)[0]
    return first if number > 1 else ()


def _alike(workloads: Sequence[Leaver]) -> list[list[Leaver]]:
    """Return workloads in groups of which the same is to be said, the most open first."""
    groups: dict[object, list[Leaver]] = {}
    for each in workloads:
        if each.reach is not Reach.NONE:
            key = (tuple(id(one) for one in each.outward), each.seen, each.owner)
            groups.setdefault((key, each.proxies, each.is_proxy), []).append(each)
    order = list(Reach)
    return sorted(groups.values(), key=lambda held: (order.index(held[0].reach), held[0].id))


def _group(
    members: Sequence[Leaver], ranges: Sequence[NamedRange], usual: tuple[Seen, ...], look: Look
) -> Iterator[str]:
    first = members[0]
    yield from wrapped(_many([str(each.id) for each in members]), look, "", "  ")
    yield f"  {look.paint(_WORDS[first.reach], *_STYLES.get(first.reach, ()))}"
    for number, outward in enumerate(first.outward, start=1):
        if len(first.outward) > 1:
            yield f"  pods of sort {number}, which other policies govern:"
        for place in outward.destinations:
            yield from _destination(place, ranges, look)
    for one in first.seen if first.seen != usual else ():
        yield from wrapped(_seen(one), look, "  seen outside as: ", "    ")
    if first.proxies:
        yield from wrapped(listed(first.proxies), look, "  told to use: ", "    ")
    if first.is_proxy:
        yield "  others use it as their way out"
    if first.owner:
        yield from wrapped(first.owner, look, "  owner: ")


def _destination(place: Destination, ranges: Sequence[NamedRange], look: Look) -> Iterator[str]:
    where = f"dns:{place.name}" if place.name else addresses_text(place.addresses)
    said = f"{where}  {place.traffic}"
    what = called(place.addresses, ranges).text
    if what and place.addresses != EVERY_ADDRESS:
        said += f"  ({what})"
    if place.requests:
        said += f"  with {place.requests}"
    if place.verdict is not Verdict.ALLOWED:
        doubts = ", ".join(c.id for c in place.caveats)
        said += f"  {place.verdict}{f': {doubts}' if doubts else ''}"
    yield from wrapped(said, look, "  -> ", "     ")
    for one in place.openers:
        owner = f", owner {one.owner}" if one.owner else ""
        yield from wrapped(f"{one.text}{at(one.span)}{owner}", look, "     by ", "        ")


def _seen(one: Seen) -> str:
    towards = f"towards {one.towards}: " if one.towards else ""
    source = f" ({one.source})" if one.source else ""
    return f"{towards}{one.text}{at(one.span)}{source}"


def _many(names: Sequence[str]) -> str:
    return listed(names, _NAMED)
