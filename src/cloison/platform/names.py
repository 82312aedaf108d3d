"""DNS names of Services, as the resolver of a cluster and the search list of a pod make them.

Source: kubernetes/website content/en/docs/concepts/services-networking/dns-pod-service.md;
coredns/coredns plugin/kubernetes/README.md; kubernetes/kubelet config/v1beta1/types.go.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cloison.base import Span
from cloison.ir.names import is_host_name
from cloison.resources.objects import PodShape, Service, ServicePort
from cloison.resources.runtime import DEFAULT_RUNTIME
from cloison.resources.world import World

DOMAIN = "cluster.local"
"""The domain of a cluster, where nothing says another."""
_SEVERAL = "clusterset.local"
"""The domain of Services that several clusters have together: they lead elsewhere, too."""
_SVC = "svc"
_SYSTEMS = ("kube-system", "openshift-dns")
_REVERSE = (".arpa",)
API_SERVER = ("default", "kubernetes")
"""The Service of the API server."""
_LONGEST = 1 << 16
"""Characters of a ConfigMap's value that are looked at."""
_KUBELET = re.compile(
    r"^[ \t]{0,20}\"?clusterDomain\"?:[ \t]{0,20}\"?([A-Za-z0-9.-]{1,253})", re.MULTILINE
)
_ZONES = re.compile(r"^[ \t]{0,40}kubernetes[ \t]+([A-Za-z0-9. \t:/-]{1,1000})", re.MULTILINE)
_FULL = 3
"""Labels of the shortest name that needs no search list: Service, namespace and `svc`."""


@dataclass(frozen=True, slots=True)
class Searched:
    """The Service that a name is.

    Args:
        service: It.
        note: What to say of it.
        host: The pod behind it that is meant, by its host name, where one is.
    """

    service: Service
    note: str
    host: str | None = None

    @property
    def text(self) -> str:
        """What to call it in an answer."""
        return f"svc:{self.service.namespace}/{self.service.name}"


def domains(world: World, said: str | None = None) -> tuple[str, ...]:
    """Return what the names of a cluster's Services end in, as far as anybody says it.

    What kubelets put into search lists comes first, then the zones that the cluster's resolver
    answers for; empty where neither was read.

    Args:
        world: The input: ConfigMaps count.
        said: What the caller says; it counts for more.
    """
    if said is not None:
        return (said.lower().rstrip("."),)
    return tuple(dict.fromkeys((*_of_kubelets(world), *_of_resolver(world))))


def _of_kubelets(world: World) -> Iterator[str]:
    for text in _texts(world, "kubelet"):
        found = _KUBELET.search(text)
        if found is not None:
            name = found[1].lower().rstrip(".")
            if is_host_name(name):
                yield name


def _of_resolver(world: World) -> Iterator[str]:
    for text in _texts(world, "Corefile"):
        for found in _ZONES.finditer(text):
            for zone in found[1].split():
                name = zone.lower().rstrip(".")
                if is_host_name(name) and not name.endswith(_REVERSE):
                    yield name


def _texts(world: World, key: str) -> Iterator[str]:
    """Yield what ConfigMaps of the system hold by a key."""
    for each in world.declared.get(("", "ConfigMap"), ()):
        if each.namespace in _SYSTEMS:
            node = each.document.root.get("data", key)
            if node is not None and isinstance(node.value, str):
                yield node.value[:_LONGEST]


def is_short(name: str) -> bool:
    """Return whether a name is one that only a pod's search list makes a Service's."""
    return name.count(".") < _FULL - 1


def domain(world: World) -> str:
    """Return the domain that pods search: what nobody says otherwise is `cluster.local`."""
    return world.domains[0] if world.domains else DOMAIN


def is_of_cluster(world: World, name: str) -> bool:
    """Return whether nobody outside can have a name: it ends in `svc`, or the cluster's domain."""
    ends = (f".{_SVC}", *(f".{_SVC}.{each}" for each in world.domains or (DOMAIN,)))
    return not is_short(name) and f".{name}".endswith(ends)


