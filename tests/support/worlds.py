"""Random worlds as plain manifests, and random flows over them.

Everything is valid for the API server (Kubernetes 1.35): what it refuses is tested
elsewhere. The same `random.Random` state always gives the same world. Worlds are small and
crowded: few label values, few ports, few networks, so that policies meet by accident.
"""

import ipaddress
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.oracle.raw import (
    Address,
    End,
    Manifest,
    Network,
    RawOracle,
    declared_ports,
    finished,
    network,
    pod_addresses,
)
from tests.support.chances import chance, pick
from tests.support.netpols import (
    EXTERNAL,
    LABELS,
    NAMESPACE_LABELS,
    NAMESPACES,
    PORT_NAMES,
    PORT_NUMBERS,
    PROTOCOLS,
    PolicyMaker,
)

SHORT = {
    "Deployment": "deploy",
    "StatefulSet": "sts",
    "DaemonSet": "ds",
    "ReplicaSet": "rs",
    "Job": "job",
    "CronJob": "cronjob",
}
API_VERSIONS = {"Job": "batch/v1", "CronJob": "batch/v1"}


@dataclass(frozen=True)
class Flow:
    """One new connection to ask about."""

    src: End
    dst: End
    protocol: str
    port: int | None
    family: int

    def question(self) -> tuple[str, str, str, int | None, int]:
        """Return the flow with its ends named as users name them."""
        return (end_text(self.src), end_text(self.dst), self.protocol, self.port, self.family)


def end_text(end: End) -> str:
    """Return an end as `ns/pod/name`, `ns/deploy/name`, `node:name` or an address."""
    match end:
        case ("pod", namespace, name):
            return f"{namespace}/pod/{name}"
        case ("workload", namespace, kind, name):
            return f"{namespace}/{SHORT[kind]}/{name}"
        case ("node", name):
            return f"node:{name}"
        case (_, address):
            return address
    raise ValueError(end)


def random_world(
    rng: random.Random, pods: tuple[int, int] = (3, 8), policies: tuple[int, int] = (1, 8)
) -> list[Manifest]:
    """Return the manifests of a small cluster with policies, shuffled.

    Args:
        rng: Chance.
        pods: The fewest and the most things that run pods.
        policies: The fewest and the most NetworkPolicies.
    """
    return _WorldMaker(rng).build(pods, policies)


