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
ZONES = ("red", "blue")
KEYS = ("app", "app.kubernetes.io/name", "tier", "team")
BLOCKS = ("198.51.100.0/24", "203.0.113.8/29", "2001:db8:7::/48", "192.0.2.7/32", "0.0.0.0/0")
OUTSIDE = ("198.51.100.9", "203.0.113.9", "203.0.113.200", "2001:db8:7::1", "192.0.2.7", "8.8.8.8")
STRAYS = ("10.9.8.7", "198.51.100.77", "2001:db8:7::77")
"""Addresses of live pods, in blocks of externals, in a namespace that the contract leaves alone."""
NODE_BLOCK = "172.20.0.0/16"
SERVER = "192.0.2.50"
"""Where the API server is, on its own port."""
SERVER_PORT = 6443
HANDED = "10.244.0.0/24"
"""Addresses that a node hands out."""
CONTROLLER = "edge/ingress-nginx-controller"
ENTRY = "gw:alpha/entry"
DOOR = 8000
"""The port on which who serves the entry listens behind its Service."""
HTTP = ({"method": "GET", "path": "/a"}, {"method": "POST", "path": "/b/c"})


@dataclass(frozen=True)
class Load:
    """A workload."""

    space: str
    name: str
    labels: dict[str, str]
    ports: tuple[tuple[str, int, str], ...]
    host: bool = False
    asks: bool = False
    """Whether it works through the API server."""
    hook: bool = False
    """Whether the API server calls it, on its first port."""
    zone: str = ""

    @property
    def doors(self) -> dict[int, tuple[int, str]]:
        """The ports of its Service, each with the pods' own and the protocol."""
        return {7000 + number: (n, p) for number, (_, n, p) in enumerate(self.ports)}

    @property
    def text(self) -> str:
        """As questions name it."""
        return f"{self.space}/{self.name}"


