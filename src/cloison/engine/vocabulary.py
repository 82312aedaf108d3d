"""What policies can tell apart: the labels, names and addresses that any of them mentions."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloison.algebra import EVERY_ADDRESS, NO_ADDRESSES, V6_BASE, AddressSet
from cloison.engine.addressbook import AddressBook
from cloison.ir.peers import (
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    PeerMatch,
    PodsMatch,
    plain_matches,
)
from cloison.ir.policy import Policy


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What policies can tell apart.

    Args:
        keys: Labels of pods.
        names: Names of ports.
        starts: Address boundaries, ascending; each is the first address of an atom.
        accounts: Labels of the pods' service accounts.
        nodes: Nodes that the pods may run on.
    """

    keys: tuple[str, ...]
    names: frozenset[str]
    starts: tuple[int, ...]
    accounts: tuple[str, ...] = ()
    nodes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, policies: Iterable[Policy], book: AddressBook) -> "Vocabulary":
        """Collect the vocabulary of `policies`.

        Args:
            policies: The policies.
            book: What their address groups and names stand for.
        """
        keys: set[str] = set()
        accounts: set[str] = set()
        nodes: set[str] = set()
        names: set[str] = set()
        starts = {0, V6_BASE}
        # Most selectors are those of other policies too, and then the same objects.
        seen: set[int] = set()
        for match in _matches(policies, names):
            if isinstance(match, PodsMatch):
                for selector, into in ((match.pods, keys), (match.accounts, accounts)):
                    if id(selector) not in seen:
                        seen.add(id(selector))
                        into.update(selector.keys)
                if match.nodes:
                    nodes |= match.nodes
                continue
            found = [NO_ADDRESSES]
            if isinstance(match, BlockMatch):
                found = [match.addresses]
            elif isinstance(match, GroupsMatch):
                found = [book.group(match.labels)]
            elif isinstance(match, NamesMatch):
                addresses, others = book.named(match)
                # An address that is known to be another name's is none of this one's. The two
                # are cut one by one: where they touch, their union has no boundary.
                found = [addresses, book.resolved if others else NO_ADDRESSES]
            for each in found:
                for low, high in each.spans:
                    starts.update((low, high + 1))
        starts.discard(EVERY_ADDRESS.spans[-1][1] + 1)
        return cls(
            tuple(sorted(keys)),
            frozenset(names),
            tuple(sorted(starts)),
            tuple(sorted(accounts)),
            frozenset(nodes),
        )

    def holds(self, other: "Vocabulary") -> bool:
        """Return whether this one tells apart whatever the other one does."""
        return (
            set(other.keys) <= set(self.keys)
            and other.names <= self.names
            and all(self.starts[bisect_right(self.starts, s) - 1] == s for s in other.starts)
            and set(other.accounts) <= set(self.accounts)
            and other.nodes <= self.nodes
        )

    def atom(self, point: int) -> AddressSet:
        """Return the atom an address lies in."""
        at = bisect_right(self.starts, point) - 1
        low = self.starts[at]
        last = at + 1 == len(self.starts)
        high = EVERY_ADDRESS.spans[-1][1] if last else self.starts[at + 1] - 1
        return AddressSet([(low, high)])

    def atoms(self) -> Iterator[AddressSet]:
        """Iterate over all atoms, ascending."""
        for low in self.starts:
            yield self.atom(low)


def _matches(policies: Iterable[Policy], names: set[str]) -> Iterator[PeerMatch]:
    """Iterate over every plain match, and note the names of ports."""
    for policy in policies:
        yield from policy.subjects
        for rule in policy.rules:
            traffic = rule.traffic
            if traffic.named or traffic.excepted:
                names.update(port.name for port in (*traffic.named, *traffic.excepted))
            for peer in rule.peers:
                if isinstance(peer.match, PodsMatch):
                    yield peer.match
                else:
                    yield from plain_matches(peer.match)
            for match in rule.subjects or ():
                yield from plain_matches(match)
