"""Intended, permitted and observed, put beside each other: one cell for what is alike.

Of every pair of ends that the contract names or flows tell of, traffic falls into cells by what
three sets say of it. What is permitted and neither intended nor observed is a map of its own: it is
most of an open cluster, and is told in groups.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cloison.algebra import L4, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, Map, Row
from cloison.analyses.contract.intended import Intended, Unmet
from cloison.analyses.ends import End, PodsEnd
from cloison.analyses.reconcile.passing import Passages, Passing
from cloison.analyses.reconcile.seen import Finder, Seen, Stranger, covers, gathered, ref
from cloison.engine import Engine


class Kind(StrEnum):
    """What a cell of the cube means."""

    HEALTHY = "healthy"
    """Intended, permitted, observed."""
    BROKEN = "broken"
    """Intended and not permitted: an outage, now or at the next connection."""
    EXCESS = "excess"
    """Permitted; nobody means it and nobody uses it."""
    UNDOCUMENTED = "undocumented"
    """Permitted and observed, and nobody owns the reason."""
    ATTEMPTED = "attempted"
    """Observed and denied, and nobody means it: lateral movement, or a missing entry."""
    UNUSED = "unused"
    """Intended and permitted, and not observed."""
    UNDETERMINED = "undetermined"
    """Intended or observed, and nobody can say whether it is permitted."""
    CONTRADICTED = "contradicted"
    """What happened is not what policies say: not enforced, other policies, or our mistake."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What flows say of a cell.

    Args:
        allowed: Connections that got through.
        denied: Connections that policy stopped.
        other: Connections of which nobody says, or that were lost otherwise.
        first: When the first of them was seen; microseconds since 1970.
        last: When the last was seen.
        adapters: Which sources tell of them.
        closed: Whether all that got through did so before the first that was stopped.
    """

    allowed: int = 0
    denied: int = 0
    other: int = 0
    first: int | None = None
    last: int | None = None
    adapters: tuple[str, ...] = ()
    closed: bool = False

    @classmethod
    def of(cls, seen: Iterable[Seen]) -> "Evidence":
        """Return what some observed edges say together."""
        rows = tuple(seen)
        counts = {"allowed": 0, "denied": 0}
        other = 0
        for each in rows:
            if each.became in counts:
                counts[each.became] += each.count
            elif each.became == "audited":
                counts["allowed"] += each.count
            else:
                other += each.count
        through = [e.last for e in rows if e.became in {"allowed", "audited"}]
        stopped = [e.first for e in rows if e.became == "denied"]
        closed = bool(stopped) and max(map(_or_never, through), default=0) < min(
            map(_or_never, stopped)
        )
        firsts = [each.first for each in rows if each.first is not None]
        lasts = [each.last for each in rows if each.last is not None]
        return cls(
            counts["allowed"],
            counts["denied"],
            other,
            min(firsts, default=None),
            max(lasts, default=None),
            tuple(sorted({name for each in rows for name in each.adapters})),
            closed,
        )


def _or_never(time: int | None) -> int:
    return 0 if time is None else time


@dataclass(frozen=True, slots=True)
class Cell:
    """Traffic between two ends of which the three say the same.

    Args:
        kind: What that means.
        source: Who calls.
        destination: Who is called.
        traffic: With what.
        intended: Names of the contract's entries that mean it.
        evidence: What flows say of it.
        partly: Whether it is permitted for some of the pods only.
        conditional: Whether it hangs on the request.
        question: Ends and port as `why` takes them.
    """

    kind: Kind
    source: EndRef
    destination: EndRef
    traffic: TrafficSet
    intended: tuple[str, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)
    partly: bool = False
    conditional: bool = False
    question: tuple[str, str] = ("", "")

    @property
    def sort_key(self) -> tuple[object, ...]:
        """By ends, then traffic."""
        return (self.source.sort_key, self.destination.sort_key, str(self.traffic), self.kind)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """An observed edge with an end that the input does not hold.

    Args:
        seen: The edge.
        why: Why it is in no cell.
    """

    seen: Seen
    why: str


@dataclass(frozen=True, slots=True)
class Cube:
    """The answer to `reconcile`.

    Args:
        cells: All cells but those of excess, sorted.
        excess: What is permitted beyond them, as a map.
        unplaced: Observed edges that are in no cell.
        unmet: Entries of the contract that mean nothing here.
    """

    cells: tuple[Cell, ...]
    excess: Map
    unplaced: tuple[Unplaced, ...] = ()
    unmet: tuple[Unmet, ...] = ()

    def of(self, kind: Kind) -> tuple[Cell, ...]:
        """Return the cells of one kind."""
        return tuple(each for each in self.cells if each.kind is kind)


@dataclass(slots=True)
class _Pair:
    """What is said of one pair of ends."""

    source: End
    destination: End
    intended: list[tuple[TrafficSet, str]] = field(default_factory=list)
    seen: list[tuple[TrafficSet, Seen]] = field(default_factory=list)


def reconcile(
    engine: Engine,
    finder: Finder,
    intended: Sequence[Intended],
    seen: Sequence[Seen],
    permitted: Map,
    unmet: Sequence[Unmet] = (),
) -> Cube:
    """Return the cube.

    Args:
        engine: Who says what is permitted.
        finder: Finds who the ends of observed edges are.
        intended: The edges that the contract means.
        seen: The edges that were observed.
        permitted: The map of everything permitted.
        unmet: Entries of the contract that mean nothing here.
    """
    pairs: dict[tuple[EndRef, EndRef], _Pair] = {}
    for edge in intended:
        _pair(pairs, edge.source, edge.destination).intended.append((_named(edge), edge.entry.name))
    unplaced: list[Unplaced] = []
    blocks = _blocks(pairs)
    for each, source, destination in gathered(seen, finder):
        traffic = _traffic(each)
        why = _why_not(each, source, destination, traffic)
        if why is not None or isinstance(source, Stranger) or isinstance(destination, Stranger):
            unplaced.append(Unplaced(each, why or ""))
            continue
        pair = _pair(pairs, _meant(blocks, source), _meant(blocks, destination))
        pair.seen.append((traffic or NO_TRAFFIC, each))
    passages = Passages(engine)
    cells = [
        cell
        for (source, destination), pair in pairs.items()
        for cell in _cells(source, destination, pair, passages)
    ]
    return Cube(
        tuple(sorted(cells, key=lambda cell: cell.sort_key)),
        _excess(permitted, pairs),
        tuple(unplaced),
        tuple(unmet),
    )


def _pair(pairs: dict[tuple[EndRef, EndRef], _Pair], source: End, destination: End) -> _Pair:
    key = (ref(source), ref(destination))
    return pairs.setdefault(key, _Pair(source, destination))


def _named(edge: Intended) -> TrafficSet:
    """Return an intended edge's traffic, a port's name looked up on the destination."""
    if edge.traffic.name is None:
        return edge.traffic.traffic
    found = NO_TRAFFIC
    pods = edge.destination.workload.endpoints if isinstance(edge.destination, PodsEnd) else ()
    for pod in pods:
        for port in pod.ports:
            if port.name == edge.traffic.name and edge.traffic.protocol in (None, port.protocol):
                found |= TrafficSet.ports(port.protocol, port.number)
    return found


def _traffic(seen: Seen) -> TrafficSet | None:
    """Return the traffic of an observed edge; None where no record tells it."""
    if seen.protocol in {"TCP", "UDP", "SCTP"} and seen.port:
        return TrafficSet.ports(seen.protocol, seen.port)
    if seen.protocol in {"ICMP", "ICMPv6"}:
        return TrafficSet.icmp(version=6 if seen.protocol == "ICMPv6" else 4)
    return None


def _why_not(
    seen: Seen, source: End | Stranger, destination: End | Stranger, traffic: TrafficSet | None
) -> str | None:
    """Return why an observed edge is in no cell, if it is in none."""
    for end in (source, destination):
        if isinstance(end, Stranger):
            return f"{end.end}: {end.why}"
    if seen.initiator == "unknown":
        return "nobody knows which end opened the connection"
    return "no record says the port" if traffic is None else None


Blocks = Sequence[tuple[EndRef, End]]


def _blocks(pairs: dict[tuple[EndRef, EndRef], _Pair]) -> Blocks:
    """Return the blocks of addresses that the contract names, the smallest first."""
    found: dict[EndRef, End] = {}
    for (one, other), pair in pairs.items():
        found.update({one: pair.source, other: pair.destination})
    blocks = [(each, end) for each, end in found.items() if each.addresses is not None]
    return sorted(blocks, key=lambda block: (block[0].addresses or AddressSet()).size())


def _meant(blocks: Blocks, end: End) -> End:
    """Return the contract's block around an address, or the end itself."""
    here = ref(end)
    if here.addresses is None:
        return end
    return next((block for each, block in blocks if covers(each, here)), end)


