"""NetworkPolicy, decided flow by flow straight from plain manifests.

It shares nothing with Cloison's own code, not even the address parser: it reads the same
objects as `json.loads` gives them and follows the API documentation sentence by sentence.
What the specification leaves open is filled as the `generic` profile fills it:

- own node to pod is always allowed; pod to own node meets the pod's egress policies;
- a pod and itself always talk; what a template makes are several pods, so a workload and
  itself are two of them;
- a host-network pod is its node: no policy applies to it, no selector sees it, and its
  port names resolve for nobody; blocks see the node's address;
- blocks match pod and node addresses, each family by itself;
- port names are those of `spec.containers`, and a name that a pod gives twice means both;
- a pod that ran to its end takes part in nothing, so its address may be anybody's;
- protocols without ports are undefined wherever a policy isolates.

Unknown facts: an end without an address is outside every block but a whole family (`/0` of
the flow's family), and so outside the holes of any block as well.
An end on an unknown node may or may not be on the same node as another.

Sources: Kubernetes documentation, "Network Policies"; Kubernetes API reference,
NetworkPolicySpec; kubernetes/kubernetes pkg/apis/networking/v1/defaults.go.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any, TypeAlias

Manifest: TypeAlias = dict[str, Any]
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
End: TypeAlias = tuple[str, ...]
"""`("pod", ns, name)`, `("workload", ns, kind, name)`, `("ip", address)`, `("node", name)`."""

NAME_LABEL = "kubernetes.io/metadata.name"
PORTED = ("TCP", "UDP", "SCTP")


class Answer(IntEnum):
    """Whether something holds. `min` is "and", `max` is "or"."""

    NO = 0
    MAYBE = 1
    YES = 2


VERDICTS = {Answer.NO: "denied", Answer.MAYBE: "undetermined", Answer.YES: "allowed"}


@dataclass(frozen=True)
class Party:
    """One end of a flow, as far as policies can see it.

    Args:
        pod: Its name, when it is a pod that policies and selectors can see.
        namespace: Of the pod.
        labels: Of the pod.
        node: The node it is or shares the network of (`on_node`), or the pod runs on.
        on_node: Whether it is a node, or a pod on its node's network.
        addresses: As far as known; empty when unknown.
        ports: The pod's declared ports: name, protocol, number.
    """

    pod: End | None
    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    node: str | None = None
    on_node: bool = False
    addresses: tuple[Address, ...] = ()
    ports: tuple[tuple[str, str, int], ...] = ()


class RawOracle:
    """Answers flows over a list of plain Kubernetes objects.

    Args:
        objects: Decoded manifests, in any order. Only kinds that matter are read.
    """

    def __init__(self, objects: Iterable[Manifest]) -> None:
        self.namespaces: dict[str, dict[str, str]] = {}
        self.pods: dict[tuple[str, str], Manifest] = {}
        self.templates: dict[tuple[str, str, str], Manifest] = {}
        self.nodes: dict[str, list[Address]] = {}
        self.policies: dict[str, list[Manifest]] = {}
        self._parties: dict[End, Party] = {}
        for item in objects:
            self._read(item)
        for pod in self.pods.values():
            self._note_node(pod)

    def _read(self, item: Manifest) -> None:
        meta = item.get("metadata") or {}
        kind, name = item["kind"], meta.get("name", "")
        namespace = meta.get("namespace") or "default"
        if kind == "Namespace":
            self.namespaces[name] = meta.get("labels") or {}
        elif kind == "Node":
            found = (item.get("status") or {}).get("addresses") or []
            self.nodes[name] = [
                ipaddress.ip_address(a["address"])
                for a in found
                if a["type"] in ("InternalIP", "ExternalIP")
            ]
        elif kind == "Pod":
            self.pods[namespace, name] = item
        elif kind == "NetworkPolicy":
            self.policies.setdefault(namespace, []).append(item)
        elif kind == "CronJob":
            template = item["spec"]["jobTemplate"]["spec"]["template"]
            self.templates[namespace, kind, name] = template
        elif "template" in (item.get("spec") or {}):
            self.templates[namespace, kind, name] = item["spec"]["template"]

    def _note_node(self, pod: Manifest) -> None:
        """Learn a node from a pod that runs there, where the node's own object is absent."""
        name = pod["spec"].get("nodeName")
        if not name or self.nodes.get(name):
            return
        status = pod.get("status") or {}
        told = [a["ip"] for a in status.get("hostIPs") or []]
        if not told and status.get("hostIP"):
            told = [status["hostIP"]]
        self.nodes[name] = [ipaddress.ip_address(a) for a in told]

    def verdict(self, src: End, dst: End, protocol: str, port: int | None, family: int) -> str:
        """Return `allowed`, `denied` or `undetermined` for one new connection.

        Args:
            src: Who connects.
            dst: Who listens.
            protocol: `TCP`, `UDP`, `SCTP`, or anything else.
            port: The pod's port; meaningless for protocols without ports.
            family: 4 or 6, the packets' IP version.

        Raises:
            KeyError: an end is not in the world.
            ValueError: an end ran to its end, or has no address of the family.
        """
        source, target = self.party(src), self.party(dst)
        for end, party in ((src, source), (dst, target)):
            if party.addresses and not any(a.version == family for a in party.addresses):
                msg = f"{end} has no IPv{family} address"
                raise ValueError(msg)
        if source.pod is not None and source.pod == target.pod and source.pod[0] == "pod":
            return VERDICTS[Answer.YES]
        # Policies of the source see the destination as peer, and the other way round. Both
        # look port names up on the destination.
        leaving = self.permits("Egress", source, target, target, protocol, port, family)
        entering = self.permits("Ingress", target, source, target, protocol, port, family)
        return VERDICTS[min(leaving, entering)]

    def permits(
        self,
        direction: str,
        subject: Party,
        peer: Party,
        target: Party,
        protocol: str,
        port: int | None,
        family: int,
    ) -> Answer:
        """Return whether the policies of one end let the flow through."""
        isolating = [p for p in self.selecting(subject) if direction in policy_types(p["spec"])]
        if not isolating:
            return Answer.YES
        answer = Answer.NO
        if direction == "Ingress" and peer.on_node:
            answer = same_node(peer.node, subject.node)
            if answer is Answer.YES:
                return answer
        if protocol not in PORTED:
            return Answer.MAYBE
        for policy in isolating:
            for rule in policy["spec"].get(direction.lower()) or []:
                peers = rule.get("from" if direction == "Ingress" else "to")
                who = self._any_peer(peers, policy, peer, family)
                if any_port(rule.get("ports"), target, protocol, port):
                    answer = max(answer, who)
        return answer

    def selecting(self, subject: Party) -> list[Manifest]:
        """Return the policies that apply to an end."""
        if subject.pod is None:
            return []
        labels = dict(subject.labels)
        return [
            policy
            for policy in self.policies.get(subject.namespace, ())
            if selects(policy["spec"].get("podSelector"), labels)
        ]

    def _any_peer(
        self, peers: list[Manifest] | None, policy: Manifest, party: Party, family: int
    ) -> Answer:
        if not peers:
            return Answer.YES
        home = policy["metadata"].get("namespace") or "default"
        return max(self._peer(peer, home, party, family) for peer in peers)

    def _peer(self, peer: Manifest, home: str, party: Party, family: int) -> Answer:
        if peer.get("ipBlock") is not None:
            return in_block(peer["ipBlock"], party, family)
        if party.pod is None:
            return Answer.NO
        if peer.get("namespaceSelector") is None:
            where = party.namespace == home
        else:
            where = selects(peer["namespaceSelector"], self.labels_of(party.namespace))
        # An absent podSelector beside a namespaceSelector means every pod there, and
        # `selects` reads absence that way.
        return (
            Answer.YES
            if where and selects(peer.get("podSelector"), dict(party.labels))
            else Answer.NO
        )

    def labels_of(self, namespace: str) -> dict[str, str]:
        """Return a namespace's labels, the name label included."""
        return {**self.namespaces.get(namespace, {}), NAME_LABEL: namespace}

    def party(self, end: End) -> Party:
        """Return what policies see of an end.

        Raises:
            KeyError: it is not in the world.
            ValueError: it is a pod that ran to its end.
        """
        if end not in self._parties:
            self._parties[end] = self._party(end)
        return self._parties[end]

    def _party(self, end: End) -> Party:
        match end:
            case ("pod", namespace, name):
                pod = self.pods[namespace, name]
                if finished(pod):
                    msg = f"{end} ran to its end"
                    raise ValueError(msg)
                return self._pod(end, namespace, pod, pod_addresses(pod))
            case ("workload", namespace, kind, name):
                return self._pod(end, namespace, self.templates[namespace, kind, name], ())
            case ("node", name):
                return Party(None, node=name, on_node=True, addresses=tuple(self.nodes[name]))
            case ("ip", text):
                return self._owner(ipaddress.ip_address(text))
            case _:
                raise KeyError(end)

    def _pod(
        self, end: End, namespace: str, pod: Manifest, addresses: tuple[Address, ...]
    ) -> Party:
        spec = pod["spec"]
        node = spec.get("nodeName")
        if spec.get("hostNetwork"):
            known = tuple(self.nodes.get(node) or ()) or addresses
            return Party(None, node=node, on_node=True, addresses=known)
        labels = (pod.get("metadata") or {}).get("labels") or {}
        return Party(
            end, namespace, tuple(labels.items()), node, False, addresses, declared_ports(spec)
        )

    def _owner(self, address: Address) -> Party:
        """Return who has an address now: a pod, a node, or nobody we know."""
        for (namespace, name), pod in self.pods.items():
            if pod["spec"].get("hostNetwork") or finished(pod):
                continue
            if address in pod_addresses(pod):
                return self.party(("pod", namespace, name))
        for name, addresses in self.nodes.items():
            if address in addresses:
                return self.party(("node", name))
        return Party(None, addresses=(address,))


