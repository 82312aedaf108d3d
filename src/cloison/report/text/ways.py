"""The hops of a call for people."""

from collections.abc import Iterator, Sequence

from cloison.analyses.ask import Explanation
from cloison.analyses.paths.model import Hop, HopRole, Way
from cloison.ir.fidelity import Verdict
from cloison.report.about import Look
from cloison.report.text.layout import verdict, wrapped

_ROLES = {
    HopRole.LOOKUP: "looks up the name",
    HopRole.NODE: "arrives at the node, where some policies see it before it is translated",
    HopRole.ENTRY: "reaches the gateway",
    HopRole.BACKEND: "the gateway reaches its backend",
    HopRole.PROXY: "reaches its proxy",
    HopRole.CALL: "the call itself",
}
_SOME = "On some ways no policy is to blame"
_EVEN = "Nothing arrives even where policies let it pass"
_OPEN = "It is not known"
_MOST = 8
"""Ways that are shown of many, those that fail before the others."""
_BADNESS = (Verdict.DENIED, Verdict.MIXED, Verdict.UNDETERMINED, Verdict.ALLOWED)


def stopped(result: Explanation) -> Iterator[str]:
    """Say why nothing arrives, in a sentence each, where that is no policy's doing."""
    counting = [way for way in result.ways if not way.copy] or result.ways
    ends = [way for way in counting if way.stop is not None]
    lead = "No policy is to blame" if len(ends) == len(counting) else _SOME
    said = (
        (_words(way, lead, _EVEN, _OPEN), way.stop.text)
        for way in ends
        if way.stop is not None and (way.stop.caveat is None or not way.first)
    )
    for words, text in dict.fromkeys(said):
        yield f"{words}: {text}."


def ways(result: Explanation, look: Look) -> Iterator[str]:
    """Iterate over the hops of every way, with the verdict on each."""
    numbered, also = _apart(result.ways)
    chosen = sorted(numbered, key=lambda pair: _BADNESS.index(pair[1].verdict))[:_MOST]
    shown: list[tuple[int, Way]] = []
    for number, way in sorted(chosen, key=lambda pair: pair[0]):
        yield ""
        yield from _way(number, len(result.ways), way, shown, look)
        for other, entered in also.get(number, ()):
            yield from wrapped(f"way {other} is the same, {entered}", look, "  ", "     ")
        shown.append((number, way))
    rest = [way for pair in numbered if pair not in chosen for way in pair[1:]]
    if rest:
        yield ""
        yield f"{len(rest)} more {'way' if len(rest) == 1 else 'ways'}: {_fates(rest)}."
    telling = next((pair for pair in numbered if _told(pair[1], result)), None)
    if result.shown is not None and telling is not None:
        yield ""
        number, way = telling
        where = f" of way {number}" if len(result.ways) > 1 else ""
        yield f"Reasons at hop {_told(way, result)}{where}:"


def _apart(
    found: Sequence[Way],
) -> tuple[list[tuple[int, Way]], dict[int, list[tuple[int, str]]]]:
    """Return ways with their numbers, those left out that enter elsewhere and are alike besides.

    What is left out is told by the number of the way that it is like.
    """
    first: dict[object, int] = {}
    kept: list[tuple[int, Way]] = []
    also: dict[int, list[tuple[int, str]]] = {}
    for number, way in enumerate(found, 1):
        entry = next((hop for hop in way.hops if hop.role is HopRole.ENTRY), None)
        rest = tuple(id(hop) for hop in way.hops if hop is not entry)
        key = (rest, id(way.stop), entry.verdict if entry else None)
        like = first.setdefault(key, number)
        if like == number or entry is None:
            kept.append((number, way))
        else:
            asked = entry.question
            where = f"by {asked.destination.text} on {asked.traffic.text or 'every port'}"
            also.setdefault(like, []).append((number, where))
    return kept, also


