"""Random clusters with a contract, and what the contract lets through, worked out by itself.

Nothing here asks the code under test: ends are resolved from the lists that the manifests are
written from.
"""

import random
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

import yaml

SPACES = ("alpha", "beta", "gamma")
KEYS = ("app", "app.kubernetes.io/name", "tier", "team")
BLOCKS = ("198.51.100.0/24", "203.0.113.8/29", "2001:db8:7::/48", "192.0.2.7/32", "0.0.0.0/0")
OUTSIDE = ("198.51.100.9", "203.0.113.9", "203.0.113.200", "2001:db8:7::1", "192.0.2.7", "8.8.8.8")
STRAYS = ("10.9.8.7", "198.51.100.77", "2001:db8:7::77")
"""Addresses of live pods, in blocks of externals, in a namespace that the contract leaves alone."""
NODE_BLOCK = "172.20.0.0/16"
HTTP = ({"method": "GET", "path": "/a"}, {"method": "POST", "path": "/b/c"})


@dataclass(frozen=True)
class Load:
    """A workload."""

    space: str
    name: str
    labels: dict[str, str]
    ports: tuple[tuple[str, int, str], ...]
    host: bool = False

    @property
    def text(self) -> str:
        """As questions name it."""
        return f"{self.space}/{self.name}"


@dataclass
class Case:
    """A cluster, its contract, and what that lets through."""

    loads: list[Load]
    dependencies: list[dict[str, Any]] = field(default_factory=list)
    refused: frozenset[str] = frozenset()

    def texts(self) -> dict[str, str]:
        """Return it as files."""
        documents = [each for load in self.loads for each in _manifests(load)]
        documents += [_space(name) for name in (*SPACES, "kube-system")]
        documents += _resolver()
        documents += [_stray(number, address) for number, address in enumerate(STRAYS)]
        workloads = [{"match": {"namespace": each}, "owner": "somebody"} for each in SPACES]
        workloads.append({"match": {"namespace": "kube-system"}})
        contract = {
            "apiVersion": "cloison.dev/v1alpha1",
            "kind": "Contract",
            "metadata": {"name": "random"},
            "spec": {
                "workloads": workloads,
                "dependencies": self.dependencies,
                "externals": [
                    {"name": f"e{i}", "cidrs": [block]} for i, block in enumerate(BLOCKS)
                ],
                "namespaceLabels": [{"key": "kind", "owner": "x", "changedBy": ["x"]}],
                "platform": [{"id": "dns"}],
            },
        }
        return {
            "cluster.yaml": yaml.safe_dump_all(documents),
            "contract.yaml": yaml.safe_dump(contract),
        }

    def inside(self, end: Any) -> list[Load]:
        """Return the workloads that an end means."""
        if isinstance(end, dict):
            wanted = end.get("selector", {})
            spaces = end.get("namespaceSelector", {}).get("kind")
            return [
                each
                for each in self.loads
                if wanted.items() <= each.labels.items()
                and (each.space == end.get("namespace") or (spaces and kind(each.space) == spaces))
            ]
        if end.startswith("any:"):
            return [each for each in self.loads if end[4:] in ("", each.space)]
        return [each for each in self.loads if each.text == end]

    def holds(self, end: Any, address: str) -> bool:
        """Return whether an address outside is one that an end means."""
        if not isinstance(end, str) or "/" in address or address in STRAYS:
            return False
        if end.startswith("external:"):
            end = BLOCKS[int(end.removeprefix("external:e"))]
        try:
            block = ip_network(end)
        except ValueError:
            return False
        return ip_address(address) in block


def kind(space: str) -> str:
    """Return the value of the label by which the contract tells namespaces."""
    if space not in SPACES:
        return "system"
    return "front" if space in SPACES[:2] else "back"


def numbers(dependency: dict[str, Any], to: Load | None) -> set[tuple[str, int, int]]:
    """Return the ports of a dependency at a destination: protocol, first and last."""
    if not dependency.get("ports"):
        return {(protocol, 1, 65535) for protocol in ("TCP", "UDP", "SCTP")}
    found = set()
    for port in map(str, dependency["ports"]):
        value, _, protocol = port.partition("/")
        first, _, last = value.partition("-")
        if first.isdecimal():
            found.add((protocol or "TCP", int(first), int(last or first)))
        elif value in ("SCTP", "UDP"):
            found.add((value, 1, 65535))
        else:
            declared = to.ports if to is not None else ()
            found |= {(p, n, n) for name, n, p in declared if (name, p) == (value, "TCP")}
    return found


