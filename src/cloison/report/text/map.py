"""`map` for people: compressed lines in columns.

Read back with the rules of the reference's page on the interface, they give exactly the edges.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from cloison.algebra import EVERY_ADDRESS, FAMILY, AddressSet
from cloison.analyses.connectivity import EndRef, Line, Map, Passage
from cloison.ir.fidelity import Verdict
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import count, wrapped
from cloison.report.text.requests import asks

_GAP = 2
_DOUBT = re.compile(r" \?( when |\Z)")


def lines(result: Map, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of a map."""
    words = Words(result.ends)
    rows = [row for line in result.lines for row in _rows(line, words)]
    if not result.ends:
        yield "no workload was read, so there is nothing to map"
        yield from closing(about, look)
        return
    if not rows:
        yield "nothing is permitted"
    else:
        yield from columns([("FROM", "TO", "TRAFFIC")], rows, look)
    yield ""
    told = [line for end in known_for(result) for line in _roles(end, words)]
    if told:
        for line in told:
            yield from wrapped(line, look, "", "  ")
        yield ""
    pairs = edge_count(result)
    yield f"{count(pairs, 'edge')} in {count(len(rows), 'line')}; {rest(result)}"
    if any(_DOUBT.search(traffic) for _, _, traffic in rows):
        yield "? nobody can say: the specification is silent or a fact is missing"
    for caveat in result.caveats:
        yield from wrapped(caveat.text, look, f"caveat {caveat.id}: ", "  ")
    yield from closing(about, look)


def known_for(result: Map) -> Iterator[EndRef]:
    """Iterate over the ends in a map's edges of which there is more to say than their name."""
    used = {*result.rows, *result.outward, *result.inward, *result.itself}
    for row in result.rows.values():
        for members in row.values():
            used.update(members)
    for place in sorted(used):
        end = result.ends[place]
        if end.roles:
            yield end


def _roles(end: EndRef, words: "Words") -> Iterator[str]:
    return (f"{words.one(end)} {text}" for text in roles(end))


def roles(end: EndRef) -> Iterator[str]:
    """Iterate over what an end is for others, in words that follow its name.

    That a Service leads to the workload of its own name goes without saying.
    """
    for each in end.roles:
        of = " and ".join(each.of)
        match each.role:
            case "gateway":
                yield f"is a gateway: it serves {of}"
            case "resolver":
                yield f"is a resolver: it answers lookups{f' behind {of}' if of else ''}"
            case "load-balancer":
                whose = "the client's" if each.seen == "client" else "a node's"
                yield f"gets what {of} takes from outside; the source that it sees is {whose}"
            case _ if end.kind == "gateway":
                by = of or "nothing that was read"
                yield f"is served by {by}{f'; {each.assumed} are assumed' if each.assumed else ''}"
            case _ if not of:
                yield "leads to nobody"
            case _ if of != f"{end.namespace}/{end.name}":
                yield f"leads to {of}"


def rest(result: Map) -> str:
    """Say what becomes of edges that are not listed."""
    if result.partial:
        return "other edges were not asked for"
    if result.logical:
        return "calls past Services, gateways and names are in cloison map --wire"
    return "between pods and with the outside, what is not listed is denied"


def edge_count(result: Map) -> int:
    """Return how many edges a map has, without spelling them out."""
    return sum(sum(1 for _ in passage.parts) * pairs for passage, pairs in passages(result))


def passages(result: Map) -> Iterator[tuple[Passage, int]]:
    """Iterate over what passes in a map, each time with the number of pairs it passes between."""
    for row in result.rows.values():
        yield from ((passage, len(members)) for passage, members in row.items())
    for table in (result.outward, result.inward):
        for found in table.values():
            yield from ((passage, 1) for passage in found)
    yield from ((passage, 1) for passage in result.itself.values())


def _rows(line: Line, words: "Words") -> Iterator[tuple[list[str], list[str], str]]:
    ends = words.of(line.sources), words.of(line.destinations)
    yield from ((*ends, text) for text in passing(line.passage))


def passing(passage: Passage) -> Iterator[str]:
    """Iterate over what passes, and over what may, with a question mark, in words."""
    for verdict, traffic, requests, given in passage.parts:
        mark = "" if verdict is Verdict.ALLOWED else " ?"
        yield f"{traffic}{mark}{asks(requests, given=given)}"


