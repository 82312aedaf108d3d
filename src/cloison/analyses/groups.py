"""The map as rectangles: groups of ends, and edges from each of one group to each of another.

What a reader of the expanded edges gets, in a form that stays small where a cluster is open.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from cloison.analyses.connectivity import EndRef, Line, Map, Passage

Members = tuple[EndRef, ...]
_ID_DIGITS = 16
"""Hexadecimal digits of an id: among a million groups, two alike are not to be expected."""


@dataclass(frozen=True, slots=True)
class Group:
    """Ends that edges speak of together.

    Args:
        id: Says who the members are: the same members have the same id in every map.
        members: Sorted; at least one.
    """

    id: str
    members: Members


@dataclass(frozen=True, slots=True)
class GroupEdge:
    """What each member of `src` may send to each member of `dst`, itself excepted.

    A group of one on both sides stands for what that one may send to itself.
    """

    src: Group
    dst: Group
    passage: Passage


@dataclass(frozen=True, slots=True)
class Grouped:
    """A map in groups.

    Args:
        groups: Every group that an edge names, sorted by members.
        edges: Sorted by source and destination; no two of them stand for the same pair.
    """

    groups: tuple[Group, ...]
    edges: tuple[GroupEdge, ...]


def grouped(known: Map) -> Grouped:
    """Return a map in groups; expanding it gives exactly the map's edges."""
    sides = list(_shared(known.lines))
    groups = {m: Group(group_id(m), m) for src, dst, _ in sides for m in (src, dst)}
    ordered = sorted(groups, key=lambda members: [m.sort_key for m in members])
    place = {members: number for number, members in enumerate(ordered)}
    sides.sort(key=lambda side: (place[side[0]], place[side[1]]))
    return Grouped(
        tuple(groups[members] for members in ordered),
        tuple(GroupEdge(groups[src], groups[dst], passage) for src, dst, passage in sides),
    )


def group_id(members: Members) -> str:
    """Return the id of a group: a digest of its members."""
    told = "\n".join(
        "\t".join((m.kind, m.namespace, m.name, m.type, str(m.addresses or ""))) for m in members
    )
    return f"g{sha256(told.encode('utf-8', 'surrogatepass')).hexdigest()[:_ID_DIGITS]}"


def _shared(lines: tuple[Line, ...]) -> Iterator[tuple[Members, Members, Passage]]:
    """Iterate over the lines, with fewer groups where an edge's silence about itself allows it.

    "One to all the others" is said as "one to all", if there is a group of all anyway.
    """
    plain = {m for line in lines for m in (line.sources, line.destinations)}
    wanted = Counter(whole for line in lines if (whole := _whole(line)))
    for line in lines:
        sources, destinations = line.sources, line.destinations
        whole = _whole(line)
        if whole and (whole in plain or wanted[whole] > 1):
            if len(sources) == 1:
                destinations = whole
            else:
                sources = whole
        yield sources, destinations, line.passage


def _whole(line: Line) -> Members:
    """Return both sides of a line between one and several; nothing of any other line."""
    one, several = sorted((line.sources, line.destinations), key=len)
    if len(one) != 1 or len(several) == 1 or one[0].kind == "ip":
        return ()
    return tuple(sorted({*one, *several}, key=lambda end: end.sort_key))
