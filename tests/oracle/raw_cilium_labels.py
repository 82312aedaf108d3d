"""Labels of identities: which are part of one, and what conditions they meet.

Sources: cilium/cilium pkg/labels and pkg/labelsfilter.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from tests.oracle.raw_cilium_rules import (
    Requirements,
)

Labels: TypeAlias = Mapping[tuple[str, str], str]
"""Labels of an identity by source and key."""
INCLUDE = (
    r"io\.kubernetes\.pod\.namespace",
    r"io\.cilium\.k8s\.namespace\.labels",
    r"app\.kubernetes\.io",
    r"io\.cilium\.k8s\.policy\.cluster",
    r"io\.cilium\.k8s\.policy\.serviceaccount",
)
IGNORE = (
    r"io\.kubernetes",
    r"kubernetes\.io",
    r"statefulset\.kubernetes\.io/pod-name",
    r"apps\.kubernetes\.io/pod-index",
    r"batch\.kubernetes\.io/job-completion-index",
    r"batch\.kubernetes\.io/controller-uid",
    r".*beta\.kubernetes\.io",
    r"k8s\.io",
    r"pod-template-generation",
    r"pod-template-hash",
    r"controller-revision-hash",
    r"controller-uid",
    r"annotation.*",
    r"etcd_node",
    r"topology\.kubernetes\.io",
)


def meets(conditions: Requirements, labels: Labels) -> bool:
    """Return whether labels of an identity meet all conditions."""
    return all(_meets(*each, labels) for each in conditions)


def _meets(source: str, key: str, operator: str, values: Sequence[str], labels: Labels) -> bool:
    found = [
        value for (one, other), value in labels.items() if other == key and source in ("any", one)
    ]
    if operator in ("Exists", "DoesNotExist"):
        return bool(found) == (operator == "Exists")
    within = any(value in values for value in found)
    return within == (operator == "In")


@lru_cache(maxsize=4096)
def kept(key: str, patterns: str) -> bool:
    """Return whether a label is part of identities.

    Args:
        key: Its key.
        patterns: The cluster's setting `labels`.
    """
    return _kept(key, patterns, INCLUDE, IGNORE)


def kept_of_node(key: str, patterns: str) -> bool:
    """Return whether a label of a node is part of the identity it has as a peer.

    Args:
        key: Its key.
        patterns: The cluster's setting `node-labels`.
    """
    return _kept(key, patterns, (), ())


def _kept(key: str, patterns: str, included: Sequence[str], ignored: Sequence[str]) -> bool:
    include, ignore, only = list(included), list(ignored), False
    for each in patterns.split():
        text = each.partition(":")[2] or each
        if text.startswith("!"):
            ignore.append(text[1:])
        else:
            include.append(text)
            only = True
    longest = max((len(m[0]) for p in include if (m := re.match(p, key))), default=0)
    shortest = min((len(m[0]) for p in ignore if (m := re.match(p, key))), default=0)
    return longest > shortest or (not only and not shortest)


def as_label(text: str) -> tuple[tuple[str, str], str]:
    """Return source, key and value of `source:key=value`."""
    key, _, value = text.partition("=")
    source, _, name = key.partition(":")
    return (source, name), value