def _cells(source: EndRef, destination: EndRef, pair: _Pair, passages: Passages) -> Iterator[Cell]:
    passing = passages.between(pair.source, pair.destination)
    for part in _parts(pair):
        seen = [each for traffic, each in pair.seen if traffic & part]
        names = tuple(sorted({name for traffic, name in pair.intended if traffic & part}))
        evidence = Evidence.of(seen)
        for state, traffic in _states(passing, part):
            kind = _kind(state, evidence, intended=bool(names))
            if kind is not None:
                yield Cell(
                    kind,
                    source,
                    destination,
                    traffic,
                    names,
                    evidence,
                    partly=state is _State.PARTLY,
                    conditional=bool(passing.conditional & traffic),
                    question=(pair.source.text, pair.destination.text),
                )


def _parts(pair: _Pair) -> Iterator[TrafficSet]:
    """Yield disjoint traffic of which all of it is in the same entries and the same flows."""
    said = dict.fromkeys([*(t for t, _ in pair.seen), *(t for t, _ in pair.intended)])
    parts = [_union(said)]
    for each in said:
        cut = [(part & each, part - each) for part in parts]
        parts = [half for halves in cut for half in halves if half]
    yield from parts


class _State(StrEnum):
    """Whether traffic is permitted."""

    YES = "yes"
    PARTLY = "partly"
    UNCLEAR = "unclear"
    NO = "no"


