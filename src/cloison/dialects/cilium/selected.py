"""Whom selectors find among the pods that are known, for judging whether they are meant."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.identities import (
    ACCOUNT,
    ANY,
    CLUSTER,
    K8S,
    NAMESPACE,
    NAMESPACE_LABELS,
)
from cloison.dialects.cilium.labels import Scope, injected
from cloison.dialects.cilium.model_rules import Requirement, Selector
from cloison.resources.objects import Labels
from cloison.resources.world import PodEndpoint

_OPERATORS: Mapping[str, Callable[[str | None, Sequence[str]], bool]] = {
    "In": lambda value, values: value is not None and value in values,
    "NotIn": lambda value, values: value is None or value not in values,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
}


def met(requirement: Requirement, labels: Labels) -> bool:
    """Return whether a requirement holds of labels that Kubernetes is the source of."""
    value = labels.get(requirement.key) if requirement.source in (K8S, ANY) else None
    return _OPERATORS[requirement.operator](value, requirement.values)


def absent(requirement: Requirement) -> bool:
    """Return whether a requirement holds of what lacks the label."""
    return _OPERATORS[requirement.operator](None, requirement.values)


@dataclass(frozen=True, slots=True)
class Identity:
    """Labels that policies see, and the pods that have them.

    Args:
        labels: By key; all are Kubernetes'.
        pods: Those pods.
    """

    labels: Labels
    pods: tuple[PodEndpoint, ...]


class Identities:
    """The identities of the pods of a cluster. Built once, the cluster is not changed.

    Args:
        cluster: What is known, and which labels count.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._kept: dict[str, bool] = {}
        self._chosen: dict[tuple[tuple[Requirement, ...], str | None], tuple[Identity, ...]] = {}

    @cached_property
    def every(self) -> Mapping[str, tuple[Identity, ...]]:
        """All of them, by namespace; pods on their node's network have none."""
        groups: dict[tuple[str, int, str], list[PodEndpoint]] = defaultdict(list)
        for workload in self.cluster.world.workloads.values():
            for end in workload.endpoints:
                if not end.shape.host_network:
                    key = (end.namespace, id(end.labels), end.shape.service_account)
                    groups[key].append(end)
        found: dict[str, list[Identity]] = defaultdict(list)
        for (namespace, _, _), pods in groups.items():
            found[namespace].append(Identity(self._labels(pods[0]), tuple(pods)))
        return {namespace: tuple(each) for namespace, each in found.items()}

    def _labels(self, pod: PodEndpoint) -> Labels:
        cluster = self.cluster
        seen = {key: text for key, text in pod.labels.items() if self._keeps(key)}
        namespace = cluster.world.namespaces.get(pod.namespace)
        for bare, text in (namespace.labels if namespace else {}).items():
            key = NAMESPACE_LABELS + bare
            if self._keeps(key):
                seen[key] = text
        return {
            **seen,
            NAMESPACE: pod.namespace,
            ACCOUNT: pod.shape.service_account,
            CLUSTER: cluster.switches.cluster_name,
        }

    def _keeps(self, key: str) -> bool:
        """Return whether policies see a label; few keys are those of many pods."""
        if key not in self._kept:
            self._kept[key] = self.cluster.visible.keeps(key)
        return self._kept[key]

    def subjects(self, selector: Selector, namespace: str | None) -> tuple[Identity, ...]:
        """Return whom an `endpointSelector` is about; None is a policy of the cluster."""
        wanted = selector.requirements
        if namespace is not None:
            wanted = tuple(
                each
                for each in wanted
                if not (each.pair and each.source == K8S and each.key == NAMESPACE)
            )
        return self._found(wanted, namespace)

    def peers(self, selector: Selector, scope: Scope) -> tuple[Identity, ...]:
        """Return whom a selector of peers finds."""
        return self._found(injected(selector.requirements, scope), None)

    def of_labels(self, labels: Labels, namespace: str) -> tuple[Identity, ...]:
        """Return whom the selector of a Service finds, which sees every label of a pod."""
        pods = (
            Identity(each.labels, each.pods)
            for each in self.every.get(namespace, ())
            if labels.items() <= each.pods[0].labels.items()
        )
        return tuple(pods)

    def _found(
        self, wanted: tuple[Requirement, ...], namespace: str | None
    ) -> tuple[Identity, ...]:
        key = (wanted, namespace)
        if key not in self._chosen:
            self._chosen[key] = tuple(
                each
                for each in self._among(wanted, namespace)
                if all(met(requirement, each.labels) for requirement in wanted)
            )
        return self._chosen[key]

    def _among(self, wanted: Iterable[Requirement], namespace: str | None) -> Iterable[Identity]:
        if namespace is not None:
            return self.every.get(namespace, ())
        for each in wanted:
            if each.key == NAMESPACE and each.source in (K8S, ANY) and each.operator == "In":
                return [i for name in each.values for i in self.every.get(name, ())]
        return [i for some in self.every.values() for i in some]
