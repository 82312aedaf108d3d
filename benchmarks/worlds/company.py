"""A company: teams in zones, applications installed by Helm, half of them just being rolled out.

Each workload is a Deployment or a StatefulSet with live pods. A Deployment has two ReplicaSets;
where it is being rolled out, the old one still has a pod, under another template hash and another
version. Each namespace denies by default and lets DNS out; each workload has a policy of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.worlds.manifests import (
    DNS_PORTS,
    Manifest,
    below,
    in_home,
    mixed,
    namespace,
    pod,
    policy,
)

ZONES = ("edge", "web", "services", "data")
"""Zones, outermost first. A zone calls itself and the next one."""
ZONE_LABEL = "company.example/zone"
TEAM = 20
"""Workloads of a namespace."""
REPLICAS = 3
NAME = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"
HTTP, METRICS, DATABASE = 8080, 9090, 5432
OLD, NEW = 7, 8
"""Versions of everything: the last one, and the one that is being rolled out."""
_COMPONENTS = ("gateway", "frontend", "api", "worker", "cache", "database")
_BATCH = ("worker",)


@dataclass(frozen=True, slots=True)
class App:
    """One workload of the company.

    Args:
        number: Which one.
        total: How many there are.
    """

    number: int
    total: int

    @property
    def team(self) -> int:
        """The number of its namespace."""
        return self.number // TEAM

    @property
    def home(self) -> str:
        """Its namespace."""
        return f"{self.zone}-team-{self.team:03d}"

    @property
    def zone(self) -> str:
        """Its zone: that of its namespace."""
        return ZONES[self.team % len(ZONES)]

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.component}-{self.number:05d}"

    @property
    def component(self) -> str:
        """What it is for."""
        if self.zone == "data":
            return _COMPONENTS[4 + self.number % 2]
        return _COMPONENTS[self.number % 4]

    @property
    def port(self) -> int:
        """The port that it serves on."""
        return DATABASE if self.zone == "data" else HTTP

    @property
    def rolling(self) -> bool:
        """Whether pods of its last version are still about."""
        return self.component != "database" and self.number % 2 == 0

    @property
    def selector(self) -> dict[str, str]:
        """The labels that its controller, its Service and others choose it by."""
        return {NAME: self.name, INSTANCE: f"release-{self.team:03d}"}

    def labels(self, version: int) -> dict[str, str]:
        """Return the labels of the pods of a version, as a chart writes them."""
        return {
            **self.selector,
            "app.kubernetes.io/component": self.component,
            "app.kubernetes.io/managed-by": "Helm",
            "app.kubernetes.io/part-of": f"suite-{self.team % 40:02d}",
            "app.kubernetes.io/version": f"{1 + self.number % 4}.{version}.0",
            "helm.sh/chart": f"{self.component}-0.{version}.{self.number % 3}",
        }

    def callees(self) -> list["App"]:
        """Return whom it calls: its neighbour, and two workloads of the next zone."""
        found = [self._near(1)] if (self.number + 1) % TEAM else []
        if self.zone != ZONES[-1]:
            found += [self._beyond(1, one) for one in range(2)]
        return [app for app in found if app.number != self.number]

    def callers(self) -> list["App"]:
        """Return who calls it, the way back of `callees`."""
        found = [self._near(-1)] if self.number % TEAM else []
        if self.zone != ZONES[0]:
            found += [self._beyond(-1, one) for one in range(2)]
        return [app for app in found if app.number != self.number]

    def _near(self, step: int) -> "App":
        return App((self.number + step) % self.total, self.total)

    def _beyond(self, zones: int, one: int) -> "App":
        place = self.number % TEAM
        shifted = (place + zones * one * 7) % TEAM
        number = (self.team + zones) * TEAM + shifted
        return App(number % self.total, self.total)


def company(workloads: int) -> Iterator[Manifest]:
    """Return a company under NetworkPolicies.

    Args:
        workloads: How many, apart from DNS and monitoring.
    """
    apps = [App(number, workloads) for number in range(workloads)]
    homes: dict[str, App] = {}
    for app in apps:
        homes.setdefault(app.home, app)
    yield namespace("kube-system", {ZONE_LABEL: "platform"})
    yield namespace("monitoring", {ZONE_LABEL: "platform"})
    for home, first in homes.items():
        yield namespace(home, _home_labels(first))
    yield from _service("kube-system", "kube-dns", {"k8s-app": "kube-dns"}, {"dns": 53})
    number = workloads * (REPLICAS + 1)
    for place in range(2):
        labels = {"k8s-app": "kube-dns", "pod-template-hash": "5dd5756b68"}
        ports = [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]
        name = f"coredns-5dd5756b68-{place}"
        yield pod("kube-system", name, labels, number + place, ports=ports)
    labels = {NAME: "prometheus", "statefulset.kubernetes.io/pod-name": "prometheus-0"}
    yield pod("monitoring", "prometheus-0", labels, number + 2)
    for home in homes:
        yield policy(home, "default-deny", {})
        yield policy(home, "allow-dns", {}, egress=[_dns()], types=["Egress"])
        yield policy(home, "allow-monitoring", {}, [_monitoring()], types=["Ingress"])
    for app in apps:
        yield from _workload(app)
        yield _own_policy(app)


def _home_labels(app: App) -> dict[str, str]:
    return {
        ZONE_LABEL: app.zone,
        "company.example/team": f"team-{app.team:03d}",
        "company.example/env": ("prod", "prod", "staging")[app.team // len(ZONES) % 3],
        "pod-security.kubernetes.io/enforce": "restricted",
    }


def _dns() -> Manifest:
    peer = {
        "namespaceSelector": in_home("kube-system"),
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    return {"to": [peer], "ports": [dict(port) for port in DNS_PORTS]}


def _monitoring() -> Manifest:
    peer = {"namespaceSelector": in_home("monitoring"), "podSelector": _named("prometheus")}
    return {"from": [peer], "ports": [{"protocol": "TCP", "port": METRICS}]}


def _named(name: str) -> Manifest:
    return {"matchLabels": {NAME: name}}


def _service(
    home: str, name: str, selector: dict[str, str], ports: dict[str, int]
) -> Iterator[Manifest]:
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": home},
        "spec": {
            "selector": selector,
            "ports": [
                {"name": port, "port": number, "protocol": "UDP" if port == "dns" else "TCP"}
                for port, number in ports.items()
            ],
        },
    }


def _own_policy(app: App) -> Manifest:
    """Return what a chart of the company makes of its values: callers, callees, a way out."""
    served = {"protocol": "TCP", "port": "postgres" if app.port == DATABASE else "http"}
    ingress = [{"from": [_other(app, caller) for caller in app.callers()], "ports": [served]}]
    if app.component == "gateway" and app.zone == "edge":
        ingress.append({"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]})
    if not ingress[0]["from"]:
        # An empty `from` would mean everybody.
        ingress = ingress[1:]
    egress: list[Manifest] = [
        {
            "to": [_other(app, callee)],
            "ports": [{"protocol": "TCP", "port": callee.port}],
        }
        for callee in app.callees()
    ]
    if app.component in _BATCH:
        block = {"cidr": f"203.0.113.{app.team % 16 * 16}/28"}
        ports = [
            {"protocol": "TCP", "port": 443},
            {"protocol": "TCP", "port": 30000, "endPort": 30099},
        ]
        egress.append({"to": [{"ipBlock": block}], "ports": ports})
    if app.number % 10 == 0 and app.zone == "services":
        # A shared service: the whole zone before may call it.
        peer = {"namespaceSelector": {"matchLabels": {ZONE_LABEL: "web"}}}
        ingress.append({"from": [peer], "ports": [served]})
    return policy(app.home, app.name, {"matchLabels": app.selector}, ingress, egress)


def _other(app: App, other: App) -> Manifest:
    """Return a peer: within the namespace by labels alone, elsewhere with its namespace."""
    peer: Manifest = {"podSelector": {"matchLabels": other.selector}}
    if other.home != app.home:
        peer["namespaceSelector"] = in_home(other.home)
    return peer


def _workload(app: App) -> Iterator[Manifest]:
    kind = "StatefulSet" if app.component == "database" else "Deployment"
    port = "postgres" if app.port == DATABASE else "http"
    yield from _service(app.home, app.name, app.selector, {port: app.port})
    ports = [
        {"name": port, "containerPort": app.port, "protocol": "TCP"},
        {"name": "metrics", "containerPort": METRICS, "protocol": "TCP"},
    ]
    current = app.labels(version=NEW)
    container = {"name": "main", "image": f"registry.example.com/{app.name}:{NEW}", "ports": ports}
    template = {
        "metadata": {"labels": current},
        "spec": {"serviceAccountName": app.name, "containers": [container]},
    }
    spec = {
        "replicas": REPLICAS,
        "selector": {"matchLabels": app.selector},
        "template": template,
    }
    if kind == "StatefulSet":
        yield _controller(app, kind, app.name, {**spec, "serviceName": app.name})
        yield from _ordinals(app, ports)
        return
    yield _controller(app, kind, app.name, spec)
    for version in (OLD, NEW):
        yield from _replica_set(app, version, spec, ports)


def _controller(
    app: App, kind: str, name: str, spec: Manifest, owner: Manifest | None = None
) -> Manifest:
    metadata: Manifest = {"name": name, "namespace": app.home, "labels": app.labels(NEW)}
    if owner is not None:
        metadata["ownerReferences"] = [{**owner, "controller": True, "uid": f"{app.number:036x}"}]
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _replica_set(
    app: App, version: int, spec: Manifest, ports: list[Manifest]
) -> Iterator[Manifest]:
    """Return the ReplicaSet of a version of a Deployment and its pods."""
    # As `rand.SafeEncodeString` of Kubernetes writes hashes: without vowels.
    letters = "bcdfghjklmnpqrstvwxz2456789"
    hashed = mixed(app.number, version)
    code = "".join(letters[hashed >> 5 * place & 31 & (hashed >> 60 | 15)] for place in range(9))
    labels = {**app.labels(version), "pod-template-hash": code}
    count = REPLICAS - app.rolling if version == NEW else int(app.rolling)
    name = f"{app.name}-{code}"
    yield _controller(
        app,
        "ReplicaSet",
        name,
        {
            "replicas": count,
            "selector": {"matchLabels": {**app.selector, "pod-template-hash": code}},
            "template": {**spec["template"], "metadata": {"labels": labels}},
        },
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": app.name},
    )
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name}
    for place in range(count):
        number = app.number * (REPLICAS + 1) + place + (REPLICAS if version == OLD else 0)
        yield pod(
            app.home,
            f"{name}-{below(1 << 20, number):05x}",
            labels,
            number,
            ports=ports,
            owner=owner,
            account=app.name,
        )


def _ordinals(app: App, ports: list[Manifest]) -> Iterator[Manifest]:
    """Return the pods of a StatefulSet: each has labels that no other one has."""
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": app.name}
    for place in range(REPLICAS):
        labels = {
            **app.labels(NEW),
            "apps.kubernetes.io/pod-index": str(place),
            "controller-revision-hash": f"{app.name}-{below(1 << 32, app.number):08x}",
            "statefulset.kubernetes.io/pod-name": f"{app.name}-{place}",
        }
        yield pod(
            app.home,
            f"{app.name}-{place}",
            labels,
            app.number * (REPLICAS + 1) + place,
            ports=ports,
            owner=owner,
            account=app.name,
        )
