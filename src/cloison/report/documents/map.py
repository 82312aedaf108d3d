"""`map` as published; `edges` streams what may be hundreds of thousands of them."""

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import msgspec

from cloison.algebra import TrafficSet
from cloison.analyses.connectivity import Edge as Found
from cloison.analyses.connectivity import EndRef, Map, Passage
from cloison.report.about import About
from cloison.report.documents import ends, parts

Passes: TypeAlias = Literal["allowed", "undetermined"]


class Edge(parts.Base, frozen=True):
    """Traffic that passes, or may pass, from one end to another.

    A pair of ends with both has two edges. `when` holds conditions, such as a request; `caveats`
    ids of what the answer stands on.
    """

    src: parts.Endpoint
    dst: parts.Endpoint
    traffic: list[parts.Traffic]
    verdict: Passes
    when: list[str]
    caveats: list[str]


class MapDocument(parts.Envelope, frozen=True):
    """Everything permitted between workloads, and between them and the outside."""

    caveats: list[parts.CaveatSaid]
    edges: list[Edge]


DOCUMENT = MapDocument


def head(result: Map, about: About) -> MapDocument:
    """Return the document without its edges."""
    return MapDocument(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        caveats=parts.caveats(result.caveats),
        edges=[],
    )


def document(result: Map, about: About) -> MapDocument:
    """Return a map as published."""
    edges = [edge for found in result for edge in _edges(found)]
    return msgspec.structs.replace(head(result, about), edges=edges)


def _verdicts(found: Passage) -> Iterator[tuple[Passes, TrafficSet]]:
    if found.allowed:
        yield "allowed", found.allowed
    if found.undetermined:
        yield "undetermined", found.undetermined


def _edges(found: Found) -> Iterator[Edge]:
    for verdict, traffic in _verdicts(found.passage):
        yield Edge(
            src=ends.ref(found.src),
            dst=ends.ref(found.dst),
            traffic=parts.traffic(traffic),
            verdict=verdict,
            when=[],
            caveats=parts.caveat_ids(found.caveats),
        )


def edges(result: Map) -> Iterator[list[str]]:
    """Iterate over the edges as JSON, those of one source at a time.

    Each is what encoding its `Edge` gives, put together from pieces that are encoded once:
    there may be hundreds of thousands, of a few hundred ends and a few dozen kinds of traffic.
    """
    names = [_json(ends.ref(e)) for e in result.ends]
    tails = _Tails()
    outward = _by_source(Map(result.ends, {}, result.outward, {}), tails)
    for source in sorted({*result.rows, *result.outward, *result.itself}):
        row = result.rows.get(source, {})
        found = {d: tails[p] for p, members in row.items() for d in members}
        if source in result.itself:
            found[source] = tails[result.itself[source]]
        head = f'{{"src":{names[source]},"dst":'
        here = [f"{head}{names[d]}{tail}" for d in sorted(found) for tail in found[d]]
        yield here + outward.get(result.ends[source], [])
    yield from _by_source(Map(result.ends, {}, {}, result.inward), tails).values()


class _Tails(dict[Passage, tuple[str, ...]]):
    """What follows the ends of an edge, by what passes."""

    def __missing__(self, passage: Passage) -> tuple[str, ...]:
        ids = _json(parts.caveat_ids(passage.caveats))
        self[passage] = found = tuple(
            f',"traffic":{_json(parts.traffic(traffic))},"verdict":"{verdict}","when":[],'
            f'"caveats":{ids}}}'
            for verdict, traffic in _verdicts(passage)
        )
        return found


def _by_source(part: Map, tails: _Tails) -> dict[EndRef, list[str]]:
    """Return the edges of a small part of a map, by source in order."""
    found: dict[EndRef, list[str]] = {}
    for edge in part:
        head = f'{{"src":{_json(ends.ref(edge.src))},"dst":{_json(ends.ref(edge.dst))}'
        found.setdefault(edge.src, []).extend(head + tail for tail in tails[edge.passage])
    return found


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


HEADER = (
    "srcKind",
    "srcNamespace",
    "src",
    "dstKind",
    "dstNamespace",
    "dst",
    "traffic",
    "verdict",
    "caveats",
)


def rows(result: Map) -> Iterator[Sequence[object]]:
    """Iterate over the edges, one row each."""
    for found in result:
        for verdict, traffic in _verdicts(found.passage):
            yield (
                *_cells(found.src),
                *_cells(found.dst),
                str(traffic),
                verdict,
                " ".join(parts.caveat_ids(found.caveats)),
            )


def _cells(known: EndRef) -> tuple[str, str, str]:
    kind = known.type if known.kind == "workload" else known.kind
    name = str(known.addresses) if known.addresses is not None else known.name
    return kind, known.namespace, name
