"""Who is at the other end of a call, as policies name them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from ipaddress import ip_address, summarize_address_range
from typing import Final

from cloison.algebra import AddressSet
from cloison.analyses.ends import AddressEnd, End, NodeEnd, SomeNodeEnd
from cloison.engine import Engine
from cloison.ir.allowlist import Known, PeerOf
from cloison.ir.peers import AnyMatch, BlockMatch, NamesMatch, PodsMatch, RelativeMatch
from cloison.resources.world import Workload

_WHOLE: Final = {4: "0.0.0.0/0", 6: "::/0"}


def blocks(addresses: AddressSet, within: AddressSet | None = None) -> tuple[BlockMatch, ...]:
    """Return blocks that together are some addresses: with holes where that is shorter.

    Everything with holes is only for what is most of everything: one hole that is forgotten, or
    that somebody takes away, would open the whole internet for a few addresses.

    Args:
        addresses: The addresses.
        within: What they were taken from, whose blocks may be written with holes.

    >>> [each.cidr for each in blocks(AddressSet.block("10.0.0.0/24"))]
    ['10.0.0.0/24']
    """
    found: list[BlockMatch] = []
    for family, whole in _WHOLE.items():
        part = addresses.family(family)
        if not part:
            continue
        source = (within or addresses).family(family)
        ways = [
            [_holed(part, whole)],
            [block for each in cidrs(source) if (block := _holed(part, each)).addresses],
            [_holed(part, each) for each in cidrs(part)],
        ]
        everything = AddressSet.block(whole)
        if part == everything:
            ways = ways[:1]
        elif part.size() * 2 <= everything.size():
            ways = ways[1:]
        found += min(reversed(ways), key=lambda way: sum(1 + len(each.holes) for each in way))
    return tuple(found)


def within(end: End, peers: Iterable[PeerOf]) -> End:
    """Return an end with only those of its addresses that some peers are.

    Args:
        end: The end.
        peers: How it is written.
    """
    held = [each.addresses for each in peers if isinstance(each, BlockMatch)]
    if not isinstance(end, AddressEnd) or not held:
        return end
    return replace(end, addresses=reduce(AddressSet.__or__, held))


def _holed(addresses: AddressSet, cidr: str) -> BlockMatch:
    """Return a block with holes for what is not among some addresses."""
    block = AddressSet.block(cidr)
    holes = tuple(cidrs(block - addresses))
    return BlockMatch(block & addresses, cidr, holes, whole=cidr in _WHOLE.values())


def cidrs(addresses: AddressSet) -> Iterator[str]:
    """Iterate over the blocks that together are a set of addresses."""
    for text in addresses.ranges():
        first, last = (ip_address(part) for part in text.split("-"))
        yield from map(str, summarize_address_range(first, last))


def on_host(workload: Workload) -> bool:
    """Return whether the pods of a workload use the network of their nodes."""
    return any(each.shape.host_network for each in workload.endpoints)


def nodes_of(end: End, engine: Engine) -> tuple[End, ...]:
    """Return every node for one that stands for whichever; any other end as it is."""
    if not isinstance(end, SomeNodeEnd) or end.node is not None:
        return (end,)
    every = engine.world.nodes.values()
    return tuple(NodeEnd(f"node:{each.name}", each) for each in every) or (end,)


def node_addresses(engine: Engine, names: Sequence[str | None]) -> AddressSet | None:
    """Return the addresses of some nodes; None where one of them is not known.

    Args:
        engine: Whose world.
        names: The nodes; None among them for a node that nobody knows, which may be any.
    """
    nodes = engine.world.nodes
    if None in names:
        found = AddressSet.points(tuple(p for each in nodes.values() for p in each.addresses))
        return (found | engine.networks.nodes) or None
    points: list[int] = []
    for name in names:
        node = nodes.get(name or "")
        if node is None or not node.addresses:
            return None
        points += node.addresses
    return AddressSet.points(tuple(points)) if points else None


def rank(peer: PeerOf) -> tuple[int, str, str]:
    """Return what orders peers: pods by namespace and labels, blocks, names, nodes, anybody."""
    match peer:
        case PodsMatch():
            return 0, peer.namespace or "", f"{peer.namespaces} {peer.pods}"
        case BlockMatch():
            first = peer.addresses.spans[0][0] if peer.addresses else 0
            return 1, f"{peer.family}{first:040d}", " ".join((peer.cidr, *peer.holes))
        case NamesMatch():
            return 2, " ".join(str(each) for each in peer.names), ""
        case RelativeMatch():
            return 3, str(peer.relation), ""
        case Known():
            return 3, peer.name, ""
        case AnyMatch():
            return 4, "", ""
        case _:
            return 5, str(peer), ""


def text(peer: PeerOf) -> str:
    """Return a peer for people."""
    match peer:
        case PodsMatch() if peer.namespace is not None:
            return f"{peer.namespace}, pods {peer.pods}" if peer.pods else f"any:{peer.namespace}"
        case PodsMatch():
            if not peer.namespaces and not peer.pods:
                return "every pod"
            pods = f"pods {peer.pods}" if peer.pods else "every pod"
            return f"{pods} in namespaces {peer.namespaces}" if peer.namespaces else pods
        case BlockMatch():
            return f"{peer.cidr} except {', '.join(peer.holes)}" if peer.holes else peer.cidr
        case NamesMatch():
            return ", ".join(each.text for each in peer.names)
        case RelativeMatch():
            return {"own-node": "the own node"}.get(str(peer.relation), "another node")
        case Known():
            return peer.name
        case _:
            return "anybody"