def make(seed: int) -> Case:
    """Return a random case."""
    chance = random.Random(seed)
    loads = []
    for space in SPACES[: chance.randint(1, 3)]:
        loads += [_load(chance, space, f"w{number}") for number in range(chance.randint(1, 4))]
    case = Case(loads)
    for number in range(chance.randint(0, 7)):
        case.dependencies.append(_dependency(chance, case, f"d{number}"))
    return case


def _load(chance: random.Random, space: str, name: str) -> Load:
    labels = {"app": chance.choice((name, name, name, "same")), "pod-template-hash": "5d4f"}
    for key in KEYS[1:]:
        if chance.random() < 0.3:
            labels[key] = chance.choice(("blue", "green"))
    labels["version"] = f"v{chance.randint(1, 2)}"
    if chance.random() < 0.05:
        labels = {"version": "v1"}
    ports = [("web", chance.choice((80, 8080)), "TCP")] if chance.random() < 0.8 else []
    if chance.random() < 0.4:
        ports.append(("dns", 5353, "UDP"))
    return Load(space, name, labels, tuple(ports), host=chance.random() < 0.05)


def _dependency(chance: random.Random, case: Case, name: str) -> dict[str, Any]:
    source, to = _end(chance, case), _end(chance, case)
    while not (case.inside(source) or case.inside(to)):
        source, to = _end(chance, case), _end(chance, case)
    found: dict[str, Any] = {"name": name, "from": source, "to": to, "reason": f"because {name}"}
    ports = chance.choice(
        ([80], ["8080", "53/UDP"], ["9000-9100"], ["web"], ["web", 9090], ["UDP"], [], [443])
    )
    if ports:
        found["ports"] = ports
    if chance.random() < 0.1:
        found["http"] = chance.choice(HTTP)
    if chance.random() < 0.15:
        found["direction"] = chance.choice(("egress", "ingress", "both"))
    if chance.random() < 0.1:
        found["expires"] = chance.choice(("2020-01-01", "2040-01-01"))
    return found


def _end(chance: random.Random, case: Case) -> Any:
    one = chance.choice(case.loads)
    match chance.randint(0, 9):
        case 0:
            return f"any:{one.space}"
        case 1:
            return {"namespace": one.space, "selector": {"app": one.labels.get("app", "none")}}
        case 2:
            return {"namespaceSelector": {"kind": kind(one.space)}}
        case 3:
            return f"external:e{chance.randrange(len(BLOCKS))}"
        case 4:
            return chance.choice(BLOCKS)
        case _:
            return one.text


def _space(name: str) -> dict[str, Any]:
    labels = {"kubernetes.io/metadata.name": name, "kind": kind(name)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _manifests(load: Load) -> list[dict[str, Any]]:
    spec: dict[str, Any] = {
        "containers": [
            {
                "name": "c",
                "image": "images.example.org/c",
                "ports": [
                    {"name": name, "containerPort": number, "protocol": protocol}
                    for name, number, protocol in load.ports
                ],
            }
        ]
    }
    if load.host:
        spec["hostNetwork"] = True
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": load.name, "namespace": load.space},
            "spec": {
                "selector": {"matchLabels": load.labels},
                "template": {"metadata": {"labels": load.labels}, "spec": spec},
            },
        }
    ]


def _stray(number: int, address: str) -> dict[str, Any]:
    name = f"stray{number}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "wild", "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "images.example.org/c"}]},
        "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]},
    }


def _resolver() -> list[dict[str, Any]]:
    load = Load("kube-system", "coredns", {"k8s-app": "kube-dns"}, (("dns", 53, "UDP"),))
    found = _manifests(load)
    found[0]["spec"]["template"]["spec"]["dnsPolicy"] = "Default"
    ports = [
        {"name": f"dns-{protocol.lower()}", "port": 53, "protocol": protocol}
        for protocol in ("UDP", "TCP")
    ]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {"selector": load.labels, "ports": ports, "clusterIP": "10.96.0.10"},
    }
    return [*found, service]
