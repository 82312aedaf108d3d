"""Where an enforcer puts the policies, and what is to be said where it does not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from cloison.base import Diagnostic, Severity
from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.say import DOCS
from cloison.dialects.reading.say import suspect
from cloison.ir.caveats import BASELINE_KINDS
from cloison.ir.policy import Policy
from cloison.ir.profile import Place, Profile

BASELINE: Final = frozenset({"BaselineAdminNetworkPolicy", "ClusterNetworkPolicy/Baseline"})
"""Keys of `Profile.places` of what comes after NetworkPolicy."""


def place_of(policy: model.Object) -> str:
    """Return the key of a policy in `Profile.places`."""
    if isinstance(policy, model.ClusterNetworkPolicy):
        return f"{policy.kind}/{policy.tier}"
    return policy.kind


def place_in(policy: model.Object, profile: Profile) -> Place | None:
    """Return where a policy stands; None where nobody knows, or nowhere."""
    return profile.places.get(place_of(policy))


def enforced(policy: model.Object, profile: Profile) -> bool:
    """Return whether a policy is not known to be left alone."""
    if isinstance(policy, model.Unreadable):
        mine = [p for key, p in profile.places.items() if key.partition("/")[0] == policy.kind]
        return profile.enforces and (not mine or any(place is not None for place in mine))
    key = place_of(policy)
    place = profile.places.get(key)
    if key in profile.places and place is None:
        return False
    return not _too_late(policy, place)


def _too_late(policy: model.Policy, place: Place | None) -> bool:
    """Return whether a policy asks for a priority that the enforcer does not have."""
    if place is None or place.last is None:
        return False
    return not isinstance(policy, model.BaselineAdminNetworkPolicy) and policy.priority > place.last


def between_kinds(policy: Policy, profile: Profile) -> Policy:
    """Return a policy whose rules say that the order between two kinds is our own choice."""
    tiers = {place.tier for key in BASELINE if (place := profile.places.get(key))}
    if policy.tier not in tiers:
        return policy
    rules = (replace(rule, caveats=(*rule.caveats, BASELINE_KINDS)) for rule in policy.rules)
    return replace(policy, rules=tuple(rules))


def about_baselines(objects: Iterable[model.Object]) -> Iterator[Diagnostic]:
    """Say that Baseline rules of two kinds meet."""
    for policy in objects:
        if isinstance(policy, model.BaselineAdminNetworkPolicy):
            yield suspect(
                "ADL031",
                policy,
                policy.span,
                "a BaselineAdminNetworkPolicy beside ClusterNetworkPolicies of the Baseline tier",
                effect="nothing says which come first: it is taken to come after them, "
                "and answers that rest on either say so",
                help_="move its rules into a ClusterNetworkPolicy with a priority",
                source=DOCS,
            )


def about_places(objects: Sequence[model.Object], profile: Profile) -> Iterator[Diagnostic]:
    """Say which objects are not enforced, once for each kind; or that nobody knows."""
    by_kind: dict[str, list[model.Object]] = {}
    for each in objects:
        if isinstance(each, model.Unreadable):
            continue
        by_kind.setdefault(place_of(each), []).append(each)
        place = place_in(each, profile)
        if _too_late(each, place) and place is not None:
            yield suspect(
                "ADL034",
                each,
                each.span,
                f"{profile.title} has no priority later than {place.last:g}",
                effect="it does not enforce this policy: none of its rules counts",
                help_=f"use a priority from 0 to {place.last:g}",
                source=profile.source,
                severity=Severity.ERROR,
            )
    for kind, found in sorted(by_kind.items()):
        first = min(found, key=lambda o: (o.span is not None, o.span))
        count = f"{len(found)} {'object' if len(found) == 1 else 'objects'} of kind"
        if kind not in profile.places:
            yield Diagnostic(
                "ADL033",
                Severity.WARNING,
                f"whether {profile.title} enforces {kind} is not known; {len(found)} found",
                first.span,
                None,
                "answers about pods that they select are undetermined, in the directions they "
                "have rules for",
                "name the CNI and its version with --cni, or leave these objects out of the input",
                profile.source,
            )
        elif profile.places[kind] is None:
            yield Diagnostic(
                "ADL032",
                Severity.WARNING,
                f"{profile.title} does not enforce {kind}; {len(found)} found",
                first.span,
                None,
                f"{count} {kind} change nothing in any answer",
                "name the CNI that is there with --cni, or say it with NetworkPolicies",
                profile.source or DOCS,
            )


def fields_of(rule: model.Rule) -> frozenset[str]:
    """Return the fields of a rule that some enforcer does not know."""
    found = set()
    for peer in rule.peers:
        if peer.nodes is not None:
            found.add("nodes")
        if peer.domain_names is not None:
            found.add("domainNames")
    if any(port.named_port is not None for port in rule.ports or ()):
        found.add("namedPort")
    return frozenset(found)


def about_fields(objects: Iterable[model.Object], profile: Profile) -> Iterator[Diagnostic]:
    """Say which rules fail closed, because the enforcer does not know a field of theirs."""
    for each in objects:
        place = place_in(each, profile)
        if place is None or isinstance(each, model.Unreadable) or not enforced(each, profile):
            continue
        for rule in (*(each.ingress or ()), *(each.egress or ())):
            lacking = sorted(fields_of(rule) & place.lacks)
            if lacking:
                yield _closes(each, rule, lacking, place, profile)


def _closes(
    policy: model.Policy, rule: model.Rule, lacking: list[str], place: Place, profile: Profile
) -> Diagnostic:
    ignored = rule.action == "Pass" and place.passes_unknown
    if ignored or rule.action in ("Accept", "Allow"):
        effect = "it fails closed: this rule matches nothing"
    else:
        effect = "it fails closed: this rule denies its subject everything in that direction"
    return suspect(
        "ADL035",
        policy,
        rule.span,
        f"{profile.title} does not know `{'` and `'.join(lacking)}`",
        effect=effect,
        help_="say the peers in a way it knows, or name the CNI that is there with --cni",
        source=profile.source,
    )
