"""`map`: everything permitted between workloads and with the outside.

Rows, not pairs: for each source the sets of destinations that share one outcome. Pairs are
spelled out only when somebody iterates over the edges.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cloison.algebra import L4, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.compress import fans, products
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.names import NamePattern
from cloison.ir.ruleset import Outcome
from cloison.ir.when import Split, When, joined, union, within

if TYPE_CHECKING:
    from cloison.algebra import RequestSet

_RANK = {
    "workload": 0,
    "pod": 0,
    "gateway": 1,
    "service": 2,
    "node": 3,
    "external-name": 4,
    "ip": 5,
}
_PREFIX = {"node": "node:", "external-name": "dns:", "service": "svc:", "gateway": "gw:"}


@dataclass(frozen=True, slots=True)
class Role:
    """What an end is for others, besides being itself.

    Args:
        role: `gateway`: it serves an entry; `resolver`: it answers lookups; `load-balancer`: it
            is behind a Service that takes connections from outside.
        of: The entries or Services, as questions name them.
        seen: Of a load balancer: whose address its pods see, `client` or `node`.
        assumed: What is assumed to be there, though the input does not hold it.
    """

    role: str
    of: tuple[str, ...] = ()
    seen: str | None = None
    assumed: str | None = None


@dataclass(frozen=True, slots=True)
class EndRef:
    """One end of an edge.

    Args:
        kind: `workload`, `pod`, `node`, `external-name` or `ip`; in a map of calls also `service`
            and `gateway`.
        namespace: Of a workload, pod, Service or gateway.
        name: Of a workload, pod, node, Service or gateway; of what is outside, as rules write it.
        type: A workload's or gateway's kind (`Deployment`, `Ingress`).
        addresses: Of `ip`.
        roles: What it is for others; two ends that differ in these are the same.
    """

    kind: str
    namespace: str = ""
    name: str = ""
    type: str = ""
    addresses: AddressSet | None = None
    roles: tuple[Role, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        """Render as questions name it: `web/portal`, `node:worker-1`, `192.0.2.0/24`."""
        if self.addresses is not None:
            return ", ".join(map(str, self.addresses.blocks()))
        home = f"{self.namespace}/" if self.namespace else ""
        return f"{_PREFIX.get(self.kind, '')}{home}{self.name}"

    @property
    def sort_key(self) -> tuple[int, str, str, str, tuple[tuple[int, int], ...]]:
        """Workloads by name, then gateways, Services, nodes and names, then addresses ascending."""
        spans = self.addresses.spans if self.addresses else ()
        return (_RANK[self.kind], self.namespace, self.name, self.type, spans)


def pairs_of(sources: Sequence[EndRef], destinations: Sequence[EndRef]) -> int:
    """Return how many pairs there are from some ends to others, none with itself.

    One end on each side is a pair in any case: such an edge may be of a workload's own pods.
    """
    if len(sources) == 1 == len(destinations):
        return 1
    both = len({*sources} & {*destinations})
    return len(sources) * len(destinations) - both


@dataclass(frozen=True, slots=True)
class Passage:
    """What passes between two ends.

    Args:
        allowed: Traffic that passes, for at least one pair of their pods.
        undetermined: Traffic that may pass, besides.
        caveats: What this stands on, sorted.
        when: That part of `undetermined` of which it is known with which requests it passes.
    """

    allowed: TrafficSet
    undetermined: TrafficSet = NO_TRAFFIC
    caveats: tuple[Caveat, ...] = ()
    when: tuple[When, ...] = ()

    @classmethod
    def of(cls, outcome: Outcome, caveats: Iterable[Caveat] = ()) -> "Passage":
        """Return an outcome, as much of it as maps tell, with what it stands on."""
        outcome = outcome.within(L4)
        doubts = (doubt for each in outcome.when for doubt in each.doubts)
        said = tuple(sorted({*caveats, *doubts}))
        return cls(outcome.allowed, outcome.undetermined, said, outcome.when)

    def join(self, other: "Passage") -> "Passage":
        """Return what passes for one pair of pods or another."""
        caveats = tuple(sorted({*self.caveats, *other.caveats}))
        if self.when or other.when:
            allowed, undetermined, when = joined(self.split, other.split)
            return Passage(allowed, undetermined, caveats, when)
        allowed = self.allowed | other.allowed
        undetermined = (self.undetermined | other.undetermined) - allowed
        return Passage(allowed, undetermined, caveats)

    def within(self, traffic: TrafficSet) -> "Passage":
        """Return the part of it that is in `traffic`."""
        allowed, undetermined = self.allowed & traffic, self.undetermined & traffic
        return Passage(allowed, undetermined, self.caveats, within(self.when, traffic))

    @property
    def split(self) -> Split:
        """What passes, what may, and with which requests."""
        return self.allowed, self.undetermined, self.when

    @property
    def parts(self) -> "Iterator[tuple[Verdict, TrafficSet, RequestSet | None, str]]":
        """Iterate over what passes, and what may, with the requests where not all do.

        Last stands what else has to hold; it is empty where nothing has to.
        """
        if self.allowed:
            yield Verdict.ALLOWED, self.allowed, None, ""
        for each in self.when:
            if each.allowed:
                yield Verdict.ALLOWED, each.traffic, each.allowed, ""
            if each.undetermined and each.mixed:
                verdict = Verdict.ALLOWED if each.given else Verdict.UNDETERMINED
                every = each.given and each.undetermined == each.asked
                requests = None if every else each.undetermined
                yield verdict, each.traffic, requests, each.given
        if self.open:
            yield Verdict.UNDETERMINED, self.open, None, ""

    @property
    def open(self) -> TrafficSet:
        """That part of `undetermined` of which no request decides."""
        return self.undetermined - union(each.traffic for each in self.when if each.mixed)

    def about(self, traffic: TrafficSet) -> tuple[Caveat, ...]:
        """Return what it stands on for some traffic: doubts about other requests do not count."""
        if not self.when:
            return self.caveats
        here, there = set[Caveat](), set[Caveat]()
        for each in self.when:
            (there if each.traffic.isdisjoint(traffic) else here).update(each.doubts)
        return tuple(each for each in self.caveats if each in here or each not in there)

    def __bool__(self) -> bool:
        """Return whether anything passes or may pass."""
        return bool(self.allowed or self.undetermined)


class _Passing:
    """What is said of anything with a `passage`."""

    __slots__ = ()
    passage: Passage

    @property
    def allowed(self) -> TrafficSet:
        """Traffic that passes."""
        return self.passage.allowed

    @property
    def undetermined(self) -> TrafficSet:
        """Traffic that may pass, besides."""
        return self.passage.undetermined

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What this stands on."""
        return self.passage.caveats


