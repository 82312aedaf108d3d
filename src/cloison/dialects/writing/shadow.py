"""What is left of an allow rule once earlier rules have taken their part: peers and traffic.

Everything here is exact or refused: what remains is again peers that selectors and blocks can
say, however many.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cloison.algebra import ANY, EVERY_ADDRESS, EVERYTHING, AddressSet, LabelSet, TrafficSet
from cloison.dialects.writing.blocks import cidrs
from cloison.dialects.writing.errors import UnsayableError
from cloison.dialects.writing.labels import named_namespace
from cloison.dialects.writing.ports import everything
from cloison.ir.peers import AnyMatch, AnyOf, BlockMatch, PeerMatch, PodsMatch
from cloison.ir.policy import NamedPort, Peer, Rule

MOST = 256
"""Pieces that are followed."""
WHOLE = (
    BlockMatch(AddressSet.block("0.0.0.0/0"), "0.0.0.0/0", whole=True),
    BlockMatch(AddressSet.block("::/0"), "::/0", whole=True),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Flows of a rule: one peer and its traffic.

    Args:
        peer: The peer, with the place where it is written.
        traffic: What it may send or be sent.
        named: Ports by name besides.
    """

    peer: Peer
    traffic: TrafficSet
    named: tuple[NamedPort, ...] = ()


def pieces(rule: Rule) -> Iterator[Piece]:
    """Yield the flows that a rule matches, as far as these are peers and traffic."""
    traffic = ANY if everything(rule.traffic) else rule.traffic.must
    for peer in rule.peers:
        for match in flat(peer.match):
            yield Piece(Peer(match, peer.span), traffic, rule.traffic.named)


def flat(match: PeerMatch) -> Iterator[PeerMatch]:
    """Yield the choices of a peer."""
    if isinstance(match, AnyOf):
        for each in match.matches:
            yield from flat(each)
    else:
        yield match


@dataclass(frozen=True, slots=True)
class Taking:
    """How peers are told apart.

    Args:
        blocks_match_pods: Whether a block matches pods and nodes that have its addresses.
    """

    blocks_match_pods: bool

    def without(self, left: Sequence[Piece], taken: Sequence[Piece]) -> list[Piece]:
        """Return pieces less others.

        Raises:
            UnsayableError: What is left cannot be said.
        """
        found = list(left)
        for each in taken:
            found = [rest for piece in found for rest in self._minus(piece, each)]
            if len(found) > MOST:
                raise UnsayableError(f"more than {MOST} rules would be needed")
        return found

    def _minus(self, piece: Piece, taken: Piece) -> Iterator[Piece]:
        whole = taken.traffic == ANY
        common = piece.traffic if whole else piece.traffic & taken.traffic
        names = bool(piece.named) and not whole
        if not whole and taken.named and (piece.traffic or piece.named):
            raise UnsayableError("a port by name cannot be taken out of others", "ports")
        if names and taken.traffic:
            raise UnsayableError("ports cannot be taken out of one by name", "ports")
        if not common and not (whole and piece.named):
            yield piece
            return
        rest = piece.traffic - common
        if rest:
            yield replace(piece, traffic=rest, named=())
        for match in self.peers(piece.peer.match, taken.peer.match):
            yield Piece(Peer(match, piece.peer.span), common, piece.named if whole else ())

    def peers(self, match: PeerMatch, taken: PeerMatch) -> Iterator[PeerMatch]:
        """Yield whom a peer matches and another does not.

        Raises:
            UnsayableError: There are no words for it.
        """
        match match, taken:
            case _, AnyMatch():
                return
            case _, AnyOf(matches):
                left = [match]
                for each in matches:
                    left = [rest for one in left for rest in self.peers(one, each)]
                yield from left
            case AnyOf(matches), _:
                for each in matches:
                    yield from self.peers(each, taken)
            case PodsMatch(), PodsMatch():
                yield from less(match, taken)
            case BlockMatch(), BlockMatch():
                yield from _less_block(match, taken)
            case AnyMatch(), BlockMatch() if self.blocks_match_pods:
                for block in WHOLE:
                    yield from _less_block(block, taken)
            case (PodsMatch(), BlockMatch()) | (BlockMatch(), PodsMatch()) if (
                not self.blocks_match_pods
            ):
                yield match
            case _:
                raise UnsayableError(
                    "pods cannot be taken out of addresses, nor addresses out of pods",
                    "selector",
                    "nets",
                    "source",
                    "destination",
                )


def _less_block(block: BlockMatch, taken: BlockMatch) -> Iterator[BlockMatch]:
    gone = block.addresses & taken.addresses
    rest = block.addresses - taken.addresses
    if not gone:
        yield block
    elif rest:
        yield BlockMatch(rest, block.cidr, (*block.holes, *cidrs(gone)), caveat=block.caveat)


def less(match: PodsMatch, taken: PodsMatch) -> Iterator[PodsMatch]:
    """Yield the pods that one finds and another does not.

    Raises:
        UnsayableError: There are no selectors for them.
    """
    if (
        match.namespace is not None
        and taken.namespace is not None
        and (match.namespace != taken.namespace)
    ):
        yield match
        return
    if taken.accounts or taken.nodes is not None:
        raise UnsayableError(
            "pods cannot be told by service account", "serviceAccounts", "serviceAccountSelector"
        )
    where, other_where = places(match), places(taken)
    pods, other_pods = LabelSet.of(match.pods), LabelSet.of(taken.pods)
    both = where & other_where
    if not both or not pods & other_pods:
        yield match
        return
    for each in (match.namespaces, match.pods, taken.namespaces, taken.pods):
        if not LabelSet.says(each):
            raise UnsayableError(
                "values cannot be looked into", "selector", "namespaceSelector", "notSelector"
            )
    for part in where.minus(other_where):
        yield from _said(match, part, pods)
    for part in pods.minus(other_pods):
        yield from _said(match, both, part)


def common(match: PodsMatch, other: PodsMatch) -> Iterator[PodsMatch]:
    """Yield the pods that both find."""
    where = places(match) & places(other)
    pods = LabelSet.of(match.pods) & LabelSet.of(other.pods)
    if where and pods:
        yield from _said(match, where, pods)


def places(match: PodsMatch) -> LabelSet:
    """Return the namespaces a match is about."""
    if match.namespace is not None:
        return LabelSet.of(named_namespace(match.namespace))
    return LabelSet.of(match.namespaces)


def _said(match: PodsMatch, where: LabelSet, pods: LabelSet) -> Iterator[PodsMatch]:
    same = where == places(match)
    for which in pods.selectors():
        if same:
            yield replace(match, pods=which)
            continue
        for place in where.selectors():
            yield replace(match, namespace=None, namespaces=place, pods=which)


__all__ = [
    "ANY",
    "EVERYTHING",
    "EVERY_ADDRESS",
    "Piece",
    "Taking",
    "common",
    "flat",
    "less",
    "pieces",
    "places",
]
