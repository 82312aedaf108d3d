"""Labels that select the pods of a workload and no others, among all pods there are now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from cloison.algebra import LabelSelector, Operator, Requirement
from cloison.platform.stamped import fleeting, owned
from cloison.resources.objects import Labels
from cloison.resources.world import PodEndpoint, Workload

PREFERRED: Final = (
    "app.kubernetes.io/name",
    "app",
    "k8s-app",
    "app.kubernetes.io/component",
    "component",
)
"""Keys by which people name what a pod is, the likeliest first."""

_LARGEST: Final = 4
"""Labels of a selector, at most."""
_NEGATIVES: Final = 3
"""What others have that a selector rules out, at most."""
_TRIED: Final = 12
"""Keys that are tried, at most."""


def constant(
    pods: Iterable[PodEndpoint], selects: frozenset[str] = frozenset(), *, stamped: bool = False
) -> dict[str, str]:
    """Return the labels that all of some pods have alike, and that their owner decides about.

    Args:
        pods: The pods.
        selects: Keys by which their controller finds them, which cannot change.
        stamped: Whether of these also keys count that a platform made up.
    """
    found: dict[str, str] | None = None
    for each in pods:
        if found is None:
            found = {
                key: value
                for key, value in each.labels.items()
                if owned(key, selects) or (stamped and key in selects and not fleeting(key))
            }
        else:
            found = {k: v for k, v in found.items() if each.labels.get(k) == v}
    return found or {}


def choose(
    pods: Sequence[PodEndpoint],
    others: Iterable[Labels],
    selects: frozenset[str] = frozenset(),
    *,
    stamped: bool = False,
) -> Mapping[str, str] | None:
    """Return the fewest labels that some pods have and no other has; None where there are none.

    Args:
        pods: The pods.
        others: Labels of all other pods of their namespace.
        selects: Keys by which their controller finds them, which cannot change.
        stamped: Whether of these also keys count that a platform made up.
    """
    mine = constant(pods, selects, stamped=stamped)
    strangers = [each for each in others if _shares(mine, each)]
    # What is like a version says which of several, and not what: it never stands alone.
    for chosen in sorted(_sets(mine), key=lambda some: not any(map(owned, some))):
        if not any(_all(chosen, each) for each in strangers):
            return chosen
    return None


def without(workload: Workload, near: Iterable[Workload]) -> LabelSelector | None:
    """Return labels of some pods, and what they lack that others have; None where none are exact.

    What others have counts by the labels that their owner decides about, or that their controllers
    find them by.

    Args:
        workload: Whose pods.
        near: All other workloads of their namespace.
    """
    pods = workload.endpoints
    mine = constant(pods, workload.selects)
    strangers = [(p.labels, each.selects) for each in near for p in each.endpoints]
    strangers = [each for each in strangers if _shares(mine, each[0])]
    lacks = _lacks([pod.labels for pod in pods], strangers)
    alike = [labels for labels, _ in strangers if _all(mine, labels)]
    if not all(any(not r.matches(labels) for r in lacks) for labels in alike):
        return None
    for size in range(1, _NEGATIVES + 1):
        for chosen in sorted(_sets(mine), key=lambda some: not any(map(owned, some))):
            left = [labels for labels, _ in strangers if _all(chosen, labels)]
            for some in combinations(lacks, size):
                if all(any(not r.matches(labels) for r in some) for labels in left):
                    return LabelSelector.of(chosen, some)
    return None


def _lacks(
    mine: Sequence[Labels], strangers: Iterable[tuple[Labels, frozenset[str]]]
) -> list[Requirement]:
    """Return what some pods meet, of what may be asked of keys that strangers keep.

    A key that they do not have is to be missing; of one that they have as well, the strangers'
    values are ruled out. Keys of the former kind come first: they rule out later values, too.
    """
    values: dict[str, set[str]] = {}
    for labels, selects in strangers:
        for key, value in labels.items():
            if owned(key, selects):
                values.setdefault(key, set()).add(value)
    found: list[Requirement] = []
    for key in _ranked(values):
        held = {labels.get(key) for labels in mine}
        if held == {None}:
            found.append(Requirement(key, Operator.DOES_NOT_EXIST))
        elif others := sorted(values[key] - held):
            found.append(Requirement(key, Operator.NOT_IN, tuple(others)))
    return sorted(found, key=lambda each: each.operator is Operator.NOT_IN)


def _all(labels: Mapping[str, str], held: Labels) -> bool:
    return all(held.get(key) == value for key, value in labels.items())


def _shares(mine: Mapping[str, str], labels: Labels) -> bool:
    return any(labels.get(key) == value for key, value in mine.items())


def _sets(labels: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield sets of labels: small ones first, of those the ones with the best keys."""
    keys = _ranked(labels)
    for size in range(1, min(_LARGEST, len(keys)) + 1):
        for some in combinations(keys, size):
            yield {key: labels[key] for key in some}
    if len(labels) > _LARGEST:
        yield dict(sorted(labels.items()))


def _ranked(keys: Iterable[str]) -> list[str]:
    """Return keys, those first by which people name what a pod is; as many as are tried."""
    ranks = {key: rank for rank, key in enumerate(PREFERRED)}
    return sorted(keys, key=lambda key: (ranks.get(key, len(ranks)), key))[:_TRIED]
