"""An end of a flow as Cilium knows it: by its identity and labels, and by its pod.

A policy decides by the identity, whose labels are those that Cilium lets take part in it, each with
the source it comes from: `k8s:app=web`, `reserved:host`, `cidr:192.0.2.0/24`.

Source: cilium/cilium pkg/identity/numericidentity.go and pkg/labels/labels.go, v1.19.4.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from cloison.flows.pods import workload_of
from cloison.flows.reader import BadRecordError
from cloison.flows.readers.hubble.wire import Endpoint
from cloison.flows.schema import Entity, Labels

RESERVED: Final = {
    1: "host",
    2: "world",
    3: "unmanaged",
    4: "health",
    5: "init",
    6: "remote-node",
    7: "kube-apiserver",
    8: "ingress",
    9: "world",
    10: "world",
}
"""Labels of the source `reserved` that stand behind an identity's number."""

_KUBERNETES: Final = "k8s:"
_ENTITIES: Final[tuple[tuple[str, Entity], ...]] = (
    # The first that is among an end's labels decides.
    ("kube-apiserver", "apiserver"),
    ("host", "host"),
    ("remote-node", "host"),
    # The agent's own end on each node, which answers the agents of the others.
    ("health", "host"),
    ("ingress", "gateway"),
    ("unmanaged", "pod"),
    ("init", "pod"),
    ("world", "world"),
    ("world-ipv4", "world"),
    ("world-ipv6", "world"),
)
_LEAST: Final = 256  # numbers below it are reserved
_SCOPE: Final = 24  # bits of a number within its scope
_OF_NODES: Final = 2
_NAMESPACE: Final = "io.kubernetes.pod.namespace="
_CLUSTER: Final = "io.cilium.k8s.policy.cluster="
_OWN: Final = "io.cilium.k8s."


class End(NamedTuple):
    """One end of a flow, without its address.

    Args:
        opening: What it is when it opened the connection: a node that runs the API server too
            may call as a node.
    """

    cluster: str | None
    ns: str | None
    workload: str | None
    kind: str | None
    pod: str | None
    labels: Labels | None
    entity: Entity
    opening: Entity


NOBODY: Final = End(None, None, None, None, None, None, "unknown", "unknown")
_DECODER: Final = msgspec.json.Decoder(Endpoint)


@lru_cache(maxsize=1 << 16)
def end(raw: bytes, cluster: str | None) -> End:
    """Return the end that the JSON of a message `Endpoint` tells.

    Args:
        raw: The message.
        cluster: The cluster it is of where it does not say so.

    Raises:
        BadRecordError: it is no such message.
    """
    try:
        read = _DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRecordError(str(error)) from None
    told = read.labels or ()
    named = [label.partition("=")[0] for label in told]
    reserved = {name.removeprefix("reserved:") for name in named if name.startswith("reserved:")}
    if not told and read.identity in RESERVED:
        reserved = {RESERVED[read.identity]}
    pod = read.pod_name or read.podName or None
    entity = _entity(reserved, pod, read.identity, told)
    own = tuple(
        sorted(label.removeprefix(_KUBERNETES) for label in told if label.startswith(_KUBERNETES))
    )
    works = read.workloads or ()
    return End(
        _cluster(read, own, cluster) if entity in {"pod", "host", "gateway"} else None,
        read.namespace or _said(own, _NAMESPACE),
        (works[0].name or None) if works else workload_of(pod),
        (works[0].kind or None) if works else None,
        pod,
        tuple(label for label in own if not _copied(label)) if own else None,
        entity,
        "host" if entity == "apiserver" and reserved & {"host", "remote-node"} else entity,
    )


def _entity(reserved: set[str], pod: str | None, identity: int, told: Iterable[str]) -> Entity:
    for name, entity in _ENTITIES:
        # A name that the agent knew by the address says more than that the address is outside.
        if name in reserved and not (pod and entity == "world"):
            return entity
    if pod or any(label.startswith(_KUBERNETES) for label in told):
        return "pod"
    scope = identity >> _SCOPE
    if scope == _OF_NODES:
        return "host"
    if scope or any(label.startswith(("cidr:", "fqdn:", "cidrgroup:")) for label in told):
        return "world"
    return "pod" if identity >= _LEAST else "unknown"


def _cluster(read: Endpoint, own: Iterable[str], cluster: str | None) -> str | None:
    named = read.cluster_name or read.clusterName or _said(own, _CLUSTER)
    # The name of a cluster that nobody named.
    return cluster if cluster and named in {None, "default"} else named


def _said(labels: Iterable[str], key: str) -> str | None:
    for label in labels:
        if label.startswith(key):
            return label.removeprefix(key) or None
    return None


def _copied(label: str) -> bool:
    """Whether a label is none of the pod's own: Cilium copies where and as what the pod runs."""
    return label.startswith((_OWN, _NAMESPACE))
