"""Blocks of addresses without the pods that lie in them.

An external or a zone of the world means who is outside. Many enforcers match pods by blocks, too,
so what pods are known to have is left out, and what they may have is told.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import groupby, islice
from typing import Final, TypeAlias

from cloison.algebra import AddressSet
from cloison.analyses.contract.compile.model import TODAY, WIDENED, Edge, Notes
from cloison.analyses.contract.compile.peers import blocks, cidrs, on_host
from cloison.analyses.contract.compile.subjects import is_pods
from cloison.base import Severity
from cloison.base.words import few
from cloison.engine import Engine
from cloison.ir.peers import BlockMatch
from cloison.resources.world import Workload

_MANY: Final = 64
"""Addresses of pods, or blocks of them, that are left out of one block of a family, at most."""
_SHOWN: Final = 5
_BITS: Final = {4: 32, 6: 128}
Block: TypeAlias = IPv4Network | IPv6Network

_WIDE: Final = {4: 1 << 16, 6: 1 << 96}
"""Addresses of a block from which on pods may well have some of them, by family."""
_OWN: Final = AddressSet.block("fc00::/7")
"""IPv6 addresses that clusters give themselves, of which few are enough."""
_FEW_OWN: Final = 1 << 64


def carved(
    engine: Engine,
    addresses: AddressSet,
    spoken: frozenset[str],
    edge: Edge,
    text: str,
    notes: Notes,
) -> tuple[BlockMatch, ...]:
    """Return blocks of whom a contract means outside, without pods.

    Args:
        engine: Whose pods, under who enforces.
        addresses: What the contract says.
        spoken: The namespaces that policies are written for; all others are open.
        edge: What is let through.
        text: How the contract names these addresses.
        notes: Takes what pods may get in by them nevertheless.
    """
    networks = engine.networks
    if not engine.profile.block_matches_pods:
        return blocks((addresses - networks.pods) or addresses, addresses)
    ranges = networks.pods or networks.likely
    held = _held(engine, addresses - ranges)
    covered = _covered(held)
    if covered != held:
        blocks_ = few(list(islice((covered - held).blocks(), _SHOWN)))
        notes.of(
            edge.entry,
            TODAY,
            f"{held.size()} addresses that pods have are left out of {text} by blocks around them",
            f"others in those blocks are not let through either ({blocks_})",
            "say --pod-cidr, so that exactly the pods' range is left out",
            Severity.WARNING,
        )
    left = addresses - ranges - covered
    if not left:
        left = addresses - networks.pods - covered
    if not left:
        left = addresses
        notes.of(
            edge.entry,
            WIDENED,
            f"all of {text} are addresses that pods have, or come from",
            "the pods that have them are let through",
            "name workloads instead, or say other addresses",
            Severity.WARNING,
        )
    elif not ranges and _wide(addresses):
        _unknown(engine, spoken, edge, text, notes)
        inside = len(list(held.spans))
        if inside:
            notes.of(
                edge.entry,
                TODAY,
                f"the addresses that pods have today are left out of {text}",
                "pods that come later have others, and may be let through",
                "say --pod-cidr, or compile again whenever pods change",
                Severity.WARNING,
            )
    return blocks(left, addresses)


def _unknown(engine: Engine, spoken: frozenset[str], edge: Edge, text: str, notes: Notes) -> None:
    """Tell which pods that no policy is written for may have one of some addresses."""
    strangers = [
        each
        for each in _pods(engine)
        if each.id.namespace not in spoken and not all(e.addresses for e in each.endpoints)
    ]
    if strangers:
        names = few(sorted(str(each.id) for each in strangers))
        notes.of(
            edge.entry,
            WIDENED,
            f"which addresses pods have is not known: {names} may have one of {text}",
            f"they are let through as if they were outside ({edge.source.text} to "
            f"{edge.destination.text})",
            "say --pod-cidr, so that those are left out of blocks",
            Severity.WARNING,
        )


def _held(engine: Engine, addresses: AddressSet) -> AddressSet:
    """Return the addresses of pods among some, or the ranges of their nodes where they are many."""
    points = {p for w in _pods(engine) for e in w.endpoints for p in e.addresses}
    found = AddressSet.points(tuple(sorted(points))) & addresses
    if found.size() > _MANY:
        for block in _of_nodes(engine):
            if found & block:
                found |= block & addresses
    return found


def _covered(held: AddressSet) -> AddressSet:
    """Return addresses, or few blocks that hold them where they are scattered over too many.

    Those that lie nearest to each other are put in one block first.
    """
    found = [ip_network(text) for text in cidrs(held)]
    for version, bits in _BITS.items():
        mine = sorted(each for each in found if each.version == version)
        length = bits - 1
        while len(mine) > _MANY and length >= 0:
            mine = list(_merged(mine, length))
            length -= 1
        held |= AddressSet(s for each in mine for s in AddressSet.block(str(each)).spans)
    return held


def _merged(blocks_: Sequence[Block], length: int) -> Iterator[Block]:
    """Yield blocks of which those are one that share their first bits, until they are few."""
    left = len(blocks_)
    for _, some in groupby(blocks_, lambda each: _wider(each, length)):
        together = list(some)
        if len(together) > 1 and left > _MANY:
            left -= len(together) - 1
            yield _wider(together[0], length)
        else:
            yield from together


def _wider(block: Block, length: int) -> Block:
    """Return the block of a length that a block lies in, or the block where it is wider."""
    return block.supernet(new_prefix=min(length, block.prefixlen))


def _of_nodes(engine: Engine) -> Iterator[AddressSet]:
    for node in engine.world.nodes.values():
        for cidr in node.pod_cidrs:
            try:
                yield AddressSet.block(cidr)
            except ValueError:  # told where it was read
                continue


def _pods(engine: Engine) -> Iterator[Workload]:
    """Yield workloads whose pods have addresses of their own."""
    for each in engine.world.workloads.values():
        if is_pods(each) and not on_host(each):
            yield each


def _wide(addresses: AddressSet) -> bool:
    return any(
        high - low >= most - 1
        for some, most in (
            *((addresses.family(family), most) for family, most in _WIDE.items()),
            (addresses & _OWN, _FEW_OWN),
        )
        for low, high in some.spans
    )
