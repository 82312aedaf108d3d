"""`map` as published. Formats that print it whole stream its edges: see `streamed`."""

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import msgspec

from cloison.algebra import TrafficSet
from cloison.analyses.connectivity import Edge as Found
from cloison.analyses.connectivity import EndRef, Map, Passage
from cloison.ir.fidelity import Verdict
from cloison.report.about import About
from cloison.report.documents import ends, parts

Passes: TypeAlias = Literal["allowed", "undetermined"]


class Edge(parts.Base, frozen=True):
    """Traffic that passes, or may pass, from one end to another.

    A pair of ends with both has two edges. `when` says with which requests, where not all pass:
    those of the edge are one set, in words of which each part is a regular expression. `caveats`
    has ids of what the answer stands on.
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


def verdicts(found: Passage) -> Iterator[tuple[Passes, TrafficSet, list[str]]]:
    """Iterate over the verdicts of an edge, each with its traffic and on what condition."""
    for verdict, traffic, requests, given in found.parts:
        when = [text for text in ("" if requests is None else str(requests), given) if text]
        yield "allowed" if verdict is Verdict.ALLOWED else "undetermined", traffic, when


def _edges(found: Found) -> Iterator[Edge]:
    for verdict, traffic, when in verdicts(found.passage):
        yield Edge(
            src=ends.ref(found.src),
            dst=ends.ref(found.dst),
            traffic=parts.traffic(traffic),
            verdict=verdict,
            when=when,
            caveats=parts.caveat_ids(found.passage.about(traffic)),
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
    "when",
)


def rows(result: Map) -> Iterator[Sequence[object]]:
    """Iterate over the edges, one row each."""
    for found in result:
        for verdict, traffic, when in verdicts(found.passage):
            yield (
                *cells(found.src),
                *cells(found.dst),
                str(traffic),
                verdict,
                " ".join(parts.caveat_ids(found.passage.about(traffic))),
                " and ".join(when),
            )


def cells(known: EndRef) -> tuple[str, str, str]:
    """Return the kind, namespace and name of an end, as a table has them."""
    kind = known.type if known.kind == "workload" else known.kind
    name = str(known.addresses) if known.addresses is not None else known.name
    return kind, known.namespace, name
