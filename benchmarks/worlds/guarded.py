"""What administrators lay over a company: Calico's tiers, or tiers of the Network Policy API."""

from collections.abc import Iterator

from benchmarks.worlds.company import ZONE_LABEL, ZONES, company
from benchmarks.worlds.manifests import HOME_LABEL, Manifest, below

_CALICO = "projectcalico.org/v3"
_ADMIN = "policy.networking.k8s.io/v1alpha1"
_CLUSTER = "policy.networking.k8s.io/v1alpha2"
_DNS = "k8s-app == 'kube-dns'"
_PLATFORM = f"{ZONE_LABEL} == 'platform'"
THREATS = 20
"""Global network sets of addresses that nobody may talk to."""
PARTNERS = 40
"""Network sets of the partners of single teams, one in each of so many namespaces."""


def calico(workloads: int) -> Iterator[Manifest]:
    """Return a company with two tiers of Calico before its NetworkPolicies, and network sets.

    Args:
        workloads: How many.
    """
    homes = []
    for each in company(workloads):
        if each["kind"] == "Namespace" and "team" in each["metadata"]["name"]:
            homes.append(each["metadata"]["name"])
        yield each
    yield _calico("Tier", "security", {"order": 100, "defaultAction": "Pass"})
    yield _calico("Tier", "platform", {"order": 200, "defaultAction": "Pass"})
    for number in range(THREATS):
        nets = [f"198.51.100.{below(256, number, one)}/32" for one in range(8)]
        labels = {"kind": "threat", "feed": f"feed-{number % 4}"}
        spec = {"nets": sorted(set(nets))}
        yield _calico("GlobalNetworkSet", f"threat-{number:02d}", spec, labels=labels)
    for number, home in enumerate(homes[:PARTNERS]):
        spec = {"nets": [f"192.0.2.{number * 4}/30"]}
        labels = {"kind": "partner"}
        yield _calico("NetworkSet", "partners", spec, home=home, labels=labels)
        yield _partners(home)
    yield from _security()
    yield from _platform()


def _partners(home: str) -> Manifest:
    rule = {"action": "Allow", "protocol": "TCP"}
    spec = {
        "selector": "app.kubernetes.io/component in {'gateway', 'api'}",
        "order": 500,
        "types": ["Ingress"],
        "ingress": [
            {
                **rule,
                "source": {"selector": "kind == 'partner'"},
                "destination": {"ports": [8080, "8443:8444"]},
            }
        ],
    }
    return _calico("NetworkPolicy", "from-partners", spec, home=home)


def _security() -> Iterator[Manifest]:
    """Return the tier in which threats are stopped and quarantine holds."""
    for number in range(4):
        threat = {"selector": f"kind == 'threat' && feed == 'feed-{number}'"}
        spec = {
            "tier": "security",
            "order": number,
            "selector": "all()",
            "types": ["Ingress", "Egress"],
            "ingress": [{"action": "Deny", "source": threat}],
            "egress": [{"action": "Deny", "destination": threat}],
        }
        yield _calico("GlobalNetworkPolicy", f"security.threat-{number}", spec)
    spec = {
        "tier": "security",
        "order": 10,
        "selector": "has(quarantine)",
        "types": ["Ingress", "Egress"],
        "ingress": [{"action": "Deny"}],
        "egress": [{"action": "Deny"}],
    }
    yield _calico("GlobalNetworkPolicy", "security.quarantine", spec)


