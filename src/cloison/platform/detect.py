"""Who enforces, as far as the input itself gives it away.

Objects of a product's own API are there because the product reads them. Rows of data, like the
profiles: whose kinds they are, and which version what else is there speaks for.
"""

from collections.abc import Collection
from dataclasses import dataclass

from cloison.ir.profile import Profile
from cloison.platform.cilium import CILIUM_GROUP
from cloison.platform.profiles import CALICO_GROUP, profile

GroupKind = tuple[str, str]
"""API group and kind."""


@dataclass(frozen=True, slots=True)
class Clue:
    """What gives an enforcer away.

    Args:
        groups: API groups that nobody else reads.
        profile: The profile's name; without a version the newest.
        older: Kinds of others that only an older version enforces.
        newer: Kinds of others that only the newest enforces, whatever else there is.
        older_profile: The profile's name where only an older version would do.
    """

    groups: frozenset[str]
    profile: str
    older: frozenset[GroupKind] = frozenset()
    newer: frozenset[GroupKind] = frozenset()
    older_profile: str = ""


_POLICY_API = "policy.networking.k8s.io"
_CLUES = (
    Clue(
        frozenset({CALICO_GROUP, f"crd.{CALICO_GROUP}"}),
        "calico",
        frozenset(
            {(_POLICY_API, "AdminNetworkPolicy"), (_POLICY_API, "BaselineAdminNetworkPolicy")}
        ),
        frozenset({(_POLICY_API, "ClusterNetworkPolicy")}),
        "calico@3.31",
    ),
    Clue(frozenset({CILIUM_GROUP}), "cilium"),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an installation says of itself.

    Args:
        profile: The profile's name; without a version the newest.
        shown: What says so, for people.
    """

    profile: str
    shown: str


@dataclass(frozen=True, slots=True)
class Detected:
    """An enforcer that the input gives away.

    Args:
        profile: The profile.
        chosen: How it was chosen, for people.
    """

    profile: Profile
    chosen: str


def detect(kinds: Collection[GroupKind], installed: Evidence | None = None) -> Detected | None:
    """Return who enforces, if objects of one product are there and of no other.

    Args:
        kinds: The kinds of the objects that were read, by API group.
        installed: What an installation says of itself, if there is one.

    >>> detect({("crd.projectcalico.org", "GlobalNetworkPolicy"), ("", "Pod")}).chosen
    'detected from GlobalNetworkPolicy'
    """
    found = [(clue, mine) for clue in _CLUES if (mine := _telling(clue, kinds))]
    if installed is not None:
        product = installed.profile.partition("@")[0]
        others = any(clue.profile != product for clue, _ in found)
        named = Detected(profile(installed.profile), f"detected from {installed.shown}")
        return None if others else named
    if len(found) != 1:
        return None
    clue, mine = found[0]
    name = _shown(mine)
    old = sorted(kind for _, kind in clue.older & set(kinds))
    if old and not clue.newer & set(kinds):
        return Detected(profile(clue.older_profile), f"detected from {name} and {old[0]}")
    return Detected(profile(clue.profile), f"detected from {name}")


def _telling(clue: Clue, kinds: Collection[GroupKind]) -> GroupKind | None:
    """Return the kind that tells most: a policy, if there is one."""
    mine = [each for each in kinds if each[0] in clue.groups]
    return min(mine, key=lambda k: (not k[1].endswith("Policy"), k[1], k[0]), default=None)


def _shown(kind: GroupKind) -> str:
    """Return a kind by name, with its group where others are called so, too."""
    group, name = kind
    return f"{name} ({group})" if name == "NetworkPolicy" else name
