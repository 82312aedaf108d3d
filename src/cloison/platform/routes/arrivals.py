"""From where connections arrive at the pods behind a Service that is open to the outside.

Sources: kubernetes/website tutorials/services/source-ip.md; kubernetes/api core/v1/types.go;
kubernetes-sigs/aws-load-balancer-controller docs/guide/service/nlb.md; kubernetes/ingress-gce
docs; MicrosoftDocs/azure-aks-docs articles/aks/configure-load-balancer-standard.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cloison.platform.cluster import Platform
from cloison.platform.components import component
from cloison.resources.objects import Service

_SOURCE_IP = "kubernetes/website tutorials/services/source-ip.md"
_AWS = "service.beta.kubernetes.io/aws-load-balancer-"
_AWS_SOURCE = "kubernetes-sigs/aws-load-balancer-controller docs/guide/service/nlb.md"
_NEG = "cloud.google.com/neg"
_ANYWHERE = ("0.0.0.0/0",)


class Apparent(StrEnum):
    """Whom a pod sees when somebody outside calls."""

    CLIENT = "client"
    """The client itself."""
    NODE = "node"
    """The node that took the packet in."""
    BALANCER = "balancer"
    """The load balancer."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """How connections arrive at pods.

    Args:
        apparent: Whom the pod sees.
        why: What says so, for people.
        source: Who says so.
        blocks: The addresses that it sees; empty where nothing in a cluster says them.
        checks: Whether these are health checks, which decide whether any traffic comes.
        nodes: Whether a check that fails takes a whole node out.
    """

    apparent: Apparent
    why: str
    source: str
    blocks: tuple[str, ...] = ()
    checks: bool = False
    nodes: bool = False


def is_open(service: Service) -> bool:
    """Return whether a Service takes connections from outside the cluster."""
    return service.type in ("LoadBalancer", "NodePort") or bool(service.external_ips)


def arrivals(service: Service, platform: Platform) -> Iterator[Arrival]:
    """Yield how connections from outside arrive at the pods behind a Service.

    Args:
        service: The Service.
        platform: What the cluster is.
    """
    if not is_open(service):
        return
    name = f"Service {service.namespace}/{service.name}"
    if service.type == "LoadBalancer" and _aws_pods(service):
        yield from _aws(service, name)
        return
    if "exposed_ports" in service.annotations.get(_NEG, ""):
        group = component("lb-gcp-l7")
        why = f"{name} is made an endpoint group: the load balancer checks the pods themselves"
        yield Arrival(Apparent.BALANCER, why, group.source, group.blocks, checks=True)
    if service.external_traffic_policy == "Local":
        why = f"externalTrafficPolicy of {name} is Local: the client's address is kept"
        blocks = service.source_ranges or _ANYWHERE
        yield Arrival(Apparent.CLIENT, why, _SOURCE_IP, blocks)
        return
    why = f"externalTrafficPolicy of {name} is Cluster: a node puts its own address in"
    checked = service.type == "LoadBalancer" and platform.is_a("azure")
    yield Arrival(Apparent.NODE, why, _SOURCE_IP, nodes=checked)


def _aws_pods(service: Service) -> bool:
    """Return whether a load balancer's targets are the addresses of pods."""
    notes = service.annotations
    return notes.get(f"{_AWS}nlb-target-type") == "ip" or notes.get(f"{_AWS}type", "") == "nlb-ip"


def _aws(service: Service, name: str) -> Iterator[Arrival]:
    """Yield how connections of a load balancer arrive whose targets are pods."""
    attributes = service.annotations.get(f"{_AWS}target-group-attributes", "")
    kept = "preserve_client_ip.enabled=true" in attributes.replace(" ", "")
    datagrams = bool(service.ports) and all(port.protocol == "UDP" for port in service.ports)
    if kept or (datagrams and "preserve_client_ip" not in attributes):
        why = f"the targets of {name} are pods, and the client's address is kept"
        yield Arrival(Apparent.CLIENT, why, _AWS_SOURCE, service.source_ranges or _ANYWHERE)
    why = f"the targets of {name} are pods: the load balancer calls from its subnets"
    yield Arrival(Apparent.BALANCER, why, _AWS_SOURCE, checks=True)
