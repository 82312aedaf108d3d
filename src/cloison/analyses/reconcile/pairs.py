"""Observed and intended edges, brought together by their ends.

Inside the cluster ends are workloads. Outside they are addresses: a contract names blocks of them,
flows show single ones, and blocks may lie in one another. For each partner inside, addresses are
cut where the blocks begin that are meant for it, so that each address is in one pair.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cloison.algebra import NO_ADDRESSES, NO_TRAFFIC, AddressSet, TrafficSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.ends import AddressEnd, End, NameEnd, ServiceEnd
from cloison.analyses.reconcile.led import behind
from cloison.analyses.reconcile.meant import Meant
from cloison.analyses.reconcile.seen import Finder, Outside, Seen, SeenEnd, Stranger, ref
from cloison.base import QuestionError
from cloison.engine import Engine


@dataclass(frozen=True, slots=True)
class Unplaced:
    """An observed edge that is in no cell.

    Args:
        seen: The edge.
        why: Why not.
        ends: What is known of its ends; None for one that is outside, or not known.
        traffic: With what, as far as that is known.
    """

    seen: Seen
    why: str
    ends: tuple[EndRef | None, EndRef | None] = (None, None)
    traffic: TrafficSet = NO_TRAFFIC

    def may_be(self, pair: tuple[EndRef, EndRef], traffic: TrafficSet) -> bool:
        """Return whether it may be of a pair of ends, with some traffic."""
        if self.ends == (None, None) or not self.traffic & traffic:
            return False
        other = self.ends[::-1] if self.seen.initiator == "unknown" else self.ends
        return any(
            all(
                end == known or (known is None and end.kind not in _INSIDE)
                for end, known in zip(pair, ends, strict=True)
            )
            for ends in {self.ends, other}
        )

    def may_be_of(
        self, sources: Collection[EndRef], destinations: Collection[EndRef], traffic: TrafficSet
    ) -> bool:
        """Return whether it may be of a pair of some ends, with some traffic."""
        return any(
            self.may_be((source, destination), traffic)
            for source in _like(self.ends, sources)
            for destination in _like(self.ends, destinations)
        )


def _like(known: tuple[EndRef | None, ...], ends: Collection[EndRef]) -> Iterator[EndRef]:
    """Yield those of some ends that are known, and one that is outside."""
    yield from (end for end in dict.fromkeys(known) if end is not None and end in ends)
    outside = next((end for end in ends if end.kind not in _INSIDE), None)
    if outside is not None:
        yield outside


_INSIDE = ("workload", "pod")


@dataclass(frozen=True, slots=True)
class Placed:
    """An observed edge whose ends are known.

    Args:
        seen: The edge.
        source: Who opened the connections.
        destination: Who was called.
        traffic: With what.
        told: The edge as records tell it, where that is to a Service and this is to its pods.
    """

    seen: Seen
    source: End | Outside
    destination: End | Outside
    traffic: TrafficSet
    told: Seen | None = None

    @property
    def identity(self) -> tuple[int, SeenEnd | None, int | None]:
        """What the same edge has wherever its records are placed, and no other has."""
        if self.told is None:
            return id(self.seen), None, None
        return id(self.told), self.seen.destination, self.seen.port


def placed(seen: Sequence[Seen], finder: Finder) -> tuple[list[Placed], list[Unplaced]]:
    """Return observed edges with who their ends are, and those of which that is not known.

    An edge to a Service is one to each workload that it leads to, on the port of its pods.
    """
    found: list[Placed] = []
    rest: list[Unplaced] = []
    known: dict[tuple[str | None, int | None, int | None], TrafficSet | None] = {}
    for each in seen:
        source, destination = finder.find(each.source), finder.find(each.destination)
        key = (each.protocol, each.port, each.icmp_type)
        if key not in known:
            known[key] = _traffic(each)
        traffic = known[key]
        if isinstance(source, Stranger) or isinstance(destination, Stranger) or traffic is None:
            why = _strange(source, destination) or _UNOPENED.get(each.initiator, _PORTLESS)
            ends = (_inside(source), _inside(destination))
            rest.append(Unplaced(each, why, ends, traffic or _protocol(each)))
        elif (reason := _why_not(each, source, destination)) is not None:
            ends = (_inside(source), _inside(destination))
            rest.append(Unplaced(each, reason, ends, traffic))
        elif isinstance(destination, ServiceEnd):
            try:
                found += _led(finder.names.engine, Placed(each, source, destination, traffic))
            except QuestionError as error:
                ends = (_inside(source), _inside(destination))
                rest.append(Unplaced(each, f"{destination.text}: {error}", ends, traffic))
        else:
            found.append(Placed(each, source, destination, traffic))
    return found, rest


def _led(engine: Engine, each: Placed) -> Iterator[Placed]:
    """Yield an edge to a Service as its pods see it; as it is where there are none.

    Raises:
        QuestionError: The Service leads to no pods on that port.
    """
    source = each.source.address if isinstance(each.source, Outside) else each.source
    if source is None or not isinstance(each.destination, ServiceEnd):
        yield each
        return
    pods = behind(engine, source, each.destination, each.traffic)
    for one in pods:
        name = one.pods.workload.id
        end = SeenEnd("pod", name.namespace, name.name, name.kind)
        seen = replace(each.seen, destination=end, protocol=one.protocol, port=one.port)
        yield Placed(seen, each.source, one.pods, one.traffic, each.seen)
    if not pods:
        yield each


_PORTLESS: Final = "no record says the port"
_UNOPENED: Final = {"unknown": "nobody knows which end opened the connection"}


def _protocol(seen: Seen) -> TrafficSet:
    """Return all traffic of an edge's protocol, where its port is not known."""
    known = seen.protocol in ("TCP", "UDP", "SCTP")
    return TrafficSet.protocol(seen.protocol or "") if known else NO_TRAFFIC


