"""An estate to be examined: workloads that say what they call, entries, and faults in between.

As repositories hold it: Deployments, Services, Ingresses and policies, no live pods. A namespace
has twenty workloads and three policies. Some forget lookups, some the ingress controller, and
some workloads call a neighbour whom nobody lets them call, so that there is something to find in
every size, and the more the larger it is.
"""

from collections.abc import Iterator

from benchmarks.worlds.manifests import DNS_PORTS, Manifest, in_home, namespace, policy

TEAM = 20
"""Workloads of a namespace."""
HTTP = 8080
_NO_TCP, _NO_DNS, _NO_DOOR, _ALONE = (5, 1), (10, 3), (7, 2), (9, 4)
"""What is forgotten, by which of how many: of teams, and of workloads the last."""
_CONTROLLER = {
    "app.kubernetes.io/name": "ingress-nginx",
    "app.kubernetes.io/component": "controller",
}
_RESOLVER = {"k8s-app": "kube-dns"}


def estate(workloads: int, ingresses: int | None = None) -> Iterator[Manifest]:
    """Return an estate under NetworkPolicies.

    Args:
        workloads: How many, apart from the cluster's own.
        ingresses: How many Ingresses; one for every second workload when not said.
    """
    yield from _cluster()
    teams = range((workloads + TEAM - 1) // TEAM)
    for team in teams:
        yield namespace(_home(team), {"estate.example/team": f"team-{team:03d}"})
        yield from _policies(team)
    for number in range(workloads):
        yield from _workload(number, workloads)
    for number in range(workloads // 2 if ingresses is None else ingresses):
        yield _ingress(number, number * 2 % workloads)


def calls(workloads: int) -> Iterator[tuple[str, str]]:
    """Return every call that a workload of an estate says it makes, as `why` is asked.

    Args:
        workloads: How many the estate has.
    """
    for number in range(workloads):
        source = f"{_home(number // TEAM)}/{_name(number)}"
        for other in _called(number, workloads):
            yield source, f"svc:{_home(other // TEAM)}/{_name(other)}:80"


def _called(number: int, total: int) -> tuple[int, ...]:
    """Return whom a workload calls: its neighbour, and some another team that is not told."""
    first = number // TEAM * TEAM
    near = first + (number + 1 - first) % min(TEAM, total - first)
    return (near, (number + 3 * TEAM) % total) if _forgets(number, _ALONE) else (near,)


def _forgets(number: int, which: tuple[int, int]) -> bool:
    every, one = which
    return number % every == one


def _home(team: int) -> str:
    return f"team-{team:03d}"


def _name(number: int) -> str:
    return f"app-{number:05d}"


def _cluster() -> Iterator[Manifest]:
    """Return the resolver and the ingress controller, each in a namespace of its own."""
    yield namespace("kube-system")
    dns = [
        {"name": "dns", "containerPort": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
    ]
    yield _deployment("kube-system", "coredns", _RESOLVER, {"name": "coredns", "ports": dns})
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    yield _service("kube-system", "kube-dns", _RESOLVER, ports)
    yield namespace("ingress-nginx")
    image = "registry.k8s.io/ingress-nginx/controller:v1.12.0"
    served = [{"name": "http", "containerPort": 80}, {"name": "https", "containerPort": 443}]
    container = {"name": "controller", "image": image, "ports": served}
    yield _deployment("ingress-nginx", "ingress-nginx-controller", _CONTROLLER, container)
    yield _service(
        "ingress-nginx",
        "ingress-nginx-controller",
        _CONTROLLER,
        [{"name": "http", "port": 80, "targetPort": "http"}],
        kind="LoadBalancer",
    )
    yield {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "nginx"},
        "spec": {"controller": "k8s.io/ingress-nginx"},
    }


def _policies(team: int) -> Iterator[Manifest]:
    """Return what a team has: all closed, what all of it needs, and itself."""
    home = _home(team)
    yield policy(home, "default-deny", {})
    dns = {"namespaceSelector": in_home("kube-system"), "podSelector": {"matchLabels": _RESOLVER}}
    ports = [dict(each) for each in DNS_PORTS[: 1 if _forgets(team, _NO_TCP) else 2]]
    rule = {"to": [dns], "ports": ports}
    everybody: Manifest = {}
    egress: list[Manifest] = [{"to": [{"podSelector": everybody}]}]
    if not _forgets(team, _NO_DNS):
        egress.append(rule)
    yield policy(home, "allow-out", {}, egress=egress, types=["Egress"])
    peers: list[Manifest] = [{"podSelector": everybody}]
    if not _forgets(team, _NO_DOOR):
        peers.append({"namespaceSelector": in_home("ingress-nginx")})
    yield policy(home, "allow-in", {}, [{"from": peers}], types=["Ingress"])


def _workload(number: int, total: int) -> Iterator[Manifest]:
    """Return a Deployment that says whom it calls, and its Service."""
    home, name = _home(number // TEAM), _name(number)
    near, *others = _called(number, total)
    said = [
        {"name": "UPSTREAM_URL", "value": f"http://{_name(near)}:80/api"},
        {"name": "LOG_LEVEL", "value": "info"},
    ]
    for other in others:
        # Of another team: nobody lets that through.
        url = f"http://{_name(other)}.{_home(other // TEAM)}"
        said.append({"name": "LEDGER_URL", "value": url})
    container = {
        "name": "main",
        "ports": [{"name": "http", "containerPort": HTTP}],
        "env": said,
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
    }
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": home}
    yield _deployment(home, name, labels, container)
    selector = {"app.kubernetes.io/name": name}
    yield _service(home, name, selector, [{"name": "http", "port": 80, "targetPort": "http"}])


def _ingress(number: int, leads: int) -> Manifest:
    backend = {"service": {"name": _name(leads), "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    host = f"host-{number:05d}.apps.example.com"
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": f"entry-{number:05d}", "namespace": _home(leads // TEAM)},
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{"host": host, "http": {"paths": [path]}}],
        },
    }


def _deployment(home: str, name: str, labels: dict[str, str], container: Manifest) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": home, "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [{"image": f"registry.example.com/{name}:1", **container}],
                },
            },
        },
    }


def _service(
    home: str,
    name: str,
    selector: dict[str, str],
    ports: list[Manifest],
    kind: str = "ClusterIP",
) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": home},
        "spec": {"type": kind, "selector": selector, "ports": ports},
    }
