"""A flow that a guardrail forbids and that passes: who, with what, and what lets it through."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from cloison.algebra import PORT_PROTOCOLS, AddressSet, TrafficEntry, TrafficSet, address_text
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.application import Application
from cloison.analyses.contract.sets import Box, Group, Sets
from cloison.analyses.ends import Names
from cloison.analyses.explain import CaseAnswer, Decider, explain_case
from cloison.analyses.parties import Party
from cloison.analyses.question import Case
from cloison.analyses.request import usual
from cloison.base import QuestionError
from cloison.engine import UnitKind
from cloison.engine.related import UNRELATED
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.policy import Direction
from cloison.resources.names import NameRule, is_name
from cloison.resources.world import PodEndpoint

if TYPE_CHECKING:
    from cloison.algebra import Request, RequestSet

_LOOKED_AT = 24
"""Units of a side from which examples are chosen."""
_USUAL = tuple(AddressSet.address(text) for text in ("203.0.113.9", "2001:db8::9"))
"""Addresses that stand for any: they are kept for examples."""
_ANY_NAME = "dns:*"
"""What any name outside is called that nothing speaks of."""
_SHOWN_FIRST = frozenset(address_text(one.spans[0][0]) for one in _USUAL)


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where what is forbidden meets what passes.

    Args:
        verdict: Whether it passes, or nobody can say.
        box: What is forbidden.
        sources: Units that send.
        destinations: Units that they reach.
        traffic: With what.
        requests: With which requests only; None for every one.
        given: What else has to hold; empty where nothing has to.
        caveats: What that stands on.
    """

    verdict: Verdict
    box: Box
    sources: BitMap
    destinations: BitMap
    traffic: TrafficSet
    requests: "RequestSet | None" = None
    given: str = ""
    caveats: frozenset[Caveat] = frozenset()

    def pairs(self, sets: Sets) -> "Iterator[Pair]":
        """Yield pairs of ends, a few of many; none where a lone pod meets itself."""
        callers = [_calling(each) for each in _some(sets, self.sources, self.box.sources)]
        tos = list(_some(sets, self.destinations, self.box.destinations))
        for source in callers:
            for destination in tos:
                if source.index != destination.index or not self._alone(sets, source):
                    yield Pair(self, source, destination)

    def _alone(self, sets: Sets, side: "Side") -> bool:
        """Return whether one pod is all that a unit has of its workload, at either end."""
        if side.index is None or not _single(sets, side.index):
            return False
        table, pods = sets.engine.table, self.box.sources.pods | self.box.destinations.pods
        mine = [table.endpoints[i].workload for i in table.units[side.unit].endpoints if i in pods]
        return mine.count(table.endpoints[side.index].workload) == 1


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a flow.

    Args:
        rank: 0 for a pod that exists, then outside, nodes, names, and pods that may come.
        unit: Its unit.
        text: What to call it.
        asks: What a question calls it.
        index: Its endpoint, of a pod.
        kind: `workload`, `any-pod`, `ip`, `node` or `external-name`.
        addresses: Of `ip`, all that are in the same case.
    """

    rank: int
    unit: int
    text: str
    asks: str
    index: int | None = None
    kind: str = "workload"
    addresses: AddressSet | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ends between which a forbidden flow passes."""

    meeting: Meeting
    source: Side
    destination: Side

    @property
    def verdict(self) -> Verdict:
        """Whether it passes, or nobody can say."""
        return self.meeting.verdict

    @property
    def names(self) -> tuple[str, str]:
        """What the ends are called; of pods that may come, one stands for those of its namespace.

        And one address for all outside.
        """
        source, destination = (
            each.asks if each.kind == "any-pod" else each.kind if each.kind == "ip" else each.text
            for each in (self.source, self.destination)
        )
        return source, destination


