"""Pods to add to a world: of manifests, or of the IR's own objects."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cloison.algebra import PORT_PROTOCOLS
from cloison.analyses.exposure import asked_of
from cloison.resources.objects import NAMESPACE_NAME_LABEL, Namespace, PodShape
from cloison.resources.world import PodEndpoint, Workload, WorkloadId, World
from tests.oracle.raw import Manifest
from tests.support.chances import chance
from tests.support.netpols import PORT_NAMES
from tests.support.policies import HERE
from tests.support.richer import ACCOUNTS

Labels = dict[str, str]


@dataclass(frozen=True)
class Newcomer:
    """A pod to add, with its namespace where that is new."""

    name: str
    namespace: str
    labels: Labels
    home: Labels
    number: int | None = None
    """Declares every port name as this number."""
    account: str = "default"
    node: str = "n9"

    def asked_of(self, world: World) -> Labels:
        """Return everything about it that a region may ask, but for its namespace."""
        account = world.account_labels(self.namespace, self.account)
        return asked_of(self.labels, account, self.node)

    def objects(self, known: set[str]) -> Iterator[Manifest]:
        if self.namespace not in known:
            labels = {k: v for k, v in self.home.items() if k != NAMESPACE_NAME_LABEL}
            meta = {"name": self.namespace, "labels": labels}
            yield {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
        containers: list[Manifest] = [{"name": "c", "image": "registry.example/app:1"}]
        if self.number is not None:
            containers = [
                {
                    "name": f"c{i}",
                    "image": "registry.example/app:1",
                    "ports": [{"name": n, "containerPort": self.number, "protocol": p}],
                }
                for i, (n, p) in enumerate((n, p) for n in PORT_NAMES for p in PORT_PROTOCOLS)
            ]
        meta = {"name": self.name, "namespace": self.namespace, "labels": self.labels}
        spec = {"containers": containers}
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def ir_newcomers(rng: random.Random) -> list[Newcomer]:
    """Return pods that declare no ports, here and in new namespaces."""
    found = []
    for number in range(10):
        labels = {k: rng.choice(("a", "b", "db", "c")) for k in ("app", "tier") if chance(rng, 0.6)}
        namespace = rng.choice(("x", "y", f"new-{number}"))
        home = {NAMESPACE_NAME_LABEL: namespace}
        if namespace == "x" or (namespace != "y" and chance(rng, 0.5)):
            home["team"] = "red"
        account, node = rng.choice(ACCOUNTS), rng.choice(("n1", "n2", "n9"))
        found.append(Newcomer(f"i{number}", namespace, labels, home, None, account, node))
    return found


def ir_added(world: World, newcomers: list[Newcomer]) -> World:
    namespaces, workloads = dict(world.namespaces), dict(world.workloads)
    for n in newcomers:
        namespaces.setdefault(n.namespace, Namespace(n.namespace, n.home, HERE))
        id_ = WorkloadId(n.namespace, n.name, "Pod")
        shape = PodShape(n.labels, service_account=n.account, node=n.node)
        endpoint = PodEndpoint(id_, n.name, shape, HERE)
        workloads[id_] = Workload(id_, (endpoint,), span=HERE)
    return replace(
        world,
        namespaces=dict(sorted(namespaces.items())),
        workloads=dict(sorted(workloads.items())),
    )
