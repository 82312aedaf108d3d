"""Which policies select which unit, found out for one namespace when somebody first asks.

Most policies select pods of one namespace, so what governs a unit is among the few of its own
and those that are about several: asking about one pod binds no policy of another namespace.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from heapq import merge
from typing import Any, TypeAlias

from cloison.algebra.bitmaps import BitMap
from cloison.engine.bind import Binder, Hold
from cloison.engine.units import UnitKind
from cloison.ir.policy import Direction, Policy

Signature: TypeAlias = tuple[Hold, ...]
"""How policies stand to a unit in one direction, in the order they are evaluated."""
Rank: TypeAlias = Callable[[Policy], Any]
"""What the order of policies goes by."""
Speaks: TypeAlias = Callable[[Policy, Direction], bool]


class Homes:
    """Policies by the namespaces they name.

    Args:
        policies: In the order they are evaluated.
        rank: What that order goes by.
    """

    def __init__(self, policies: Iterable[Policy], rank: Rank) -> None:
        self._rank = rank
        self._of: dict[str, list[Policy]] = defaultdict(list)
        self._wide: list[Policy] = []
        for policy in policies:
            for held in self._lists(policy):
                held.append(policy)

    def _lists(self, policy: Policy) -> Iterator[list[Policy]]:
        """Iterate over the lists that a policy is in: it may select what is in such namespaces."""
        if namespaces_of(policy) is None:
            yield self._wide
        for namespace in dict.fromkeys([subject.namespace for subject in policy.subjects]):
            if namespace is not None:
                yield self._of[namespace]

    def naming(self, namespace: str) -> Sequence[Policy]:
        """Return the policies with a subject that names a namespace, in order."""
        return self._of.get(namespace, ())

    def about(self, namespace: str | None) -> Sequence[Policy]:
        """Return the policies that may select something in a namespace, in order.

        Args:
            namespace: The namespace; None for what is in none.
        """
        named = self._of.get(namespace, ()) if namespace is not None else ()
        if not self._wide:
            return named
        if not named:
            return self._wide
        both = merge(named, self._wide, key=self._rank)
        return list({id(policy): policy for policy in both}.values())

    def changed(self, gone: Iterable[Policy], new: Iterable[Policy]) -> "Homes":
        """Return the same with some policies taken out, and others put in."""
        of, wide = self._of.copy(), self._wide.copy()
        for policy, put in (*((p, False) for p in gone), *((p, True) for p in new)):
            if namespaces_of(policy) is None:
                wide = self._with(wide, policy, put=put)
            for namespace in {s.namespace for s in policy.subjects if s.namespace is not None}:
                of[namespace] = self._with(of[namespace], policy, put=put)
        other = copy(self)
        vars(other).update(_of=of, _wide=wide)
        return other

    def put(self, signature: Signature, hold: Hold) -> Signature:
        """Return a signature with a hold at the place of its policy."""
        rank = self._rank
        at = bisect_right(signature, rank(hold.policy), key=lambda each: rank(each.policy))
        return (*signature[:at], hold, *signature[at:])

    def _with(self, policies: list[Policy], policy: Policy, *, put: bool) -> list[Policy]:
        """Return policies with one put in or taken out."""
        found = [each for each in policies if each is not policy]
        if put:
            insort(found, policy, key=self._rank)
        return found


class Selection:
    """Signatures of units.

    Args:
        binder: Binds the policies.
        policies: The policies, in the order they are evaluated.
        homes: The same by namespace.
        speaks: Whether a policy has a say in a direction of whom it selects.
    """

    def __init__(
        self,
        binder: Binder,
        policies: Sequence[Policy],
        homes: Homes,
        speaks: Speaks,
    ) -> None:
        self._binder = binder
        self._policies = policies
        self.homes = homes
        self._speaks = speaks
        self._known: dict[tuple[str | None, Direction], Mapping[int, Signature]] = {}
        self._all: dict[Direction, Mapping[int, Signature]] = {}

    def of(self, unit: int, direction: Direction) -> Signature | None:
        """Return how policies stand to a unit; None where none selects it."""
        known = self._all.get(direction)
        if known is None:
            home = self._binder.table.home(unit)
            known = self._known.get((home, direction))
            if known is None:
                known = self._known[home, direction] = self._within(home, direction)
        return known.get(unit)

    def _within(self, home: str | None, direction: Direction) -> Mapping[int, Signature]:
        """Return the signatures of all units of a namespace, or of those in none."""
        table = self._binder.table
        if home is None:
            here = self._binder.everybody - table.kinds[UnitKind.POD]
        else:
            here = BitMap(table.pods[home])
        return self._sorted(self.homes.about(home), direction, here)

    def all(self, direction: Direction) -> Mapping[int, Signature]:
        """Return the signatures of all units that any policy selects.

        They come by the first policy that selects them, whatever was asked before.
        """
        found = self._all.get(direction)
        if found is None:
            found = self._all[direction] = self._sorted(self._policies, direction)
        return found

    def _sorted(
        self, policies: Iterable[Policy], direction: Direction, among: BitMap | None = None
    ) -> dict[int, Signature]:
        found: dict[int, list[Hold]] = defaultdict(list)
        for policy in policies:
            if not self._speaks(policy, direction):
                continue
            for hold, units in self._binder.holds(policy, direction):
                for unit in units if among is None else units & among:
                    found[unit].append(hold)
        return {unit: tuple(holds) for unit, holds in found.items()}

    def changed(
        self, binder: Binder, policies: Sequence[Policy], gone: list[Policy], new: list[Policy]
    ) -> "Selection":
        """Return the selection of changed policies, which knows what this one does.

        Args:
            binder: Binds them, to the same units.
            policies: The policies, in the order they are evaluated.
            gone: Those that are not among them any more.
            new: Those that were not.
        """
        other = Selection(binder, policies, self.homes.changed(gone, new), self._speaks)
        known = self._known.copy()
        for policy, put in (*((p, None) for p in gone), *((p, binder) for p in new)):
            homes = namespaces_of(policy)
            if homes is None:
                return other
            for home in homes:
                for direction in Direction:
                    here = known.get((home, direction))
                    if here is None and direction in self._all:
                        here = self._of_home(home, direction)
                    if here is not None:
                        known[home, direction] = self._with(here, policy, direction, home, put)
        vars(other).update(_known=known)
        return other

    def _of_home(self, home: str, direction: Direction) -> Mapping[int, Signature]:
        """Return the signatures of a namespace out of those of all."""
        every = self._all[direction]
        return {
            unit: every[unit] for unit in self._binder.table.pods.get(home, ()) if unit in every
        }

    def _with(
        self,
        known: Mapping[int, Signature],
        policy: Policy,
        direction: Direction,
        home: str,
        binder: Binder | None,
    ) -> Mapping[int, Signature]:
        """Return signatures of a namespace with a policy put in; without it if nobody binds it."""
        if not self._speaks(policy, direction):
            return known
        found = dict(known)
        here = BitMap(self._binder.table.pods.get(home, ()))
        for hold, units in (binder or self._binder).holds(policy, direction):
            for unit in units & here:
                had = found.get(unit, ())
                if binder is not None:
                    found[unit] = self.homes.put(had, hold)
                elif len(had) > 1:
                    found[unit] = tuple(each for each in had if each is not hold)
                else:
                    found.pop(unit, None)
        return found


def namespaces_of(policy: Policy) -> frozenset[str] | None:
    """Return the namespaces outside which a policy selects nothing; None for all there are."""
    found = []
    for subject in policy.subjects:
        if subject.namespace is None:
            return None
        found.append(subject.namespace)
    return None if policy.nodes else frozenset(found)