class _WorldMaker:
    """Makes one world. Lives for one call."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.families = pick(rng, [(4, (4,)), (2, (6,)), (5, (4, 6))])
        self.namespaces = rng.sample(NAMESPACES, rng.randint(2, 4))
        self.nodes = [f"n{i}" for i in range(1, rng.randint(1, 3) + 1)]
        self.objects: list[Manifest] = []
        self.labelled: list[tuple[str, dict[str, str]]] = []
        self.namespace_labels: dict[str, dict[str, str]] = {}
        self.addresses: list[str] = []

    def build(self, pods: tuple[int, int], policies: tuple[int, int]) -> list[Manifest]:
        rng = self.rng
        for name in self.namespaces:
            self._namespace(name)
        for place, name in enumerate(self.nodes, 1):
            self._node(place, name)
        makers: list[tuple[float, Callable[[int], None]]] = [
            (10, self._live),
            (3, self._template),
            (1.5, self._without_status),
            (1.5, self._host),
            (0.7, self._host_nowhere),
            (1.5, self._replicas),
        ]
        self._live(1)
        for number in range(2, rng.randint(*pods) + 1):
            pick(rng, makers)(number)
        if chance(rng, 0.5):
            self._finished(9)
        for number in range(1, rng.randint(*policies) + 1):
            self.objects.append(PolicyMaker(self, rng).policy(f"p{number}"))
        rng.shuffle(self.objects)
        return self.objects

    def _namespace(self, name: str) -> None:
        if chance(self.rng, 0.12):
            # Implied by what lives in it: it has its name label and no other.
            self.namespace_labels[name] = {}
            return
        labels = self._labels(NAMESPACE_LABELS, 0.6)
        self.namespace_labels[name] = labels
        meta: Manifest = {"name": name}
        written = dict(labels)
        if chance(self.rng, 0.3):
            written["kubernetes.io/metadata.name"] = name
        if written:
            meta["labels"] = written
        self.objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})

    def _node(self, place: int, name: str) -> None:
        addresses = self._node_addresses(name)
        self.addresses += addresses
        if chance(self.rng, 0.15):
            # Known only from the pods that run there.
            return
        told = [{"type": "InternalIP", "address": a} for a in addresses]
        told.append({"type": "Hostname", "address": f"node-{place}"})
        self.objects.append(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
                "status": {"addresses": told},
            }
        )

    def _node_addresses(self, name: str) -> list[str]:
        place = int(name[1:])
        return [f"10.1.0.{place}" if f == 4 else f"fd00:1::{place:x}" for f in self.families]

    def _pod_addresses(self, number: int, families: Sequence[int]) -> list[str]:
        net = number % 3 + 1
        return [f"10.2.{net}.{number}" if f == 4 else f"fd00:2:{net}::{number:x}" for f in families]

    def _labels(self, vocabulary: dict[str, tuple[str, ...]], each: float) -> dict[str, str]:
        return {k: self.rng.choice(v) for k, v in vocabulary.items() if chance(self.rng, each)}

    def _spec(self) -> Manifest:
        rng = self.rng
        containers = [self._container(f"c{i}") for i in range(pick(rng, [(2, 1), (2, 2)]))]
        if len(containers) > 1 and chance(rng, 0.5):
            _repeat_a_name(rng, *containers)
        spec: Manifest = {"containers": containers}
        if chance(rng, 0.2):
            init = self._container("init")
            if chance(rng, 0.6):
                init["restartPolicy"] = "Always"
            spec["initContainers"] = [init]
        return spec

    def _container(self, name: str) -> Manifest:
        rng = self.rng
        container: Manifest = {"name": name, "image": "registry.example/app:1"}
        names: list[str | None] = list(rng.sample(sorted(PORT_NAMES), rng.randint(0, 3)))
        names += [None] * pick(rng, [(3, 0), (1, 1)])
        ports: list[Manifest] = []
        seen: set[tuple[int, str]] = set()
        for port_name in names:
            protocol = pick(rng, [(5, "TCP"), (2, "UDP"), (2, "SCTP")])
            number = rng.choice(PORT_NUMBERS)
            if port_name and chance(rng, 0.5):
                protocol, number = PORT_NAMES[port_name]
            elif port_name and chance(rng, 0.6):
                protocol = PORT_NAMES[port_name][0]
            if (number, protocol) in seen:
                continue
            seen.add((number, protocol))
            port: Manifest = {"containerPort": number}
            if port_name:
                port["name"] = port_name
            if protocol != "TCP" or chance(rng, 0.5):
                port["protocol"] = protocol
            ports.append(port)
        if ports:
            container["ports"] = ports
        return container

    def _pod(self, name: str, labels: dict[str, str], spec: Manifest) -> Manifest:
        namespace = self.rng.choice(self.namespaces)
        meta: Manifest = {"name": name, "namespace": namespace}
        if namespace == "default" and chance(self.rng, 0.3):
            del meta["namespace"]
        if labels:
            meta["labels"] = labels
        self.labelled.append((namespace, labels))
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}

    def _status(self, pod: Manifest, addresses: list[str], phase: str = "Running") -> None:
        status: Manifest = {"phase": phase, "podIP": addresses[0]}
        if len(addresses) > 1 or chance(self.rng, 0.7):
            status["podIPs"] = [{"ip": a} for a in addresses]
        hosts = self._node_addresses(pod["spec"]["nodeName"])
        status["hostIP"] = hosts[0]
        status["hostIPs"] = [{"ip": a} for a in hosts]
        pod["status"] = status

    def _live(self, number: int) -> None:
        rng = self.rng
        families = self.families
        if len(families) > 1 and chance(rng, 0.3):
            families = (rng.choice(families),)
        pod = self._pod(f"live{number}", self._labels(LABELS, 0.6), self._spec())
        pod["spec"]["nodeName"] = rng.choice(self.nodes)
        addresses = self._pod_addresses(number, families)
        self.addresses += addresses
        self._status(pod, addresses)
        if chance(rng, 0.05):
            pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        self.objects.append(pod)

    def _without_status(self, number: int) -> None:
        pod = self._pod(f"bare{number}", self._labels(LABELS, 0.6), self._spec())
        if chance(self.rng, 0.4):
            pod["spec"]["nodeName"] = self.rng.choice(self.nodes)
        self.objects.append(pod)

    def _host(self, number: int) -> None:
        pod = self._pod(f"host{number}", self._labels(LABELS, 0.7), self._spec())
        pod["spec"]["hostNetwork"] = True
        pod["spec"]["nodeName"] = self.rng.choice(self.nodes)
        if chance(self.rng, 0.8):
            self._status(pod, self._node_addresses(pod["spec"]["nodeName"]))
        self.objects.append(pod)

    def _host_nowhere(self, number: int) -> None:
        pod = self._pod(f"anywhere{number}", self._labels(LABELS, 0.7), self._spec())
        pod["spec"]["hostNetwork"] = True
        self.objects.append(pod)

    def _finished(self, number: int) -> None:
        rng = self.rng
        pod = self._pod(f"done{number}", self._labels(LABELS, 0.8), self._spec())
        pod["spec"]["nodeName"] = rng.choice(self.nodes)
        addresses = self._pod_addresses(number, self.families[:1])
        if chance(rng, 0.5):
            # Its address went to another pod since.
            addresses = [rng.choice([a for a in self.addresses if "10.2" in a or "fd00:2" in a])]
        else:
            self.addresses += addresses
        self._status(pod, addresses, rng.choice(("Succeeded", "Failed")))
        self.objects.append(pod)

    def _template(self, number: int) -> None:
        rng = self.rng
        kind = rng.choice(tuple(SHORT))
        labels = {**self._labels(LABELS, 0.6), "set": f"s{number}"}
        spec = self._spec()
        if chance(rng, 0.15):
            spec["hostNetwork"] = True
        self.objects.append(self._controller(kind, f"set{number}", labels, spec))

    def _controller(self, kind: str, name: str, labels: dict[str, str], spec: Manifest) -> Manifest:
        namespace = self.rng.choice(self.namespaces)
        if not spec.get("hostNetwork"):
            self.labelled.append((namespace, labels))
        template = {"metadata": {"labels": labels}, "spec": spec}
        body: Manifest = {"template": template}
        if kind in ("Job", "CronJob"):
            spec["restartPolicy"] = "Never"
        else:
            body["selector"] = {"matchLabels": {"set": labels["set"]}}
        if kind == "StatefulSet":
            body["serviceName"] = name
        if kind == "CronJob":
            body = {"schedule": "0 * * * *", "jobTemplate": {"spec": body}}
        return {
            "apiVersion": API_VERSIONS.get(kind, "apps/v1"),
            "kind": kind,
            "metadata": {"name": name, "namespace": namespace},
            "spec": body,
        }

    def _replicas(self, number: int) -> None:
        """Make a StatefulSet with a live pod, whose labels may have drifted from the template."""
        labels = {**self._labels(LABELS, 0.6), "set": f"s{number}"}
        owner = self._controller("StatefulSet", f"set{number}", labels, self._spec())
        self.objects.append(owner)
        before = len(self.objects)
        self._live(number)
        pod = self.objects[before]
        namespace = owner["metadata"]["namespace"]
        own = dict(labels)
        if chance(self.rng, 0.3):
            own["app"] = self.rng.choice(LABELS["app"])
        pod["metadata"] |= {"name": f"set{number}-0", "namespace": namespace, "labels": own}
        pod["metadata"]["ownerReferences"] = [
            {
                "apiVersion": "apps/v1",
                "kind": "StatefulSet",
                "name": f"set{number}",
                "uid": f"00000000-0000-0000-0000-00000000000{number}",
                "controller": True,
            }
        ]
        self.labelled[-1] = (namespace, own)


def _repeat_a_name(rng: random.Random, first: Manifest, second: Manifest) -> None:
    """Let the second container give a name of the first to another number."""
    named = [p for p in first.get("ports", []) if "name" in p]
    others = second.get("ports", [])
    if not named or {p.get("name") for p in others} & {p["name"] for p in named}:
        return
    again = dict(rng.choice(named))
    taken = {p["containerPort"] for p in others} | {again["containerPort"]}
    again["containerPort"] = rng.choice([n for n in PORT_NUMBERS if n not in taken] or [7])
    second["ports"] = [*others, again]


class FlowMaker:
    """Makes flows over one world, close to where its policies change their mind."""

    def __init__(self, objects: list[Manifest]) -> None:
        self.oracle = RawOracle(objects)
        self.ports: list[tuple[str, int]] = []
        outside = [ipaddress.ip_address(a) for a in EXTERNAL]
        for policy in (o for o in objects if o["kind"] == "NetworkPolicy"):
            for cidr in sorted(set(_blocks(policy))):
                outside += edges(network(cidr))
            for entry in _port_entries(policy):
                self.ports += _interesting(entry)
        owned = {
            owner["name"] for o in objects for owner in o["metadata"].get("ownerReferences", ())
        }
        pods: list[End] = [
            ("workload", *key) for key in self.oracle.templates if key[2] not in owned
        ]
        for (namespace, name), pod in self.oracle.pods.items():
            outside += pod_addresses(pod)
            self._declared(pod["spec"])
            if not finished(pod):
                pods.append(("pod", namespace, name))
        for addresses in self.oracle.nodes.values():
            outside += addresses
        self.outside = sorted(set(outside), key=lambda a: (a.version, int(a)))
        self.pods = sorted(pods)
        self.governed = [p for p in self.pods if self.oracle.selecting(self.oracle.party(p))]
        self.nodes: list[End] = [("node", name) for name in sorted(self.oracle.nodes)]

    def _declared(self, spec: Manifest) -> None:
        for container in spec["containers"] + spec.get("initContainers", []):
            for port in container.get("ports", []):
                self.ports.append((port.get("protocol", "TCP"), port["containerPort"]))

    def flow(self, rng: random.Random) -> Flow:
        """Return one flow with at least one end that policies may be about."""
        while True:
            near = self.governed if self.governed and chance(rng, 0.6) else self.pods
            one, other = rng.choice(near), self.other(rng)
            if one == other and chance(rng, 0.7):
                continue
            families = self.of(one) & self.of(other)
            if not families:
                continue
            family = rng.choice(sorted(families))
            src, dst = (one, other) if chance(rng, 0.5) else (other, one)
            protocol, port = self.traffic(rng, family, dst)
            return Flow(src, dst, protocol, port, family)

    def _named(self, end: End) -> Sequence[tuple[str, str, int]]:
        """Return the named ports of a pod's manifest, a host-network pod's too."""
        match end:
            case ("pod", namespace, name):
                return declared_ports(self.oracle.pods[namespace, name]["spec"])
            case ("workload", namespace, kind, name):
                return declared_ports(self.oracle.templates[namespace, kind, name]["spec"])
            case _:
                return ()

    def of(self, end: End) -> frozenset[int]:
        """Return the families an end may speak: of an address its own, whoever else has it."""
        if end[0] == "ip":
            return frozenset({ipaddress.ip_address(end[1]).version})
        return frozenset(a.version for a in self.oracle.party(end).addresses) or _BOTH

    def other(self, rng: random.Random) -> End:
        """Return the second end."""
        kind = pick(rng, [(10, "pod"), (1.2, "node"), (5, "ip")])
        if kind == "pod":
            return rng.choice(self.pods)
        if kind == "node" and self.nodes:
            return rng.choice(self.nodes)
        return ("ip", str(rng.choice(self.outside)))

    def traffic(self, rng: random.Random, family: int, dst: End) -> tuple[str, int | None]:
        """Return protocol and port."""
        if chance(rng, 0.04):
            return ("ICMP" if family == 4 else "ICMPV6"), None
        declared = self._named(dst)
        if declared and chance(rng, 0.3):
            _, protocol, port = rng.choice(declared)
            return protocol, port
        if not self.ports or chance(rng, 0.15):
            return rng.choice(PROTOCOLS), rng.choice(PORT_NUMBERS)
        protocol, port = rng.choice(self.ports)
        if chance(rng, 0.1):
            protocol = rng.choice(PROTOCOLS)
        return protocol, port


_BOTH = frozenset((4, 6))


def random_flow(rng: random.Random, objects: list[Manifest]) -> Flow:
    """Return one flow over the world of `objects`."""
    return FlowMaker(objects).flow(rng)


def edges(block: Network) -> list[Address]:
    """Return addresses just inside and just outside a block, those that a host can have."""
    if block.prefixlen == 0:
        return []
    first, last = block[0], block[-1]
    found = [first, last]
    if int(first) > 0:
        found.append(first - 1)
    if int(last) < (1 << first.max_prefixlen) - 1:
        found.append(last + 1)
    return [a for a in found if _ordinary(a)]


def _ordinary(address: Address) -> bool:
    odd = address.is_loopback or address.is_multicast or address.is_unspecified
    if isinstance(address, ipaddress.IPv6Address):
        return not (odd or address.is_link_local or int(address) >> 32 in (0, 0xFFFF))
    return not (
        odd or address.is_link_local or int(address) >> 24 in (0, 127) or address.is_reserved
    )


def _rules(policy: Manifest) -> Iterator[tuple[str, Manifest]]:
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for rule in policy["spec"].get(direction) or []:
            yield peers, rule


def _blocks(policy: Manifest) -> Iterator[str]:
    for key, rule in _rules(policy):
        for peer in rule.get(key) or []:
            if "ipBlock" in peer:
                yield peer["ipBlock"]["cidr"]
                yield from peer["ipBlock"].get("except", [])


def _port_entries(policy: Manifest) -> Iterator[Manifest]:
    for _, rule in _rules(policy):
        yield from rule.get("ports") or []


def _interesting(entry: Manifest) -> Iterator[tuple[str, int]]:
    protocol = entry.get("protocol", "TCP")
    port = entry.get("port")
    if not isinstance(port, int):
        return
    last = entry.get("endPort", port)
    for number in (port - 1, port, port, last, last, last + 1):
        if 1 <= number <= 65535:
            yield protocol, number