@dataclass(frozen=True, slots=True)
class Edge(_Passing):
    """What `src` may send to `dst`."""

    src: EndRef
    dst: EndRef
    passage: Passage


@dataclass(frozen=True, slots=True)
class MapOptions:
    """What part of the map is asked for.

    Args:
        focus: Only edges with one of these at an end (names as in questions).
        sources: Only edges from these.
        destinations: Only edges to these.
        namespace: Only edges with an end in this namespace.
        port: Only traffic of this port (`8080/UDP`).
        pods: Pods instead of workloads.
        self_edges: Also a workload's unrestricted traffic with itself.
        nodes: Also nodes, and every pod's own node.
        hosts: The names outside to tell of; without any, those that rules mention.
        policed: Nodes of which all traffic is told, though no policy may govern them here.
        logical: Calls through Services and gateways instead of what arrives.
    """

    focus: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    namespace: str | None = None
    port: str | None = None
    pods: bool = False
    self_edges: bool = False
    nodes: bool = False
    hosts: tuple[NamePattern, ...] = ()
    policed: frozenset[str] = frozenset()
    logical: bool = False


@dataclass(frozen=True, slots=True)
class Line(_Passing):
    """One line of the compressed map: every source to every destination, never to itself.

    A workload's traffic with itself has a line of its own, in which it stands alone on
    both sides. Expanding all lines of a map gives exactly its edges.
    """

    sources: tuple[EndRef, ...]
    destinations: tuple[EndRef, ...]
    passage: Passage


