"""Labels that tools, platforms and roll-outs put on pods, and that do not say what a pod is.

Source: kubernetes/website content/en/docs/reference/labels-annotations-taints; the tools' own
documentation.
"""

import re
from typing import Final

_STAMPED: Final = re.compile(
    r"(^|[./-])(hash|checksum|sha|digest|uid|uuid|revision|rev|generation|index|ordinal|version"
    r"|release-date|date|timestamp|time|commit|build|tag|image|chart|heritage|track|canary"
    r"|managed-by|created-by|pod-name|job-name|completion-index)$",
    re.IGNORECASE,
)
"""Keys that change with every roll-out, or that differ from pod to pod."""
_VERSIONS: Final = re.compile(r"^(version|track|canary|tag|rev|revision)$", re.IGNORECASE)
"""Keys among those that stay as they are where a workload finds its pods by them."""
_TOOLS: Final = (
    "kubernetes.io",
    "k8s.io",
    "istio.io",
    "linkerd.io",
    "argoproj.io",
    "fluxcd.io",
    "helm.sh",
    "skaffold.dev",
    "velero.io",
    "openshift.io",
    "operatorframework.io",
    "cattle.io",
    "amazonaws.com",
    "azure.com",
    "gke.io",
    "kubernetes.azure.com",
    "projectcalico.org",
    "cilium.io",
    "tigera.io",
)
"""Ends of prefixes of keys that tools and platforms stamp."""
_KEPT: Final = frozenset(
    {"app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/part-of"}
    | {"app.kubernetes.io/instance"}
)
"""Keys under such prefixes that belong to whoever owns the workload."""


def fleeting(key: str) -> bool:
    """Return whether a label changes with every roll-out, or differs from pod to pod.

    >>> fleeting("pod-template-hash"), fleeting("dns.operator.openshift.io/daemonset-dns")
    (True, False)
    """
    return _STAMPED.search(key) is not None


def owned(key: str, selects: frozenset[str] = frozenset()) -> bool:
    """Return whether whoever owns a workload decides about a label of its pods, and keeps it.

    Args:
        key: The label's key.
        selects: Keys by which the workload finds its pods, which cannot change.

    >>> owned("app"), owned("pod-template-hash"), owned("topology.kubernetes.io/zone")
    (True, False, False)
    """
    if key in _KEPT:
        return True
    if key in selects and _VERSIONS.search(key):
        return True
    if fleeting(key):
        return False
    prefix, slash, _ = key.rpartition("/")
    return not slash or not any(prefix == t or prefix.endswith(f".{t}") for t in _TOOLS)
