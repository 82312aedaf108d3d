"""`map` as published; `edges` streams what may be hundreds of thousands of them."""

from collections.abc import Iterator, Sequence

import msgspec

from cloison.algebra import TrafficSet
from cloison.analyses.connectivity import Edge as Found
from cloison.analyses.connectivity import EndRef, Map
from cloison.ir.fidelity import Caveat
from cloison.report.about import About
from cloison.report.documents import ends, parts


class Edge(parts.Base, frozen=True):
    """Traffic that passes, or may pass, from one end to another.

    A pair of ends with both has two edges. `when` holds conditions, such as a request; `caveats`
    ids of what the answer stands on.
    """

    src: parts.Endpoint
    dst: parts.Endpoint
    traffic: list[parts.Traffic]
    verdict: str
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


def _verdicts(found: Found) -> Iterator[tuple[str, TrafficSet]]:
    if found.allowed:
        yield "allowed", found.allowed
    if found.undetermined:
        yield "undetermined", found.undetermined


def _edges(found: Found) -> Iterator[Edge]:
    for verdict, traffic in _verdicts(found):
        yield Edge(
            src=ends.ref(found.src),
            dst=ends.ref(found.dst),
            traffic=parts.traffic(traffic),
            verdict=verdict,
            when=[],
            caveats=parts.caveat_ids(found.caveats),
        )


def edges(result: Map) -> Iterator[str]:
    """Iterate over the edges as JSON, each what encoding its `Edge` gives.

    An edge is put together from pieces that are encoded once: ends, traffic and caveats repeat
    a thousand times over.
    """
    encode = msgspec.json.encode
    named: dict[int, str] = {}
    kept: list[EndRef] = []
    carried: dict[TrafficSet, str] = {}
    attached: dict[tuple[Caveat, ...], str] = {}

    def end(known: EndRef) -> str:
        text = named.get(id(known))
        if text is None:
            text = named[id(known)] = encode(ends.ref(known)).decode()
            kept.append(known)  # so that its id stays its own
        return text

    for found in result:
        for verdict, traffic in _verdicts(found):
            said = carried.get(traffic)
            if said is None:
                said = carried[traffic] = encode(parts.traffic(traffic)).decode()
            ids = attached.get(found.caveats)
            if ids is None:
                ids = attached[found.caveats] = encode(parts.caveat_ids(found.caveats)).decode()
            yield (
                f'{{"src":{end(found.src)},"dst":{end(found.dst)},"traffic":{said},'
                f'"verdict":"{verdict}","when":[],"caveats":{ids}}}'
            )


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
        for verdict, traffic in _verdicts(found):
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