@dataclass(frozen=True, slots=True)
class Breach:
    """A flow that a guardrail forbids.

    Args:
        verdict: `allowed`, or `undetermined` where nobody can say.
        source: Who sends.
        destination: Who is reached.
        traffic: All that passes between them of what is forbidden.
        port: One port of it, as questions write it: `8080`, `53/UDP`.
        request: A request with which it passes, where not every one does.
        given: What else has to hold; empty where nothing has to.
        answer: What lets it through, at either end.
        caveats: What that stands on.
    """

    verdict: Verdict
    source: Side
    destination: Side
    traffic: TrafficSet
    port: str
    answer: CaseAnswer
    request: "Request | None" = None
    given: str = ""
    caveats: tuple[Caveat, ...] = ()

    @property
    def why(self) -> tuple[str, str]:
        """The two ends as `cloison why` takes them."""
        asks = self.destination.asks
        bracketed = f"[{asks}]" if self.destination.kind == "ip" and ":" in asks else asks
        return self.source.asks, f"{bracketed}:{self.port}" if self.port else bracketed

    @property
    def arguments(self) -> tuple[str, ...]:
        """What `cloison why` takes to show this flow, with a request where one is needed."""
        asked = self.request
        return self.why if asked is None else (*self.why, *Application.saying(asked).words)

    @property
    def deciders(self) -> tuple[Decider, ...]:
        """What lets it through: first where the destination takes it in."""
        points = sorted(self.answer.points, key=lambda p: p.direction is not Direction.INGRESS)
        found = (each for point in points for each in point.decided_by)
        return tuple(dict.fromkeys(found))

    @property
    def mend(self) -> str:
        """What would end it, in a sentence without its end."""
        if self.verdict is not Verdict.ALLOWED:
            stands = ", ".join(each.id for each in self.caveats)
            return f"settle what it stands on: {stands or 'what no policy is defined for'}"
        inward = self.destination.kind in ("workload", "any-pod")
        wanted = Direction.INGRESS if inward else Direction.EGRESS
        end = self.destination if inward else self.source
        points = [p for p in self.answer.points if p.direction is wanted]
        rules = [d for p in points for d in p.decided_by if d.rule is not None]
        if rules:
            place = f" at {rules[0].span}" if rules[0].span else ""
            return f"narrow {rules[0].text}{place}, which lets {self.source.text} through"
        others = [d for p in points for d in p.decided_by if d.policy is not None]
        if others:
            return f"{others[0].text}, and lets it through all the same: look there"
        if end.kind == "any-pod":
            return f"no policy would isolate {end.text} for {wanted}: deny by default there"
        return f"no policy isolates {end.text} for {wanted}: write one that does"


def breach(sets: Sets, pair: Pair) -> Breach:
    """Return a pair of ends with a flow between them, and what lets it through."""
    meeting = pair.meeting
    endpoint = _endpoint(sets, pair.destination)
    entry = _port(meeting.traffic, endpoint)
    one = _one(entry)
    units = sets.engine.table.units
    families = {units[each.unit].family for each in (pair.source, pair.destination)} - {0}
    case = Case(
        Party(pair.source.unit, pair.source.text, _endpoint(sets, pair.source)),
        Party(pair.destination.unit, pair.destination.text, endpoint),
        UNRELATED,
        UNRELATED,
        one,
        family=families.pop() if len(families) == 1 else None,
    )
    request = None if meeting.requests is None else usual(meeting.requests)
    answer = explain_case(sets.engine, case, misses=False)
    caveats = tuple(sorted({*meeting.caveats, *answer.caveats}))
    return Breach(
        pair.verdict,
        pair.source,
        pair.destination,
        meeting.traffic,
        _written(entry),
        answer,
        request,
        meeting.given,
        caveats,
    )


def preference(pair: Pair) -> tuple[bool, int, int, str, str, str]:
    """Return what orders examples: those that pass, among what exists, plain ones, by name."""
    sides = (pair.source, pair.destination)
    ranks = sum(each.rank for each in sides)
    length = sum(len(each.text) for each in sides if each.kind == "any-pod")
    length += sum(each.kind == "ip" and each.asks not in _SHOWN_FIRST for each in sides)
    texts = (each.text for each in sides)
    later = pair.verdict is not Verdict.ALLOWED
    source, destination = texts
    return later, ranks, length, source, destination, str(pair.meeting.traffic)


def _single(sets: Sets, index: int) -> bool:
    """Return whether an endpoint is one pod, and not all that a template makes."""
    endpoint = sets.engine.table.endpoints[index]
    one = endpoint.pod is not None or endpoint.workload.kind == "Pod"
    return one and index < sets.existing


def _endpoint(sets: Sets, side: Side) -> PodEndpoint | None:
    return None if side.index is None else sets.engine.table.endpoints[side.index]


