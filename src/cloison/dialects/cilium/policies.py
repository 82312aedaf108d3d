"""Cilium's policies, one by one, as policies of the IR: one for each of their rules."""

from collections.abc import Iterator
from dataclasses import replace

from cloison.dialects.cilium import caveats, labels
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.identities import K8S
from cloison.dialects.cilium.labels import Scope
from cloison.dialects.cilium.model import API_GROUP
from cloison.dialects.cilium.model import Policy as Written
from cloison.dialects.cilium.model import Rule as WrittenRule
from cloison.dialects.cilium.rules import compiled, elements
from cloison.ir.peers import PodsMatch, UnknownMatch
from cloison.ir.policy import ANY_NODE, Direction, Policy, PolicyId, Rule
from cloison.ir.profile import Place

_UNPLACED = "cilium"
"""Tier of policies of which nobody knows where they stand."""


def policy_id(policy: Written) -> PolicyId:
    """Return what a policy is called in the IR."""
    return PolicyId(policy.kind, policy.namespace, policy.name)


def kind_name(policy: Written) -> str:
    """Return what the kind is called among the places of a profile."""
    return f"{API_GROUP}/{policy.kind}"


def compile_policy(policy: Written, place: Place, cluster: Cluster) -> Iterator[Policy]:
    """Yield what the rules of a policy mean."""
    for written in policy.rules:
        found = _policy(policy, written, place)
        if written.nodes is not None:
            yield from _of_nodes(found, written, policy, cluster)
        else:
            selector = written.endpoints
            if selector is None:
                continue
            scope = Scope(cluster, policy.namespace, labels.selects_init(selector))
            subjects = labels.subjects(selector, scope)
            meant = replace(
                found, subjects=cluster.share(subjects), isolates=isolates(written, cluster)
            )
            yield replace(meant, rules=tuple(_rules(written, scope)))
            demanding = _demanding(written)
            if demanding:
                why = UnknownMatch("labels that a rule requires of peers", caveats.REQUIRES)
                yield replace(found, subjects=subjects, isolates=demanding, opaque=why)


def _policy(policy: Written, written: WrittenRule, place: Place) -> Policy:
    name = policy_id(policy)
    return Policy(
        name,
        (),
        frozenset(),
        (),
        place.tier,
        place.at(name),
        span=policy.span,
        band=place.band,
        subject_span=written.endpoints_span or written.span or policy.span,
    )


def _demanding(written: WrittenRule) -> frozenset[Direction]:
    """Return the directions in which a rule narrows what others allow, which 1.18 still knows."""
    return frozenset(
        direction
        for direction in Direction
        for _, listed in elements(written, direction)
        if any(each.requires for each in listed)
    )


def isolates(written: WrittenRule, cluster: Cluster) -> frozenset[Direction]:
    """Return the directions in which what no rule lets through is denied.

    A direction without any element is not touched, whatever `enableDefaultDeny` says.
    """
    said = {
        Direction.INGRESS: written.default_ingress,
        Direction.EGRESS: written.default_egress,
    }
    optional = cluster.switches.non_default_deny
    return frozenset(
        direction
        for direction, wanted in said.items()
        if any(listed for _, listed in elements(written, direction))
        and (wanted is not False or not optional)
    )


def _rules(written: WrittenRule, scope: Scope) -> Iterator[Rule]:
    for direction in Direction:
        yield from compiled(written, direction, scope)


def _of_nodes(
    found: Policy, written: WrittenRule, policy: Written, cluster: Cluster
) -> Iterator[Policy]:
    """Yield a policy of nodes, if there is a firewall on them."""
    if not cluster.switches.host_firewall or written.nodes is None:
        return
    wanted = labels.nodes(written.nodes, cluster, K8S)
    if wanted is None:
        return
    selector, _ = wanted
    known, unknown = set(), set()
    for node in cluster.world.nodes.values():
        if node.span is None and selector:
            unknown.add(node.name)
        elif selector.matches(node.labels):
            known.add(node.name)
    if cluster.hosts_anywhere:
        (unknown if selector else known).add(ANY_NODE)
    scope = Scope(cluster, policy.namespace)
    yield replace(
        found,
        nodes=frozenset(known | unknown),
        doubtful=frozenset(unknown),
        isolates=isolates(written, cluster),
        rules=tuple(_rules(written, scope)),
    )


def unplaced(policy: Written, cluster: Cluster) -> Iterator[Policy]:
    """Yield what a policy is under a profile that says nothing of its kind."""
    why = UnknownMatch(f"{policy.kind} ({API_GROUP}) is Cilium's", caveats.CILIUM_POLICY)
    for written in policy.rules:
        if written.endpoints is None:
            continue
        scope = Scope(cluster, policy.namespace)
        subjects = labels.subjects(written.endpoints, scope)
        directions = frozenset(
            each for each in Direction if any(listed for _, listed in elements(written, each))
        )
        yield Policy(
            policy_id(policy),
            subjects or (PodsMatch(namespace=policy.namespace),),
            directions,
            (),
            _UNPLACED,
            span=policy.span,
            subject_span=written.endpoints_span or policy.span,
            opaque=why,
        )
