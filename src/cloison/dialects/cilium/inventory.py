"""What Cilium's objects say of the inventory: labels of identities, and redirects of Services.

An identity is what policies see of a pod. Where a CiliumEndpoint, or the CiliumIdentity it names,
says other labels than the pod has, those count. An identity may also be a reserved one, or of
another cluster: a pod then has a label for that, by a key that no pod can have.

Source: cilium/cilium pkg/k8s/apis/cilium.io/v2, pkg/labels.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from cloison.base import Span
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.identities import (
    ACCOUNT,
    CLUSTER,
    K8S,
    NAMESPACE,
    NAMESPACE_LABELS,
    RESERVED,
    SEEN,
    reserved_key,
)
from cloison.dialects.cilium.model import (
    API_GROUP,
    CiliumEndpoint,
    CiliumIdentity,
    CiliumLocalRedirectPolicy,
    CiliumObject,
)
from cloison.dialects.cilium.redirects import redirected
from cloison.ir.profile import Profile
from cloison.resources.objects import Labels, PodShape
from cloison.resources.world import APART, PodEndpoint, Workload, WorkloadId, World

APART_NAMES = frozenset(("health", "ingress", "init", "unmanaged"))
"""Reserved identities that endpoints besides pods, or pods without one of their own, may have."""
_SPECIAL = frozenset((NAMESPACE, ACCOUNT, CLUSTER))


def tells(objects: Sequence[CiliumObject], profile: Profile, world: World) -> World:
    """Return the inventory as Cilium sees it.

    Args:
        objects: Cilium's objects.
        profile: Who enforces; to another one the objects mean nothing.
        world: The inventory as it was read.
    """
    if not _enforced(profile):
        return world
    seen = _identities(objects)
    if seen:
        world = _with_identities(world, seen, Cluster(profile, world))
    redirects = [each for each in objects if isinstance(each, CiliumLocalRedirectPolicy)]
    return redirected(world, redirects) if redirects else world


def apart(name: str, node: str | None, profile: Profile) -> Workload | None:
    """Return an endpoint that Cilium has besides pods; None where it has none of that name.

    Args:
        name: Of its reserved identity.
        node: Where it is, if somebody says.
        profile: Who enforces.
    """
    if name not in APART_NAMES or not _enforced(profile):
        return None
    own = name if node is None else f"{name}@{node}"
    identity = WorkloadId(APART, own, "Endpoint")
    nowhere = Span("", 0, 0)
    shape = PodShape({reserved_key(name): ""}, node=node)
    return Workload(identity, (PodEndpoint(identity, None, shape, nowhere),), inferred=True)


def _enforced(profile: Profile) -> bool:
    return any(name.startswith(f"{API_GROUP}/") for name in profile.places)


def _identities(objects: Sequence[CiliumObject]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the labels of pods' identities, as far as somebody says them."""
    numbers = {
        each.name: tuple(f"{key}={value}" for key, value in each.security_labels.items())
        for each in objects
        if isinstance(each, CiliumIdentity)
    }
    found = {}
    for each in objects:
        if isinstance(each, CiliumEndpoint):
            known = each.identity_labels
            if known is None:
                known = numbers.get(str(each.identity))
            if known:
                found[each.namespace or "", each.name] = known
    return found


def _with_identities(
    world: World, seen: Mapping[tuple[str, str], tuple[str, ...]], cluster: Cluster
) -> World:
    changed = {}
    for name, workload in world.workloads.items():
        ends = tuple(_seen(end, seen, cluster) for end in workload.endpoints)
        if any(a is not b for a, b in zip(ends, workload.endpoints, strict=True)):
            changed[name] = _changed(workload, ends)
    return replace(world, workloads={**world.workloads, **changed}) if changed else world


def _changed(workload: Workload, ends: tuple[PodEndpoint, ...]) -> Workload:
    return replace(workload, endpoints=ends)


def _seen(
    end: PodEndpoint, seen: Mapping[tuple[str, str], tuple[str, ...]], cluster: Cluster
) -> PodEndpoint:
    """Return a pod with the labels that policies see; those they do not see stay."""
    said = None if end.pod is None else seen.get((end.namespace, end.pod))
    if said is None or end.shape.host_network:
        return end
    own, marks = _sorted(said, cluster)
    if own is None:
        wanted = {**end.labels, **marks}
    else:
        hidden = {k: v for k, v in end.labels.items() if not cluster.keeps(k)}
        wanted = {**hidden, **own, **marks}
    if wanted == dict(end.labels):
        return end
    return replace(end, shape=replace(end.shape, labels=dict(sorted(wanted.items()))))


def _sorted(said: Iterable[str], cluster: Cluster) -> tuple[Labels | None, Labels]:
    """Return labels of the pod in an identity, None without any, and what marks the identity."""
    own: dict[str, str] = {}
    marks: dict[str, str] = {}
    plain = False
    for text in said:
        source, _, rest = text.partition(":")
        key, _, value = rest.partition("=")
        if source == RESERVED:
            marks[reserved_key(key)] = ""
        elif source == K8S:
            plain = True
            if key == CLUSTER and value != cluster.switches.cluster_name:
                marks[CLUSTER] = value
            elif key not in _SPECIAL and not key.startswith(NAMESPACE_LABELS):
                into = own if cluster.keeps(key) else marks
                into[key if cluster.keeps(key) else SEEN + key] = value
    return (own if plain else None), marks
