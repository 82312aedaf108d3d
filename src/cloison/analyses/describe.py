"""`effective --policy`: one policy in words, and what it does not do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.effective import Entry, Source, subject_text, without_effect
from cloison.analyses.explain import rule_text
from cloison.analyses.limits import Facts, Limit, limits
from cloison.analyses.miss import peer_text, traffic_text
from cloison.analyses.resolve import (
    Resolved,
    binder_for,
    resolve_peer,
    resolve_subject,
    subjects,
)
from cloison.base import Diagnostic, QuestionError, Span, UnknownEndpointError
from cloison.engine import Engine
from cloison.engine.bind import Binder
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import Direction, Policy, PolicyId, Rule


@dataclass(frozen=True, slots=True)
class RuleWords:
    """One rule in words.

    Args:
        direction: Seen from the selected pods.
        index: 1-based, as it stands in the policy.
        text: What it says, in a sentence.
        entries: One for each peer.
        span: Where it is written.
    """

    direction: Direction
    index: int
    text: str
    entries: tuple[Entry, ...]
    span: Span | None

    @property
    def inert(self) -> bool:
        """Whether no peer of it matches anybody here, or none of its ports exists."""
        return all(e.resolved.nothing or not e.ports for e in self.entries)


@dataclass(frozen=True, slots=True)
class PolicyDescription:
    """One policy in words.

    Args:
        policy: Which.
        span: Where it starts.
        selects: Whom it selects, in a sentence.
        subject: Whom that means here.
        subject_span: Where its selector is written.
        isolates: What it isolates, one sentence for each direction.
        rules: What it lets through, rule by rule.
        limits: What it does not do, each only where it is so.
        caveats: What its effect stands on, sorted.
        findings: What is wrong or suspicious about it.
    """

    policy: PolicyId
    span: Span | None
    selects: str
    subject: Resolved
    subject_span: Span | None
    isolates: tuple[str, ...]
    rules: tuple[RuleWords, ...]
    limits: tuple[Limit, ...]
    caveats: tuple[Caveat, ...]
    findings: tuple[Diagnostic, ...] = ()


def find_policy(engine: Engine, name: str, namespace: str | None = None) -> Policy:
    """Return the policy of a name, `namespace/name` or bare.

    Raises:
        UnknownEndpointError: there is no such policy.
        QuestionError: several have that name.
    """
    text = name if "/" in name or not namespace else f"{namespace}/{name}"
    policies = engine.policies.policies
    found = [p for p in policies if str(p.id) == text]
    if not found and "/" not in text:
        found = [p for p in policies if p.id.name == text]
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(sorted(f"{p.id} ({p.id.kind})" for p in found))
        msg = f"{name!r} names {len(found)} policies: {places}"
        raise QuestionError(msg, "say which with -n, or as NAMESPACE/NAME")
    names = sorted({str(p.id) for p in policies})
    bare = text.rpartition("/")[2]
    close = [n for n in names if n.rpartition("/")[2] == bare]
    close += [n for n in get_close_matches(text, names, n=3) if n not in close]
    msg = f"there is no policy {text!r}"
    if close:
        raise UnknownEndpointError(msg, f"did you mean {' or '.join(close[:3])}?")
    shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")  # noqa: PLR2004 - a line
    raise UnknownEndpointError(msg, f"known: {shown}" if names else "the source holds no policy")


def describe(
    engine: Engine, policy: Policy, findings: Iterable[Diagnostic] = ()
) -> PolicyDescription:
    """Return a policy in words.

    Args:
        engine: Whose world it is applied to.
        policy: Which.
        findings: Diagnostics about it, handed on.
    """
    binder = binder_for(engine, policy)
    selected = subjects(engine, policy)
    subject = resolve_subject(engine, policy)
    rules = tuple(_rule(engine, binder, policy, rule, selected) for rule in policy.rules)
    entries: Mapping[Direction, tuple[Entry, ...]] = {
        d: tuple(e for r in rules if r.direction is d for e in r.entries) for d in Direction
    }
    facts = Facts(engine, binder, policy, selected, entries)
    whom = subject_text(policy)
    here = subject.text if subject.nothing else f"here {subject.text}"
    return PolicyDescription(
        policy.id,
        policy.span,
        f"selects {whom}: {here}",
        subject,
        policy.subject_span,
        tuple(_isolates(policy, d) for d in Direction if d in policy.isolates),
        rules,
        tuple(limits(facts)),
        tuple(sorted(_caveats(facts))),
        tuple(findings),
    )


def _isolates(policy: Policy, direction: Direction) -> str:
    count = len(policy.rules_for(direction))
    if direction is Direction.INGRESS:
        what = "isolates ingress: whoever connects to these pods must be let in by a rule"
        none = "; it has no ingress rule, so by itself it lets nobody in"
    else:
        what = "isolates egress: what these pods connect to must be let out by a rule"
        none = "; it has no egress rule, so by itself it lets nothing out"
    return f"{what} of this policy or of another that selects them" if count else what + none


def _rule(
    engine: Engine, binder: Binder, policy: Policy, rule: Rule, selected: tuple[int, ...]
) -> RuleWords:
    said = traffic_text(rule.traffic)
    ports = _ports(binder, policy, rule, selected)
    entries = []
    for peer in rule.peers:
        resolved = resolve_peer(engine, binder, peer)
        remark = rule.condition or without_effect(
            engine, rule.direction, rule, resolved, ports, subjects=selected
        )
        source = Source(rule_text(policy, rule), policy.id, rule.index, peer.span or rule.span)
        text = peer_text(peer, policy)
        entries.append(Entry(text, resolved, said, ports, (source,), rule.action, remark))
    whom = " or ".join(e.peer for e in entries) or "nobody"
    if rule.direction is Direction.INGRESS:
        text = f"{whom} may connect on {said}"
    else:
        text = f"they may connect to {whom} on {said}"
    return RuleWords(rule.direction, rule.index, text, tuple(entries), rule.span)


def _ports(binder: Binder, policy: Policy, rule: Rule, selected: tuple[int, ...]) -> TrafficSet:
    """Return what the ports of a rule come to on the pods that declare them."""
    found = NO_TRAFFIC
    units = {u for i in selected for u in binder.table.by_endpoint[i]}
    for ports in {binder.table.units[u].ports for u in units} or {()}:
        for bound in binder.rules(policy, rule.direction, ports):
            if bound.rule is rule:
                found |= bound.traffic
    return found


def _caveats(facts: Facts) -> set[Caveat]:
    engine, policy = facts.engine, facts.policy
    found = set(engine.profile.known)
    if policy.opaque:
        found.add(policy.opaque.caveat)
    if not engine.profile.enforces:
        found.add(known.CNI_NOT_ENFORCING)
        return found
    if facts.tier and facts.tier.end_caveat and policy.isolates:
        found.add(facts.tier.end_caveat)
    if policy.isolates:
        found.add(known.ESTABLISHED)
    if Direction.EGRESS in policy.isolates and engine.profile.own_node_egress is None:
        found.add(known.OWN_NODE_EGRESS)
    if facts.on_host:
        found.add(known.HOSTNETWORK)
    for entry in (e for side in facts.entries.values() for e in side):
        if entry.resolved.kind == "block" and entry.resolved.workloads:
            found.add(known.CNI_IPBLOCK_POD)
        if entry.resolved.kind == "block" and entry.resolved.nodes:
            found.add(known.CNI_IPBLOCK_NODE)
        if entry.resolved.unsure:
            found.add(known.POD_ADDRESS_UNKNOWN)
    return found
