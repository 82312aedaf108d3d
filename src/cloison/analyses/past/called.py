"""Ends outside that one source of flows calls by name, and another by address only."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from cloison.algebra import TrafficSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.ends import AddressEnd, NameEnd
from cloison.analyses.past.link import LET
from cloison.analyses.reconcile.pairs import Placed
from cloison.analyses.reconcile.seen import Outside, ref

_Call = tuple[EndRef, TrafficSet, EndRef]
"""Who calls, with what, and at which address."""
_Told = tuple[tuple[str, ...], str]
"""Which source tells it, and what became of connections: those that got through are one kind."""


@dataclass
class _Known:
    """What is told of one caller's calls at one address."""

    names: dict[str, NameEnd | AddressEnd] = field(default_factory=dict)
    named: dict[_Told, int] = field(default_factory=lambda: defaultdict(int))
    unnamed: dict[_Told, int] = field(default_factory=lambda: defaultdict(int))

    def elsewhere(self, told: _Told) -> bool:
        """Return whether another source calls as many connections by name."""
        source, became = told
        return any(
            count >= self.unnamed[told]
            for (other, then), count in self.named.items()
            if other != source and then == became
        )


def called_alike(placed: Sequence[Placed]) -> list[Placed]:
    """Return observed edges, those known by address only called as the others of that address.

    Otherwise the same connections would be of two edges, and count twice. Where a caller knows an
    address by several names, nobody can say which of them was meant: what a source tells by
    address is left out if another tells of as many connections by name, and stays otherwise.

    Args:
        placed: The edges.
    """
    calls: dict[_Call, _Known] = {}
    for each, call, end in _outward(placed):
        if end.name is not None:
            known = calls.setdefault(call, _Known())
            known.names[end.name.text] = end.name
            known.named[_told(each)] += each.seen.count
    if not calls:
        return list(placed)
    bare: dict[int, tuple[_Known, Outside]] = {}
    for each, call, end in _outward(placed):
        if end.name is None and call in calls:
            calls[call].unnamed[_told(each)] += each.seen.count
            bare[id(each)] = (calls[call], end)
    found: list[Placed] = []
    for each in placed:
        if id(each) not in bare:
            found.append(each)
            continue
        known, end = bare[id(each)]
        if len(known.names) == 1:
            found.append(replace(each, destination=Outside(end.address, *known.names.values())))
        elif not known.elsewhere(_told(each)):
            found.append(each)
    return found


def _outward(placed: Sequence[Placed]) -> Iterator[tuple[Placed, _Call, Outside]]:
    for each in placed:
        source, end = each.source, each.destination
        if isinstance(end, Outside) and end.address is not None and not isinstance(source, Outside):
            yield each, (ref(source), each.traffic, ref(end.address)), end


def _told(each: Placed) -> _Told:
    became = each.seen.became
    return each.seen.adapters, LET[0] if became in LET else became
