"""Where the API server is, and who makes its calls to pods, as far as the input shows.

Source: kubernetes/website reference/networking/ports-and-protocols.md, concepts/architecture/
control-plane-node-communication.md; kubernetes/minikube pkg/minikube/constants/constants.go.
"""

from dataclasses import dataclass
from typing import Final

from cloison.platform.cluster import Platform
from cloison.platform.component import Component, Role
from cloison.platform.components import component
from cloison.resources.objects import Service
from cloison.resources.world import World

SERVICE: Final = ("default", "kubernetes")
"""The Service that stands for the API server inside the cluster."""
PORT: Final = 6443
"""The port it has where nobody chose another."""
FRONT_PORT: Final = 443
"""The port of its Service."""
_MINIKUBE_PORT: Final = 8443
_CONTROL_PLANE: Final = (
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
    "node-role.kubernetes.io/controlplane",
)
_TUNNELLED: Final = ("gke", "aks")
_TUNNEL: Final = "apiserver-konnectivity"
_CALLERS: Final = frozenset(
    (Role.GATEWAY_CONTROL, Role.MESH_CONTROL, Role.CERTIFICATES, Role.CONTROLLER)
)
_SILENT: Final = frozenset(("cert-manager-http01-solver",))
_RESOLVERS: Final = "dns-coredns"
"""What ids begin with of resolvers that learn Services from the API server; caches do not."""
_HIDDEN: Final = ("gke", "aks", "eks")
"""Platforms whose control plane is no node of the cluster."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """Pods through which calls of the API server may come.

    Args:
        id: The component.
        name: Its name for people.
        namespace: Where they live.
        labels: Their labels.
        source: Who says so.
    """

    id: str
    name: str
    namespace: str
    labels: tuple[tuple[str, str], ...]
    source: str


def calls_api(found: Component) -> bool:
    """Return whether a component cannot do its work without the API server."""
    if found.id in _SILENT:
        return False
    return found.role in _CALLERS or found.id.startswith(_RESOLVERS)


def control_plane(world: World) -> tuple[str, ...]:
    """Return the nodes that run the control plane."""
    return tuple(
        name
        for name, node in world.nodes.items()
        if any(label in node.labels for label in _CONTROL_PLANE)
    )


def api_port(platform: Platform) -> int:
    """Return the port of the API server on its nodes, where nothing says another."""
    return _MINIKUBE_PORT if platform.is_a("minikube") else PORT


def own_nodes(platform: Platform) -> bool:
    """Return whether the control plane of a platform runs on nodes of the cluster."""
    return not any(platform.is_a(name) for name in _HIDDEN)


def tunnel(platform: Platform) -> Tunnel | None:
    """Return the pods through which the API server of a platform may call others."""
    if not any(platform.is_a(name) for name in _TUNNELLED):
        return None
    found = component(_TUNNEL)
    labels = tuple(sorted(found.pod_labels.items()))
    return Tunnel(found.id, found.name, found.namespace or "", labels, found.source)


def front(world: World) -> Service | None:
    """Return the Service that stands for the API server; None where it is not in the input."""
    return world.services.get(SERVICE)