Row = dict[Passage, BitMap]
"""Destinations by what passes to them."""


@dataclass(frozen=True)
class Map:
    """The answer to `map`.

    Args:
        ends: Every workload (or pod) and node, sorted; rows refer to them by place.
        rows: For each end that may send, its destinations among the ends.
        outward: For each end that may send outside, the addresses by what passes.
        inward: For each end that outside may send to, the addresses by what passes.
        itself: For each end, what passes between its own replicas.
        caveats: What the whole map stands on.
        partial: Only a part was asked for.
        logical: Its edges are calls, to Services, gateways and names, and not what arrives.
    """

    ends: tuple[EndRef, ...]
    rows: dict[int, Row]
    outward: dict[int, dict[Passage, AddressSet]]
    inward: dict[int, dict[Passage, AddressSet]]
    itself: dict[int, Passage] = field(default_factory=dict)
    caveats: tuple[Caveat, ...] = ()
    partial: bool = False
    logical: bool = False

    def __iter__(self) -> Iterator[Edge]:
        """Iterate over the edges, sorted by source and destination, outside last."""
        for source in sorted({*self.rows, *self.outward, *self.itself}):
            src = self.ends[source]
            found = {d: p for p, members in self.rows.get(source, {}).items() for d in members}
            if source in self.itself:
                found[source] = self.itself[source]
            for destination in sorted(found):
                yield Edge(src, self.ends[destination], found[destination])
            yield from (Edge(src, ip, p) for ip, p in _outside(self.outward.get(source, {})))
        into: list[Edge] = [
            Edge(ip, self.ends[destination], p)
            for destination, found in self.inward.items()
            for ip, p in _outside(found)
        ]
        yield from sorted(into, key=lambda e: (e.src.sort_key, e.dst.sort_key))

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """All edges at once."""
        return tuple(self)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The edges, compressed to what a person can read."""
        found = [*self._inner_lines(), *self._outer_lines()]
        found += (Line((self.ends[i],), (self.ends[i],), p) for i, p in sorted(self.itself.items()))
        return tuple(
            sorted(
                found,
                key=lambda li: (
                    -len(li.sources) * len(li.destinations) * (li.sources[0].kind != "ip"),
                    [s.sort_key for s in li.sources],
                    [d.sort_key for d in li.destinations],
                    str(li.passage.allowed),
                ),
            )
        )

    def _inner_lines(self) -> Iterator[Line]:
        for passage, sources, members in products(self.rows):
            yield Line(
                tuple(self.ends[s] for s in sources),
                tuple(self.ends[d] for d in members),
                passage,
            )

    def _outer_lines(self) -> Iterator[Line]:
        for table, outward in ((self.outward, True), (self.inward, False)):
            for passage, members, addresses in fans(table):
                inside = tuple(self.ends[m] for m in members)
                ip = (EndRef("ip", addresses=addresses),)
                yield Line(inside, ip, passage) if outward else Line(ip, inside, passage)


def expand(lines: tuple[Line, ...]) -> Iterator[Edge]:
    """Iterate over the edges that lines stand for."""
    for line in lines:
        alone = line.sources == line.destinations and len(line.sources) == 1
        for src in line.sources:
            for dst in line.destinations:
                if src != dst or alone:
                    yield Edge(src, dst, line.passage)


def _outside(found: dict[Passage, AddressSet]) -> list[tuple[EndRef, Passage]]:
    ends = [(EndRef("ip", addresses=addresses), passage) for passage, addresses in found.items()]
    return sorted(ends, key=lambda item: item[0].sort_key)


def unrestricted(passage: Passage) -> bool:
    """Return whether nothing that policy can speak about is held back."""
    return passage.allowed >= L4
