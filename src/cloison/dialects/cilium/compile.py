"""From Cilium's objects to the policy IR.

Each rule of a policy becomes a policy of the IR. What rules of several policies mean together
comes after that: which names can be looked up, and what else covers the resolver.
"""

from collections.abc import Sequence

from cloison.base import Diagnostic
from cloison.dialects.cilium import (
    audit,
    conflicts,
    labels,
    learned,
    marked,
    refused,
    resolver,
    tiered,
    told,
)
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.identities import INIT, reserved_key
from cloison.dialects.cilium.model import (
    API_GROUP,
    CiliumCIDRGroup,
    CiliumEndpoint,
    CiliumIdentity,
    CiliumNetworkPolicy,
    CiliumObject,
    Policy,
)
from cloison.dialects.cilium.policies import compile_policy, kind_name, unplaced
from cloison.dialects.cilium.switches import EnablePolicy
from cloison.dialects.cilium.withheld import withheld
from cloison.dialects.dialect import Compilation
from cloison.ir.policy import ANY_NODE, Direction, PolicyId
from cloison.ir.policy import Policy as Meaning
from cloison.ir.profile import Place, Profile
from cloison.resources.world import World

_OWN = f"{API_GROUP}/"
_TIER = "networkpolicy"


def compile_objects(
    objects: Sequence[CiliumObject],
    profile: Profile,
    world: World,
    others: Sequence[Meaning] = (),
) -> Compilation:
    """Return what Cilium's objects mean under a profile.

    Args:
        objects: The objects, as `decode` returns them.
        profile: Who enforces. Of a profile that has no place for Cilium's policies nobody knows
            what its enforcer makes of them: they are opaque.
        world: Where rules find Services, nodes and what ports are called.
        others: What policies of other languages mean.
    """
    groups = {each.name: each for each in objects if isinstance(each, CiliumCIDRGroup)}
    cluster = Cluster(profile, world, dict(sorted(groups.items())))
    numbered = [(place, each) for place, each in enumerate(objects) if isinstance(each, Policy)]
    if not any(name.startswith(_OWN) for name in profile.places):
        policies = [each for _, each in numbered]
        opaque = [(found, n) for n, each in numbered for found in unplaced(each, cluster)]
        return _compilation(opaque, told.unplaced(policies, profile))
    said: list[Diagnostic] = []
    off = [each for _, each in numbered if profile.places.get(kind_name(each)) is None]
    said += told.not_enforced(off, profile)
    found: list[tuple[Meaning, Policy, int]] = []
    for number, policy in numbered:
        place = profile.places.get(kind_name(policy))
        if place is None:
            continue
        refused = withheld(policy, cluster.switches)
        said += refused
        if refused:
            continue
        said += told.missing(policy, cluster)
        found += ((each, policy, number) for each in compile_policy(policy, place, cluster))
    done, more = _together(found, others, cluster)
    done += _of_init(objects, cluster)
    done += _of_hosts(cluster)
    return _compilation(done, (*said, *more, *tiered.without_nodes(others, cluster)))


def beside(
    own: Sequence[Meaning], others: Sequence[Meaning], profile: Profile, world: World
) -> Sequence[Meaning]:
    """Return policies of another language as they are beside Cilium's.

    Args:
        own: What Cilium's objects mean.
        others: What the others do.
        profile: Who enforces.
        world: The inventory, as Cilium sees it.
    """
    if not any(name.startswith(_OWN) for name in profile.places):
        return others
    cluster = Cluster(profile, world)
    limits = resolver.limits(own)
    others = tiered.with_nodes(others, cluster)
    if cluster.marked or any(map(marked.asks_of_identities, others)):
        others = [marked.without_marks(each, cluster) for each in others]
    if cluster.switches.audit:
        others = [audit.reported(each) for each in others]
    if not limits.items:
        return others
    u3 = cluster.switches.u3
    # What another tier lets through does not meet the rules of this one.
    return [
        resolver.beside_limits(each, limits, u3) if each.tier == _TIER else each for each in others
    ]


def _together(
    found: Sequence[tuple[Meaning, Policy, int]], others: Sequence[Meaning], cluster: Cluster
) -> tuple[list[tuple[Meaning, int]], tuple[Diagnostic, ...]]:
    """Return policies as they are beside each other."""
    every = [each for each, _, _ in found]
    known = learned.lookups(every, others, cluster)
    limits = resolver.limits(every)
    u3 = cluster.switches.u3
    loose = _loose(others, cluster)
    done: list[tuple[Meaning, int]] = []
    said: list[Diagnostic] = []
    for each, policy, number in found:
        said += told.never_learned(each, str(policy), known)
        meant = resolver.beside_limits(learned.with_lookups(each, known), limits, u3)
        meanings = audit.audited(meant) if cluster.switches.audit else (meant,)
        done += ((meaning, number) for meaning in meanings)
        if loose is not None:
            more = () if cluster.switches.audit else refused.refused(meant)
            done += ((each, number) for each in (*more, *refused.looked_at(meant, loose)))
    done += ((unknown, found[place][2]) for place, unknown in conflicts.conflicts(every))
    return done, tuple(said)


def _loose(others: Sequence[Meaning], cluster: Cluster) -> int | None:
    """Return the band of what nobody closes; None where no later tier has anything to say."""
    tiers = [tier for layer in cluster.profile.layers for tier in layer.tiers]
    band = next((tier.loose for tier in tiers if tier.name == _TIER), None)
    names = frozenset(each.tier for each in others)
    return band if refused.before_others(cluster.profile, _TIER, names) else None


def _compilation(found: Sequence[tuple[Meaning, int]], said: tuple[Diagnostic, ...]) -> Compilation:
    policies = tuple(policy for policy, _ in found)
    return Compilation(policies, tuple(number for _, number in found), diagnostics=said)


def _of_init(objects: Sequence[CiliumObject], cluster: Cluster) -> list[tuple[Meaning, int]]:
    """Return what closes pods that have no identity yet, both ways, whatever policies say."""
    if INIT not in cluster.reserved:
        return []
    place = cluster.profile.places.get(f"{_OWN}{CiliumNetworkPolicy.kind}") or Place(
        "networkpolicy"
    )
    name = PolicyId("identity", None, reserved_key(INIT))
    closed = Meaning(
        name,
        (labels.reserved_pods(INIT),),
        frozenset(Direction),
        (),
        place.tier,
        place.at(name),
        band=place.band,
        stated=False,
    )
    told_by = (n for n, e in enumerate(objects) if isinstance(e, CiliumEndpoint | CiliumIdentity))
    return [(closed, next(told_by, 0))]


def _of_hosts(cluster: Cluster) -> list[tuple[Meaning, int]]:
    """Return what closes nodes both ways where policies are always enforced, on nodes, too."""
    always = cluster.switches.enable_policy is EnablePolicy.ALWAYS
    nodes = {*cluster.world.nodes, *((ANY_NODE,) if cluster.hosts_anywhere else ())}
    if not (always and cluster.switches.host_firewall and nodes):
        return []
    name = PolicyId("enable-policy", None, "always, on nodes")
    closed = Meaning(
        name,
        (),
        frozenset(Direction),
        (),
        _TIER,
        nodes=frozenset(nodes),
        stated=False,
    )
    return [(closed, 0)]
