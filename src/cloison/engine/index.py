"""Selectors resolved to sets of units, each distinct one once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from cloison.algebra import EVERYTHING, LabelSelector, Operator, Requirement
from cloison.algebra.bitmaps import BitMap, union
from cloison.engine.units import UnitKind, UnitTable
from cloison.ir.policy import PodsMatch
from cloison.resources.objects import Labels
from cloison.resources.world import World


class LabelIndex:
    """Finds members by label requirement. Built once, then read.

    Args:
        everyone: All members.
        labelled: Each member's number and labels.
        keys: Keys to index; None indexes all.
    """

    def __init__(
        self,
        everyone: BitMap,
        labelled: Iterable[tuple[int, Labels]],
        keys: frozenset[str] | None = None,
    ) -> None:
        self.everyone = everyone
        pairs: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, labels in labelled:
            for key, value in labels.items():
                if keys is None or key in keys:
                    pairs[key, value].append(number)
        self._pairs = {pair: BitMap(numbers) for pair, numbers in pairs.items()}
        by_key: dict[str, list[BitMap]] = defaultdict(list)
        for (key, _), numbers in self._pairs.items():
            by_key[key].append(numbers)
        self._keys = {key: union(found) for key, found in by_key.items()}
        self._resolved: dict[LabelSelector, BitMap] = {EVERYTHING: everyone}

    def select(self, selector: LabelSelector) -> BitMap:
        """Return the members that match. The result is shared: never change it."""
        found = self._resolved.get(selector)
        if found is None:
            found = self.everyone
            for requirement in selector.requirements:
                found = self._narrow(found, requirement)
            self._resolved[selector] = found
        return found

    def _narrow(self, members: BitMap, requirement: Requirement) -> BitMap:
        empty = BitMap()
        match requirement.operator:
            case Operator.IN:
                return members & self._any(requirement)
            case Operator.NOT_IN:
                return members - self._any(requirement)
            case Operator.EXISTS:
                return members & self._keys.get(requirement.key, empty)
            case Operator.DOES_NOT_EXIST:
                return members - self._keys.get(requirement.key, empty)

    def _any(self, requirement: Requirement) -> BitMap:
        return union(
            self._pairs[requirement.key, value]
            for value in requirement.values
            if (requirement.key, value) in self._pairs
        )


class PodIndex:
    """Finds the pod units that a `PodsMatch` names. Host-network pods are not among them."""

    def __init__(self, world: World, table: UnitTable) -> None:
        pods = table.kinds[UnitKind.POD]
        members: dict[str, list[int]] = defaultdict(list)
        labelled: list[tuple[int, Labels]] = []
        for number in pods:
            endpoint = table.endpoints[table.units[number].endpoints[0]]
            members[endpoint.namespace].append(number)
            labelled.append((number, endpoint.labels))
        self._pods = LabelIndex(pods, labelled, frozenset(table.vocabulary.keys))
        self._names = sorted(world.namespaces)
        self._members: Mapping[str, BitMap] = {n: BitMap(m) for n, m in members.items()}
        self._namespaces = LabelIndex(
            BitMap(range(len(self._names))),
            ((i, world.namespaces[name].labels) for i, name in enumerate(self._names)),
        )
        self._by_namespaces: dict[LabelSelector, BitMap] = {EVERYTHING: pods}
        self._resolved: dict[PodsMatch, BitMap] = {}

    def select(self, match: PodsMatch) -> BitMap:
        """Return the pod units that `match` names. The result is shared: never change it."""
        found = self._resolved.get(match)
        if found is None:
            found = self._pods.select(match.pods)
            if match.namespace is not None:
                found = found & self._members.get(match.namespace, BitMap())
            elif match.namespaces:
                found = found & self._in_namespaces(match.namespaces)
            self._resolved[match] = found
        return found

    def _in_namespaces(self, selector: LabelSelector) -> BitMap:
        found = self._by_namespaces.get(selector)
        if found is None:
            chosen = (self._names[i] for i in self._namespaces.select(selector))
            found = union(self._members[name] for name in chosen if name in self._members)
            self._by_namespaces[selector] = found
        return found
