"""Manifests as plain values, and chance that is the same everywhere."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Manifest: TypeAlias = dict[str, Any]
Labels: TypeAlias = Mapping[str, str]

HOME_LABEL = "kubernetes.io/metadata.name"
"""The label that every namespace has, its name as the value."""
BOTH = ("Ingress", "Egress")
DNS_PORTS = ({"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53})
_MASK = (1 << 64) - 1


def mixed(number: int, salt: int = 0) -> int:
    """Return 64 bits that look random, always the same for the same numbers.

    What `random` makes of a seed may change with Python; this does not. It is the finalizer of
    Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014).
    """
    value = (number * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03 + 0x632BE59BD9B4E019) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def below(limit: int, number: int, salt: int = 0) -> int:
    """Return a number from 0 up to a limit, always the same for the same numbers."""
    return mixed(number, salt) % limit


def pod_address(number: int) -> str:
    """Return the address of a pod by its number: each in 10.64.0.0/10 has its own."""
    return f"10.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def namespace(name: str, labels: Labels | None = None) -> Manifest:
    """Return a namespace with the label that the API server gives it."""
    metadata = {"name": name, "labels": {HOME_LABEL: name, **(labels or {})}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def pod(
    home: str,
    name: str,
    labels: Labels,
    number: int,
    *,
    ports: Iterable[Manifest] = (),
    owner: Manifest | None = None,
    account: str | None = None,
) -> Manifest:
    """Return a running pod, without what nobody who asks about policies looks at.

    Args:
        home: Its namespace.
        name: Its name.
        labels: Its labels.
        number: Which pod of the cluster it is; says its address and its node.
        ports: Ports that its container declares.
        owner: Kind and name of what it belongs to.
        account: Its service account.
    """
    metadata: Manifest = {"name": name, "namespace": home, "labels": dict(labels)}
    if owner is not None:
        metadata["ownerReferences"] = [{**owner, "controller": True, "uid": f"{number:036x}"}]
    container: Manifest = {"name": "main", "image": "registry.example.com/app:1"}
    said = list(ports)
    if said:
        container["ports"] = said
    spec: Manifest = {"nodeName": f"node-{number % 1000}", "containers": [container]}
    if account is not None:
        spec["serviceAccountName"] = account
    address = pod_address(number)
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def policy(  # the parts of one, as the API has them
    home: str,
    name: str,
    selector: Manifest,
    ingress: list[Manifest] | None = None,
    egress: list[Manifest] | None = None,
    types: Iterable[str] = BOTH,
) -> Manifest:
    """Return a NetworkPolicy."""
    spec: Manifest = {"podSelector": selector, "policyTypes": list(types)}
    if ingress is not None:
        spec["ingress"] = ingress
    if egress is not None:
        spec["egress"] = egress
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": home},
        "spec": spec,
    }


def labelled(**labels: str) -> Manifest:
    """Return a selector of labels whose names need no quotes."""
    return {"matchLabels": labels}


def in_home(name: str) -> Manifest:
    """Return a selector of one namespace by its name."""
    return {"matchLabels": {HOME_LABEL: name}}