def _some(sets: Sets, units: BitMap, group: Group) -> Iterator[Side]:
    """Yield some ends of a group in some units: those first that exist."""
    table = sets.engine.table
    real = BitMap(u for i in group.pods if i < sets.existing for u in table.by_endpoint[i])
    real.update(table.external(one.spans[0][0]) for one in _USUAL)
    first = list(islice(units & real, _LOOKED_AT))
    rest = islice(units - real, _LOOKED_AT - len(first) if first else _LOOKED_AT)
    for unit in (*first, *rest):
        yield from _sides(sets, unit, group)


def _sides(sets: Sets, unit: int, group: Group) -> Iterator[Side]:
    table = sets.engine.table
    found = table.units[unit]
    match found.kind:
        case UnitKind.NODE:
            yield Side(2, unit, f"node:{found.node}", f"node:{found.node}", kind="node")
        case UnitKind.EXTERNAL:
            part = (found.addresses & group.addresses) if found.addresses else group.addresses
            text = _address(part)
            yield Side(1, unit, text, text, kind="ip", addresses=part)
        case UnitKind.NAMED:
            names = sorted(_names(sets, unit))
            text = sets.called.get(unit) or (f"dns:{names[0]}" if names else _ANY_NAME)
            yield Side(3, unit, text, text, kind="external-name")
        case _:
            held = [i for i in found.endpoints if i in group.pods]
            seen: set[object] = set()
            for index in sorted(held, key=lambda i: table.endpoints[i].name):
                endpoint = table.endpoints[index]
                if endpoint.workload not in seen and len(seen) < _LOOKED_AT:
                    seen.add(endpoint.workload)
                    yield _pod(sets, unit, index, endpoint)


def _calling(side: Side) -> Side:
    """Return an end as one that calls: what only has some name has some address, and no name."""
    if side.text != _ANY_NAME:
        return side
    return replace(side, text="an address outside that nothing here names")


def _pod(sets: Sets, unit: int, index: int, endpoint: PodEndpoint) -> Side:
    if index < sets.existing:
        text = _asked(sets.ends.names, endpoint)
        return Side(0, unit, text, text, index)
    known = is_name(endpoint.namespace, NameRule.LABEL)
    asks = f"any:{endpoint.namespace}" if known else "any:"
    return Side(4, unit, endpoint.name, asks, index, "any-pod")


def _asked(names: Names, endpoint: PodEndpoint) -> str:
    """Return what questions call a pod: by its workload, unless its pods differ."""
    workload = endpoint.workload
    if len(names.engine.table.workload_units(workload)) > 1 and endpoint.pod is not None:
        return endpoint.name
    try:
        names.end(str(workload))
    except QuestionError:
        return f"{workload.namespace}/{workload.kind.lower()}/{workload.name}"
    return str(workload)


def _names(sets: Sets, unit: int) -> Iterable[str]:
    hosts = sets.engine.hosts
    every = (*hosts.patterns.exact, *hosts.patterns.wild)
    return (str(name) for name in every if unit in (hosts.of(name) or ()))


def _address(part: AddressSet) -> str:
    """Return one address of a set: one that is kept for examples, if it is in there."""
    for usual_one in _USUAL:
        if usual_one <= part:
            return address_text(usual_one.spans[0][0])
    (low, high), *_ = part.spans
    return address_text(low + 1 if high > low else low)


def _port(traffic: TrafficSet, to: PodEndpoint | None) -> TrafficEntry:
    """Return one entry of traffic: a port that the destination declares, or else a usual one."""
    ports = to.ports if to is not None else ()
    declared = [(p.protocol, p.number) for p in ports if p.last is None]
    for protocol, number in (*declared, *_COMMON):
        one = TrafficSet.ports(protocol, number)
        if one <= traffic:
            return next(one.entries())
    return next(traffic.entries())


_COMMON = (("TCP", 443), ("TCP", 80), ("UDP", 53))


def _one(entry: TrafficEntry) -> TrafficSet:
    if entry.low is None or entry.protocol.startswith("ICMP"):
        return TrafficSet.protocol(entry.protocol)
    return TrafficSet.ports(entry.protocol, entry.low)


def _written(entry: TrafficEntry) -> str:
    """Return one port as questions write it."""
    if entry.protocol.startswith("ICMP"):
        return entry.protocol.lower()
    if entry.low is None and entry.protocol not in PORT_PROTOCOLS:
        return f"proto/{entry.protocol}"
    port = entry.low or 1
    return f"{port}" if entry.protocol == "TCP" else f"{port}/{entry.protocol}"
