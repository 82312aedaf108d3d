"""What may be about the same pods as a policy: most policies are about one namespace."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from cloison.algebra import LabelSelector
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Policy


class About(Protocol):
    """Something about pods or nodes."""

    @property
    def subjects(self) -> tuple[PodsMatch, ...]:
        """The pods, any of these."""

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes."""


T = TypeVar("T", bound=About)


class Near(Generic[T]):
    """Finds what may be about the same pods or nodes as a policy.

    Args:
        items: What is found.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self.items = tuple(dict.fromkeys(items))
        self._of: dict[str | None, list[T]] = defaultdict(list)
        self._nodes = [each for each in self.items if each.nodes]
        for each in self.items:
            for home in {subject.namespace for subject in each.subjects}:
                self._of[home].append(each)

    def to(self, policy: Policy) -> tuple[T, ...]:
        """Return what may be about the same pods, or nodes, in a fixed order."""
        homes = {subject.namespace for subject in policy.subjects}
        if None in homes:
            found = list(self.items)
        else:
            found = [each for home in (*homes, None) for each in self._of.get(home, ())]
        found += self._nodes if policy.nodes else ()
        return tuple(each for each in dict.fromkeys(found) if _meet(policy, each))


def _meet(policy: Policy, other: About) -> bool:
    if policy.nodes & other.nodes:
        return True
    return any(both(a, b) is not None for a in policy.subjects for b in other.subjects)


def both(one: PodsMatch, other: PodsMatch) -> PodsMatch | None:
    """Return the pods that two matches find; None where they can find none together."""
    if None not in (one.namespace, other.namespace) and one.namespace != other.namespace:
        return None
    first, second = (one, other) if one.namespace is not None else (other, one)
    pods = _joined(first.pods, second.pods)
    accounts = _joined(first.accounts, second.accounts)
    namespaces = _joined(first.namespaces, second.namespaces)
    if not (pods.satisfiable() and accounts.satisfiable() and namespaces.satisfiable()):
        return None
    return PodsMatch(first.namespace, namespaces, pods, accounts)


def _joined(one: LabelSelector, other: LabelSelector) -> LabelSelector:
    if not one or not other:
        return one or other
    return LabelSelector.of({}, (*one.requirements, *other.requirements))


def within(one: PodsMatch, other: PodsMatch) -> bool:
    """Return whether it is plain that a match finds only pods that another one finds, too."""
    if other.namespace is not None and other.namespace != one.namespace:
        return False
    pairs = (
        (one.pods, other.pods),
        (one.accounts, other.accounts),
        (one.namespaces, other.namespaces),
    )
    asked = all(set(b.requirements) <= set(a.requirements) for a, b in pairs)
    return asked and other.nodes in (None, one.nodes)
