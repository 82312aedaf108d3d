"""DNS names of Services, as the resolver of a cluster and the search list of a pod make them.

Source: kubernetes/website content/en/docs/concepts/services-networking/dns-pod-service.md.
"""

from dataclasses import dataclass

from cloison.resources.objects import PodShape, Service
from cloison.resources.runtime import DEFAULT_RUNTIME
from cloison.resources.world import World

DOMAIN = "cluster.local"
"""The domain of a cluster, where nothing says another."""
_SEVERAL = "clusterset.local"
"""The domain of Services that several clusters have together: they lead elsewhere, too."""
_SVC = "svc"
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


def is_short(name: str) -> bool:
    """Return whether a name is one that only a pod's search list makes a Service's."""
    return name.count(".") < _FULL - 1


def is_of_cluster(name: str) -> bool:
    """Return whether nobody outside can have a name: it ends in `svc`, or the cluster's domain."""
    return not is_short(name) and f".{name}".endswith((f".{_SVC}", f".{_SVC}.{DOMAIN}"))


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
        domain = ".".join(rest[_FULL:])
        service = world.services.get((rest[1], rest[0]))
        if service is None or domain == _SEVERAL or (before and "None" not in service.cluster_ips):
            continue
        said = f"{name} is Service {service.namespace}/{service.name}"
        if before:
            said = f"{name} is a pod of Service {service.namespace}/{service.name}"
        if domain not in ("", DOMAIN):
            said = f"{said}, if {domain} is the cluster's domain"
        return Searched(service, said, labels[0] if before else None)
    return None


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
    service = world.services.get((rest or namespace, first))
    if service is None:
        return None
    return Searched(service, f"{name} is Service {service.namespace}/{service.name}")


def searches(shape: PodShape) -> bool:
    """Return whether a pod has the search list of the cluster."""
    runtime = shape.runtime or DEFAULT_RUNTIME
    if runtime.dns_policy == "None":
        return f"{_SVC}.{DOMAIN}" in {each.rstrip(".") for each in runtime.searches}
    host = shape.host_network and runtime.dns_policy == "ClusterFirst"
    return runtime.dns_policy != "Default" and not host


def looked_up(service: Service, name: str) -> str:
    """Return the name that the resolver of the cluster is asked for a Service.

    Args:
        service: It.
        name: As a client says it.
    """
    long = not is_short(name) and not name.endswith(f".{_SVC}")
    return name if long else f"{service.name}.{service.namespace}.{_SVC}.{DOMAIN}"


def close_to(world: World, name: str) -> tuple[str, ...]:
    """Return the names of Services in the form of one that none has."""
    tail = f".{DOMAIN}" if name.endswith(f".{DOMAIN}") else ""
    return tuple(f"{service}.{space}.{_SVC}{tail}" for space, service in world.services)
