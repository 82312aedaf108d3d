"""Which features of the specification a flow's answer leans on.

A feature counts only where it can matter: it is written in a policy that selects one of the
flow's ends in the direction asked about, or is a property of an end of a flow that some
policy governs. Flows that no policy governs have no features at all.
"""

from collections.abc import Iterator

from tests.oracle.raw import (
    Address,
    Manifest,
    Party,
    RawOracle,
    declared_ports,
    finished,
    in_block,
    pod_addresses,
    policy_types,
    selects,
)
from tests.support.worlds import Flow

REQUIRED = frozenset(
    {
        "matchExpressions",
        "In",
        "NotIn",
        "Exists",
        "DoesNotExist",
        "negative operator on a missing key",
        "namespaceSelector",
        "both selectors",
        "several peers",
        "named port",
        "named port hit",
        "name declared twice",
        "name of an init container",
        "endPort",
        "SCTP",
        "UDP",
        "ICMP",
        "ipBlock",
        "ipBlock with except",
        "ipBlock hole hit",
        "ipBlock on a pod",
        "ipBlock on a node",
        "host network",
        "host network on an unknown node",
        "own node",
        "itself",
        "another replica",
        "node",
        "external address",
        "IPv6",
        "dual stack",
        "finished pod",
        "address of a finished pod",
        "unknown address",
        "policyTypes absent",
        "policyTypes empty",
        "rules absent",
        "empty list",
        "absent list",
        "null list",
        "ports [{}]",
        "podSelector absent",
        "podSelector empty",
        "several policies",
        "template pod",
    }
)
"""Each must be hit often enough in a run for the run to mean something."""

RARE = frozenset({"named port of a host network pod"})
"""Corners that a run need only visit."""


def features(oracle: RawOracle, flow: Flow) -> set[str]:
    """Return the features that matter to one flow."""
    source, target = oracle.party(flow.src), oracle.party(flow.dst)
    found: set[str] = set()
    for direction, subject, peer in (("Egress", source, target), ("Ingress", target, source)):
        policies = [p for p in oracle.selecting(subject) if direction in policy_types(p["spec"])]
        if len(policies) > 1:
            found.add("several policies")
        for policy in policies:
            found.update(_of_policy(oracle, policy, direction, subject, peer, target, flow))
            found.update(_of_ends(flow, subject, peer))
        if policies and _reused(oracle) & {*subject.addresses, *peer.addresses}:
            found.add("address of a finished pod")
    return found


def _reused(oracle: RawOracle) -> set[Address]:
    return {a for pod in oracle.pods.values() if finished(pod) for a in pod_addresses(pod)}


def _of_ends(flow: Flow, subject: Party, peer: Party) -> Iterator[str]:
    if subject == peer:
        yield "itself" if flow.src[0] == "pod" else "another replica"
    if flow.family == 6:
        yield "IPv6"
    if len({a.version for a in subject.addresses}) == 2:
        yield "dual stack"
    if flow.protocol in ("UDP", "SCTP"):
        yield flow.protocol
    elif flow.protocol != "TCP":
        yield "ICMP"
    if "workload" in (flow.src[0], flow.dst[0]):
        yield "template pod"
    if peer.on_node:
        yield "node" if "node" in (flow.src[0], flow.dst[0]) else "host network"
        if peer.node is None:
            yield "host network on an unknown node"
        elif peer.node == subject.node:
            yield "own node"
    elif peer.pod is None:
        yield "external address"


