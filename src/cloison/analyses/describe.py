"""`effective --policy`: one policy in words, and what it does not do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.effective import subject_text
from cloison.analyses.entries import Entry, Source, asks_besides, entry_caveats, without_effect
from cloison.analyses.explain import rule_text
from cloison.analyses.limits import Facts, Limit, limits
from cloison.analyses.miss import peer_text, said_traffic, traffic_text
from cloison.analyses.placing import equals, places
from cloison.analyses.resolve import (
    Resolved,
    binder_for,
    resolve_peer,
    resolve_subject,
    subjects,
)
from cloison.base import Diagnostic, QuestionError, Span, UnknownEndpointError
from cloison.base.words import begun
from cloison.engine import Engine
from cloison.engine.bind import Binder
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import UnknownMatch, plain_matches
from cloison.ir.policy import Action, Direction, Policy, PolicyId, Rule
from cloison.resources.kinds import NETWORK_POLICY


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
        place: When it is asked, among the tiers and in its own; empty where that is no matter.
        rules: What it lets through, or does besides, rule by rule.
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
    place: tuple[str, ...]
    rules: tuple[RuleWords, ...]
    limits: tuple[Limit, ...]
    caveats: tuple[Caveat, ...]
    findings: tuple[Diagnostic, ...] = ()


def find_policy(engine: Engine, name: str, namespace: str | None = None) -> Policy:
    """Return the policy of a name, `namespace/name` or bare; the kind may stand before either.

    Raises:
        UnknownEndpointError: there is no such policy.
        QuestionError: several have that name.
    """
    text = name if "/" in name or not namespace else f"{namespace}/{name}"
    policies = engine.policies.policies
    found = [p for p in policies if str(p.id) == text]
    if not found:
        found = [p for p in policies if _with_kind(name) in _with_kinds(p.id)]
    if not found and "/" not in text:
        found = [p for p in policies if p.id.name == text]
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(sorted(f"{p.id} ({p.id.kind})" for p in found))
        msg = f"{name!r} names {len(found)} policies: {places}"
        raise QuestionError(msg, "say which as NAMESPACE/NAME, or KIND/NAME or KIND/NAMESPACE/NAME")
    names = sorted({str(p.id) for p in policies})
    bare = text.rpartition("/")[2]
    close = [n for n in names if n.rpartition("/")[2] == bare]
    close += [n for n in get_close_matches(text, names, n=3) if n not in close]
    msg = f"there is no policy {text!r}"
    if close:
        raise UnknownEndpointError(msg, f"did you mean {' or '.join(close[:3])}?")
    raise UnknownEndpointError(
        msg, f"known: {begun(names)}" if names else "the source holds no policy"
    )


def _with_kind(name: str) -> str:
    """Return a name that may begin with a kind, as `_with_kinds` spells it."""
    kind, sep, rest = name.replace(" ", "/", 1).partition("/")
    return f"{kind.lower()}{sep}{rest}"


def _with_kinds(name: PolicyId) -> frozenset[str]:
    kind = name.kind.lower()
    return frozenset({f"{kind}/{name}", f"{kind}/{name.name}"})


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
        tuple(_isolates(facts, d) for d in Direction if d in policy.isolates),
        tuple(places(facts)),
        rules,
        tuple(limits(facts)),
        tuple(sorted(_caveats(facts))),
        tuple(findings),
    )


def _isolates(facts: Facts, direction: Direction) -> str:
    policy, tier = facts.policy, facts.tier
    if tier is not None and tier.end is not Action.DENY:
        return f"governs {direction}"
    count = len(policy.rules_for(direction))
    if direction is Direction.INGRESS:
        what = "isolates ingress: whoever connects to these pods must be let in by a rule"
        none = "; it has no ingress rule, so by itself it lets nobody in"
    else:
        what = "isolates egress: what these pods connect to must be let out by a rule"
        none = "; it has no egress rule, so by itself it lets nothing out"
    if not facts.adds_up:
        where = f" of tier {policy.tier}, or passed to the next tier by one"
        return what + where if count else what + where + none
    return f"{what} of this policy or of another that selects them" if count else what + none


def _rule(
    engine: Engine, binder: Binder, policy: Policy, rule: Rule, selected: tuple[int, ...]
) -> RuleWords:
    said = said_traffic(rule.traffic)
    ports = _ports(binder, policy, rule, selected)
    entries = []
    for peer in rule.peers:
        resolved = resolve_peer(engine, binder, peer)
        remark = asks_besides(policy, rule) or without_effect(
            engine, rule.direction, rule, resolved, ports, subjects=selected
        )
        source = Source(rule_text(policy, rule), policy.id, rule.index, peer.span or rule.span)
        text = peer_text(peer, policy)
        traffic = traffic_text(rule.traffic)
        entries.append(
            Entry(text, resolved, traffic, ports, (source,), rule.action, remark, policy.tier)
        )
    whom = " or ".join(e.peer for e in entries) or "nobody"
    text = _SAYS[rule.direction, rule.action].format(whom=whom, on=said)
    return RuleWords(rule.direction, rule.index, text, tuple(entries), rule.span)


_IN, _OUT = Direction.INGRESS, Direction.EGRESS
_SAYS: Mapping[tuple[Direction, Action], str] = {
    (_IN, Action.ALLOW): "{whom} may connect on {on}",
    (_IN, Action.DENY): "{whom} may not connect on {on}",
    (_IN, Action.PASS): "whether {whom} may connect on {on} is left to the next tier",
    (_IN, Action.LOG): "what {whom} sends on {on} is logged, and the next rule is asked",
    (_OUT, Action.ALLOW): "they may connect to {whom} on {on}",
    (_OUT, Action.DENY): "they may not connect to {whom} on {on}",
    (_OUT, Action.PASS): "whether they may connect to {whom} on {on} is left to the next tier",
    (_OUT, Action.LOG): "what they send to {whom} on {on} is logged, and the next rule is asked",
}


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
    if policy.isolates or policy.rules:
        found.add(known.ESTABLISHED)
    own = policy.id.kind == NETWORK_POLICY
    if own and Direction.EGRESS in policy.isolates and engine.profile.own_node_egress is None:
        found.add(known.OWN_NODE_EGRESS)
    if own and facts.on_host:
        found.add(known.HOSTNETWORK)
    if any(equals(facts)):
        found.add(known.PRIORITY_TIE)
    for rule in policy.rules:
        found.update(rule.caveats)
        for peer in rule.peers:
            unknown = (m for m in plain_matches(peer.match) if isinstance(m, UnknownMatch))
            found.update(match.caveat for match in unknown)
    entries = [e for side in facts.entries.values() for e in side]
    return found | {caveat for entry in entries for caveat in entry_caveats(entry)}
