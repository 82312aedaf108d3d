"""What the API server accepts and the author probably did not mean.

Each check is one function. The ones here look at a single object; `suspicious_world`
holds those that need to know what the policies are applied to, `suspicious_profile` and
`suspicious_reading` those about who enforces them. A check that would be
wrong as often as right is not worth having: these stay quiet in doubt.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from cloison.base import Diagnostic, sort_diagnostics
from cloison.dialects.dialect import Surroundings
from cloison.dialects.networkpolicy.case import Case
from cloison.dialects.networkpolicy.known import Known
from cloison.dialects.networkpolicy.model import (
    LabelSelector,
    NetworkPolicy,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    NetworkPolicyRule,
    PolicyType,
)
from cloison.dialects.networkpolicy.suspicious_blocks import RANGE_CHECKS
from cloison.dialects.networkpolicy.suspicious_profile import unsupported
from cloison.dialects.networkpolicy.suspicious_reading import read_otherwise
from cloison.dialects.networkpolicy.suspicious_world import WORLD_CHECKS
from cloison.dialects.reading.say import suspect
from cloison.dialects.reading.selectors import compile_selector

DNS = 53
_DEFAULTS = "kubernetes/kubernetes pkg/apis/networking/v1/defaults.go"
_TYPES = "kubernetes/api networking/v1/types.go"
_DOCS = "Kubernetes docs, Network Policies"

Check = Callable[[NetworkPolicy], Iterator[Diagnostic]]


def suspicious(policies: Sequence[NetworkPolicy], around: Surroundings) -> list[Diagnostic]:
    """Return warnings about policies that are valid but probably not meant.

    Args:
        policies: Policies that passed `validate`.
        around: What they are applied to. Without any pod, only the objects are judged, by
            themselves and against ranges and the profile.

    Cost: linear in the policies' peers, plus one selection per distinct selector.
    """
    counted = around.profile.reading.every_list
    alone = [c for c in OBJECT_CHECKS if not (counted and c is _ignored_rules)]
    found = [d for policy in policies for check in alone for d in check(policy)]
    known = Known(around)
    cases = [Case.of(policy) for policy in policies]
    found += unsupported(cases, known)
    if around.profile.enforces:
        found += read_otherwise(cases, around.profile)
    checks = (*RANGE_CHECKS, *(WORLD_CHECKS if around.world.workloads else ()))
    found += [d for check in checks for d in check(cases, known)]
    return list(sort_diagnostics(found))


def _empty_egress(policy: NetworkPolicy) -> Iterator[Diagnostic]:
    """`egress: []` without `policyTypes` restricts nothing."""
    if policy.policy_types or policy.egress != ():
        return
    yield suspect(
        "NPS001",
        policy,
        policy.egress_span,
        "an empty `egress` list does not block egress without `policyTypes`",
        effect="egress of the selected pods is not restricted by this policy",
        help_="write `policyTypes: [Ingress, Egress]` to deny egress, or remove `egress: []`",
        source=_DEFAULTS,
    )


def _egress_isolates_ingress(policy: NetworkPolicy) -> Iterator[Diagnostic]:
    """Egress rules without `policyTypes` isolate ingress too."""
    if policy.policy_types or not policy.egress or policy.ingress is not None:
        return
    yield suspect(
        "NPS002",
        policy,
        policy.egress_span,
        "a policy with only egress rules and no `policyTypes` also isolates ingress",
        effect="this policy admits nothing to the selected pods: ingress is denied "
        "unless another policy allows it",
        help_="write `policyTypes: [Egress]`",
        source=_DEFAULTS,
    )


def _ignored_rules(policy: NetworkPolicy) -> Iterator[Diagnostic]:
    """Rules of a direction that `policyTypes` leaves out do nothing."""
    for type_, span in (
        (PolicyType.INGRESS, policy.ingress_span),
        (PolicyType.EGRESS, policy.egress_span),
    ):
        count = len(policy.rules(type_))
        if not count or type_ in policy.effective_types:
            continue
        field = type_.value.lower()
        yield suspect(
            "NPS003",
            policy,
            span,
            f"`policyTypes` leaves out {type_.value}, so {count} {field} rule(s) do nothing",
            effect=f"{field} of the selected pods is not restricted by this policy",
            help_=f"add `{type_.value}` to `policyTypes`, or remove `{field}`",
            source=_TYPES,
        )


def _empty_port(policy: NetworkPolicy) -> Iterator[Diagnostic]:
    """`ports: [{}]` is all of TCP and nothing else."""
    for label, rule in _live_rules(policy):
        for entry in rule.ports or ():
            if entry.protocol is None and entry.port is None:
                yield suspect(
                    "NPS004",
                    policy,
                    entry.span or rule.span,
                    f"an empty `ports` entry in {label} means every TCP port",
                    effect="UDP and SCTP are not allowed by it",
                    help_="write `protocol: TCP` if that is meant, "
                    "or remove the `ports` list to allow all traffic",
                    source=_DEFAULTS,
                )


def _dns_without_udp(policy: NetworkPolicy) -> Iterator[Diagnostic]:
    """Port 53 over TCP alone serves few name lookups."""
    for type_ in sorted(policy.effective_types):
        rules = [(text, rule) for text, rule in _live_rules(policy, type_) if rule.ports]
        open_rules = any(not rule.ports for rule in policy.rules(type_))
        ports = [(text, p) for text, rule in rules for p in rule.ports or ()]
        if open_rules or any(_admits_udp_dns(p) for _, p in ports):
            continue
        for label, entry in ports:
            if entry.port == DNS and entry.end_port is None and (entry.protocol or "TCP") == "TCP":
                yield suspect(
                    "NPS005",
                    policy,
                    entry.span,
                    f"port 53 in {label} is TCP only",
                    effect="DNS lookups use UDP first, and no rule of this policy allows UDP 53",
                    help_="add `{protocol: UDP, port: 53}` to `ports`",
                    source=_DEFAULTS,
                )


def _no_subject(policy: NetworkPolicy) -> Iterator[Diagnostic]:
    """A missing `podSelector` selects every pod."""
    if policy.pod_selector is None:
        yield suspect(
            "NPS006",
            policy,
            policy.span,
            "`podSelector` is missing",
            effect=f"the policy applies to every pod of namespace {policy.namespace}",
            help_="write `podSelector: {}` if that is meant, or the labels of the pods it is for",
            source=_TYPES,
        )


def _split_item(policy: NetworkPolicy) -> Iterator[Diagnostic]:
    """Two list items where one item with both selectors was meant, in either order."""
    for label, rule in _live_rules(policy):
        for first, second in pairwise(rule.peers or ()):
            kinds = _lone_selector(first), _lone_selector(second)
            if None in kinds or kinds[0] == kinds[1]:
                continue
            yield suspect(
                "NPS007",
                policy,
                second.span or rule.span,
                f"`{kinds[0]}` and `{kinds[1]}` are two list items in {label}",
                effect="either one is enough: every pod of the namespaces matches, and so do "
                f"the pods of namespace {policy.namespace} with these labels",
                help_=f"remove the `- ` before `{kinds[1]}` to ask for both at once; "
                "if either is meant, write two rules",
                source=f"{_DOCS}, Behavior of to and from selectors",
            )


def _lone_selector(peer: NetworkPolicyPeer) -> str | None:
    """Return which selector stands alone in a peer; none where it picks no pods by label."""
    if peer.namespace_selector is not None:
        return "namespaceSelector" if peer.pod_selector is None else None
    if peer.pod_selector is None or peer.pod_selector.empty:
        return None
    return "podSelector"


def _contradiction(policy: NetworkPolicy) -> Iterator[Diagnostic]:
    """A selector that no labels can meet."""
    for label, selector in _selectors(policy):
        if not compile_selector(selector).satisfiable():
            yield suspect(
                "NPS008",
                policy,
                selector.span,
                f"no labels can meet the {label}",
                effect="it selects nothing, now and later",
                help_="remove one of the conditions that exclude each other",
                source="kubernetes/apimachinery pkg/labels/selector.go",
            )


OBJECT_CHECKS: tuple[Check, ...] = (
    _empty_egress,
    _egress_isolates_ingress,
    _ignored_rules,
    _empty_port,
    _dns_without_udp,
    _no_subject,
    _split_item,
    _contradiction,
)


def _live_rules(
    policy: NetworkPolicy, only: PolicyType | None = None
) -> Iterator[tuple[str, NetworkPolicyRule]]:
    """Iterate over the rules in force, each with the name people give it."""
    for type_ in PolicyType:
        if type_ in policy.effective_types and only in (None, type_):
            for i, rule in enumerate(policy.rules(type_), 1):
                yield f"{type_.value.lower()} rule {i}", rule


def _selectors(policy: NetworkPolicy) -> Iterator[tuple[str, LabelSelector]]:
    if policy.pod_selector is not None:
        yield "policy's `podSelector`", policy.pod_selector
    for label, rule in _live_rules(policy):
        for peer in rule.peers or ():
            if peer.pod_selector is not None:
                yield f"`podSelector` of a peer in {label}", peer.pod_selector
            if peer.namespace_selector is not None:
                yield f"`namespaceSelector` of a peer in {label}", peer.namespace_selector


def _admits_udp_dns(entry: NetworkPolicyPort) -> bool:
    if entry.protocol != "UDP":
        return False
    if isinstance(entry.port, int):
        return entry.port <= DNS <= (entry.end_port or entry.port)
    return True  # every UDP port, or a name that may well stand for 53