def _of_policy(
    oracle: RawOracle,
    policy: Manifest,
    direction: str,
    subject: Party,
    peer: Party,
    target: Party,
    flow: Flow,
) -> Iterator[str]:
    spec = policy["spec"]
    yield from _of_selector(spec.get("podSelector"), dict(subject.labels))
    if spec.get("podSelector") is None:
        yield "podSelector absent"
    elif not spec["podSelector"]:
        yield "podSelector empty"
    if spec.get("policyTypes") is None:
        yield "policyTypes absent"
    elif not spec["policyTypes"]:
        yield "policyTypes empty"
    key = direction.lower()
    if spec.get(key) is None:
        yield "rules absent"
    yield from _of_list(spec, key)
    for rule in spec.get(key) or []:
        peers = "from" if direction == "Ingress" else "to"
        yield from _of_list(rule, peers)
        yield from _of_list(rule, "ports")
        if len(rule.get(peers) or []) > 1:
            yield "several peers"
        for item in rule.get(peers) or []:
            yield from _of_peer(oracle, item, policy, peer, flow)
        for entry in rule.get("ports") or []:
            yield from _of_port(entry, target, flow, oracle)


def _of_list(holder: Manifest, key: str) -> Iterator[str]:
    if key not in holder:
        yield "absent list"
    elif holder[key] is None:
        yield "null list"
    elif not holder[key]:
        yield "empty list"


def _of_selector(selector: Manifest | None, labels: dict[str, str]) -> Iterator[str]:
    for expression in (selector or {}).get("matchExpressions") or []:
        operator = expression["operator"]
        yield "matchExpressions"
        yield operator
        if operator in ("NotIn", "DoesNotExist") and expression["key"] not in labels:
            yield "negative operator on a missing key"


def _of_peer(
    oracle: RawOracle, item: Manifest, policy: Manifest, peer: Party, flow: Flow
) -> Iterator[str]:
    if "ipBlock" in item:
        yield from _of_block(item["ipBlock"], peer, flow)
        return
    if "namespaceSelector" in item:
        yield "namespaceSelector"
        yield from _of_selector(item["namespaceSelector"], oracle.labels_of(peer.namespace))
        if "podSelector" in item:
            yield "both selectors"
    yield from _of_selector(item.get("podSelector"), dict(peer.labels))
    home = policy["metadata"].get("namespace") or "default"
    for (namespace, _), pod in oracle.pods.items():
        if finished(pod) and not pod["spec"].get("hostNetwork"):
            spaces = item.get("namespaceSelector")
            where = (
                home == namespace
                if spaces is None
                else selects(spaces, oracle.labels_of(namespace))
            )
            labels = pod["metadata"].get("labels") or {}
            if where and selects(item.get("podSelector"), labels):
                yield "finished pod"


def _of_block(block: Manifest, peer: Party, flow: Flow) -> Iterator[str]:
    yield "ipBlock"
    if block.get("except"):
        yield "ipBlock with except"
        if in_block({"cidr": block["cidr"]}, peer, flow.family) > in_block(
            block, peer, flow.family
        ):
            yield "ipBlock hole hit"
    if not peer.addresses:
        yield "unknown address"
    elif in_block(block, peer, flow.family):
        if peer.pod is not None:
            yield "ipBlock on a pod"
        if peer.on_node:
            yield "ipBlock on a node"


def _of_port(entry: Manifest, target: Party, flow: Flow, oracle: RawOracle) -> Iterator[str]:
    if not entry:
        yield "ports [{}]"
    if entry.get("protocol") in ("UDP", "SCTP"):
        yield entry["protocol"]
    if "endPort" in entry:
        yield "endPort"
    name = entry.get("port")
    if not isinstance(name, str):
        return
    yield "named port"
    protocol = entry.get("protocol") or "TCP"
    numbers = {number for n, p, number in target.ports if (n, p) == (name, protocol)}
    if flow.protocol == protocol and flow.port in numbers:
        yield "named port hit"
    if len(numbers) > 1:
        yield "name declared twice"
    if target.on_node and flow.dst[0] == "pod":
        spec = oracle.pods[flow.dst[1], flow.dst[2]]["spec"]
        if (name, flow.protocol, flow.port) in declared_ports(spec):
            yield "named port of a host network pod"
    if flow.dst[0] == "pod":
        for container in oracle.pods[flow.dst[1], flow.dst[2]]["spec"].get("initContainers", []):
            if any(port.get("name") == name for port in container.get("ports", [])):
                yield "name of an init container"
