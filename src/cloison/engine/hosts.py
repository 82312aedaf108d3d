"""Ends outside the cluster of which only the name is known.

Nobody said what addresses they have, so each may be at any that nobody said another name of.
Names that the same patterns of rules cover are one end, in either address family.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from cloison.algebra import FAMILY
from cloison.algebra.bitmaps import BitMap
from cloison.engine.addressbook import AddressBook
from cloison.engine.units import Unit, UnitKind, UnitTable
from cloison.ir.names import NamePattern
from cloison.ir.peers import NamesMatch, PodsMatch, plain_matches
from cloison.ir.policy import Policy

Sort: TypeAlias = tuple[frozenset[NamePattern], frozenset[NamePattern]]
"""Patterns of rules that cover whatever a pattern does, and those that cover a part of it."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """What rules name.

    Args:
        exact: Names.
        wild: Patterns of several names.
    """

    exact: frozenset[NamePattern] = frozenset()
    wild: tuple[NamePattern, ...] = ()

    @classmethod
    def of(cls, patterns: Iterable[NamePattern]) -> "Patterns":
        """Sort patterns."""
        every = tuple(patterns)
        return cls(frozenset(p for p in every if p.exact), tuple(p for p in every if not p.exact))

    def sort_of(self, name: NamePattern) -> Sort:
        """Return how these stand to a name, or to those that another pattern covers."""
        if name.exact:
            whole = [name] if name in self.exact else []
            return frozenset((*whole, *(p for p in self.wild if p.covers(name.text)))), frozenset()
        covering = frozenset(p for p in self.wild if p.holds(name))
        touching = {p for p in self.wild if p not in covering and p.meets(name) is not False}
        touching.update(p for p in self.exact if name.covers(p.text))
        return covering, frozenset(touching)


@dataclass(frozen=True, slots=True)
class Hosts:
    """Units of names.

    Args:
        patterns: What rules name of which not every address is known.
        units: Units of names by how these patterns stand to them, one for each family.
    """

    patterns: Patterns = Patterns()
    units: Mapping[Sort, tuple[int, ...]] = field(default_factory=dict)

    def of(self, name: NamePattern) -> tuple[int, ...] | None:
        """Return the units of a name, or of any that a pattern covers; None where there are none.

        Args:
            name: The name; not every address of it is known.
        """
        return self.units.get(self.patterns.sort_of(name)) if self.units else None


NO_HOSTS = Hosts()
"""A table without units of names."""


def mentioned(policies: Iterable[Policy]) -> tuple[NamePattern, ...]:
    """Return the names that the peers of rules are, sorted."""
    found: set[NamePattern] = set()
    for policy in policies:
        for rule in policy.rules:
            for peer in rule.peers:
                if not isinstance(peer.match, PodsMatch):
                    for match in plain_matches(peer.match):
                        found.update(match.names if isinstance(match, NamesMatch) else ())
    return tuple(sorted(found))


def with_hosts(
    table: UnitTable,
    book: AddressBook,
    mentions: Iterable[NamePattern],
    asked: Iterable[NamePattern],
) -> tuple[UnitTable, Hosts]:
    """Return a table with units for names that nobody resolved. The others keep their numbers.

    Args:
        table: The table.
        book: What names stand for, as far as somebody said it.
        mentions: The names of rules.
        asked: Names that somebody asks about besides. Those that come later get later numbers.
    """
    patterns = tuple(p for p in mentions if not book.knows(p))
    names = dict.fromkeys((*patterns, *(n for n in asked if not book.knows(n))))
    sorted_ = Patterns.of(patterns)
    sorts = dict.fromkeys(map(sorted_.sort_of, names))
    units: list[Unit] = list(table.units)
    families = {family: numbers.copy() for family, numbers in table.families.items()}
    of: dict[Sort, tuple[int, ...]] = {}
    hosts = {pattern: (BitMap(), BitMap()) for pattern in patterns}
    for sort in sorts:
        numbers = []
        for family, every in FAMILY.items():
            place = every & book.unresolved
            if place:
                numbers.append(len(units))
                families[family].add(len(units))
                units.append(Unit(UnitKind.NAMED, family, addresses=place))
        of[sort] = tuple(numbers)
        for where, part in enumerate(sort):
            for pattern in part:
                hosts[pattern][where].update(numbers)
    named = BitMap(range(len(table.units), len(units)))
    kinds = {**table.kinds, UnitKind.NAMED: named}
    made = replace(table, units=tuple(units), kinds=kinds, families=families, hosts=hosts)
    return made, Hosts(sorted_, of)
