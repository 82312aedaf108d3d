"""Sources that the path model assumes, held against flows: confirmed, refuted or unseen."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cloison.algebra import TrafficSet
from cloison.analyses.ends import AddressEnd, PodsEnd, SomeNodeEnd
from cloison.analyses.reconcile.kinds import NOTHING, Evidence
from cloison.analyses.reconcile.pairs import Placed, Unplaced
from cloison.analyses.reconcile.seen import NODES, Outside, Seen, ref
from cloison.analyses.reconcile.sources import Assumed, Sort
from cloison.analyses.reconcile.translated import Legs

_WEB: Final = TrafficSet.ports("TCP", 80) | TrafficSet.ports("TCP", 443)


class Status(StrEnum):
    """What flows say of a source that the path model assumes."""

    CONFIRMED = "confirmed"
    """It was seen to call."""
    REFUTED = "refuted"
    """It was not, and others were that could be the same connections from another source."""
    UNSEEN = "unseen"
    """Nobody of either kind was."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What flows say of one source that the path model assumes.

    Args:
        assumed: The source.
        status: What they say.
        evidence: The flows that confirm it.
        instead: Those that came from elsewhere, though they could be the same.
        called: By whom these were opened, as records tell it; a few.
    """

    assumed: Assumed
    status: Status
    evidence: Evidence = NOTHING
    instead: Evidence = NOTHING
    called: tuple[str, ...] = ()


_FEW: Final = 3


def marks(
    assumed: Sequence[Assumed], placed: Sequence[Placed], unplaced: Sequence[Unplaced] = ()
) -> tuple[Mark, ...]:
    """Return what flows say of sources that the path model assumes, in their order.

    Args:
        assumed: The sources.
        placed: Observed edges, with who their ends are.
        unplaced: Those of which that is not known, or that have no end inside.
    """
    legs = Legs(placed, unplaced)
    to: dict[object, list[Placed]] = defaultdict(list)
    out: dict[object, list[Placed]] = defaultdict(list)
    for each in placed:
        if isinstance(each.destination, PodsEnd):
            to[ref(each.destination)].append(each)
        elif isinstance(each.destination, Outside) and isinstance(each.source, PodsEnd):
            out[ref(each.source)].append(each)
    asked: dict[object, TrafficSet] = {}
    for one in assumed:
        if one.sort is Sort.PROBE:
            key = ref(one.destination)
            asked[key] = asked.get(key, TrafficSet()) | one.traffic
    return tuple(
        _judged(one, *legs.of(one))
        if one.sort in (Sort.EGRESS, Sort.NAT)
        else _mark(
            one,
            [each for each in to[ref(one.destination)] if each.traffic & one.traffic],
            out[ref(one.source)],
            probed=bool(one.traffic & asked.get(ref(one.destination), TrafficSet())),
        )
        for one in assumed
    )


def _mark(one: Assumed, here: list[Placed], out: list[Placed], *, probed: bool) -> Mark:
    own = [each.seen for each in here if _is(one, each)]
    if one.sort is Sort.PROXY:
        other = [each.seen for each in out if each.traffic & _WEB]
    else:
        other = [each.seen for each in here if _could_be(one, each, probed=probed)]
    return _judged(one, own, other)


def _judged(one: Assumed, own: Sequence[Seen], other: Sequence[Seen]) -> Mark:
    status = Status.CONFIRMED if own else Status.REFUTED if other else Status.UNSEEN
    called = sorted({_named(one, each) for each in other})
    return Mark(one, status, Evidence.of(own), Evidence.of(other), tuple(called[:_FEW]))


def _named(one: Assumed, seen: Seen) -> str:
    return str(seen.destination if one.sort is Sort.PROXY else seen.source)


def _is(one: Assumed, placed: Placed) -> bool:
    """Return whether an observed edge comes from a source."""
    if one.supposed is not None:
        end = placed.seen.source
        labels = {f"{key}={value}" for key, value in one.supposed.labels.items()}
        return end.namespace == one.supposed.namespace and labels <= {*(end.labels or ())}
    match one.source:
        case SomeNodeEnd():
            return placed.source == NODES
        case AddressEnd():
            address = placed.source.address if isinstance(placed.source, Outside) else None
            return address is not None and address.addresses <= one.source.addresses
        case PodsEnd():
            return isinstance(placed.source, PodsEnd) and ref(placed.source) == ref(one.source)
        case _:
            return False


def _could_be(one: Assumed, placed: Placed, *, probed: bool) -> bool:
    """Return whether an edge from elsewhere could be what a source was assumed to do.

    Other pods call for reasons of their own. A node calls a port that it probes in any case.
    """
    if _is(one, placed):
        return False
    by_node = placed.source == NODES
    if by_node and probed:
        return False
    return by_node or isinstance(placed.source, Outside)