def _states(passing: Passing, traffic: TrafficSet) -> Iterator[tuple[_State, TrafficSet]]:
    """Yield the parts of some traffic by whether they are permitted."""
    unclear = passing.maybe - passing.every
    yes = (passing.every | passing.conditional) - unclear
    partly = passing.some - yes - unclear
    parts = {
        _State.YES: traffic & yes,
        _State.PARTLY: traffic & partly,
        _State.UNCLEAR: traffic & unclear,
        _State.NO: traffic - yes - partly - unclear,
    }
    return ((state, part) for state, part in parts.items() if part)


def _kind(state: _State, evidence: Evidence, *, intended: bool) -> Kind | None:
    """Return what it means; None for what was neither meant nor seen."""
    seen = bool(evidence.allowed or evidence.denied or evidence.other)
    if not (intended or seen):
        return None
    if state is _State.UNCLEAR:
        return Kind.UNDETERMINED
    if state is _State.NO:
        if evidence.allowed and not evidence.closed:
            return Kind.CONTRADICTED
        return Kind.BROKEN if intended else Kind.ATTEMPTED
    if state is _State.PARTLY and intended:
        return Kind.BROKEN
    if evidence.denied and not evidence.allowed:
        return Kind.ATTEMPTED if state is _State.PARTLY else Kind.CONTRADICTED
    if intended:
        return Kind.HEALTHY if seen else Kind.UNUSED
    return Kind.UNDOCUMENTED


def _union(sets: Iterable[TrafficSet]) -> TrafficSet:
    found = NO_TRAFFIC
    for each in dict.fromkeys(sets):
        found |= each
    return found


def _excess(permitted: Map, pairs: dict[tuple[EndRef, EndRef], _Pair]) -> Map:
    """Return the map between workloads without what the contract means and flows show."""
    places = {end: place for place, end in enumerate(permitted.ends)}
    known: dict[int, dict[int, TrafficSet]] = defaultdict(dict)
    for (one, other), pair in pairs.items():
        if one in places and other in places:
            said = _union([*(t for t, _ in pair.intended), *(t for t, _ in pair.seen)])
            known[places[one]][places[other]] = said
    rows = {
        source: fresh
        for source, row in permitted.rows.items()
        if (fresh := _beyond(row, known.get(source, {})))
    }
    return replace(permitted, rows=rows, outward={}, inward={}, itself={})


def _beyond(row: Row, known: Mapping[int, TrafficSet]) -> Row:
    """Return of one source's row what is not known of it."""
    found: Row = {}
    for passage, members in row.items():
        whole = passage.within(L4)
        rest = members - BitMap(known)
        if whole.allowed and rest:
            found[whole] = found.get(whole, BitMap()) | rest
        for place in members & BitMap(known):
            left = passage.within(L4 - known[place])
            if left.allowed:
                found[left] = found.get(left, BitMap()) | BitMap([place])
    return found