def _platform() -> Iterator[Manifest]:
    """Return the tier in which the platform's own traffic is let through and zones kept apart."""
    dns = {"namespaceSelector": _PLATFORM, "selector": _DNS, "ports": [53]}
    spec = {
        "tier": "platform",
        "order": 1,
        "namespaceSelector": f"has({ZONE_LABEL})",
        "types": ["Egress"],
        "egress": [
            {"action": "Allow", "protocol": "UDP", "destination": dns},
            {"action": "Allow", "protocol": "TCP", "destination": dns},
        ],
    }
    yield _calico("GlobalNetworkPolicy", "platform.dns", spec)
    for place, zone in enumerate(ZONES):
        before = [zone, *([ZONES[place - 1]] if place else [])]
        near = ", ".join(f"'{each}'" for each in [*before, "platform"])
        away = f"has({ZONE_LABEL}) && {ZONE_LABEL} not in {{{near}}}"
        spec = {
            "tier": "platform",
            "order": 10 + place,
            "namespaceSelector": f"{ZONE_LABEL} == '{zone}'",
            "types": ["Ingress"],
            "ingress": [
                {"action": "Deny", "source": {"namespaceSelector": away}},
                {"action": "Pass"},
            ],
        }
        yield _calico("GlobalNetworkPolicy", f"platform.zone-{zone}", spec)


def _calico(
    kind: str,
    name: str,
    spec: Manifest,
    *,
    home: str | None = None,
    labels: dict[str, str] | None = None,
) -> Manifest:
    metadata: Manifest = {"name": name}
    if home is not None:
        metadata["namespace"] = home
    if labels is not None:
        metadata["labels"] = labels
    return {"apiVersion": _CALICO, "kind": kind, "metadata": metadata, "spec": spec}


def admin(workloads: int) -> Iterator[Manifest]:
    """Return a company with AdminNetworkPolicies, and a baseline, around its NetworkPolicies.

    Args:
        workloads: How many.
    """
    yield from company(workloads)
    for priority, name, spec in _admin_rules("Allow", "namespaces"):
        yield _object(_ADMIN, "AdminNetworkPolicy", name, {"priority": priority, **spec})
    spec = {
        "subject": {"namespaces": {}},
        "ingress": [{"name": "others", "action": "Deny", "from": [_zone("data")]}],
    }
    yield _object(_ADMIN, "BaselineAdminNetworkPolicy", "default", spec)


def cluster(workloads: int) -> Iterator[Manifest]:
    """Return a company with ClusterNetworkPolicies of both tiers around its NetworkPolicies.

    Args:
        workloads: How many.
    """
    yield from company(workloads)
    for priority, name, spec in _admin_rules("Accept", "namespaces"):
        whole = {"tier": "Admin", "priority": priority, **spec}
        yield _object(_CLUSTER, "ClusterNetworkPolicy", name, whole)
    spec = {
        "tier": "Baseline",
        "priority": 0,
        "subject": {"namespaces": {}},
        "ingress": [{"name": "others", "action": "Deny", "from": [_zone("data")]}],
    }
    yield _object(_CLUSTER, "ClusterNetworkPolicy", "baseline", spec)


def _admin_rules(allow: str, key: str) -> Iterator[tuple[int, str, Manifest]]:
    """Return priorities, names and rules of the administrators' policies."""
    everybody: Manifest = {key: {}}
    dns = {
        "pods": {
            "namespaceSelector": {"matchLabels": {HOME_LABEL: "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    }
    yield (
        1,
        "dns",
        {"subject": everybody, "egress": [{"name": "dns", "action": allow, "to": [dns]}]},
    )
    prometheus = {
        "pods": {
            "namespaceSelector": {"matchLabels": {HOME_LABEL: "monitoring"}},
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
        }
    }
    yield (
        2,
        "metrics",
        {
            "subject": everybody,
            "ingress": [{"name": "metrics", "action": allow, "from": [prometheus]}],
        },
    )
    for place, zone in enumerate(ZONES):
        away = [each for each in ZONES if each not in {zone, ZONES[max(0, place - 1)]}]
        rules = [{"name": f"from-{each}", "action": "Deny", "from": [_zone(each)]} for each in away]
        rules.append({"name": "rest", "action": "Pass", "from": [everybody]})
        subject = {key: {"matchLabels": {ZONE_LABEL: zone}}}
        yield 10 + place, f"zone-{zone}", {"subject": subject, "ingress": rules}


def _zone(name: str) -> Manifest:
    return {"namespaces": {"matchLabels": {ZONE_LABEL: name}}}


def _object(version: str, kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