def unnamed(result: Explanation, look: Look) -> Iterator[str]:
    """Say that the name cannot be looked up, where that is so."""
    for way in result.ways:
        if way.lookup not in (None, Verdict.ALLOWED):
            hop = next(h for h in way.asked if h.role is HopRole.LOOKUP and h.verdict is way.lookup)
            word = "cannot" if way.lookup is Verdict.DENIED else "may not be able to"
            asked = hop.question
            said = (
                f"BUT {asked.source.text} {word} look the name up: {asked.destination.text} on "
                f"{asked.traffic.text} is {way.lookup}, so a call by name fails before this one"
            )
            yield from wrapped(said, look)
            return


def _told(way: Way, result: Explanation) -> int:
    """Return the place of the hop whose reasons are those of an answer; 0 where none is."""
    found = (
        place
        for place, hop in enumerate(way.hops, 1)
        if hop.answer is not None and hop.answer.shown is result.shown
    )
    return next(found, 0)


def _fates(rest: Sequence[Way]) -> str:
    counts = [(word, sum(way.verdict is word for way in rest)) for word in _BADNESS]
    return ", ".join(f"{count} {word}" for word, count in counts if count)


def _place(way: Way, hop: Hop) -> int:
    return next(place for place, each in enumerate(way.hops, 1) if each is hop)


def _way(
    number: int, of: int, way: Way, shown: Sequence[tuple[int, Way]], look: Look
) -> Iterator[str]:
    """Yield a way; its first hops only where no way above began with the same."""
    alike, earlier = _begun(way, shown)
    lead = f"Way {number} of {of}" if of > 1 else "The way"
    count = "no hop" if not way.hops else "1 hop" if len(way.hops) == 1 else f"{len(way.hops)} hops"
    copy = ", for a copy of each request" if way.copy else ""
    same = ""
    if alike:
        same = (
            f"hop 1 as in way {earlier}" if alike == 1 else f"hops 1 to {alike} as in way {earlier}"
        )
        same = f"; {same}"
    yield f"{lead}, {count}{copy}{_end(way)}{same}:"
    for place, hop in enumerate(way.hops, 1):
        if place > alike:
            yield from _hop(place, hop, look, here=hop is way.first)
    # Of a single way they stand above, with those of its hops.
    for note in way.notes if of > 1 else ():
        yield from wrapped(note, look, "     note: ", "     ")
    if way.stop is not None and (way.stop.caveat is None or not way.first):
        words = _words(way, "no policy is to blame", "even where policies let it pass", "not known")
        said = f"{words}: {way.stop.text} ({way.stop.reason})"
        begin = "  ends here: " if way.stop.caveat is None else "  unclear: "
        yield from wrapped(said, look, begin, "    ")
        if way.stop.span is not None and way.stop.span.file:
            yield f"    {way.stop.span.file}:{way.stop.span.line}"
        yield from wrapped(way.stop.help, look, "    help: ", "    ")


def _words(way: Way, alone: str, beside: str, unknown: str) -> str:
    """Return what introduces the end of a way: by itself, beside policies, or not certain."""
    if way.stop is not None and way.stop.caveat is not None:
        return unknown
    return beside if way.first else alone


def _begun(way: Way, shown: Sequence[tuple[int, Way]]) -> tuple[int, int]:
    """Return how many hops a way has in common with one above, and that one's number."""
    best = (0, 0)
    for number, other in shown:
        count = 0
        for one, two in zip(way.hops, other.hops, strict=False):
            if one is not two:
                break
            count += 1
        if count > best[0]:
            best = (count, number)
    return best


def _end(way: Way) -> str:
    first = way.first
    if first is None:
        return ""
    return f"; hop {_place(way, first)} is the first that does not let all of it through"


def _hop(place: int, hop: Hop, look: Look, *, here: bool) -> Iterator[str]:
    said = "not judged" if hop.answer is None else verdict(hop.verdict, look)
    asked = hop.question
    port = f" on {asked.traffic.text}" if asked.traffic.text else ""
    mark = ">" if here else " "
    yield f"{mark} {place}. {said}  {asked.source.text} -> {asked.destination.text}{port}"
    lines = [_ROLES[hop.role], *hop.why]
    yield from wrapped("; ".join(lines), look, "     ", "     ")
    if hop.assumed is not None and hop.assumed not in hop.why:
        yield from wrapped(hop.assumed, look, "     assumed: ", "     ")
