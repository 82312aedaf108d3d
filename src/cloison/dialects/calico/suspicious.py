"""What Calico accepts and probably nobody meant. Family `CAL2`."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from cloison.base import ENFORCED_ONLY, Diagnostic, Severity, Span
from cloison.dialects.calico import model
from cloison.dialects.calico.suspicious_hosts import hosts
from cloison.dialects.calico.suspicious_rules import rules
from cloison.dialects.dialect import Surroundings
from cloison.dialects.networkpolicy.model import PolicyType
from cloison.dialects.reading.say import suspect

_SORTER = "projectcalico/calico felix/calc/policy_sorter.go"
_STAGED = "projectcalico/calico libcalico-go/lib/backend/syncersv1/updateprocessors; goldmane"


def suspicious(objects: Sequence[model.CalicoObject], around: Surroundings) -> list[Diagnostic]:
    """Return doubts about objects that are accepted.

    Args:
        objects: Every object of this dialect.
        around: What they are applied to.
    """
    policies = [each for each in objects if isinstance(each, model.Policy)]
    found = [*_tiers(objects), *_orders(policies), *_twins(policies), *_staged(objects)]
    found += hosts(objects, policies)
    for policy in policies:
        found += _inert(policy)
        found += _log_only(policy)
        found += rules(policy, objects, around)
    return found


def notices(objects: Sequence[model.CalicoObject]) -> list[Diagnostic]:
    """Return what everybody must know: how many staged policies there are, that do nothing."""
    staged = [
        each
        for each in objects
        if isinstance(each, model.StagedKubernetesNetworkPolicy)
        or (isinstance(each, model.Policy) and each.staged)
    ]
    if not staged:
        return []
    first = min(staged, key=_place)
    count = "1 staged policy takes" if len(staged) == 1 else f"{len(staged)} staged policies take"
    return [
        Diagnostic(
            "CAL110",
            Severity.INFO,
            f"{count} no part: staged policies change nothing until they are enforced",
            first.span,
            str(first),
            effect=ENFORCED_ONLY,
            help="ask with --staged to see the cluster as if they were enforced",
            source="Calico documentation, Staged network policies",
        )
    ]


def _place(each: model.Resource) -> tuple[bool, Span, str]:
    nowhere = Span("", 0, 0)
    return each.span is not None, each.span or nowhere, str(each)


def _tiers(objects: Sequence[model.CalicoObject]) -> Iterator[Diagnostic]:
    for each in objects:
        if isinstance(each, model.Tier) and each.order is None:
            side = "before" if each.name < model.DEFAULT_TIER else "after"
            yield suspect(
                "CAL201",
                each,
                each.span,
                f"the tier `{each.name}` has no order",
                effect=f"it stands beside the tier `default`, by its name {side} it; the "
                "documentation says that it comes last",
                help_="give it an `order`",
                source=f"{_SORTER}, TierLess; Calico documentation, Tier",
            )


def _orders(policies: Sequence[model.Policy]) -> Iterator[Diagnostic]:
    """Say where the name alone puts one of several policies first."""
    places: dict[tuple[str, float | None], list[model.Policy]] = defaultdict(list)
    for policy in policies:
        if not policy.staged:
            places[policy.tier, policy.order].append(policy)
    for (tier, order), found in places.items():
        if not found[1:] or not _differ(found):
            continue
        first = min(found, key=_place)
        said = "no order" if order is None else f"the order {order:g}"
        yield suspect(
            "CAL202",
            first,
            first.span,
            f"{len(found)} policies of the tier `{tier}` have {said}",
            effect="their names decide which is asked first, and Calico 3.32 compares names in "
            "another way than the versions before",
            help_="give each an `order` of its own",
            source=_SORTER,
            severity=Severity.INFO,
        )


def _twins(policies: Sequence[model.Policy]) -> Iterator[Diagnostic]:
    """Say which policies are one object to a version that puts the tier before names at will."""
    named: dict[tuple[str, str | None, str], list[model.Policy]] = defaultdict(list)
    for policy in policies:
        named[policy.kind, policy.namespace, policy.bare_name].append(policy)
    for found in named.values():
        if len({policy.name for policy in found}) > 1:
            last = max(found, key=lambda policy: policy.name)
            yield suspect(
                "CAL207",
                last,
                last.span,
                f"`{last.name}` and `default.{last.name}` are both here",
                effect="to Calico up to 3.31 they are one object; here, as from 3.32 on, they are "
                "two",
                help_="keep one of them",
                source="projectcalico/calico libcalico-go/lib/names/policy.go",
            )


def _differ(policies: Sequence[model.Policy]) -> bool:
    """Return whether it may matter which of some policies comes first."""
    actions = {
        rule.action
        for policy in policies
        for direction in policy.effective_types
        for rule in policy.rules(direction)
    }
    return len(actions - {model.Action.LOG}) > 1


def _staged(objects: Sequence[model.CalicoObject]) -> Iterator[Diagnostic]:
    for each in objects:
        if not isinstance(each, model.StagedKubernetesNetworkPolicy | model.Policy):
            continue
        match each.staged_action:
            case model.StagedAction.LEARN | model.StagedAction.IGNORE:
                yield suspect(
                    "CAL203",
                    each,
                    each.span,
                    f"`stagedAction: {each.staged_action}` means the same as `Set`",
                    effect="it is shown as if it were to be set",
                    help_="write `Set`; the other words belong to tools of the commercial editions",
                    source=_STAGED,
                    severity=Severity.INFO,
                )
            case model.StagedAction.DELETE:
                yield suspect(
                    "CAL204",
                    each,
                    each.span,
                    "Calico previews nothing of a staged deletion",
                    effect="its flow logs show the enforced policy as before; --staged shows the "
                    "cluster without it",
                    help_="ask Cloison what the deletion would change: diff --staged",
                    source=_STAGED,
                    severity=Severity.INFO,
                )


def _inert(policy: model.Policy) -> Iterator[Diagnostic]:
    """Say where rules stand in a direction that the policy does not govern."""
    for direction in PolicyType:
        if policy.rules(direction) and direction not in policy.effective_types:
            field = direction.lower()
            span = policy.ingress_span if direction is PolicyType.INGRESS else policy.egress_span
            yield suspect(
                "CAL205",
                policy,
                span,
                f"`types` has no {direction}, so the {field} rules do nothing",
                effect=f"the policy does not govern {field}",
                help_=f"add `{direction}` to `types`, or remove the rules",
                source="projectcalico/calico felix/calc/policy_sorter.go",
            )


def _log_only(policy: model.Policy) -> Iterator[Diagnostic]:
    for direction in PolicyType:
        found = policy.rules(direction)
        if (
            found
            and direction in policy.effective_types
            and all(rule.action is model.Action.LOG for rule in found)
        ):
            yield suspect(
                "CAL206",
                policy,
                found[0].span,
                f"the {direction.lower()} rules only log",
                effect="what the policy selects meets the tier's default action, which denies "
                "unless the tier passes",
                help_="end with a rule that allows, denies or passes",
                source="projectcalico/calico felix/rules/policy.go, felix/rules/endpoints.go",
            )
