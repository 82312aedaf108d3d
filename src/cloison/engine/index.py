"""Selectors resolved to sets of units, each distinct one once."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from cloison.algebra import EVERYTHING, LabelSelector, Operator, Requirement
from cloison.algebra.bitmaps import BitMap, union
from cloison.engine.units import UnitKind, UnitTable
from cloison.ir.peers import PodsMatch
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
        # Many share their labels, and then the very same mapping.
        alike: dict[int, tuple[Labels, list[int]]] = {}
        for number, labels in labelled:
            alike.setdefault(id(labels), (labels, []))[1].append(number)
        pairs: dict[tuple[str, str], list[int]] = defaultdict(list)
        for labels, numbers in alike.values():
            for key, value in labels.items():
                if keys is None or key in keys:
                    pairs[key, value] += numbers
        self._numbers = pairs
        self._values: dict[str, list[str]] = defaultdict(list)
        for key, value in pairs:
            self._values[key].append(value)
        # Made when they are asked for: of names there is one for each member.
        self._pairs: dict[tuple[str, str], BitMap] = {}
        self._keys: dict[str, BitMap] = {}
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
        match requirement.operator:
            case Operator.IN:
                return members & self._any(requirement)
            case Operator.NOT_IN:
                return members - self._any(requirement)
            case Operator.EXISTS:
                return members & self._having(requirement.key)
            case Operator.DOES_NOT_EXIST:
                return members - self._having(requirement.key)
        found = self._looked_into(requirement)
        return members - found if requirement.matches({}) else members & found

    def _looked_into(self, requirement: Requirement) -> BitMap:
        """Return the members whose value holds the text that is asked for, or is not to be."""
        wanted = not requirement.matches({})
        values = self._values.get(requirement.key, ())
        return union(
            self._pair(requirement.key, value)
            for value in values
            if requirement.matches({requirement.key: value}) is wanted
        )

    def _any(self, requirement: Requirement) -> BitMap:
        return union(self._pair(requirement.key, value) for value in requirement.values)

    def _pair(self, key: str, value: str) -> BitMap:
        """Return the members with a label."""
        found = self._pairs.get((key, value))
        if found is None:
            found = self._pairs[key, value] = BitMap(self._numbers.get((key, value), ()))
        return found

    def _having(self, key: str) -> BitMap:
        """Return the members with a label of a key, whatever its value."""
        found = self._keys.get(key)
        if found is None:
            values = self._values.get(key, ())
            members = [number for value in values for number in self._numbers[key, value]]
            found = self._keys[key] = BitMap(members)
        return found


class PodIndex:
    """Finds the pod units that a `PodsMatch` names. Host-network pods are not among them."""

    _nobody = BitMap()

    def __init__(self, world: World, table: UnitTable) -> None:
        pods = table.kinds[UnitKind.POD]
        labelled: list[tuple[int, Labels]] = []
        accounts: list[tuple[int, Labels]] = []
        nodes: dict[str | None, list[int]] = defaultdict(list)
        placed, known = bool(table.vocabulary.nodes), bool(table.vocabulary.accounts)
        for number in pods:
            endpoint = table.endpoints[table.units[number].endpoints[0]]
            shape = endpoint.shape
            labelled.append((number, shape.labels))
            if known:
                of = world.account_labels(endpoint.namespace, shape.service_account)
                accounts.append((number, of))
            if placed:
                nodes[shape.node].append(number)
        if not placed:
            nodes[None] = list(pods)
        self._pods = LabelIndex(pods, labelled, frozenset(table.vocabulary.keys))
        self._accounts = LabelIndex(pods, accounts, frozenset(table.vocabulary.accounts))
        self._nodes = {name: BitMap(numbers) for name, numbers in nodes.items()}
        self._names = sorted(world.namespaces)
        self._pods_of = table.pods
        self._members: dict[str, BitMap] = {}
        self._namespaces = LabelIndex(
            BitMap(range(len(self._names))),
            ((i, world.namespaces[name].labels) for i, name in enumerate(self._names)),
        )
        self._by_namespaces: dict[LabelSelector, BitMap] = {EVERYTHING: pods}
        self._resolved: dict[PodsMatch, BitMap] = {}

    def select(self, match: PodsMatch) -> BitMap:
        """Return the pod units that `match` names for sure. The result is shared: never change it.

        Those of pods whose node nobody knows are left out where it names nodes.
        """
        found = self._resolved.get(match)
        if found is None:
            found = self._pods.select(match.pods)
            if match.namespace is not None:
                found = found & self._in_namespace(match.namespace)
            elif match.namespaces:
                found = found & self._in_namespaces(match.namespaces)
            if match.accounts:
                found = found & self._accounts.select(match.accounts)
            if match.nodes is not None:
                found = found & union(self._nodes.get(name, self._nobody) for name in match.nodes)
            self._resolved[match] = found
        return found

    def possible(self, match: PodsMatch) -> BitMap:
        """Return the pod units that `match` may name besides. The result is shared."""
        unknown = self._nodes.get(None)
        if not match.nodes or unknown is None:
            return self._nobody
        return self.select(replace(match, nodes=None)) & unknown

    def _in_namespace(self, name: str) -> BitMap:
        found = self._members.get(name)
        if found is None:
            found = self._members[name] = BitMap(self._pods_of.get(name, ()))
        return found

    def _in_namespaces(self, selector: LabelSelector) -> BitMap:
        found = self._by_namespaces.get(selector)
        if found is None:
            chosen = (self._names[i] for i in self._namespaces.select(selector))
            found = BitMap([unit for name in chosen for unit in self._pods_of.get(name, ())])
            self._by_namespaces[selector] = found
        return found
