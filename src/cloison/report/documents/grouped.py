"""`map --grouped` as published."""

from collections.abc import Iterable, Sequence

from cloison.analyses.connectivity import Map
from cloison.analyses.groups import Group as Found
from cloison.analyses.groups import GroupEdge as FoundEdge
from cloison.analyses.groups import grouped
from cloison.report.about import About
from cloison.report.documents import ends, parts
from cloison.report.documents.map import Passes, verdicts


class Group(parts.Base, frozen=True):
    """Ends that edges speak of together; the same members have the same id in every map."""

    id: str
    members: list[parts.Endpoint]


class GroupEdge(parts.Base, frozen=True):
    """Traffic that passes, or may pass, from each member of one group to each of another.

    `src` and `dst` are ids of groups. Nothing is said of a member and itself, except where a group
    of one is both source and destination. The other fields are those of an edge of `map`.
    """

    src: str
    dst: str
    traffic: list[parts.Traffic]
    verdict: Passes
    when: list[str]
    caveats: list[str]


class GroupedMap(parts.Envelope, frozen=True):
    """Everything permitted, between groups of workloads and addresses.

    Expanding the groups gives exactly the edges of `map`.
    """

    caveats: list[parts.CaveatSaid]
    groups: list[Group]
    edges: list[GroupEdge]


DOCUMENT = GroupedMap
HEADER: Sequence[str] = ()


def document(result: Map, about: About) -> GroupedMap:
    """Return a map in groups as published."""
    found = grouped(result)
    return GroupedMap(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        caveats=parts.caveats(result.caveats),
        groups=[_group(each) for each in found.groups],
        edges=[edge for each in found.edges for edge in _edges(each)],
    )


def rows(_result: Map) -> Iterable[Sequence[object]]:
    """Return nothing: groups of groups are no table; `render` refuses before it comes to this."""
    return ()


def _group(known: Found) -> Group:
    return Group(id=known.id, members=[ends.ref(m) for m in known.members])


def _edges(known: FoundEdge) -> list[GroupEdge]:
    return [
        GroupEdge(
            src=known.src.id,
            dst=known.dst.id,
            traffic=parts.traffic(traffic),
            verdict=verdict,
            when=when,
            caveats=parts.caveat_ids(known.passage.about(traffic)),
        )
        for verdict, traffic, when in verdicts(known.passage)
    ]