def _inside(end: End | Outside | Stranger) -> EndRef | None:
    return None if isinstance(end, Outside | Stranger) else ref(end)


def _strange(*ends: End | Outside | Stranger) -> str | None:
    found = (f"{end.end}: {end.why}" for end in ends if isinstance(end, Stranger))
    return next(found, None)


def _why_not(seen: Seen, source: End | Outside, destination: End | Outside) -> str | None:
    if seen.initiator in _UNOPENED:
        return _UNOPENED[seen.initiator]
    if seen.count and not seen.sure:
        return "several held one of the addresses at that time"
    if isinstance(source, Outside) and isinstance(destination, Outside):
        return "both ends are outside the cluster"
    if isinstance(source, Outside) and source.address is None:
        return "no record says the caller's address"
    return None


def _traffic(seen: Seen) -> TrafficSet | None:
    """Return the traffic of an observed edge; None where no record tells it."""
    if seen.protocol in {"TCP", "UDP", "SCTP"}:
        return TrafficSet.ports(seen.protocol, seen.port) if seen.port else None
    if seen.protocol in {"ICMP", "ICMPv6"}:
        return TrafficSet.icmp(seen.icmp_type, version=6 if seen.protocol == "ICMPv6" else 4)
    return None


def shown(seen: Sequence[Placed]) -> Iterator[tuple[EndRef, EndRef, TrafficSet]]:
    """Yield the edges that flows show with an address outside, whatever it is called."""
    for each in seen:
        one, other = (_address(end) for end in (each.source, each.destination))
        outside = isinstance(each.source, Outside) or isinstance(each.destination, Outside)
        if outside and one is not None and other is not None:
            yield one, other, each.traffic


def _address(end: End | Outside) -> EndRef | None:
    if isinstance(end, Outside):
        return None if end.address is None else ref(end.address)
    return ref(end)


@dataclass(slots=True)
class Pair:
    """What is said of one pair of ends.

    Args:
        source: Who calls.
        destination: Who is called.
        meant: What is intended.
        implied: What the cluster does by itself.
        seen: What was observed.
    """

    source: End
    destination: End
    meant: list[Meant] = field(default_factory=list)
    implied: list[Meant] = field(default_factory=list)
    seen: list[tuple[TrafficSet, Seen]] = field(default_factory=list)


Pairs = dict[tuple[EndRef, EndRef], Pair]
Blocks = Sequence[AddressEnd]
"""Addresses outside, cut so that no two of them have one in common."""


def together(
    engine: Engine, meant: Sequence[Meant], seen: Sequence[Placed], known: Sequence[AddressEnd] = ()
) -> Pairs:
    """Return what is meant and what was seen, by pair of ends.

    Args:
        engine: Tells addresses apart that policies tell apart.
        meant: What is intended or implied.
        seen: What was observed.
        known: Addresses that have a name: externals of the contract.
    """
    outside = _Outsides(engine, meant, known)
    found: Pairs = {}
    for one in meant:
        for source, destination in outside.cut(one):
            pair = _pair(found, source, destination)
            (pair.implied if one.because.implied else pair.meant).append(one)
    for each, source, destination in outside.resolved(seen):
        _pair(found, source, destination).seen.append((each.traffic, each.seen))
    return found


def _pair(pairs: Pairs, source: End, destination: End) -> Pair:
    key = (ref(source), ref(destination))
    return pairs.setdefault(key, Pair(source, destination))


_Side = tuple[bool, EndRef]
"""Whether the other end is outside as the destination, and the end inside."""


