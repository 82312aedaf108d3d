"""Connections that would be denied, summed up."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cloison.analyses.past.course import HOUR, Course
from cloison.analyses.shadow.model import Edge


@dataclass(frozen=True, slots=True)
class Sum:
    """Connections that have something in common.

    Args:
        name: What they have in common; of an hour, nothing but the hour.
        hour: The hour since 1970 that they were in; None where that is not asked, or not known.
        edges: Over how many edges.
        connections: How many.
        course: When.
    """

    name: str
    hour: int | None
    edges: int
    connections: int
    course: Course


def _workload(edge: Edge) -> str:
    return edge.link.names[0]


def _edge(edge: Edge) -> str:
    return str(edge.key)


def _namespace(edge: Edge) -> str:
    one, other = (home or "outside" for home in edge.namespaces)
    return f"{one} to {other}"


_NAMES: Final[Mapping[str, Callable[[Edge], str]]] = {
    "workload": _workload,
    "edge": _edge,
    "namespace": _namespace,
}
BY: Final = (*_NAMES, "hour")
"""What connections can be summed up by: who calls, edge, pair of namespaces, or hour."""


def sums(edges: Iterable[Edge], by: str) -> tuple[Sum, ...]:
    """Return sums of connections: by hour in order of time, otherwise the greatest first.

    Args:
        edges: The edges.
        by: One of `BY`.
    """
    if by == "hour":
        return _hours(edges)
    groups: dict[str, list[Edge]] = {}
    for edge in edges:
        groups.setdefault(_NAMES[by](edge), []).append(edge)
    found = (
        Sum(
            name, None, len(some), sum(e.connections for e in some), Course.together(_courses(some))
        )
        for name, some in groups.items()
    )
    return tuple(sorted(found, key=lambda each: (-each.connections, each.name)))


def _courses(edges: Iterable[Edge]) -> Iterable[Course]:
    return (each.course for each in edges)


def _hours(edges: Iterable[Edge]) -> tuple[Sum, ...]:
    counts: dict[int | None, list[int]] = {}
    for edge in edges:
        for hour, number in edge.course.rows():
            held = counts.setdefault(hour, [0, 0])
            held[0] += 1
            held[1] += number
    ordered = sorted(counts, key=lambda hour: (hour is None, hour or 0))
    return tuple(
        Sum("", hour, counts[hour][0], counts[hour][1], Course.of([(hour, counts[hour][1])]))
        for hour in ordered
    )


def start(hour: int) -> int:
    """Return when an hour begins, in microseconds since 1970."""
    return hour * HOUR
