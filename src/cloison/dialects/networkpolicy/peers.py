"""Peers and ports of the IR in the words of NetworkPolicy."""

from collections.abc import Iterator, Mapping

from cloison.algebra import ANY, EVERYTHING, AddressSet, LabelSelector
from cloison.dialects.writing import Tree, WriteContext
from cloison.dialects.writing.blocks import cidrs, masked
from cloison.dialects.writing.errors import NO_PEER, UnsayableError
from cloison.dialects.writing.labels import named_namespace, plain_selector, selector_tree
from cloison.dialects.writing.ports import only_with_ports, port_groups
from cloison.dialects.writing.shadow import Piece
from cloison.ir.peers import BlockMatch, NamesMatch, NodesMatch, PeerMatch, PodsMatch
from cloison.ir.policy import TrafficMatch

_PROTOCOLS = ("TCP", "UDP", "SCTP")


def peer_tree(
    match: PeerMatch, namespace: str, context: WriteContext
) -> Iterator[Mapping[str, Tree]]:
    """Yield a peer of a policy in `namespace`; nothing where it is nobody, today.

    Raises:
        UnsayableError: It cannot be written.
    """
    match match:
        case PodsMatch():
            tree = _pods(match, namespace, context)
            if tree is not None:
                yield tree
        case BlockMatch():
            if match.addresses:
                yield _block(match)
        case NodesMatch():
            points = tuple(
                point
                for node in context.world.nodes.values()
                if match.nodes.matches(node.labels)
                for point in node.addresses
            )
            said = "the language has no peer that is nodes by label"
            yield from _copied(AddressSet.points(points), said, ("nodes",), context)
        case NamesMatch():
            raise UnsayableError(
                "the language has no peer that is a domain name", "domainNames", "domains"
            )
        case _:
            raise UnsayableError(*NO_PEER)


def _copied(
    addresses: AddressSet, what: str, keys: tuple[str, ...], context: WriteContext
) -> Iterator[Mapping[str, Tree]]:
    """Yield addresses of today as blocks."""
    if addresses and not context.snapshot:
        raise UnsayableError(f"{what}, whose addresses could only be copied", *keys, choose=True)
    for cidr in cidrs(addresses):
        yield {"ipBlock": {"cidr": cidr}}


def _pods(match: PodsMatch, namespace: str, context: WriteContext) -> Mapping[str, Tree] | None:
    if match.accounts or match.nodes is not None:
        raise UnsayableError("pods cannot be told by their service account", "serviceAccounts")
    pods = plain_selector(match.pods, context)
    if pods is None:
        return None
    if match.namespace == namespace:
        return {"podSelector": selector_tree(pods)}
    where: LabelSelector | None = match.namespaces
    if match.namespace is not None:
        where = named_namespace(match.namespace)
    elif where != EVERYTHING:
        where = plain_selector(match.namespaces, context, namespaces=True)
    if where is None:
        return None
    found: dict[str, Tree] = {"namespaceSelector": selector_tree(where)}
    if pods:
        found["podSelector"] = selector_tree(pods)
    return found


def _block(match: BlockMatch) -> Mapping[str, Tree]:
    block: dict[str, Tree] = {"cidr": masked(match.cidr)}
    holes = [masked(hole) for hole in match.holes]
    if holes:
        block["except"] = holes
    return {"ipBlock": block}


def port_trees(piece: Piece) -> list[Tree] | None:
    """Return the ports of a piece; None for all there are.

    Raises:
        UnsayableError: Some of its traffic is of a protocol without a name here.
    """
    if piece.traffic == ANY:
        return None
    only_with_ports(piece.traffic)
    found: list[Tree] = []
    for group in port_groups(TrafficMatch(piece.traffic, named=piece.named)):
        protocols = _PROTOCOLS if group.protocol is None else (group.protocol,)
        for protocol in protocols:
            if not group.numbers and not group.named:
                found.append({"protocol": protocol})
            for low, high in group.numbers:
                port: dict[str, Tree] = {"protocol": protocol, "port": low}
                found.append(port if low == high else {**port, "endPort": high})
            found += [{"protocol": protocol, "port": name} for name in group.named]
    return found
