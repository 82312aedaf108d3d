"""`flows status` as published."""

from collections.abc import Iterator, Sequence

from cloison.flows.answers import Gap, Lost, Node, Source, Status
from cloison.report.about import About
from cloison.report.documents import parts
from cloison.report.documents.moments import moment


class GapSaid(parts.Base, frozen=True):
    """Hours between others in which a source told of nothing."""

    since: str | None
    until: str | None


class CountsSaid(parts.Base, frozen=True):
    """How much was read: `bad` lines could not be, `skipped` ones tell of nothing that is kept."""

    lines: int
    flows: int
    others: int
    bad: int
    skipped: int


class SourceSaid(parts.Base, frozen=True):
    """What is known by one reader; `raw` flows are still kept one by one."""

    name: str
    inputs: int
    read: CountsSaid
    undated: int
    hours: int
    first: str | None
    last: str | None
    gaps: list[GapSaid]
    raw: int


class NodeSaid(parts.Base, frozen=True):
    """A node that told of flows."""

    name: str
    flows: int
    hours: int
    first: str | None
    last: str | None


class LostSaid(parts.Base, frozen=True):
    """What a source says it did not see; `node` is null for all of it."""

    node: str | None
    reason: str
    events: int
    sampled: int
    since: str | None
    until: str | None


class Observed(parts.Envelope, frozen=True):
    """What a store of flows knows, and what it cannot know."""

    store: str
    bytes: int
    parts: int
    sources: list[SourceSaid]
    nodes: list[NodeSaid]
    lost: list[LostSaid]
    workloads: int
    edges: int
    connections: dict[str, int]
    initiators: dict[str, int]
    halfway: int
    ambiguous: int
    identities: int


DOCUMENT = Observed


def document(result: Status, about: About) -> Observed:
    """Return what a store knows as published."""
    return Observed(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=list(parts.findings(about)),
        store=result.store,
        bytes=result.size,
        parts=result.parts,
        sources=[_source(each) for each in result.sources],
        nodes=[_node(each) for each in result.nodes],
        lost=[_lost(each) for each in result.lost],
        workloads=result.workloads,
        edges=result.edges,
        connections=result.connections,
        initiators=result.initiators,
        halfway=result.halfway,
        ambiguous=result.ambiguous,
        identities=result.identities,
    )


def _source(known: Source) -> SourceSaid:
    counts = known.counts
    return SourceSaid(
        name=known.name,
        inputs=known.inputs,
        read=CountsSaid(counts.lines, counts.flows, counts.others, counts.bad, counts.skipped),
        undated=known.undated,
        hours=known.hours,
        first=moment(known.first),
        last=moment(known.last),
        gaps=[_gap(each) for each in known.gaps],
        raw=known.raw,
    )


def _gap(known: Gap) -> GapSaid:
    return GapSaid(moment(known.since), moment(known.until))


def _node(known: Node) -> NodeSaid:
    return NodeSaid(known.name, known.flows, known.hours, moment(known.first), moment(known.last))


def _lost(known: Lost) -> LostSaid:
    return LostSaid(
        known.node,
        known.reason,
        known.events,
        known.sampled,
        moment(known.since),
        moment(known.until),
    )


HEADER = ("kind", "name", "flows", "hours", "first", "last", "lost", "reason")


def rows(result: Status) -> Iterator[Sequence[object]]:
    """Iterate over sources, nodes and what was lost."""
    for source in result.sources:
        first, last = moment(source.first), moment(source.last)
        yield "source", source.name, source.counts.flows, source.hours, first, last, "", ""
    for node in result.nodes:
        first, last = moment(node.first), moment(node.last)
        yield "node", node.name, node.flows, node.hours, first, last, "", ""
    for lost in result.lost:
        first, last = moment(lost.since), moment(lost.until)
        yield "lost", lost.node or "", "", "", first, last, lost.events, lost.reason