def policy_types(spec: Manifest) -> list[str]:
    """Return the directions a policy isolates, as the API server defaults them."""
    if spec.get("policyTypes"):
        return list(spec["policyTypes"])
    return ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def selects(selector: Manifest | None, labels: Mapping[str, str]) -> bool:
    """Return whether a LabelSelector matches; an absent one matches everything here."""
    selector = selector or {}
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    return all(meets(e, labels) for e in selector.get("matchExpressions") or [])


def meets(expression: Manifest, labels: Mapping[str, str]) -> bool:
    """Return whether labels meet one expression of a selector."""
    key, operator = expression["key"], expression["operator"]
    if operator == "In":
        return key in labels and labels[key] in expression["values"]
    if operator == "NotIn":
        return key not in labels or labels[key] not in expression["values"]
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    raise ValueError(operator)


def any_port(ports: list[Manifest] | None, target: Party, protocol: str, port: int | None) -> bool:
    """Return whether a rule's ports admit the flow's."""
    if not ports:
        return True
    return any(_port(entry, target, protocol, port) for entry in ports)


def _port(entry: Manifest, target: Party, protocol: str, port: int | None) -> bool:
    if (entry.get("protocol") or "TCP") != protocol or port is None:
        return False
    wanted = entry.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return (wanted, protocol, port) in target.ports
    last = entry.get("endPort")
    return bool(wanted <= port <= (wanted if last is None else last))


