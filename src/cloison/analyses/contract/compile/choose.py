"""Labels that select the pods of a workload and no others, among all pods there are now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from cloison.platform.stamped import owned
from cloison.resources.objects import Labels
from cloison.resources.world import PodEndpoint

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


def constant(pods: Iterable[PodEndpoint], selects: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the labels that all of some pods have alike, and that their owner decides about.

    Args:
        pods: The pods.
        selects: Keys by which their controller finds them, which cannot change.
    """
    found: dict[str, str] | None = None
    for each in pods:
        if found is None:
            found = {key: value for key, value in each.labels.items() if owned(key, selects)}
        else:
            found = {k: v for k, v in found.items() if each.labels.get(k) == v}
    return found or {}


def choose(
    pods: Sequence[PodEndpoint], others: Iterable[Labels], selects: frozenset[str] = frozenset()
) -> Mapping[str, str] | None:
    """Return the fewest labels that some pods have and no other has; None where there are none.

    Args:
        pods: The pods.
        others: Labels of all other pods of their namespace.
        selects: Keys by which their controller finds them, which cannot change.
    """
    mine = constant(pods, selects)
    strangers = [each for each in others if _shares(mine, each)]
    # What is like a version says which of several, and not what: it never stands alone.
    for chosen in sorted(_sets(mine), key=lambda some: not any(map(owned, some))):
        if not any(all(each.get(k) == v for k, v in chosen.items()) for each in strangers):
            return chosen
    return None


def _shares(mine: Mapping[str, str], labels: Labels) -> bool:
    return any(labels.get(key) == value for key, value in mine.items())


def _sets(labels: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield sets of labels: small ones first, of those the ones with the best keys."""
    ranks = {key: rank for rank, key in enumerate(PREFERRED)}
    keys = sorted(labels, key=lambda key: (ranks.get(key, len(ranks)), key))[:12]
    for size in range(1, min(_LARGEST, len(keys)) + 1):
        for some in combinations(keys, size):
            yield {key: labels[key] for key in some}
    if len(labels) > _LARGEST:
        yield dict(sorted(labels.items()))
