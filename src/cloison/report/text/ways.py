"""The hops of a call for people."""

from collections.abc import Iterator

from cloison.analyses.ask import Explanation
from cloison.analyses.paths.model import Hop, HopRole, Way
from cloison.ir.fidelity import Verdict
from cloison.report.about import Look
from cloison.report.text.layout import verdict, wrapped

_ROLES = {
    HopRole.LOOKUP: "looks up the name",
    HopRole.ENTRY: "reaches the gateway",
    HopRole.BACKEND: "the gateway reaches its backend",
    HopRole.PROXY: "reaches its proxy",
    HopRole.CALL: "the call itself",
}


def ways(result: Explanation, look: Look) -> Iterator[str]:
    """Iterate over the hops of every way, with the verdict on each."""
    for number, way in enumerate(result.ways, 1):
        yield ""
        lead = f"Way {number} of {len(result.ways)}, " if len(result.ways) > 1 else "The way, "
        count = "1 hop" if len(way.hops) == 1 else f"{len(way.hops)} hops"
        yield f"{lead}{count}{_end(way)}:"
        for place, hop in enumerate(way.hops, 1):
            yield from _hop(place, hop, look)
        if way.stop is not None:
            said = f"not a policy problem: {way.stop.text} ({way.stop.reason})"
            yield from wrapped(said, look, "  ends here: ", "    ")
            yield from wrapped(way.stop.help, look, "    help: ", "    ")
    if result.shown is not None:
        for number, way in enumerate(result.ways, 1):
            place = next((n for n, h in enumerate(way.hops, 1) if _told(h, result)), 0)
            if place:
                yield ""
                where = f" of way {number}" if len(result.ways) > 1 else ""
                yield f"Reasons at hop {place}{where}:"
                return


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


def _end(way: Way) -> str:
    first = way.first
    if way.stop is not None or first is None:
        return ""
    return f"; hop {way.hops.index(first) + 1} is the first that does not let all of it through"


def _told(hop: Hop, result: Explanation) -> bool:
    """Return whether the reasons of an answer are those of a hop."""
    return hop.answer is not None and hop.answer.shown is result.shown


def _hop(place: int, hop: Hop, look: Look) -> Iterator[str]:
    said = "not judged" if hop.answer is None else verdict(hop.verdict, look)
    asked = hop.question
    port = f" on {asked.traffic.text}" if asked.traffic.text else ""
    yield f"  {place}. {said}  {asked.source.text} -> {asked.destination.text}{port}"
    lines = [_ROLES[hop.role], *hop.why]
    yield from wrapped("; ".join(lines), look, "     ", "     ")
    if hop.assumed is not None:
        yield from wrapped(hop.assumed, look, "     assumed: ", "     ")
