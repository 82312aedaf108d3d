"""Ends whose address nobody knows, put wherever they may turn out to be.

A relation is about all flows, so it is judged for every address such an end may have. Addresses
that no rule tells apart are one place; an end is given an address in each, and the units that come
of it are looked at as if each were an end of its own.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from cloison.algebra import EVERY_ADDRESS, FAMILY, AddressSet
from cloison.analyses.relate.answer import Flow
from cloison.analyses.relate.hunt import Hit
from cloison.analyses.relate.pairs import Pair
from cloison.engine import Engine, UnitKind
from cloison.engine.addressbook import AddressBook
from cloison.ir.peers import BlockMatch, GroupsMatch, PeerMatch, plain_matches
from cloison.ir.policy import Direction, Mode, PolicySet, Rule
from cloison.ir.profile import Profile
from cloison.resources.objects import Node
from cloison.resources.world import PodEndpoint, World

_MOST = 300_000
"""Ends, times places, that are looked at."""
_TWO = 2
TOO_MANY = "addresses of too many ends are not known, and too many blocks may hold them"


@dataclass(frozen=True, slots=True)
class Placed:
    """A world in which every end has addresses.

    Args:
        world: The world; an end whose address is not known has one in every place.
        lent: The addresses that ends were given: in truth they may be anybody's.
    """

    world: World
    lent: frozenset[int]


def placed(engine: Engine, sets: Sequence[PolicySet]) -> Placed | None:
    """Return the world of an engine with its ends put everywhere; None if that is too much.

    Args:
        engine: Knows the world, and who enforces.
        sets: All policies that are asked.
    """
    networks, profile = engine.networks, engine.profile
    blocks = _blocks(sets)
    held = {*engine.holders, *engine.node_addresses}
    pods = tuple(_samples(blocks, networks.pods or EVERY_ADDRESS, held))
    nodes = tuple(_samples(blocks, networks.nodes or EVERY_ADDRESS, held))
    if len(floating(engine)) * max(len(pods), len(nodes)) > _MOST:
        return None
    world = engine.world
    homes = {
        name: replace(node, addresses=nodes)
        if profile.block_matches_nodes and not node.addresses
        else node
        for name, node in world.nodes.items()
    }
    workloads = {}
    for id_, workload in world.workloads.items():
        ends = (_put(each, profile, homes, (pods, nodes)) for each in workload.endpoints)
        workloads[id_] = replace(workload, endpoints=tuple(ends))
    return Placed(replace(world, workloads=workloads, nodes=homes), frozenset((*pods, *nodes)))


def _put(
    endpoint: PodEndpoint,
    profile: Profile,
    homes: dict[str, Node],
    places: tuple[tuple[int, ...], tuple[int, ...]],
) -> PodEndpoint:
    pods, nodes = places
    if endpoint.addresses:
        return endpoint
    if not endpoint.shape.host_network:
        return replace(endpoint, addresses=pods) if profile.block_matches_pods else endpoint
    known = endpoint.shape.node in homes
    if known or not profile.block_matches_nodes:
        return endpoint  # its addresses are the node's
    return replace(endpoint, addresses=nodes)


def floating(engine: Engine) -> frozenset[int]:
    """Return the units that some rule may match by an address that nobody knows."""
    profile, table = engine.profile, engine.table
    kinds = [UnitKind.POD] if profile.block_matches_pods else []
    kinds += [UnitKind.NODE, UnitKind.HOST] if profile.block_matches_nodes else []
    return frozenset(
        unit
        for kind in kinds
        for unit in table.kinds[kind]
        if unit != table.some_node and not table.units[unit].exact
    )


def unplaced(engine: Engine, sets: Sequence[PolicySet]) -> bool:
    """Return whether rules go by addresses and nobody knows those of some ends."""
    return bool(floating(engine)) and any(
        _of(_asked(rule))
        for each in sets
        for policy in each.policies
        if policy.mode is Mode.ENFORCED
        for rule in policy.rules
    )


def matters(engines: Sequence[Engine], pair: Pair) -> tuple[bool, bool]:
    """Return whether the address of either end counts for what passes between them.

    Args:
        engines: The sets of policies.
        pair: The two ends.
    """
    source = target = False
    for engine in engines:
        for subject, direction in (
            (pair.source, Direction.EGRESS),
            (pair.target, Direction.INGRESS),
        ):
            if subject not in engine.governed:
                continue
            rules = [bound.rule for bound in engine.decision(subject, direction).rules]
            peer = any(_of(p.match for p in rule.peers) for rule in rules)
            own = any(_of(rule.subjects) for rule in rules)
            outward = direction is Direction.EGRESS
            source = source or (own if outward else peer)
            target = target or (peer if outward else own)
    return source, target


def rests(engines: Sequence[Engine], hit: Hit) -> bool:
    """Return whether what was found rests on an address that nobody knows."""
    ends = (hit.pair.source, hit.pair.target)
    counts = zip(ends, matters(engines, hit.pair), strict=True)
    return any(count and unit in floating(engines[0]) for unit, count in counts)


def supposing(shown: Flow, hit: Hit, engines: Sequence[Engine], lent: frozenset[int]) -> Flow:
    """Return a flow with the places its ends were put in, as far as they count.

    Args:
        shown: The flow.
        hit: What it shows.
        engines: The sets of policies, over ends that were put everywhere.
        lent: The addresses they were given.
    """
    table = engines[0].table
    found: list[AddressSet | None] = []
    ends = (hit.pair.source, hit.pair.target)
    for unit, counts in zip(ends, matters(engines, hit.pair), strict=True):
        known = table.units[unit]
        place = known.addresses if counts and known.kind is not UnitKind.EXTERNAL else None
        guessed = place is not None and any(point in place for point in lent)
        found.append(place if guessed and not _holds(engines[0], unit, lent) else None)
    return replace(shown, if_src=found[0], if_dst=found[1])


def _holds(engine: Engine, unit: int, lent: frozenset[int]) -> bool:
    """Whether the addresses of an end are its own."""
    known = engine.table.units[unit]
    if known.endpoints:
        own = engine.table.endpoints[known.endpoints[0]].addresses
        if own or known.node is None:
            return not lent.issuperset(own)
    node = engine.world.nodes.get(known.node or "")
    return node is not None and not lent.issuperset(node.addresses)


def _of(matches: Iterable[PeerMatch] | None) -> bool:
    return any(
        isinstance(plain, BlockMatch | GroupsMatch)
        for match in matches or ()
        for plain in plain_matches(match)
    )


def _asked(rule: Rule) -> Iterator[PeerMatch]:
    """Iterate over everything a rule asks of its ends."""
    for match in (*(peer.match for peer in rule.peers), *(rule.subjects or ())):
        yield from plain_matches(match)


def _blocks(sets: Sequence[PolicySet]) -> list[AddressSet]:
    """Return all sets of addresses that rules go by, each once, in a settled order."""
    found: dict[AddressSet, None] = {}
    for each in sets:
        book = AddressBook(each.groups)
        for policy in each.policies:
            for rule in policy.rules if policy.mode is Mode.ENFORCED else ():
                for match in _asked(rule):
                    if isinstance(match, BlockMatch):
                        found[match.addresses] = None
                    elif isinstance(match, GroupsMatch):
                        found[book.group(match.labels)] = None
    return list(found)


def _samples(blocks: Iterable[AddressSet], known: AddressSet, held: Collection[int]) -> list[int]:
    """Return two addresses, if there are, of every place that an end can be in; ascending.

    Two, since an address is one end's at a time and a flow has two ends.

    Args:
        blocks: What tells places apart.
        known: Where the address is known to lie.
        held: Addresses that are somebody's.
    """
    turns: dict[int, int] = defaultdict(int)
    for number, each in enumerate((known, FAMILY[4], *blocks)):
        for low, high in each.spans:
            turns[low] ^= 1 << number
            turns[high + 1] ^= 1 << number
    found: dict[int, list[int]] = defaultdict(list)
    inside = 0
    for low, end in pairwise(sorted(turns)):
        inside ^= turns[low]
        chosen = found[inside]
        if inside & 1 and len(chosen) < _TWO:
            free = (point for point in range(low, end) if point not in held)
            chosen += islice(free, _TWO - len(chosen))
    return sorted(point for chosen in found.values() for point in chosen)
