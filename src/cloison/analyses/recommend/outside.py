"""Addresses outside as blocks: single ones, and wider ones only where enough of them were seen.

A block is at most as wide as a floor. It stands for its addresses where so many of them were
seen, for so many days, that the rest may be taken to be the same service's, and where none of
them may be the cluster's own. Everything else stays what it was: single addresses.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from cloison.algebra import NO_ADDRESSES, AddressSet
from cloison.analyses.past.outside import NEVER, PRIVATE
from cloison.engine import Engine

FLOORS: Final = {4: 24, 6: 64}
"""Lengths of the widest blocks, by family."""
FEWEST: Final = 3
"""Addresses that have to be seen in a block that stands for others."""
BOUND: Final = 3.5
"""Share of a block's addresses that were seen, times days on which it was: half of them for a
week, or a quarter for two."""
ENOUGH6: Final = 16
"""IPv6 addresses that count as all of a block: nobody uses a share of one that could be seen.

Four of them, seen for two weeks, are a /64: that is one link, whose hosts choose the other half
of their addresses as they like, and change it.
"""

_Block = IPv4Network | IPv6Network
Days = Mapping[str, frozenset[int]]
"""On which days each address was seen."""


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses that are let through together.

    Args:
        cidr: The block; of a single address with all of its bits.
        seen: How many of its addresses were seen.
    """

    cidr: str
    seen: int

    @property
    def widened(self) -> int:
        """How many addresses are let through that were not seen."""
        return ip_network(self.cidr).num_addresses - self.seen


def merged(days: Days, own: AddressSet = NO_ADDRESSES) -> tuple[Block, ...]:
    """Return blocks that hold some addresses, in order, each address in one of them.

    Args:
        days: The addresses, and on which days each was seen.
        own: What may be the cluster's own, of which no block has any that was not seen.

    >>> merged({"192.0.2.7": frozenset({1})})
    (Block(cidr='192.0.2.7/32', seen=1),)
    """
    found: list[Block] = []
    by_floor: dict[_Block, list[str]] = {}
    for text in days:
        address = ip_address(text)
        floor = ip_network(f"{text}/{FLOORS[address.version]}", strict=False)
        by_floor.setdefault(floor, []).append(text)
    for floor, some in sorted(by_floor.items(), key=lambda item: _order(item[0])):
        found += _below(floor, some, days, own)
    return tuple(found)


def _order(block: _Block) -> tuple[int, int]:
    return block.version, int(block.network_address)


def _below(block: _Block, some: Sequence[str], days: Days, own: AddressSet) -> Iterator[Block]:
    """Yield the widest good blocks of one, halving it as long as it is none."""
    if not some:
        return
    if len(some) == 1:
        bits = ip_address(some[0]).max_prefixlen
        yield Block(f"{ip_address(some[0])}/{bits}", 1)
        return
    if _good(block, some, days) and not AddressSet.block(str(block)) & own:
        yield Block(str(block), len(some))
        return
    for half in block.subnets():
        yield from _below(half, [each for each in some if ip_address(each) in half], days, own)


def _good(block: _Block, some: Sequence[str], days: Days) -> bool:
    whole = block.num_addresses
    if len(some) == whole:
        return True
    seen = frozenset[int]().union(*(days[each] for each in some))
    share = len(some) / (whole if isinstance(block, IPv4Network) else ENOUGH6)
    return len(some) >= FEWEST and min(1.0, share) * len(seen) >= BOUND


def unsaid(engine: Engine) -> tuple[str, ...]:
    """Return the options that would say which addresses are the cluster's own, where none did."""
    said = engine.networks
    every = (("--pod-cidr", said.pods), ("--service-cidr", said.services))
    return tuple(option for option, known in (*every, ("--node-cidr", said.nodes)) if not known)


def own_addresses(engine: Engine) -> AddressSet:
    """Return what is the cluster's own, or may be.

    Where nobody said which addresses pods, nodes and Services have, any private one may be.
    """
    networks = engine.networks
    found = networks.pods | networks.nodes | networks.services | networks.likely
    found |= AddressSet.points(tuple({*engine.holders, *engine.node_addresses}))
    found |= NEVER
    for service in engine.world.services.values():
        found |= _addresses((*service.cluster_ips, *service.external_ips, *service.load_balancer))
    if unsaid(engine):
        found |= PRIVATE
    return found


def _addresses(texts: Iterable[str]) -> AddressSet:
    found = NO_ADDRESSES
    for text in texts:
        try:
            found |= AddressSet.address(text)
        except ValueError:
            continue  # `None` of a headless Service, or a name
    return found
