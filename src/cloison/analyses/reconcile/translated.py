"""Sources of what leaves the cluster: egress gateways, and nodes that put their address on it.

Flows show a call twice then: from the pod, and onward from the address that was put on it. What
was put on is told by the second, if a pod that it may be of called the same place.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cloison.algebra import ANY, EVERY_ADDRESS, NO_ADDRESSES, AddressSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.ends import AddressEnd, End, PodsEnd, SomeNodeEnd
from cloison.analyses.paths.site import Site
from cloison.analyses.reconcile.kinds import Because
from cloison.analyses.reconcile.meant import Meant
from cloison.analyses.reconcile.pairs import Placed, Unplaced
from cloison.analyses.reconcile.seen import NODES, Outside, Seen, ref, workload_ref
from cloison.analyses.reconcile.sources import Assumed, Sort
from cloison.engine import Engine
from cloison.platform.routes.leaving import Leaving

ANYWHERE: Final = AddressEnd("outside", EVERY_ADDRESS)
OWN: Final = AddressEnd("a pod's own address", NO_ADDRESSES)
"""What pods show where nobody translates it: flows show it in any case."""

_Call = tuple[str, str | None, int | None]
"""Where a call goes: address, protocol and port."""


def egress_gateways(engine: Engine, site: Site) -> Iterator[Assumed]:
    """Yield the sources that egress gateways put on what leaves by them."""
    for each in site.leaving:
        of = {
            workload_ref(name)
            for name, workload in engine.world.workloads.items()
            if any(each.takes(engine.world, endpoint) for endpoint in workload.endpoints)
        }
        if of and each.destinations:
            blocks = ", ".join(map(str, each.destinations.blocks()))
            yield Assumed(
                Sort.EGRESS,
                _shown(engine, each),
                AddressEnd(blocks, each.destinations),
                ANY,
                each.name,
                each.seen,
                each.span,
                through=frozenset(of),
            )


def _shown(engine: Engine, each: Leaving) -> End:
    """Return what the outside sees: an address that is said, or one of the gateway's nodes."""
    if each.addresses:
        return AddressEnd(", ".join(each.addresses), _addresses(each.addresses))
    nodes = {p for p, name in engine.node_addresses.items() if name in each.nodes}
    if not nodes:
        return NODES
    return AddressEnd(f"node:{' or '.join(each.nodes)}", AddressSet.points(tuple(nodes)))


def translation(*, shows_node: bool | None, why: str) -> Iterator[Assumed]:
    """Yield the source that is put on what leaves by a pod's own node.

    Args:
        shows_node: Whether it is the node's; None where nobody says.
        why: What says so.
    """
    if shows_node is not None:
        source = NODES if shows_node else OWN
        yield Assumed(Sort.NAT, source, ANYWHERE, ANY, "address translation", why)


class Legs:
    """Calls that leave the cluster, and what went on from addresses that are nobody's pods.

    Args:
        placed: Observed edges whose ends are known.
        unplaced: The others.
    """

    def __init__(self, placed: Sequence[Placed], unplaced: Sequence[Unplaced]) -> None:
        calls: dict[EndRef, set[_Call]] = defaultdict(set)
        onward: list[tuple[bool, Seen]] = []
        for each in placed:
            if isinstance(each.destination, Outside) and each.seen.destination.ip is not None:
                if isinstance(each.source, PodsEnd):
                    calls[ref(each.source)].add(_call(each.seen))
                elif each.source == NODES:
                    onward.append((True, each.seen))
        for left in unplaced:
            ends = left.seen.ends
            told = all(end.ip is not None and end.workload is None for end in ends)
            if told and left.ends == (None, None) and left.seen.initiator != "unknown":
                onward.append((False, left.seen))
        self._calls: Mapping[EndRef, set[_Call]] = calls
        self._onward = onward

    def of(self, one: Assumed) -> tuple[list[Seen], list[Seen]]:
        """Return what went on from a source that is assumed, and what from elsewhere."""
        who = self._calls if one.through is None else one.through & self._calls.keys()
        called = {call for end in who for call in self._calls[end]}
        own: list[Seen] = []
        other: list[Seen] = []
        for by_node, seen in self._onward:
            if _call(seen) in called and _in(seen.destination.ip, one.destination):
                (own if _from(one.source, seen, by_node=by_node) else other).append(seen)
        return own, other

    def meant(self, assumed: Sequence[Assumed]) -> Iterator[Meant]:
        """Yield what nodes do for pods: what goes on from a source that is assumed."""
        for one in assumed:
            if one.through is not None or one.sort is Sort.NAT:
                because = Because(one.of, span=one.span, implied=True)
                addresses = {s.destination.ip for s in self.of(one)[0] if s.destination.ip}
                for text in sorted(addresses):
                    yield Meant(NODES, AddressEnd(text, _addresses((text,))), one.traffic, because)


def _call(seen: Seen) -> _Call:
    return seen.destination.ip or "", seen.protocol, seen.port


def _from(source: End, seen: Seen, *, by_node: bool) -> bool:
    if isinstance(source, SomeNodeEnd):
        return by_node
    return _in(seen.source.ip, source)


def _in(text: str | None, end: End) -> bool:
    if text is None or not isinstance(end, AddressEnd):
        return False
    found = _addresses((text,))
    return bool(found) and found <= end.addresses


def _addresses(texts: Sequence[str]) -> AddressSet:
    found = NO_ADDRESSES
    for text in texts:
        try:
            found |= AddressSet.address(text)
        except ValueError:
            continue  # whoever wrote it says so
    return found
