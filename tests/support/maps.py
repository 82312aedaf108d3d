"""Readers of the map's compressed forms: text and groups, expanded to edges by their rules alone.

Nothing here looks at how they are written; what the reference page says must be enough.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from cloison.algebra import ANY, L4, AddressSet, TrafficSet
from cloison.analyses.connectivity import MapOptions
from cloison.app import Session
from cloison.report import About, Look, render
from cloison.report.documents import ends as published

Name = tuple[str, ...]
"""An end: its kind, then namespace, name and type as far as it has them, or its ranges."""
Told = tuple[Name, Name, str, TrafficSet]
"""An edge: source, destination, verdict, traffic."""


def assert_forms_agree(session: Session, options: MapOptions, width: int = 100) -> None:
    """Hold text and groups of a session's map against its edges."""
    found = session.map(options)
    about = About("0", session.profile, "default", ())

    def rendered(kind: str, output: str) -> str:
        return "".join(render(kind, found, about, output, Look(width=width)))

    edges = of_edges(json.loads(rendered("map", "json")))
    assert len(edges) == len({edge[:3] for edge in edges})
    assert of_groups(json.loads(rendered("grouped", "json"))) == edges
    ends = [name(msgspec.to_builtins(published.ref(end))) for end in found.ends]
    assert of_text(rendered("map", "text"), ends) == edges


def name(endpoint: Mapping[str, Any]) -> Name:
    """Return an end as published, as a name."""
    keys = ("kind", "namespace", "name", "type")
    return (*(endpoint[k] for k in keys if k in endpoint), *endpoint.get("ranges", ()))


def traffic(entries: Sequence[Mapping[str, Any]]) -> TrafficSet:
    """Return traffic as published, as a set."""
    found = TrafficSet()
    for entry in entries:
        protocol = entry["protocol"]
        if protocol == "ANY":
            found |= ANY
        elif "from" in entry:
            found |= TrafficSet.ports(protocol, entry["from"], entry["to"])
        elif "type" in entry:
            version = 6 if protocol == "ICMPV6" else 4
            found |= TrafficSet.icmp(entry["type"], entry.get("code"), version)
        else:
            found |= TrafficSet.protocol(protocol)
    return found


def of_edges(document: Mapping[str, Any]) -> list[Told]:
    """Return the edges of `map -o json`, sorted."""
    return sort(
        (name(e["src"]), name(e["dst"]), e["verdict"], traffic(e["traffic"]))
        for e in document["edges"]
    )


def sort(edges: Iterable[Told]) -> list[Told]:
    """Return edges in an order that does not depend on how they were told."""
    return sorted(edges, key=lambda edge: (*edge[:3], str(edge[3])))


def of_groups(document: Mapping[str, Any]) -> list[Told]:
    """Return the edges that `map --grouped -o json` stands for, sorted."""
    members = {g["id"]: [name(m) for m in g["members"]] for g in document["groups"]}
    assert len(members) == len(document["groups"])

    def edges() -> Iterator[Told]:
        for edge in document["edges"]:
            pairs = across(members[edge["src"]], members[edge["dst"]])
            passes = edge["verdict"], traffic(edge["traffic"])
            yield from ((*pair, *passes) for pair in pairs)

    return sort(edges())


def across(sources: Sequence[Name], destinations: Sequence[Name]) -> Iterator[tuple[Name, Name]]:
    """Yield every pair, of one and itself only where it stands alone on both sides."""
    alone = len(sources) == 1 and sources == destinations
    for src in sources:
        for dst in destinations:
            if src != dst or alone:
                yield src, dst


def of_text(text: str, ends: Sequence[Name]) -> list[Told]:
    """Return the edges that the text of a map stands for, sorted.

    Args:
        text: What `map` printed.
        ends: Every workload, pod and node there is.
    """

    def edges() -> Iterator[Told]:
        for sources, destinations, passes in _rows(text):
            verdict = "undetermined" if passes.endswith(" ?") else "allowed"
            found = _traffic(passes.removesuffix(" ?"))
            for pair in across(_ends(sources, ends), _ends(destinations, ends)):
                yield (*pair, verdict, found)

    return sort(edges())


def _rows(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield the cells of each row; a line without traffic goes on with the row above."""
    head, *lines = text.split("\n\n", maxsplit=1)[0].splitlines()
    if head == "nothing is permitted" or head.startswith("no workload was read"):
        return
    middle, last = head.index("TO"), head.index("TRAFFIC")
    row: list[list[str]] = []
    for line in lines:
        cells = line[:middle].strip(), line[middle:last].strip(), line[last:].strip()
        if cells[2]:
            if row:
                yield _joined(row)
            row = [[], [], []]
        for column, cell in zip(row, cells, strict=True):
            column.extend([cell] if cell else [])
    if row:
        yield _joined(row)


def _joined(row: list[list[str]]) -> tuple[str, str, str]:
    first, second, third = (" ".join(column) for column in row)
    return first, second, third


def _ends(cell: str, ends: Sequence[Name]) -> list[Name]:
    found: list[Name] = []
    for word in re.split(r", (?![^(]*\))", cell):
        named = list(_named(word, ends))
        assert named, f"{word!r} names nobody"
        assert "*" in word or len(named) == 1, f"{word!r} names several"
        found += named
    assert len(found) == len(set(found)), f"{cell!r} names an end twice"
    return sorted(found)


def _named(word: str, ends: Sequence[Name]) -> Iterator[Name]:
    if outside := re.fullmatch(r"outside \((.*)\)", word):
        yield ("ip", *_addresses(outside[1]).ranges())
        return
    pods = [e for e in ends if e[0] != "node"]
    if word == "*":
        yield from pods
    elif word.startswith("node:"):
        wanted = word.removeprefix("node:")
        yield from (e for e in ends if e[0] == "node" and wanted in ("*", e[1]))
    else:
        namespace, *kind, last = word.split("/")
        for end in pods:
            kinds = [[], [end[0]], [end[-1].lower()]]
            if end[1] == namespace and kind in kinds and last in ("*", end[2]):
                yield end


_FAMILY = {"IPv4": AddressSet.block("0.0.0.0/0"), "IPv6": AddressSet.block("::/0")}


def _addresses(text: str) -> AddressSet:
    whole = re.fullmatch(r"any(?: (IPv[46]))?(?: address| but (.*))", text)
    if whole:
        known = _FAMILY[whole[1]] if whole[1] else _FAMILY["IPv4"] | _FAMILY["IPv6"]
        return known - _addresses(whole[2]) if whole[2] else known
    found = AddressSet()
    for part in text.split(", "):
        first, _, last = part.partition("-")
        low = AddressSet.block(first)
        if last:
            low = AddressSet([(low.spans[0][0], AddressSet.block(last).spans[0][1])])
        found |= low
    return found


def _traffic(text: str) -> TrafficSet:
    if text in ("any", "any TCP, UDP or SCTP"):
        return ANY if text == "any" else L4
    found = TrafficSet()
    for part in text.split(", "):
        protocol, _, ports = part.partition("/")
        if not ports:
            found |= TrafficSet.protocol(protocol)
        for piece in ports.split(",") if ports else ():
            first, _, last = piece.partition("-")
            found |= TrafficSet.ports(protocol, int(first), int(last or first))
    return found