class _Outsides:
    """Finds which end outside an address or a name belongs to, seen from one end inside."""

    def __init__(self, engine: Engine, meant: Sequence[Meant], known: Sequence[AddressEnd]) -> None:
        self._engine = engine
        self._known = sorted(known, key=lambda end: (end.addresses.size(), end.text))
        said: dict[_Side, dict[AddressEnd, None]] = defaultdict(dict)
        named: dict[_Side, set[EndRef]] = defaultdict(set)
        self._traffic: dict[_Side, dict[AddressSet, TrafficSet]] = defaultdict(dict)
        for one in meant:
            for side, end in _sides(one.source, one.destination):
                if isinstance(end, AddressEnd):
                    said[side][end] = None
                    before = self._traffic[side].get(end.addresses, NO_TRAFFIC)
                    self._traffic[side][end.addresses] = before | one.traffic
                elif isinstance(end, NameEnd):
                    named[side].add(ref(end))
        self._blocks: dict[_Side, Blocks] = {key: _apart(tuple(v)) for key, v in said.items()}
        self._names = named

    def cut(self, one: Meant) -> Iterator[tuple[End, End]]:
        """Yield the pairs of ends that what is meant comes to."""
        for side, end in _sides(one.source, one.destination):
            if isinstance(end, AddressEnd):
                for block in self._blocks[side]:
                    if block.addresses <= end.addresses:
                        yield (one.source, block) if side[0] else (block, one.destination)
                return
        yield one.source, one.destination

    def resolved(self, seen: Sequence[Placed]) -> Iterator[tuple[Placed, End, End]]:
        """Yield observed edges with their ends; addresses that nothing tells apart are one."""
        loose: dict[object, list[tuple[Placed, AddressEnd]]] = defaultdict(list)
        for each in seen:
            if isinstance(each.source, Outside):
                if isinstance(each.destination, Outside):
                    continue
                side, outside = (False, ref(each.destination)), each.source
            elif isinstance(each.destination, Outside):
                side, outside = (True, ref(each.source)), each.destination
            else:
                yield each, each.source, each.destination
                continue
            end = self._end(side, outside, each.traffic)
            if end is not None:
                yield _with(each, end)
            elif outside.address is not None:
                key = (side, each.traffic, self._likeness(outside.address))
                loose[key].append((each, outside.address))
        for alike in loose.values():
            spans = (span for _, end in alike for span in end.addresses.spans)
            addresses = AddressSet(spans)
            named = self._name(addresses)
            text = named or ", ".join(map(str, addresses.blocks()))
            for each, _ in alike:
                yield _with(each, AddressEnd(text, addresses))

    def _end(self, side: _Side, outside: Outside, traffic: TrafficSet) -> End | None:
        """Return the end that somebody means with some traffic, or a name; None for addresses."""
        name, address = outside.name, outside.address
        if name is not None and ref(name) in self._names.get(side, ()):
            return name
        for one in (address, name):
            if isinstance(one, AddressEnd):
                for block in self._blocks.get(side, ()):
                    if one.addresses <= block.addresses:
                        if self._means(side, block, traffic):
                            return block
                        break
        ruled = isinstance(name, NameEnd) and any(self._engine.hosts.of(n) for n in name.names)
        return name if ruled or address is None else None

    def _means(self, side: _Side, block: AddressEnd, traffic: TrafficSet) -> bool:
        """Return whether somebody means some of such traffic with all of a block."""
        return any(
            block.addresses <= addresses and bool(said & traffic)
            for addresses, said in self._traffic.get(side, {}).items()
        )

    def _likeness(self, end: AddressEnd) -> object:
        units = tuple(self._engine.table.external_range(end.addresses))
        return (self._name(end.addresses), units)

    def _name(self, addresses: AddressSet) -> str | None:
        return next((k.text for k in self._known if addresses <= k.addresses), None)


def _with(each: Placed, end: End) -> tuple[Placed, End, End]:
    source = end if isinstance(each.source, Outside) else each.source
    destination = end if isinstance(each.destination, Outside) else each.destination
    return each, source, destination


def _sides(source: End, destination: End) -> Iterator[tuple[_Side, End]]:
    if isinstance(destination, AddressEnd | NameEnd):
        yield (True, ref(source)), destination
    elif isinstance(source, AddressEnd):
        yield (False, ref(destination)), source


def _apart(ends: Blocks) -> Blocks:
    """Return blocks cut where others begin, each called as the smallest that it lies in."""
    by_size = sorted(ends, key=lambda end: (end.addresses.size(), end.text))
    parts: Mapping[AddressSet, str] = {}
    for end in by_size:
        cut: dict[AddressSet, str] = {}
        rest = end.addresses
        for part, text in parts.items():
            both = part & end.addresses
            rest -= part
            for piece in (both, part - end.addresses):
                if piece:
                    cut[piece] = text
        if rest:
            cut[rest] = end.text
        parts = cut
    kept = {end.addresses: end for end in reversed(by_size)}
    return tuple(
        replace(kept[part], text=text) if part in kept else AddressEnd(text, part)
        for part, text in parts.items()
        if part != NO_ADDRESSES
    )