def in_block(block: Manifest, party: Party, family: int) -> Answer:
    """Return whether an end's address is in a block and in none of its holes."""
    whole = network(block["cidr"])
    holes = [network(h) for h in block.get("except") or []]
    if not party.addresses:
        return Answer.YES if whole.prefixlen == 0 and whole.version == family else Answer.NO
    found = {
        address in whole and not any(address in hole for hole in holes)
        for address in party.addresses
        if address.version == family
    }
    if found == {True}:
        return Answer.YES
    return Answer.MAYBE if True in found else Answer.NO


def same_node(one: str | None, other: str | None) -> Answer:
    """Return whether two ends are on one node, when either may be unknown."""
    if not one or not other:
        return Answer.MAYBE
    return Answer.YES if one == other else Answer.NO


def declared_ports(spec: Manifest) -> tuple[tuple[str, str, int], ...]:
    """Return the named ports of a pod's regular containers."""
    return tuple(
        (port["name"], port.get("protocol") or "TCP", port["containerPort"])
        for container in spec.get("containers") or []
        for port in container.get("ports") or []
        if port.get("name")
    )


def finished(pod: Manifest) -> bool:
    """Return whether a pod ran to its end."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def pod_addresses(pod: Manifest) -> tuple[Address, ...]:
    """Return a pod's addresses as its status tells them."""
    status = pod.get("status") or {}
    texts = [a["ip"] for a in status.get("podIPs") or []]
    if not texts and status.get("podIP"):
        texts = [status["podIP"]]
    return tuple(_address(text) for text in texts)


@lru_cache(maxsize=4096)
def network(cidr: str) -> Network:
    """Return a block; bits beyond the prefix are masked."""
    return ipaddress.ip_network(cidr, strict=False)


@lru_cache(maxsize=4096)
def _address(text: str) -> Address:
    return ipaddress.ip_address(text)
