"""What matches that go by address stand for: address groups and DNS names, looked up once."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from cloison.algebra import EVERY_ADDRESS, NO_ADDRESSES, AddressSet, LabelSelector
from cloison.ir.names import NamePattern
from cloison.ir.peers import NamesMatch
from cloison.ir.policy import AddressGroup


class AddressBook:
    """Address groups by their labels, and addresses by name, as far as somebody said them.

    Args:
        groups: Every address group.
        names: What DNS names stand for, in lower case without the final dot.
        complete: Whether no other names have addresses.
    """

    def __init__(
        self,
        groups: Iterable[AddressGroup] = (),
        names: Mapping[str, AddressSet] | None = None,
        *,
        complete: bool = False,
    ) -> None:
        self._groups = tuple(groups)
        self._names = dict(names or {})
        self.complete = complete
        self._held: dict[LabelSelector, AddressSet] = {}
        self._meant: dict[NamesMatch, tuple[AddressSet, bool]] = {}

    def group(self, labels: LabelSelector) -> AddressSet:
        """Return the addresses of all groups whose labels match."""
        found = self._held.get(labels)
        if found is None:
            matching = (g.addresses for g in self._groups if labels.matches(g.labels))
            found = self._held[labels] = AddressSet(s for a in matching for s in a.spans)
        return found

    @cached_property
    def resolved(self) -> AddressSet:
        """Every address of which somebody said what it is called."""
        return AddressSet(span for meant in self._names.values() for span in meant.spans)

    @cached_property
    def unresolved(self) -> AddressSet:
        """Every other address: it may have any name that nobody resolved, or none."""
        return NO_ADDRESSES if self.complete else EVERY_ADDRESS - self.resolved

    def knows(self, pattern: NamePattern) -> bool:
        """Return whether every address of a pattern's names is known."""
        return self.complete or (pattern.exact and pattern.text in self._names)

    def of(self, pattern: NamePattern) -> AddressSet:
        """Return the known addresses of a pattern's names."""
        if pattern.exact:
            return self._names.get(pattern.text, NO_ADDRESSES)
        found = (meant for name, meant in self._names.items() if pattern.covers(name))
        return AddressSet(span for meant in found for span in meant.spans)

    def named(self, match: NamesMatch) -> tuple[AddressSet, bool]:
        """Return the known addresses of names, and whether there may be others.

        There may be others of a name that nobody resolved. A wildcard is one: whatever it
        covers may exist besides. None of them are among the `resolved`, of which the names are
        known.
        """
        found = self._meant.get(match)
        if found is None:
            known = map(self.of, match.names)
            addresses = AddressSet(span for each in known for span in each.spans)
            others = not all(map(self.knows, match.names))
            found = self._meant[match] = (addresses, others)
        return found