class Words:
    """Names sets of ends in few words, each of which means one thing only.

    `web/*` is every workload or pod of a namespace, `*` every one there is, `node:*` every node,
    `svc:web/*` every Service of a namespace.

    Args:
        ends: Every end there is.
    """

    def __init__(self, ends: Sequence[EndRef]) -> None:
        self._homes = Counter(_home(e) for e in ends)
        self._names = Counter(_plain(e) for e in ends)
        self._pods = sum(e.kind in _INSIDE for e in ends)

    def of(self, ends: Sequence[EndRef]) -> list[str]:
        """Return what to call these ends, one entry for each word."""
        if len(ends) == 1:
            return [self.one(ends[0])]
        inside = [e for e in ends if e.kind not in _OUTSIDE]
        homes = Counter(_home(e) for e in inside)
        said: list[str] = []
        if sum(e.kind in _INSIDE for e in inside) == self._pods > 1:
            said.append("*")
            inside = [e for e in inside if e.kind not in _INSIDE]
        whole = {h for h, n in homes.items() if n == self._homes[h] and n > 1}
        told: set[str] = set()
        for end in inside:
            home = _home(end)
            if home not in whole:
                said.append(self.one(end))
            elif home not in told:
                told.add(home)
                said.append(f"{home}*")
        return said + [self.one(e) for e in ends if e.kind in _OUTSIDE]

    def one(self, end: EndRef) -> str:
        """Return one end as questions name it, with its kind where another has the same name."""
        if end.addresses is not None:
            return f"outside ({addresses_text(end.addresses)})"
        if end.kind in _ALONE or self._names[_plain(end)] == 1:
            return _plain(end)
        return f"{_home(end)}{(end.type or end.kind).lower()}/{end.name}"


def _home(end: EndRef) -> str:
    prefix = _PREFIXES.get(end.kind, "")
    return prefix if end.kind in _ALONE else f"{prefix}{end.namespace}/"


def _plain(end: EndRef) -> str:
    return f"{_home(end)}{end.name}"


_PREFIXES = {"node": "node:", "external-name": "dns:", "service": "svc:", "gateway": "gw:"}
_ALONE = ("node", "external-name")
"""Kinds without a namespace."""
_INSIDE = ("workload", "pod")
_OUTSIDE = ("ip", "external-name")


def addresses_text(addresses: AddressSet) -> str:
    """Return addresses in few words: what is left out, where that is shorter."""
    if addresses == EVERY_ADDRESS:
        return "any address"
    for family, whole in FAMILY.items():
        if addresses == whole:
            return f"any IPv{family} address"
    said = list(addresses.blocks())
    for all_of_it, name in (
        (EVERY_ADDRESS, "any"),
        (FAMILY[4], "any IPv4"),
        (FAMILY[6], "any IPv6"),
    ):
        missing = list((all_of_it - addresses).blocks())
        if addresses <= all_of_it and len(missing) < len(said):
            return f"{name} but {', '.join(missing)}"
    return ", ".join(said)


def columns(
    head: list[tuple[str, str, str]],
    rows: Sequence[tuple[list[str], list[str], str]],
    look: Look,
) -> Iterator[str]:
    """Iterate over rows laid out in columns; a cell of many words goes on below."""
    limit = max(24, (min(look.width, 140) - 20) // 2 - _GAP)
    cells = [([a], [b], c) for a, b, c in head]
    cells += [(_stacked(a, limit), _stacked(b, limit), c) for a, b, c in rows]
    left = max(len(t) for a, _, _ in cells for t in a) + _GAP
    middle = max(len(t) for _, b, _ in cells for t in b) + _GAP
    for sources, destinations, traffic in cells:
        for one, two, three in zip_longest(sources, destinations, [traffic], fillvalue=""):
            yield f"{one.ljust(left)}{two.ljust(middle)}{three}".rstrip()


def _stacked(words: Sequence[str], limit: int) -> list[str]:
    """Return words on as many lines as a column of `limit` needs."""
    found: list[str] = []
    for word in words:
        piece = word if word is words[-1] else f"{word},"
        pieces = piece.split(" ") if len(piece) > limit else [piece]
        for part in pieces:
            if found and len(found[-1]) + 1 + len(part) <= limit:
                found[-1] += f" {part}"
            else:
                found.append(part)
    return found
