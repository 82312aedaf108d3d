"""Policies of other languages, where pods have identities that their own labels do not tell.

Selectors of Kubernetes find pods of the cluster only, and none of a reserved identity.
"""

from dataclasses import replace

from cloison.algebra import LabelSelector, Operator, Requirement
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.identities import CLUSTER, reserved_key
from cloison.ir.policy import AllOf, AnyOf, NoneOf, PeerMatch, PodsMatch, Policy, Rule


def without_marks(policy: Policy, cluster: Cluster) -> Policy:
    """Return a policy whose selectors do not find pods of such identities."""
    reserved = tuple(
        Requirement(reserved_key(name), Operator.DOES_NOT_EXIST) for name in cluster.reserved
    )
    others = Requirement(CLUSTER, Operator.NOT_IN, cluster.clusters)
    # What nobody states is about everybody of the cluster, of a reserved identity, too.
    here = (*(reserved if policy.stated else ()), *((others,) if cluster.clusters else ()))
    there = here if cluster.switches.default_local_cluster else reserved
    return replace(
        policy,
        subjects=tuple(_narrowed(each, here) for each in policy.subjects),
        rules=tuple(_rule(each, here, there) for each in policy.rules),
    )


def _rule(rule: Rule, here: tuple[Requirement, ...], there: tuple[Requirement, ...]) -> Rule:
    subjects = rule.subjects
    if subjects is not None:
        subjects = tuple(_match(each, here) for each in subjects)
    peers = tuple(replace(peer, match=_match(peer.match, there)) for peer in rule.peers)
    return replace(rule, peers=peers, subjects=subjects)


def _match(match: PeerMatch, wanted: tuple[Requirement, ...]) -> PeerMatch:
    if isinstance(match, AnyOf | AllOf | NoneOf):
        return replace(match, matches=tuple(_match(each, wanted) for each in match.matches))
    return _narrowed(match, wanted) if isinstance(match, PodsMatch) else match


def _narrowed(match: PodsMatch, wanted: tuple[Requirement, ...]) -> PodsMatch:
    if not wanted:
        return match
    return replace(match, pods=LabelSelector.of({}, (*match.pods.requirements, *wanted)))
