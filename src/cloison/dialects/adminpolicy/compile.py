"""From the model to the policy IR: what a policy of the three kinds means.

The algorithm is that of the Network Policy API: policies of a tier by priority, rules from the
top, the first match decides; `Allow` and `Accept` end evaluation, so does `Deny`, `Pass` leaves
the tier, and so does traffic that no rule matches. Where the tiers stand, and what an enforcer
does not know, its profile says (`Profile.places`).
"""

from collections.abc import Sequence
from typing import Final

from cloison.base import Sharing
from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.beside import as_seen, side_by_side
from cloison.dialects.adminpolicy.matches import (
    compile_peer,
    compile_traffic,
    selected,
    unusable,
    unusable_peer,
)
from cloison.dialects.adminpolicy.placed import (
    BASELINE,
    about_baselines,
    about_fields,
    about_places,
    between_kinds,
    enforced,
    fields_of,
    place_in,
    place_of,
)
from cloison.dialects.adminpolicy.ties import ties
from cloison.dialects.dialect import Compilation
from cloison.ir.caveats import (
    NAMES_NOT_ACCEPTED,
    POLICY_NOT_MODELLED,
    RULE_FAILS_CLOSED,
    RULE_UNUSABLE,
)
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import AnyMatch, PodsMatch, UnknownMatch
from cloison.ir.policy import EVERY_TRAFFIC, Action, Direction, Peer, Policy, PolicyId, Rule
from cloison.ir.profile import Place, Profile
from cloison.resources.world import World

NOWHERE: Final = "unplaced"
"""Tier of policies of which nobody knows where they stand."""

_ACTIONS = {
    "Allow": Action.ALLOW,
    "Accept": Action.ALLOW,
    "Deny": Action.DENY,
    "Pass": Action.PASS,
}


def compile_policies(
    objects: Sequence[model.Object], profile: Profile, world: World
) -> Compilation:
    """Return what each of `objects` means under `profile`.

    Kinds that the profile does not enforce come to nothing, and kinds it knows nothing of to
    policies that leave open what they do; diagnostics say so.
    """
    share = Sharing()
    policies: list[Policy] = []
    origins: list[int] = []
    for number, each in enumerate(objects):
        place = place_in(each, profile)
        compiled = compile_object(each, place, profile, share)
        if compiled is not None:
            policies.append(as_seen(compiled, profile))
            origins.append(number)
    kinds = {place_of(each) for each in objects if enforced(each, profile)}
    both = kinds >= BASELINE
    if both:
        policies = [between_kinds(policy, profile) for policy in policies]
    placed = list(side_by_side(policies, origins, profile))
    policies, origins = [policy for policy, _ in placed], [number for _, number in placed]
    return Compilation(
        tuple(policies),
        tuple(origins),
        diagnostics=(
            *about_places(objects, profile),
            *about_fields(objects, profile),
            *(about_baselines(objects) if both else ()),
            *ties([(objects[i], p) for i, p in zip(origins, policies, strict=True)], world),
        ),
    )


def compile_object(
    policy: model.Object, place: Place | None, profile: Profile, share: Sharing | None = None
) -> Policy | None:
    """Return what one object means.

    Args:
        policy: A policy that the API server accepts.
        place: Where its kind stands; None where nobody knows.
        profile: Who enforces.
        share: Keeps the matches that policies have in common.

    Returns:
        The policy; None where its kind, or this one of its kind, is known not to be enforced.
    """
    share = share or Sharing()
    name = PolicyId(policy.kind, None, policy.name)
    if not enforced(policy, profile):
        return None
    if isinstance(policy, model.Unreadable):
        everybody = (PodsMatch(),)
        return _opaque(name, everybody, frozenset(Direction), policy.reason, policy)
    subjects = (share(selected(policy.subject)),)
    directions = frozenset(direction for direction, rules in _rules(policy) if rules)
    if place is None:
        reason = f"whether and where {profile.title} enforces {policy.kind} is not known"
        return _opaque(name, subjects, directions, reason, policy)
    if unusable(policy.subject.namespaces, policy.subject.pods):
        reason = f"the subject of {policy.kind} {policy.name} has a selector that cannot be used"
        return _opaque(name, subjects, directions, reason, policy)
    priority = None if isinstance(policy, model.BaselineAdminNetworkPolicy) else policy.priority
    return Policy(
        name,
        subjects,
        frozenset(),
        tuple(
            compile_rule(rule, direction, index, place, profile, share)
            for direction, rules in _rules(policy)
            for index, rule in enumerate(rules, 1)
        ),
        place.tier,
        place.at(name, priority),
        span=policy.span,
        subject_span=policy.subject.span or policy.span,
        band=place.band,
    )


def compile_rule(
    rule: model.Rule,
    direction: Direction,
    index: int,
    place: Place,
    profile: Profile,
    share: Sharing | None = None,
) -> Rule:
    """Return what a rule means to an enforcer."""
    share = share or Sharing()
    action = _ACTIONS[rule.action]
    fields = fields_of(rule)
    if any(not peer.known for peer in rule.peers) or fields & place.lacks:
        return _closed(rule, direction, index, action, place)
    peers = tuple(peer for each in rule.peers for peer in compile_peer(each, profile, share))
    traffic, odd = compile_traffic(rule)
    caveats = list(place.carried(fields))
    caveats += [RULE_UNUSABLE] if odd or any(map(unusable_peer, rule.peers)) else []
    if action is not Action.ALLOW and any(peer.domain_names for peer in rule.peers):
        caveats.append(NAMES_NOT_ACCEPTED)
    condition = None
    if rule.unknown:
        condition = f"what `{rule.unknown[0]}` asks for holds"
        caveats.append(POLICY_NOT_MODELLED)
    return Rule(
        direction,
        action,
        peers,
        share(traffic),
        index,
        rule.span,
        condition=condition,
        caveats=tuple(caveats),
    )


def _closed(
    rule: model.Rule, direction: Direction, index: int, action: Action, place: Place
) -> Rule:
    """Return a rule that fails closed, because one of its peers is of no known kind."""
    nobody = action is Action.ALLOW or (action is Action.PASS and place.passes_unknown)
    return Rule(
        direction,
        action if nobody else Action.DENY,
        () if nobody else (Peer(AnyMatch(), rule.span),),
        EVERY_TRAFFIC,
        index,
        rule.span,
        caveats=(*place.carried(fields_of(rule)), RULE_FAILS_CLOSED),
    )


def _rules(policy: model.Policy) -> tuple[tuple[Direction, tuple[model.Rule, ...]], ...]:
    return (
        (Direction.INGRESS, policy.ingress or ()),
        (Direction.EGRESS, policy.egress or ()),
    )


def _opaque(
    name: PolicyId,
    subjects: tuple[PodsMatch, ...],
    directions: frozenset[Direction],
    reason: str,
    policy: model.Object,
) -> Policy:
    """Return a policy that may do anything to its subjects."""
    caveat = Caveat(POLICY_NOT_MODELLED.id, f"{reason}: whatever it may select is undetermined")
    return Policy(
        name,
        subjects,
        directions,
        (),
        NOWHERE,
        span=policy.span,
        subject_span=policy.span,
        opaque=UnknownMatch(reason, caveat),
    )
