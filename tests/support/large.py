"""Worlds as large as a big customer's, made as they are needed: never kept in the repository."""

from collections.abc import Iterator
from typing import Any

Manifest = dict[str, Any]

TEAMS = 100
"""Namespaces."""


def open_cluster(workloads: int) -> list[Manifest]:
    """Return workloads without a single policy: every pair is open."""
    return [*_namespaces(), *(_app(number) for number in range(workloads))]


def default_deny(workloads: int) -> list[Manifest]:
    """Return workloads under a default deny, each with policies of its own.

    Every namespace denies by default and lets DNS out. Each app takes calls from its caller and
    from a monitor, calls the next one of its chain, a database of the next namespace and, every
    tenth, a block of addresses outside.
    """
    return [
        *_namespaces(),
        *(_app(number) for number in range(workloads)),
        *(_policy(f"team-{n}", "default-deny", {}) for n in range(TEAMS)),
        *(_own(number, workloads) for number in range(workloads)),
    ]


def _namespaces() -> Iterator[Manifest]:
    for number in range(TEAMS):
        name = f"team-{number}"
        labels = {"kubernetes.io/metadata.name": name, "tier": f"tier-{number % 3}"}
        yield {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": labels},
        }


def _home(number: int) -> str:
    return f"team-{number % TEAMS}"


def _app(number: int) -> Manifest:
    labels = {"app": f"app-{number}", "role": ("web", "api", "db", "job")[number // TEAMS % 4]}
    ports = [{"containerPort": 8080}]
    image = "registry.example.com/app:1"
    spec = {"containers": [{"name": "main", "image": image, "ports": ports}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"app-{number}", "namespace": _home(number)},
        "spec": {
            "selector": {"matchLabels": {"app": f"app-{number}"}},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def _own(number: int, workloads: int) -> Manifest:
    def peer(other: int) -> Manifest:
        return {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": _home(other)}},
            "podSelector": {"matchLabels": {"app": f"app-{other}"}},
        }

    port = [{"protocol": "TCP", "port": 8080}]
    monitor = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "team-0"}}}
    database = {
        "namespaceSelector": {
            "matchLabels": {"kubernetes.io/metadata.name": f"team-{(number + 1) % TEAMS}"}
        },
        "podSelector": {"matchLabels": {"role": "db"}},
    }
    previous, following = (number - 1) % workloads, (number + 1) % workloads
    ingress: list[Manifest] = [
        {"from": [peer(previous)], "ports": port},
        {"from": [monitor], "ports": [{"protocol": "TCP", "port": 9090}]},
    ]
    if number // TEAMS % 4 == 2:
        ingress.append(
            {
                "from": [{"namespaceSelector": {"matchLabels": {"tier": f"tier-{number % 3}"}}}],
                "ports": [{"protocol": "TCP", "port": 5432}],
            }
        )
    egress: list[Manifest] = [
        {"to": [peer(following)], "ports": port},
        {"to": [database], "ports": [{"protocol": "TCP", "port": 5432}]},
    ]
    if number % 10 == 0:
        block = {"ipBlock": {"cidr": f"198.51.{number // 10 % 256}.0/24"}}
        egress.append({"to": [block], "ports": [{"protocol": "TCP", "port": 443}]})
    spec = {"podSelector": {"matchLabels": {"app": f"app-{number}"}}}
    return _policy(_home(number), f"app-{number}", spec, ingress, egress)


def _policy(
    namespace: str,
    name: str,
    spec: Manifest,
    ingress: list[Manifest] | None = None,
    egress: list[Manifest] | None = None,
) -> Manifest:
    rules = {key: value for key, value in (("ingress", ingress), ("egress", egress)) if value}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, **spec, "policyTypes": ["Ingress", "Egress"], **rules},
    }
