"""What the API server accepts and the author probably did not mean.

Each check is one function. The ones here look at a single object; `suspicious_order` holds those
about rules that come too late, `suspicious_world` those that need to know what the policies are
applied to. A check that would be wrong as often as right is not worth having:
these stay quiet in doubt.
"""

from collections.abc import Callable, Iterator, Sequence

from cloison.base import Diagnostic, Severity, Span, sort_diagnostics
from cloison.dialects.adminpolicy import model
from cloison.dialects.adminpolicy.case import Case
from cloison.dialects.adminpolicy.say import DOCS
from cloison.dialects.adminpolicy.suspicious_order import ORDER_CHECKS
from cloison.dialects.adminpolicy.suspicious_world import WORLD_CHECKS
from cloison.dialects.dialect import Surroundings
from cloison.dialects.reading.say import suspect
from cloison.ir.peers import PodsMatch, plain_matches

_NPEP_133 = "kubernetes-sigs/network-policy-api npeps/npep-133-fqdn-egress-selector.md"
_SELECTORS = "kubernetes/apimachinery pkg/labels/selector.go"


def suspicious(policies: Sequence[model.Object], around: Surroundings) -> list[Diagnostic]:
    """Return warnings about policies that are valid but probably not meant.

    Args:
        policies: Policies that the API server accepts.
        around: What they are applied to. Without any pod, only the objects are judged.

    Cost: quadratic in the rules of a policy, with one selection per distinct selector.
    """
    readable = [p for p in policies if not isinstance(p, model.Unreadable)]
    found = [d for policy in readable for check in OBJECT_CHECKS for d in check(policy)]
    cases = [case for policy in readable if (case := Case.of(policy)) is not None]
    found += [d for case in cases for d in _contradictions(case)]
    found += [d for order_check in ORDER_CHECKS for d in order_check(cases)]
    if around.world.workloads:
        found += [d for world_check in WORLD_CHECKS for d in world_check(cases, around)]
    return list(sort_diagnostics(found))


def _no_effect(policy: model.Policy) -> Iterator[Diagnostic]:
    """A policy without rules changes nothing: these kinds isolate nobody."""
    if not policy.ingress and not policy.egress:
        yield suspect(
            "ADS001",
            policy,
            policy.span,
            "the policy has no rules",
            effect="it changes nothing: a policy of this API denies only what a rule denies",
            help_="add a rule such as `{action: Deny, from: [{namespaces: {}}]}`, or remove it",
            source=DOCS,
        )


def _denied_names(policy: model.Policy) -> Iterator[Diagnostic]:
    """`domainNames` are meant for accepting rules."""
    for index, rule in enumerate(policy.egress or (), 1):
        named = next((peer for peer in rule.peers if peer.domain_names), None)
        if named is not None and rule.action not in ("Accept", "Allow"):
            yield suspect(
                "ADS005",
                policy,
                named.span,
                f"egress rule {index} names domains and says `{rule.action}`",
                effect="an enforcer may refuse the policy, or leave the rule out; one that applies "
                "it can be got round by connecting to an address nobody looked up",
                help_="accept the domains that are meant and deny `networks` after that",
                source=_NPEP_133,
                severity=Severity.ERROR,
            )


def _names_without_dns(policy: model.Policy) -> Iterator[Diagnostic]:
    """Accepting names does not accept looking them up."""
    rules = policy.egress or ()
    for index, rule in enumerate(rules, 1):
        if rule.action not in ("Accept", "Allow") or not any(p.domain_names for p in rule.peers):
            continue
        rest = rules[index:]
        walled = any(r.action == "Deny" and _everywhere(r) for r in rest)
        if walled and not any(_dns(r) for r in rules):
            yield suspect(
                "ADS006",
                policy,
                rule.span,
                f"egress rule {index} accepts domain names, and none accepts DNS before the "
                "policy denies the rest",
                effect="a name that cannot be looked up has no addresses: the rule has no effect",
                help_="accept UDP and TCP 53 to the cluster's DNS pods before that",
                source=_NPEP_133,
            )
        return


def _everywhere(rule: model.Rule) -> bool:
    networks = {text for peer in rule.peers for text in peer.networks or ()}
    return bool(networks & {"0.0.0.0/0", "::/0"}) and not (rule.ports or rule.protocols)


def _dns(rule: model.Rule) -> bool:
    """Return whether a rule may accept or pass on what looks names up."""
    if rule.action == "Deny" or all(peer.domain_names for peer in rule.peers):
        return False
    if rule.ports is None and rule.protocols is None:
        return True
    texts = [p.named_port for p in rule.ports or () if p.named_port is not None]
    texts += [p.destination_named_port for p in rule.protocols or () if p.destination_named_port]
    numbers = [(p.port_number.port,) * 2 for p in rule.ports or () if p.port_number is not None]
    numbers += [
        (p.port_range.start, p.port_range.end) for p in rule.ports or () if p.port_range is not None
    ]
    for entry in rule.protocols or ():
        for port in (entry.tcp, entry.udp):
            if port is not None:
                numbers.append(port.range or (port.number or 0, port.number or 0))
    return any(low <= _DNS <= high for low, high in numbers) or any("dns" in t for t in texts)


_DNS = 53


def _contradictions(case: Case) -> Iterator[Diagnostic]:
    """A selector that no labels can meet."""
    places: list[tuple[str, Span | None, PodsMatch]] = [
        ("subject", case.meaning.subject_span, match) for match in case.meaning.subjects
    ]
    for rule in case.meaning.rules:
        for peer in rule.peers:
            matches = (m for m in plain_matches(peer.match) if isinstance(m, PodsMatch))
            places += [(f"peer of {rule.label}", peer.span, match) for match in matches]
    for what, span, match in places:
        for selector in (match.namespaces, match.pods):
            if not selector.satisfiable():
                yield suspect(
                    "ADS007",
                    case.policy,
                    span,
                    f"no labels can meet the selector {selector} of the {what}",
                    effect="it selects nothing, now and later",
                    help_="remove one of the conditions that exclude each other",
                    source=_SELECTORS,
                )


OBJECT_CHECKS: tuple[Callable[[model.Policy], Iterator[Diagnostic]], ...] = (
    _no_effect,
    _denied_names,
    _names_without_dns,
)