def in_full(world: World, name: str) -> Searched | None:
    """Return the Service of the input that a name means without a search list.

    Args:
        world: The input.
        name: `db.data.svc`, `db.data.svc.cluster.local`, or with a host name of a pod before it,
            in lower case without the final dot.
    """
    labels = name.split(".")
    for before in (0, 1):
        rest = labels[before:]
        if rest[_FULL - 1 : _FULL] != [_SVC]:
            continue
        tail = ".".join(rest[_FULL:])
        service = called(world, rest[1], rest[0])
        if service is None or tail == _SEVERAL or (before and "None" not in service.cluster_ips):
            continue
        if tail and world.domains and tail not in world.domains:
            continue  # of another cluster, or of nobody
        said = f"{name} is Service {service.namespace}/{service.name}"
        if before:
            said = f"{name} is a pod of Service {service.namespace}/{service.name}"
        if tail not in ("", DOMAIN, *world.domains):
            said = f"{said}, if {tail} is the cluster's domain"
        return Searched(service, said, labels[0] if before else None)
    return None


def called(world: World, namespace: str, name: str) -> Service | None:
    """Return a Service of the input, or that of the API server, which every cluster has.

    Source: kubernetes/website docs/tasks/run-application/access-api-from-pod.md.
    """
    found = world.services.get((namespace, name))
    if found is None and (namespace, name) == API_SERVER:
        https = ServicePort(443, "TCP", "https")
        return Service(*API_SERVER, Span("", 0, 0), ports=(https,))
    return found


def by_search(world: World, namespace: str, name: str) -> Searched | None:
    """Return the Service of the input that a pod means by a name, searching as clusters set up.

    Args:
        world: The input.
        namespace: The pod's.
        name: `db`, `db.data`, or a longer one, in lower case without the final dot.
    """
    if not is_short(name):
        return in_full(world, name)
    first, _, rest = name.partition(".")
    service = called(world, rest or namespace, first)
    if service is None:
        return _of_headless(world, namespace, first, rest) if rest else None
    return Searched(service, f"{name} is Service {service.namespace}/{service.name}")


def _of_headless(world: World, namespace: str, host: str, name: str) -> Searched | None:
    """Return the headless Service of a pod's own namespace that `kafka-0.kafka` means."""
    service = world.services.get((namespace, name))
    if service is None or "None" not in service.cluster_ips:
        return None
    said = f"{host}.{name} is a pod of Service {namespace}/{name}"
    return Searched(service, said, host) if _is_pod(world, service, host) else None


def _is_pod(world: World, service: Service, host: str) -> bool:
    """Return whether a pod behind a Service has a host name, or will have."""
    selector = service.selector or {}
    for each in world.workloads.values():
        if each.id.namespace != service.namespace or each.id.name not in (host, _stem(host)):
            continue
        for end in each.endpoints:
            run = end.shape.runtime
            named = (end.pod, run.hostname if run is not None else None)
            if selector.items() <= end.labels.items() and (
                host in named or (each.id.kind == "StatefulSet" and each.id.name == _stem(host))
            ):
                return True
    return False


def _stem(host: str) -> str:
    """Return the name of a StatefulSet whose pod has a host name, which ends in a number."""
    stem, _, number = host.rpartition("-")
    return stem if number.isascii() and number.isdecimal() else ""


def service_of(world: World, namespace: str, host: str) -> tuple[str, str] | None:
    """Return the Service of the input that a pod means by a host, by namespace and name.

    Args:
        world: The input.
        namespace: The pod's.
        host: A name as it is written: `db`, `db.data`, `db-0.db.data.svc.cluster.local.`.
    """
    found = by_search(world, namespace, host.lower().rstrip("."))
    key = (found.service.namespace, found.service.name) if found is not None else None
    return key if key in world.services else None


def searches(world: World, shape: PodShape) -> bool:
    """Return whether a pod has the search list of the cluster."""
    runtime = shape.runtime or DEFAULT_RUNTIME
    if runtime.dns_policy == "None":
        return f"{_SVC}.{domain(world)}" in {each.rstrip(".") for each in runtime.searches}
    host = shape.host_network and runtime.dns_policy == "ClusterFirst"
    return runtime.dns_policy != "Default" and not host


def looked_up(world: World, service: Service, name: str) -> str:
    """Return the name that the resolver of the cluster is asked for a Service.

    Args:
        world: The input.
        service: It.
        name: As a client says it.
    """
    long = not is_short(name) and not name.endswith(f".{_SVC}")
    return name if long else f"{service.name}.{service.namespace}.{_SVC}.{domain(world)}"


def close_to(world: World, name: str) -> tuple[str, ...]:
    """Return the names of Services in the form of one that none has."""
    domains = world.domains or (DOMAIN,)
    tail = next((f".{each}" for each in domains if name.endswith(f".{each}")), "")
    return tuple(f"{service}.{space}.{_SVC}{tail}" for space, service in world.services)
