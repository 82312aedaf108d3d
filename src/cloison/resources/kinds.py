"""The kinds we read, and where each may be found."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from cloison.resources.names import NameRule

NETWORK_POLICY = "NetworkPolicy"


@dataclass(frozen=True, slots=True)
class KindInfo:
    """One kind in one API version.

    Args:
        type: Its type in the field table.
        namespaced: Whether its objects live in a namespace.
        name_rule: How its names are spelt.
        replacement: The API version that serves it.
        removed: First Kubernetes version that no longer serves this API version.
    """

    type: str
    replacement: str
    namespaced: bool = True
    name_rule: NameRule = NameRule.SUBDOMAIN
    removed: tuple[int, int] | None = None


_SERVED: dict[str, tuple[str, ...]] = {
    "v1": ("Pod", "PodTemplate", "ReplicationController", "Service", "ServiceAccount"),
    "apps/v1": ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"),
    "batch/v1": ("Job", "CronJob"),
    "discovery.k8s.io/v1": ("EndpointSlice",),
    "networking.k8s.io/v1": (NETWORK_POLICY,),
}

# Kubernetes documentation, "Deprecated API Migration Guide".
_GONE: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {
    "extensions/v1beta1": ((1, 16), ("Deployment", "DaemonSet", "ReplicaSet", NETWORK_POLICY)),
    "apps/v1beta1": ((1, 16), ("Deployment", "StatefulSet")),
    "apps/v1beta2": ((1, 16), ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")),
    "batch/v2alpha1": ((1, 21), ("CronJob",)),
    "batch/v1beta1": ((1, 25), ("CronJob",)),
    "discovery.k8s.io/v1beta1": ((1, 25), ("EndpointSlice",)),
}

_BUILT_IN_GROUPS = frozenset(
    ("", "apps", "batch", "extensions", "discovery.k8s.io", "networking.k8s.io")
)


def _table() -> dict[tuple[str, str], KindInfo]:
    table = {
        ("v1", "Namespace"): KindInfo("Namespace", "v1", False, NameRule.LABEL),
        ("v1", "Node"): KindInfo("Node", "v1", False),
    }
    for version, kinds in _SERVED.items():
        for kind in kinds:
            rule = NameRule.LABEL if kind == "Service" else NameRule.SUBDOMAIN
            table[version, kind] = KindInfo(kind, version, name_rule=rule)
    served = {kind: version for version, kind in table}
    for version, (removed, kinds) in _GONE.items():
        for kind in kinds:
            table[version, kind] = KindInfo(kind, served[kind], removed=removed)
    return table


KINDS = _table()
"""By API version and kind."""

BY_TYPE = {info.type: info for info in KINDS.values() if info.removed is None}
"""The served entry of every type of the field table that is a kind."""


def group_of(api_version: str) -> str:
    """Return the API group of an `apiVersion`; the core group is the empty text."""
    group, slash, _ = api_version.rpartition("/")
    return group if slash else ""


def misplaced(api_version: str, kind: str) -> str | None:
    """Return the API version a built-in kind belongs to, where `api_version` is a wrong one.

    None when the pair is right, or is somebody's own kind that happens to share the name.
    """
    group = group_of(api_version)
    info = BY_TYPE.get(kind)
    if info is None or (api_version, kind) in KINDS or group not in _BUILT_IN_GROUPS:
        return None
    return info.replacement


@lru_cache(maxsize=256)
def mistyped(api_version: str, kind: str) -> str | None:
    """Return the built-in kind that a kind nobody serves is nearly spelt as.

    None for a kind that is one, is nowhere near one, or belongs to somebody else.

    >>> mistyped("networking.k8s.io/v1", "NetworkPolcy")
    'NetworkPolicy'
    """
    group = group_of(api_version)
    if group not in _BUILT_IN_GROUPS or kind in BY_TYPE or kind.endswith("List"):
        return None
    near = {known.casefold(): known for version, known in KINDS if group_of(version) == group}
    found = get_close_matches(kind[:_LONGEST].casefold(), near, n=1, cutoff=_NEAR)
    return near[found[0]] if found else None


_LONGEST = 64
_NEAR = 0.85
"""`ServiceCIDR`, which exists, is less than that from `Service`."""
