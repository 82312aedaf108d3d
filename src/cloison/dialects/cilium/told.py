"""What comes to light when policies are put together with what they name."""

from collections.abc import Iterable, Iterator, Sequence

from cloison.base import Diagnostic, Severity, Span
from cloison.dialects.cilium import blocks, learned, services
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.learned import Lookups
from cloison.dialects.cilium.model import CiliumNetworkPolicy, Policy
from cloison.dialects.cilium.model_rules import Element
from cloison.dialects.cilium.switches import PRODUCT
from cloison.ir.policy import Policy as Meaning
from cloison.ir.profile import Profile


def unplaced(policies: Sequence[Policy], profile: Profile) -> tuple[Diagnostic, ...]:
    """Say that nobody knows what an enforcer makes of Cilium's policies."""
    if not policies:
        return ()
    return (
        Diagnostic(
            "CIL301",
            Severity.WARNING,
            f"policies of Cilium are not judged under the profile {profile.name}; "
            f"{len(policies)} found",
            _first(policies).span,
            effect="answers about the pods that the policies select are undetermined",
            help="if Cilium enforces them, say so: --cni cilium@1.20",
            source="Cloison interface, Verdicts",
        ),
    )


def not_enforced(policies: Sequence[Policy], profile: Profile) -> Iterator[Diagnostic]:
    """Say that policies of a kind are not in force: by a setting, or because another enforces."""
    ours = profile.name.partition("@")[0] == PRODUCT
    for kind in sorted({each.kind for each in policies}):
        mine = [each for each in policies if each.kind == kind]
        own = kind == CiliumNetworkPolicy.kind
        switch = "enable-cilium-network-policy" if own else _CLUSTERWIDE
        why = f"`{switch}` is off, so no {kind} is enforced"
        yield Diagnostic(
            "CIL302",
            Severity.INFO,
            f"{why if ours else f'{profile.name} enforces no {kind}'}; {len(mine)} found",
            _first(mine).span,
            effect="answers leave them out" if ours else f"to {profile.name} they are not there",
            source="cilium/cilium pkg/option/config.go" if ours else profile.source,
        )


_CLUSTERWIDE = "enable-cilium-clusterwide-network-policy"


def _first(policies: Iterable[Policy]) -> Policy:
    return min(policies, key=lambda each: (each.span is not None, each.span, str(each)))


def missing(policy: Policy, cluster: Cluster) -> Iterator[Diagnostic]:
    """Say what a policy names and is not in the input."""
    for element, denies in _elements(policy):
        for rule in element.cidr_sets or ():
            if rule.group is not None and not blocks.groups_of(rule, cluster):
                yield _missing(
                    "CIL303",
                    policy,
                    rule.span or element.span,
                    f"the CiliumCIDRGroup {rule.group} is not in the input",
                    "it stands for no address",
                    "add the group, or correct the name",
                    "cilium/cilium pkg/policy/types/policyentry.go",
                )
        refs = element.services or ()
        if refs and (denies or not services.meant(refs, cluster).found):
            effect = f"nobody is {'denied' if denies else 'let through'}"
            if element.ports:
                effect = "whom the rule is about is open (`cilium.U2`): nobody, or everybody"
            message = "no Service that `toServices` names is in the input"
            help_ = "add the Service, or correct its name and namespace"
            if denies:
                message = "Cilium looks up no Service of a rule that denies"
                help_ = "select the pods of the Service with `toEndpoints`"
            yield _missing(
                "CIL304",
                policy,
                refs[0].span or element.span,
                message,
                effect,
                help_,
                "cilium/cilium pkg/policy/k8s/service.go; cilium/cilium issue 20067",
            )


def never_learned(policy: Meaning, name: str, known: Lookups) -> Iterator[Diagnostic]:
    """Say which names nobody may look up through the DNS proxy, so that no rule holds for them."""
    for rule, peer in learned.unlearned(policy, known):
        text = ", ".join(map(str, getattr(peer.match, "names", ())))
        yield Diagnostic(
            "CIL305",
            Severity.WARNING,
            f"{rule.label} names {text}, and no rule with `rules.dns` lets anybody look it up",
            peer.span or rule.span,
            name,
            effect="no address of that name is ever let through by it",
            help="add an egress rule for the resolver, port 53, with `rules: {dns: [...]}`",
            source="Cilium documentation, Layer 3 policies",
        )


def _elements(policy: Policy) -> Iterator[tuple[Element, bool]]:
    """Yield elements, each with whether it denies."""
    for rule in policy.rules:
        for listed in (rule.ingress, rule.egress):
            yield from ((each, False) for each in listed or ())
        for listed in (rule.ingress_deny, rule.egress_deny):
            yield from ((each, True) for each in listed or ())


def _missing(
    code: str,
    policy: Policy,
    span: Span | None,
    message: str,
    effect: str,
    help_: str,
    source: str,
) -> Diagnostic:
    return Diagnostic(code, Severity.WARNING, message, span, str(policy), effect, help_, source)
