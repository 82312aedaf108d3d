"""The edges of a map as text, put together from pieces that are spelled once.

There may be hundreds of thousands of edges, of a few hundred ends and a few dozen kinds of
traffic: whole documents of them would take gigabytes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from cloison.analyses.connectivity import EndRef, Map, Passage
from cloison.report.documents import ends, parts
from cloison.report.documents.map import verdicts


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a format writes one edge.

    Args:
        value: Spells an endpoint, or a list of traffic or caveat ids.
        source: What stands before the source.
        destination: What stands before the destination.
        rest: Spells what follows the ends, from traffic, verdict, conditions and caveat ids as
            spelled.
    """

    value: Callable[[object], str]
    source: str
    destination: str
    rest: Callable[[str, str, str, str], str]


JSON = Spelling(
    lambda value: msgspec.json.encode(value).decode(),
    '{"src":',
    ',"dst":',
    lambda traffic, verdict, when, caveats: (
        f',"traffic":{traffic},"verdict":"{verdict}","when":{when},"caveats":{caveats}}}'
    ),
)
"""Each edge is exactly what encoding its document gives."""


def edges(result: Map, spelling: Spelling = JSON) -> Iterator[list[str]]:
    """Iterate over the edges as text, those of one source at a time, in the map's order."""
    names = [spelling.value(ends.ref(e)) for e in result.ends]
    tails = _Tails(spelling)
    outward = _by_source(Map(result.ends, {}, result.outward, {}), tails)
    for source in sorted({*result.rows, *result.outward, *result.itself}):
        row = result.rows.get(source, {})
        found = {d: tails[p] for p, members in row.items() for d in members}
        if source in result.itself:
            found[source] = tails[result.itself[source]]
        head = f"{spelling.source}{names[source]}{spelling.destination}"
        here = [f"{head}{names[d]}{tail}" for d in sorted(found) for tail in found[d]]
        yield here + outward.get(result.ends[source], [])
    yield from _by_source(Map(result.ends, {}, {}, result.inward), tails).values()


class _Tails(dict[Passage, tuple[str, ...]]):
    """What follows the ends of an edge, by what passes."""

    def __init__(self, spelling: Spelling) -> None:
        super().__init__()
        self.spelling = spelling

    def __missing__(self, passage: Passage) -> tuple[str, ...]:
        spell = self.spelling.value
        self[passage] = found = tuple(
            self.spelling.rest(
                spell(parts.traffic(traffic)),
                verdict,
                spell(when),
                spell(parts.caveat_ids(passage.about(traffic))),
            )
            for verdict, traffic, when in verdicts(passage)
        )
        return found


def _by_source(part: Map, tails: _Tails) -> dict[EndRef, list[str]]:
    """Return the edges of a small part of a map, by source in order."""
    spelling = tails.spelling
    found: dict[EndRef, list[str]] = {}
    for edge in part:
        src, dst = (spelling.value(ends.ref(e)) for e in (edge.src, edge.dst))
        head = f"{spelling.source}{src}{spelling.destination}{dst}"
        found.setdefault(edge.src, []).extend(head + tail for tail in tails[edge.passage])
    return found
