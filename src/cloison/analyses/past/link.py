"""All that was seen of an edge, whatever sources, pods and labels tell of it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from cloison.algebra import TrafficSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.ends import End
from cloison.analyses.past.course import Course
from cloison.analyses.reconcile.pairs import Placed
from cloison.analyses.reconcile.seen import Became, Outside, Seen, SeenEnd, ref

LET: tuple[Became, ...] = ("allowed", "audited")
"""What became of connections that got through; an audited one would not, if it were enforced."""


@dataclass(frozen=True, slots=True, order=True)
class LinkKey:
    """What an edge is known by again, however pods and labels change.

    Args:
        source: Who calls, as questions name it; workloads with their kind.
        destination: Who is called.
        protocol: The protocol.
        port: The port at the destination; of ICMP its type, and -1 where there is none.
    """

    source: str
    destination: str
    protocol: str
    port: int

    def __str__(self) -> str:
        """Render for people."""
        return f"{shown(self.source)} to {shown(self.destination)} on {self.port_text}"

    @property
    def port_text(self) -> str:
        """The port and its protocol, for people."""
        return self.protocol if self.port < 0 else f"{self.port}/{self.protocol}"


@dataclass(frozen=True)
class Link:
    """All that was seen of an edge.

    Args:
        key: What it is known by.
        source: Who called.
        destination: Who was called.
        traffic: With what.
        seen: What was seen of it.
    """

    key: LinkKey
    source: End | Outside
    destination: End | Outside
    traffic: TrafficSet
    seen: tuple[Seen, ...]

    @property
    def names(self) -> tuple[str, str]:
        """What people call its ends."""
        return shown(self.key.source), shown(self.key.destination)

    def course(self, *became: Became) -> Course:
        """Return when it was seen; of connections that became some things, or of all.

        Several sources may tell of the same connections: the one that tells of most counts.
        """
        if len(self.seen) == 1:
            (only,) = self.seen
            if only.course is None or (became and only.became not in became):
                return Course()
            return only.course
        by_source: dict[tuple[str, ...], list[Seen]] = defaultdict(list)
        for each in self.seen:
            if each.course is not None and (not became or each.became in became):
                by_source[each.adapters].append(each)
        told = [
            Course.together(each.course for each in some if each.course is not None)
            for some in by_source.values()
        ]
        return max(told, key=lambda course: (course.total, course.hours), default=Course())

    def count(self, *became: Became) -> int:
        """Return how many connections became some things, by the source that tells of most."""
        by_source: dict[tuple[str, ...], int] = defaultdict(int)
        for each in self.seen:
            if each.became in became:
                by_source[each.adapters] += each.count
        return max(by_source.values(), default=0)

    @cached_property
    def allowed(self) -> Course:
        """When connections got through."""
        return self.course(*LET)

    @cached_property
    def denied(self) -> Course:
        """When policy stopped connections."""
        return self.course("denied")

    def first(self) -> int | None:
        """Return when it was seen first; microseconds since 1970."""
        return min((s.first for s in self.seen if s.first is not None), default=None)

    def last(self) -> int | None:
        """Return when it was seen last; microseconds since 1970."""
        return max((s.last for s in self.seen if s.last is not None), default=None)

    @property
    def adapters(self) -> tuple[str, ...]:
        """Which sources tell of it."""
        return tuple(sorted({name for each in self.seen for name in each.adapters}))


def links(placed: Iterable[Placed]) -> tuple[Link, ...]:
    """Return edges whose ends are known, each with all that was seen of it, sorted."""
    found: dict[LinkKey, list[Placed]] = defaultdict(list)
    for each in placed:
        found[link_key(each)].append(each)
    return tuple(
        Link(
            key,
            some[0].source,
            some[0].destination,
            some[0].traffic,
            tuple(each.seen for each in some),
        )
        for key, some in sorted(found.items(), key=lambda item: item[0])
    )


def link_key(each: Placed) -> LinkKey:
    """Return what an edge is known by."""
    port = each.seen.port if each.seen.port is not None else each.seen.icmp_type
    return LinkKey(
        named(each.source, each.seen.source),
        named(each.destination, each.seen.destination),
        each.seen.protocol or "",
        -1 if port is None else port,
    )


def named(end: End | Outside, seen: SeenEnd) -> str:
    """Return what questions call an observed end; outside by its name rather than its address."""
    if isinstance(end, Outside):
        if end.name is not None:
            return str(ref(end.name))
        return seen.ip or (str(ref(end.address)) if end.address is not None else seen.entity)
    return text(ref(end))


def text(end: EndRef) -> str:
    """Return an end as questions name it, workloads with their kind: two may have one name."""
    if end.kind == "node" and not end.name:
        return "a node"
    return f"{end.namespace}/{end.type}/{end.name}" if end.kind == "workload" else str(end)


def shown(name: str) -> str:
    """Return what people call an end: a workload without its kind.

    >>> shown("web/Deployment/portal"), shown("192.0.2.0/24"), shown("kube-system/coredns-x")
    ('web/portal', '192.0.2.0/24', 'kube-system/coredns-x')
    """
    parts = name.split("/")
    kinded = len(parts) == len(("ns", "Kind", "name")) and parts[1][:1].isupper()
    return f"{parts[0]}/{parts[2]}" if kinded else name
