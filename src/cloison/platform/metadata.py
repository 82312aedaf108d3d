"""Addresses from which clouds hand out data and credentials of a machine, and who needs them.

Source: `known/providers.toml`, which names who says each; docs.aws.amazon.com
eks/latest/userguide/pod-id-agent-setup; aws-controllers-k8s/eks-controller
config/crd/bases; cloud.google.com kubernetes-engine workload identity.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cloison.algebra import NO_TRAFFIC, AddressSet, TrafficSet
from cloison.base import Severity
from cloison.platform.cluster import Platform
from cloison.platform.component import Component, Role
from cloison.platform.components import component, known
from cloison.resources.declared import Declared
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
_ASSOCIATION: Final = ("eks.services.k8s.aws", "PodIdentityAssociation")
POD_IDENTITY: Final = "md-eks-pod-identity"
"""Who gives credentials to pods that an object associates with a role."""
_GKE_ACCOUNT: Final = "iam.gke.io/gcp-service-account"
_DNS: Final = 53
"""Where a resolver answers, and no metadata."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """Addresses of a metadata service.

    Args:
        component: Who has them.
        certain: Whether the platform has it for certain: it is known, and its vendor says so.
    """

    component: Component
    certain: bool

    @property
    def addresses(self) -> AddressSet:
        """Where it is."""
        blocks = self.component.blocks
        return AddressSet(span for each in blocks for span in AddressSet.block(each).spans)

    @property
    def numbers(self) -> tuple[tuple[str, int], ...]:
        """The ports that hand out data, each with its protocol."""
        return tuple(
            (port.protocol, port.port)
            for port in self.component.ports
            if isinstance(port.port, int) and port.port != _DNS
        )

    @property
    def traffic(self) -> TrafficSet:
        """The traffic that asks for data."""
        found = NO_TRAFFIC
        for each in self.numbers:
            found |= TrafficSet.ports(*each)
        return found

    @property
    def exposes(self) -> bool:
        """Whether what it hands out is the node's, and not meant for the pod that asks."""
        return self.component.id in _EXPOSING


def severity(*, certain: bool) -> Severity:
    """Return how bad it is that pods reach what exposes their node.

    A hole for certain, where it is known to be there; else the cluster may run where it is not.

    Args:
        certain: Whether the platform has it for certain.
    """
    return Severity.ERROR if certain else Severity.WARNING


def effect(*, certain: bool) -> str:
    """Return what comes of pods that reach what exposes their node.

    Args:
        certain: Whether the platform has it for certain.
    """
    unsure = "" if certain else ", where the cluster runs in a cloud that has them"
    return "who gets into the pod can ask for the credentials of its node" + unsure


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
    return tuple(each for each in served(platform) if each.exposes)


def served(platform: Platform) -> Iterator[Metadata]:
    """Yield the metadata services of a platform; what nearly every cloud has if none is known."""
    local = any(platform.is_a(name) for name in _NO_CLOUD)
    for each in known():
        if each.role is not Role.METADATA:
            continue
        if any(platform.is_a(name) for name in each.platforms):
            yield Metadata(each, each.certain)
        elif platform.provider is None and not local and each.id in _UNKNOWN:
            yield Metadata(each, certain=False)


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
        server = "md-gke-metadata-dpv2" if dataplane else "md-gke-metadata-calico"
        found.append(Need((server,), why))
    return tuple(found)


def associated(world: World, namespace: str, shape: PodShape) -> Declared | None:
    """Return the object by which the agent for pod identities gives a pod credentials, if any.

    Args:
        world: Where such objects are.
        namespace: The pod's.
        shape: The pod.
    """
    for item in world.declared.get(_ASSOCIATION, ()):
        spec = {key: item.document.root.get("spec", key) for key in ("namespace", "serviceAccount")}
        said = {key: node.value if node is not None else None for key, node in spec.items()}
        if (said["namespace"], said["serviceAccount"]) == (namespace, shape.service_account):
            return item
    return None


def metadata(name: str) -> Metadata:
    """Return a metadata service by the id of its component."""
    each = component(name)
    return Metadata(each, each.certain)
