"""A cluster to put an application into: nodes, names, and jobs that run by the calendar."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

Object = dict[str, Any]

NODES: Final = ("192.0.2.11", "192.0.2.12", "192.0.2.13")
PODS: Final = "10.244.0.0/16"
RESOLVER: Final = "10.96.0.10"
_WITH_HASH: Final = ("Deployment",)
JOBS: Final = (("nightly", "15 2 * * *"), ("weekly", "0 3 * * 1"), ("month-end", "0 1 28-31 * *"))
"""Jobs and when they run. Cron has no last day of a month: the job itself looks for it."""


def around(namespace: str) -> Iterator[Object]:
    """Yield what a cluster has besides an application: nodes, DNS, and the application's jobs."""
    for number, address in enumerate(NODES, 1):
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"node-{number}"},
            "status": {"addresses": [{"type": "InternalIP", "address": address}]},
        }
    for name in dict.fromkeys(("kube-system", namespace)):
        labels = {"kubernetes.io/metadata.name": name}
        metadata = {"name": name, "labels": labels}
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    yield _workload("apps/v1", "Deployment", "kube-system", "coredns", {"k8s-app": "kube-dns"})
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kube-dns",
            "namespace": "kube-system",
            "labels": {"k8s-app": "kube-dns"},
        },
        "spec": {
            "clusterIP": RESOLVER,
            "selector": {"k8s-app": "kube-dns"},
            "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP"},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
            ],
        },
    }
    for name, schedule in JOBS:
        template = _template({"app": name})
        yield {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": template}}},
        }


def _template(labels: Mapping[str, str]) -> Object:
    containers = [{"name": "main", "image": "example.test/main"}]
    return {
        "metadata": {"labels": dict(labels)},
        "spec": {"restartPolicy": "Never", "containers": containers},
    }


def _workload(
    version: str, kind: str, namespace: str, name: str, labels: Mapping[str, str]
) -> Object:
    ports = [
        {"containerPort": 53, "protocol": protocol, "name": f"dns-{protocol.lower()}"}
        for protocol in ("UDP", "TCP")
    ]
    containers = [{"name": name, "image": "example.test/coredns", "ports": ports}]
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": dict(labels)},
            "template": {
                "metadata": {"labels": dict(labels)},
                "spec": {"containers": containers},
            },
        },
    }


def rolled(objects: list[Object], number: int) -> list[Object]:
    """Return objects as they are after a number of updates: pods carry their template's hash."""
    found = deepcopy(objects)
    for each in found:
        if each.get("kind") in _WITH_HASH:
            labels = each["spec"]["template"].setdefault("metadata", {}).setdefault("labels", {})
            # What looks like the hash of a template, another one after each update.
            seed = sum(each["metadata"]["name"].encode()) * 31 + number * 7919
            labels["pod-template-hash"] = f"{seed * 2654435761 % 2**32:08x}9c"
    return found
