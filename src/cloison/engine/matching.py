"""Matches resolved to sets of units, three-valued, each distinct one once."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from cloison.algebra import FAMILY, NO_ADDRESSES, AddressSet
from cloison.algebra.bitmaps import BitMap, union
from cloison.engine.addressbook import AddressBook
from cloison.engine.index import PodIndex
from cloison.engine.related import UNRELATED, Relations
from cloison.engine.units import UnitKind, UnitTable
from cloison.ir.peers import (
    AllOf,
    AnyMatch,
    AnyOf,
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    NodesMatch,
    NoneOf,
    PeerMatch,
    PodsMatch,
    RelativeMatch,
    UnknownMatch,
    plain_matches,
)
from cloison.ir.profile import Profile
from cloison.resources.world import World


@dataclass(frozen=True, slots=True)
class Matched:
    """Units that something matches.

    Args:
        must: Certainly.
        may: Possibly, besides.
        blocks: Those of either that match by their address only.
    """

    must: BitMap
    may: BitMap
    blocks: BitMap

    @property
    def possible(self) -> BitMap:
        """Certainly or possibly."""
        return self.must | self.may if self.may else self.must

    def holds(self, unit: int) -> bool | None:
        """Return whether a unit certainly (True) or possibly (False) matches."""
        if unit in self.must:
            return True
        return False if unit in self.may else None


class Matcher:
    """Resolves matches against one unit table.

    An end of unknown address is taken to be outside every block, save one that is a whole family,
    holes included: that is the published rule, and answers carry a caveat. Whether such an end
    matches can so depend on the family of the flow; without it, it is as if it were the right one.
    Where pods are likely to be somewhere that makes another answer, they only may match.

    Args:
        world: The inventory.
        table: Its units.
        profile: Who enforces.
        book: What address groups and names stand for.
    """

    def __init__(self, world: World, table: UnitTable, profile: Profile, book: AddressBook) -> None:
        self.world = world
        self.table = table
        self.profile = profile
        self.book = book
        self.everybody = BitMap(range(len(table.units)))
        self.nobody = BitMap()
        self._pods = PodIndex(world, table)
        self._placed = _by_address(table, profile)
        self._known: dict[tuple[PeerMatch, int | None], Matched] = {}

    def match(self, match: PeerMatch, family: int | None = None) -> Matched:
        """Return the units that a match matches; what is relative to a subject matches none.

        Args:
            match: The match.
            family: The flow's address family, where it is known.
        """
        if isinstance(match, PodsMatch):
            return Matched(self._pods.select(match), self._pods.possible(match), self.nobody)
        if isinstance(match, AnyMatch):
            return Matched(self.everybody, self.nobody, self.nobody)
        if isinstance(match, UnknownMatch):
            return Matched(self.nobody, self.everybody, self.nobody)
        if isinstance(match, RelativeMatch):
            return Matched(self.nobody, self.nobody, self.nobody)
        key = (match, family if self._placed.nowhere else None)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._resolve(match, family)
        return found

    def _resolve(self, match: PeerMatch, family: int | None) -> Matched:
        match match:
            case BlockMatch():
                whole = frozenset((match.family,)) if match.whole else frozenset()
                return self._in_addresses(match.addresses, whole, family)
            case GroupsMatch():
                addresses = self.book.group(match.labels)
                return self._in_addresses(addresses, whole_families(addresses), family)
            case NamesMatch():
                return self._named(match)
            case NodesMatch():
                return self._nodes(match)
            case AllOf():
                return self._all_of(match.matches, family)
            case NoneOf():
                return self._none_of(match, family)
            case AnyOf():
                return self.any_of(match.matches, family)
        return Matched(self.nobody, self.nobody, self.nobody)

    def any_of(self, matches: Iterable[PeerMatch], family: int | None = None) -> Matched:
        """Return the units that any of some matches match."""
        every = tuple(matches)
        found = [self.match(match, family) for match in every]
        if len(found) == 1:
            return found[0]
        must, may, blocks, selected = BitMap(), BitMap(), BitMap(), BitMap()
        for matched in found:
            must |= matched.must
            may |= matched.may
            blocks |= matched.blocks
            selected |= matched.must - matched.blocks
        if may - must:
            must |= self._between(every)
        return Matched(must, may - must, blocks - selected)

    def _between(self, matches: Iterable[PeerMatch]) -> BitMap:
        """Return the units whose address is in one block or another, though it is open in which."""
        spans = (s for m in matches if isinstance(m, BlockMatch) for s in m.addresses.spans)
        union_ = AddressSet(spans)
        places = self._placed.somewhere.items()
        return union(numbers for place, numbers in places if place <= union_)

    def _all_of(self, matches: Iterable[PeerMatch], family: int | None) -> Matched:
        found = [self.match(match, family) for match in matches]
        must = reduce(BitMap.intersection, (m.must for m in found), self.everybody)
        possible = reduce(BitMap.intersection, (m.possible for m in found), self.everybody)
        return Matched(must, possible - must, union(m.blocks for m in found) & possible)

    def _none_of(self, match: NoneOf, family: int | None) -> Matched:
        by_address = any(isinstance(m, BlockMatch | GroupsMatch) for m in plain_matches(match))
        floating = self._placed.nowhere if by_address else self.nobody
        if floating and family is None:
            # What only one family rules out is possible.
            found = [self._none_of(match, each) for each in FAMILY]
            must = reduce(BitMap.intersection, (m.must for m in found))
            possible = union(m.possible for m in found)
            return Matched(must, possible - must, union(m.blocks for m in found))
        ruled_out = self.any_of(match.matches, family)
        possible = self.everybody - ruled_out.must
        return Matched(
            possible - ruled_out.may,
            ruled_out.may - ruled_out.must,
            possible & (ruled_out.blocks | floating),
        )

    def holds(
        self,
        match: PeerMatch,
        unit: int,
        relations: Relations = UNRELATED,
        family: int | None = None,
    ) -> bool | None:
        """Return whether a match certainly (True) or possibly (False) matches one unit.

        Args:
            match: The match.
            unit: The unit.
            relations: How the unit stands to the subject.
            family: The flow's address family, where it is known.
        """
        if isinstance(match, RelativeMatch):
            return relations.holds(match.relation)
        if not any(isinstance(m, RelativeMatch) for m in plain_matches(match)):
            return self.match(match, family).holds(unit)
        match match:
            case AllOf():
                return least(self.holds(m, unit, relations, family) for m in match.matches)
            case AnyOf():
                return most(self.holds(m, unit, relations, family) for m in match.matches)
            case NoneOf():
                found = most(self.holds(m, unit, relations, family) for m in match.matches)
                return _OPPOSITE[found]
        return None

    def in_addresses(
        self, addresses: AddressSet, whole: frozenset[int], place: AddressSet | None
    ) -> bool | None:
        """Return whether addresses surely (True) or possibly (False) match a pod by its own.

        Args:
            addresses: The addresses.
            whole: The families they are whole of.
            place: Where the pod's address is known to lie; None when nothing is known of it.
        """
        if not self.profile.block_matches_pods:
            return None
        if place is None:
            return self._afloat(addresses, whole, None)
        if place <= addresses:
            return True
        return None if place.isdisjoint(addresses) else False

    def _in_addresses(
        self, addresses: AddressSet, whole: frozenset[int], family: int | None
    ) -> Matched:
        inside, may = BitMap(), BitMap()
        for low, high in addresses.spans:
            first = bisect_left(self._placed.starts, low)
            last = bisect_right(self._placed.starts, high)
            inside |= BitMap(self._placed.numbers[first:last])
        for place, numbers in self._placed.somewhere.items():
            if place <= addresses:
                inside |= numbers
            elif not place.isdisjoint(addresses):
                may |= numbers
        if self._placed.nowhere:
            pods = self._placed.nowhere & self.table.kinds[UnitKind.POD]
            if whole and (family is None or family in whole):
                inside |= self._placed.nowhere - pods
            match self._afloat(addresses, whole, family):
                case True:
                    inside |= pods
                case False:
                    may |= pods
        must = self.table.external_range(addresses) | inside
        # What is outside matches by its address only, always, and is not told apart for that.
        blocks = (inside | may) - self.table.kinds[UnitKind.NAMED]
        return Matched(must, may - must, blocks)

    def _afloat(
        self, addresses: AddressSet, whole: frozenset[int], family: int | None
    ) -> bool | None:
        """Return whether pods of unknown address surely (True) or possibly (False) match."""
        taken = True if whole and (family is None or family in whole) else None
        if not self.table.likely:
            return taken
        families = (family,) if family in FAMILY else FAMILY
        held = (FAMILY[each] for each in families if not addresses.isdisjoint(FAMILY[each]))
        likely = self.table.likely & reduce(AddressSet.__or__, held, NO_ADDRESSES)
        if not likely:
            return taken
        if taken:
            return likely <= addresses  # holes may hold them
        return None if likely.isdisjoint(addresses) else False

    def _named(self, match: NamesMatch) -> Matched:
        addresses, others = self.book.named(match)
        must = self.table.external_range(addresses)
        if not others:
            return Matched(must, self.nobody, self.nobody)
        called = self.table.external_range(self.book.resolved)
        may = self.table.kinds[UnitKind.EXTERNAL] - called - must
        # What is asked about by name is taken to be at an address of no other one.
        hosts = [self.table.hosts[name] for name in match.names if name in self.table.hosts]
        must |= union(covered for covered, _ in hosts)
        may |= union(touched for _, touched in hosts)
        return Matched(must, may - must, self.nobody)

    def _nodes(self, match: NodesMatch) -> Matched:
        kinds = self.table.kinds
        must, may = BitMap(), BitMap()
        for number in kinds[UnitKind.NODE] | kinds[UnitKind.HOST]:
            name = self.table.units[number].node
            if match.names is not None and name is not None and name not in match.names:
                continue
            node = self.world.nodes.get(name or "")
            if node is None or node.span is None:
                # Nobody read this node's labels, or knows which it is.
                open_ = match.nodes or (match.names is not None and name is None)
                (may if open_ else must).add(number)
            elif match.nodes.matches(node.labels):
                must.add(number)
        return Matched(must, may, self.nobody)


def whole_families(addresses: AddressSet) -> frozenset[int]:
    """Return the families that addresses are the whole of."""
    return frozenset(family for family, every in FAMILY.items() if every <= addresses)


def most(found: Iterable[bool | None]) -> bool | None:
    """Return the surest of some matches: whether any holds."""
    best: bool | None = None
    for each in found:
        if each:
            return True
        best = best if each is None else False
    return best


def least(found: Iterable[bool | None]) -> bool | None:
    """Return the least sure of some matches: whether all hold."""
    worst: bool | None = True
    for each in found:
        if each is None:
            return None
        worst = worst and each
    return worst


_OPPOSITE = {True: None, False: False, None: True}


@dataclass(frozen=True, slots=True)
class _Placed:
    """Units that blocks can match, by what is known of their address.

    Args:
        starts: First address of the atom of each unit in `numbers`, ascending.
        numbers: Units in one known atom.
        somewhere: Units known only to lie in a range.
        nowhere: Units of which nothing is known.
    """

    starts: list[int]
    numbers: list[int]
    somewhere: dict[AddressSet, BitMap]
    nowhere: BitMap


def _by_address(table: UnitTable, profile: Profile) -> _Placed:
    blind = {UnitKind.EXTERNAL}
    if not profile.block_matches_pods:
        blind.add(UnitKind.POD)
    if not profile.block_matches_nodes:
        blind |= {UnitKind.NODE, UnitKind.HOST}
    known: list[tuple[int, int]] = []
    somewhere: dict[AddressSet, BitMap] = defaultdict(BitMap)
    nowhere = BitMap()
    for number, unit in enumerate(table.units):
        if unit.kind in blind:
            continue
        if unit.addresses is None:
            nowhere.add(number)
        elif unit.exact:
            known.append((unit.addresses.spans[0][0], number))
        else:
            somewhere[unit.addresses].add(number)
    known.sort()
    return _Placed([s for s, _ in known], [n for _, n in known], dict(somewhere), nowhere)
