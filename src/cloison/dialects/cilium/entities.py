"""Entities: whom a policy names without a label.

Source: cilium/cilium pkg/policy/api/entity.go, pkg/identity/numericidentity.go.
"""

from collections.abc import Mapping

from cloison.dialects.cilium import caveats
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.labels import (
    OTHER_NODES,
    OWN_NODE,
    api_server,
    of_cluster,
    reserved_pods,
    world,
)
from cloison.dialects.cilium.model import Entity
from cloison.dialects.cilium.unsettled import U5
from cloison.ir.peers import AnyMatch, NodesMatch, PeerMatch, UnknownMatch

_ENDPOINTS = frozenset((Entity.INIT, Entity.INGRESS, Entity.UNMANAGED, Entity.HEALTH, Entity.NONE))
"""Ends that are no object of the cluster; only a CiliumEndpoint may say that a pod is one."""


def matches(entity: str, cluster: Cluster) -> tuple[PeerMatch, ...]:
    """Return whom an entity is, any of these; none where it is nobody of the inventory."""
    if entity in _ENDPOINTS:
        return (reserved_pods(entity),) if entity in cluster.reserved else ()
    if entity in _FIXED:
        return _FIXED[entity]
    if entity.startswith(_WORLD):
        families = (int(entity[-1]),) if entity != _WORLD else (4, 6)
        return tuple(world(family, cluster) for family in families)
    if entity == Entity.KUBE_APISERVER:
        return api_server(cluster)
    if entity == Entity.CLUSTER:
        return (*of_cluster(cluster), NodesMatch(), *api_server(cluster))
    if cluster.switches.u5 is U5.ABSENT:
        return ()
    return (UnknownMatch(f"who belongs to the entity {entity}", caveats.ENTITY_UNKNOWN),)


_WORLD = Entity.WORLD.value
_FIXED: Mapping[str, tuple[PeerMatch, ...]] = {
    Entity.ALL: (AnyMatch(),),
    Entity.HOST: OWN_NODE,
    Entity.REMOTE_NODE: OTHER_NODES,
}
