"""What matches that go by address stand for: address groups and DNS names, looked up once."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from cloison.algebra import NO_ADDRESSES, AddressSet, LabelSelector
from cloison.ir.policy import AddressGroup, NamesMatch


class AddressBook:
    """Address groups by their labels, and addresses by name, as far as somebody said them.

    Args:
        groups: Every address group.
        names: What DNS names stand for, in lower case without the final dot.
    """

    def __init__(
        self, groups: Iterable[AddressGroup] = (), names: Mapping[str, AddressSet] | None = None
    ) -> None:
        self._groups = tuple(groups)
        self._names = dict(names or {})
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

    def named(self, match: NamesMatch) -> tuple[AddressSet, bool]:
        """Return the known addresses of names, and whether there may be others.

        There may be others of a name that nobody resolved. A wildcard is one: whatever it
        covers may exist besides. None of them are among the `resolved`, of which the names are
        known.
        """
        found = self._meant.get(match)
        if found is None:
            addresses, others = NO_ADDRESSES, False
            for pattern in match.names:
                for name, meant in self._names.items():
                    if covers(pattern, name):
                        addresses |= meant
                others |= pattern not in self._names
            found = self._meant[match] = (addresses, others)
        return found


def covers(pattern: str, name: str) -> bool:
    """Return whether a name, as `NamesMatch` has them, covers another one without a wildcard.

    >>> covers("*.example.com", "a.b.example.com"), covers("*.example.com", "example.com")
    (True, False)
    """
    if not pattern.startswith("*."):
        return pattern == name
    return name.endswith(pattern[1:]) and len(name) >= len(pattern)
