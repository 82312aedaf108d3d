"""Addresses from which clouds hand out data and credentials of a machine, and who needs them.

Source: `known/providers.toml`, which names who says each; docs.aws.amazon.com
eks/latest/userguide/pod-id-agent-setup; cloud.google.com kubernetes-engine workload identity.
"""

from dataclasses import dataclass
from typing import Final

from cloison.platform.cluster import Platform
from cloison.platform.component import Component, Role
from cloison.platform.components import component, known
from cloison.resources.objects import PodShape
from cloison.resources.world import World

SOURCE: Final = (
    "MicrosoftDocs/azure-aks-docs articles/aks/operator-best-practices-cluster-security.md; "
    "awsdocs/amazon-eks-user-guide"
)
"""Who says that pods should not reach what their node may ask."""
CREDENTIALS: Final = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
"""The variable that says where a container gets its credentials."""
CREDENTIALS_SOURCE: Final = "docs.aws.amazon.com eks/latest/userguide/pod-id-agent-setup"

_EXPOSING: Final = ("md-imds-v4", "md-imds-v6-aws", "md-azure-wireserver", "md-alibaba")
"""What pods should not reach, if they need not."""
_UNKNOWN: Final = ("md-imds-v4",)
"""What is asked about where nothing tells the cloud: nearly every one has it."""
_NO_CLOUD: Final = ("kind", "minikube")
_GKE_ACCOUNT: Final = "iam.gke.io/gcp-service-account"


@dataclass(frozen=True, slots=True)
class Metadata:
    """Addresses of a metadata service.

    Args:
        component: Who has them.
        blocks: The addresses, as blocks.
        port: The port that hands out data.
        certain: Whether the platform is known to have them.
    """

    component: Component
    blocks: tuple[str, ...]
    port: int
    certain: bool


@dataclass(frozen=True, slots=True)
class Need:
    """A metadata service that a pod cannot do without.

    Args:
        services: The component's ids, any one of which will do.
        why: What says so.
    """

    services: tuple[str, ...]
    why: str


def exposing(platform: Platform) -> tuple[Metadata, ...]:
    """Return what broad egress should leave out on a platform."""
    if platform.provider is None and any(platform.is_a(name) for name in _NO_CLOUD):
        return ()
    return tuple(_metadata(each, platform) for each in known() if _here(each, platform))


def _here(each: Component, platform: Platform) -> bool:
    if each.role is not Role.METADATA or each.id not in _EXPOSING:
        return False
    if platform.provider is None:
        return each.id in _UNKNOWN
    return any(platform.is_a(name) for name in each.platforms)


def _metadata(each: Component, platform: Platform) -> Metadata:
    ports = [port.port for port in each.ports if isinstance(port.port, int)]
    return Metadata(each, each.blocks, ports[0], platform.provider is not None)


def needed(world: World, platform: Platform, namespace: str, shape: PodShape) -> tuple[Need, ...]:
    """Return the metadata services without which a pod has no credentials.

    Args:
        world: Where service accounts are.
        platform: What it is.
        namespace: The pod's.
        shape: The pod.
    """
    found = []
    account = world.accounts.get((namespace, shape.service_account))
    if platform.is_a("gke") and account is not None and _GKE_ACCOUNT in account.annotations:
        why = f"annotation {_GKE_ACCOUNT} of ServiceAccount {namespace}/{shape.service_account}"
        dataplane = platform.is_a("gke-dataplane-v2")
        served = ("md-gke-metadata-dpv2",) if dataplane else ("md-gke-metadata-calico",)
        found.append(Need(served, why))
    return tuple(found)


def metadata(name: str, platform: Platform) -> tuple[Metadata, ...]:
    """Return a metadata service, once for each of its ports."""
    each = component(name)
    ports = [port.port for port in each.ports if isinstance(port.port, int)]
    return tuple(Metadata(each, each.blocks, port, bool(platform.name)) for port in ports)
