"""Which enforcers read the policies of an API group, whatever Cloison makes of them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from cloison.ir.profile import Profile

_READERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "cilium.io": ("cilium",),
        "crd.antrea.io": ("antrea",),
        "k8s.ovn.org": ("ovn-kubernetes",),
        "network.openshift.io": ("openshift-sdn",),
        "networking.k8s.aws": ("aws-vpc-cni",),
        "projectcalico.org": ("calico",),
    }
)
"""Products whose own API a group is; who bundles one of them may read it, too."""

_BESIDES: Final = frozenset(
    (
        "consul.hashicorp.com",
        "kuma.io",
        "policy.linkerd.io",
        "security.istio.io",
    )
)
"""Groups of meshes: their policies are enforced by proxies, and not by the network plugin."""


_TRANSLATING: Final = frozenset(
    (
        ("crd.antrea.io", "Egress"),
        ("k8s.ovn.org", "EgressIP"),
        ("k8s.ovn.org", "EgressService"),
    )
)
"""Kinds by which products give traffic that leaves another source address, and which nobody here
reads."""


def translating(kinds: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return those of some kinds that choose a source address and are not read, sorted.

    Args:
        kinds: API groups and kinds.
    """
    return tuple(sorted(kind for _, kind in _TRANSLATING.intersection(kinds)))


def besides(group: str) -> bool:
    """Return whether policies of a group are none of the network plugin's business."""
    return group in _BESIDES


def reads(profile: Profile, group: str, kind: str) -> bool | None:
    """Return whether an enforcer enforces policies of a kind; None where nobody knows.

    Args:
        profile: The enforcer's; one that enforces something.
        group: The API group; empty for the kinds of Kubernetes itself.
        kind: The kind.

    >>> from cloison.platform import profile
    >>> reads(profile("kube-router"), "", "AdminNetworkPolicy")
    False
    >>> reads(profile("calico"), "cilium.io", "CiliumNetworkPolicy")
    False
    """
    name = f"{group}/{kind}" if group else kind
    held = [p for key, p in profile.places.items() if key == name or key.startswith(f"{name}/")]
    if held:
        return any(place is not None for place in held)
    if not group:
        return True if kind == "NetworkPolicy" else None
    product = profile.name.partition("@")[0]
    readers = _READERS.get(group)
    if readers is None or product == "generic":
        return None
    if product in readers:
        return True
    return None if profile.bundles in readers else False