@dataclass
class Case:
    """A cluster, its contract, and what that lets through."""

    loads: list[Load]
    dependencies: list[dict[str, Any]] = field(default_factory=list)
    backend: Load | None = None
    """What the entry leads to, by the first port of its Service."""
    platform: tuple[str, ...] = ("dns",)
    handed: bool = False
    """Whether a node says which addresses it hands out."""
    refused: frozenset[str] = frozenset()

    def texts(self) -> dict[str, str]:
        """Return it as files."""
        documents = [each for load in self.loads for each in _manifests(load)]
        documents += [each for load in self.loads if load.ports for each in _served(load)]
        documents += [_asking(load) for load in self.loads if load.asks]
        documents += [_space(name) for name in (*SPACES, "kube-system", "edge", "default")]
        documents += _resolver()
        documents += _server()
        documents += [_node()] if self.handed else []
        documents += _entry(self.backend) if self.backend is not None else []
        documents += [_stray(number, address) for number, address in enumerate(STRAYS)]
        workloads: list[dict[str, Any]] = [
            {"match": {"namespace": each}, "owner": "somebody"} for each in SPACES
        ]
        workloads += [{"match": {"namespace": each}} for each in ("kube-system", "edge")]
        workloads += [
            {"match": {"namespace": each.space, "name": each.name}, "zone": each.zone}
            for each in self.loads
            if each.zone
        ]
        contract = {
            "apiVersion": "cloison.dev/v1alpha1",
            "kind": "Contract",
            "metadata": {"name": "random"},
            "spec": {
                "zones": [{"name": name} for name in ZONES],
                "workloads": workloads,
                "dependencies": self.dependencies,
                "externals": [
                    {"name": f"e{i}", "cidrs": [block]} for i, block in enumerate(BLOCKS)
                ],
                "namespaceLabels": [{"key": "kind", "owner": "x", "changedBy": ["x"]}],
                "platform": [{"id": each} for each in self.platform],
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
        if end.startswith("zone:"):
            return [each for each in self.loads if each.zone == end[5:]]
        if end.startswith("any:"):
            return [each for each in self.loads if end[4:] in ("", each.space)]
        return [each for each in self.loads if each.text == end]

    def legs(self, dependency: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the connections that a dependency comes to, without Services and entries."""
        found = dict(dependency)
        if found["from"] == ENTRY:
            found["from"] = CONTROLLER
        to = found["to"]
        if to == ENTRY:
            if self.backend is None:
                return []
            target, protocol = next(iter(self.backend.doors.values()))
            on = {**found, "from": CONTROLLER, "ports": [f"{target}/{protocol}"]}
            return [
                {**found, "to": CONTROLLER, "ports": [DOOR]},
                *({**on, "to": each.text} for each in self.behind(self.backend)),
            ]
        if isinstance(to, str) and to.startswith("svc:"):
            (load,) = self.inside(to.removeprefix("svc:"))
            asked = [int(each) for each in map(_number, found.get("ports", load.doors))]
            targets = [load.doors[each] for each in asked]
            ports = [f"{n}/{p}" for n, p in targets]
            return [{**found, "to": each.text, "ports": ports} for each in self.behind(load)]
        return [found]

    def behind(self, load: Load) -> list[Load]:
        """Return whose pods the Service of a load leads to."""
        return [
            each
            for each in self.loads
            if each.space == load.space and load.labels.items() <= each.labels.items()
        ]

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


def _number(port: object) -> str:
    return str(port).partition("/")[0]


def kind(space: str) -> str:
    """Return the value of the label by which the contract tells namespaces."""
    if space not in SPACES:
        return space
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
    backends = [each for each in loads if _serves(each) and each.space == SPACES[0]]
    backend = chance.choice(backends) if backends and chance.random() < 0.5 else None
    if backend is not None:
        labels = {
            "app.kubernetes.io/name": "ingress-nginx",
            "app.kubernetes.io/component": "controller",
        }
        loads.append(Load("edge", CONTROLLER[5:], labels, (("http", DOOR, "TCP"),)))
    platform = chance.choice((("dns",), ("dns", "apiserver"), ("dns", "apiserver", "node")))
    handed = chance.random() < 0.3
    case = Case(loads, backend=backend, platform=platform, handed=handed)
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
    called = bool(ports) and ports[0][2] == "TCP"
    asks, hook = chance.random() < 0.2, called and chance.random() < 0.15
    zone = chance.choice(("", *ZONES))
    host = chance.random() < 0.05
    return Load(space, name, labels, tuple(ports), host, asks=asks, hook=hook, zone=zone)


def _serves(load: Load) -> bool:
    """Return whether a load has a Service that an entry may lead to."""
    return bool(load.ports) and load.ports[0][2] == "TCP" and not load.host


def _dependency(chance: random.Random, case: Case, name: str) -> dict[str, Any]:
    source, to = _end(chance, case), _end(chance, case, called=True)
    while not any(case.inside(each[key]) for each in _both(case, source, to) for key in _SIDES):
        source, to = _end(chance, case), _end(chance, case, called=True)
    found: dict[str, Any] = {"name": name, "from": source, "to": to, "reason": f"because {name}"}
    ports = chance.choice(
        ([80], ["8080", "53/UDP"], ["9000-9100"], ["web"], ["web", 9090], ["UDP"], [], [443])
    )
    if to == ENTRY:
        ports = chance.choice(([80], []))
    elif isinstance(to, str) and to.startswith("svc:"):
        (load,) = case.inside(to[4:])
        ports = [f"{n}/{p}" for n, (_, p) in load.doors.items() if chance.random() < 0.7]
    if ports:
        found["ports"] = ports
    if chance.random() < 0.1:
        found["http"] = chance.choice(HTTP)
    if chance.random() < 0.15:
        found["direction"] = chance.choice(("egress", "ingress", "both"))
    if chance.random() < 0.1:
        found["expires"] = chance.choice(("2020-01-01", "2040-01-01"))
    return found


_SIDES = ("from", "to")


def _both(case: Case, source: Any, to: Any) -> list[dict[str, Any]]:
    return case.legs({"from": source, "to": to})


def _end(chance: random.Random, case: Case, *, called: bool = False) -> Any:
    one = chance.choice(case.loads)
    zoned = [each.zone for each in case.loads if each.zone]
    served = called and one.ports and not one.host and one.text != CONTROLLER
    rare: dict[int, Any] = {
        0: f"any:{one.space}",
        1: {"namespace": one.space, "selector": {"app": one.labels.get("app", "none")}},
        2: {"namespaceSelector": {"kind": kind(one.space)}},
        3: f"external:e{chance.randrange(len(BLOCKS))}",
        4: chance.choice(BLOCKS),
        5: f"zone:{chance.choice(zoned)}" if zoned else one.text,
        6: f"svc:{one.text}" if served else one.text,
        7: ENTRY if case.backend is not None else one.text,
    }
    return rare.get(chance.randint(0, 13), one.text)


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
    spec["serviceAccountName"] = load.name
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


def _served(load: Load) -> list[dict[str, Any]]:
    """Return the Service of a load, and what makes the API server call it."""
    ports = [
        {"name": f"p{door}", "port": door, "targetPort": target, "protocol": protocol}
        for door, (target, protocol) in load.doors.items()
    ]
    found: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": load.name, "namespace": load.space},
            "spec": {"selector": load.labels, "ports": ports},
        }
    ]
    if load.hook:
        service = {"name": load.name, "namespace": load.space, "port": next(iter(load.doors))}
        name = f"{load.space}-{load.name}"
        found.append(
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": name},
                "webhooks": [{"name": "a.example.org", "clientConfig": {"service": service}}],
            }
        )
    return found


def _asking(load: Load) -> dict[str, Any]:
    account = {"kind": "ServiceAccount", "name": load.name, "namespace": load.space}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{load.space}-{load.name}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "x"},
        "subjects": [account],
    }


def _node() -> dict[str, Any]:
    spec = {"podCIDR": HANDED, "podCIDRs": [HANDED]}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}, "spec": spec}


def _server() -> list[dict[str, Any]]:
    home = {"name": "kubernetes", "namespace": "default"}
    port = {"name": "https", "port": 443, "targetPort": SERVER_PORT}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": home,
            "spec": {"clusterIP": "10.96.0.1", "ports": [port]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**home, "labels": {"kubernetes.io/service-name": "kubernetes"}},
            "addressType": "IPv4",
            "ports": [{"name": "https", "port": SERVER_PORT, "protocol": "TCP"}],
            "endpoints": [{"addresses": [SERVER], "conditions": {"ready": True}}],
        },
    ]


def _entry(backend: Load) -> list[dict[str, Any]]:
    """Return an Ingress, and the Service of who serves it, which keeps the client's address."""
    to = {"name": backend.name, "port": {"number": next(iter(backend.doors))}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": {"service": to}}]
    home = {"name": "entry", "namespace": backend.space}
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "nginx"},
            "spec": {"controller": "k8s.io/ingress-nginx"},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": home,
            "spec": {"ingressClassName": "nginx", "rules": [{"http": {"paths": paths}}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "front", "namespace": "edge"},
            "spec": {
                "type": "LoadBalancer",
                "externalTrafficPolicy": "Local",
                "selector": {"app.kubernetes.io/name": "ingress-nginx"},
                "ports": [{"name": "http", "port": 80, "targetPort": DOOR}],
            },
        },
    ]


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
