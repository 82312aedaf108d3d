"""Lines of what is let through, or of what else is done: peers, traffic, and who says so."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.explain import rule_text
from cloison.analyses.miss import match_text, peer_text, traffic_text
from cloison.analyses.resolve import Resolved, relation_text, resolve_peer
from cloison.base import Span
from cloison.base.words import listed
from cloison.engine import Engine
from cloison.engine.bind import Binder
from cloison.engine.decide import Decision
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import AnyMatch, PeerMatch, RelativeMatch
from cloison.ir.policy import (
    Action,
    Direction,
    Peer,
    Policy,
    PolicyId,
    Rule,
    TierSpec,
    TrafficMatch,
)
from cloison.ir.profile import OtherProtocols
from cloison.resources.kinds import NETWORK_POLICY


@dataclass(frozen=True, slots=True)
class Source:
    """Who says so: a rule, a whole policy, or nobody but the enforcer or the default.

    Args:
        text: `web/portal ingress rule 1`, `web/deny`, `built-in rule`, `default`.
        policy: The policy.
        rule: 1-based rule of its direction.
        span: Where it is written.
    """

    text: str
    policy: PolicyId | None = None
    rule: int | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of what is let through.

    Args:
        peer: The other end, in words.
        resolved: Whom that means here.
        traffic: Protocol and ports, in words; port names as written.
        ports: What that comes to as numbers; nothing where no end declares a port of the name.
        sources: Every rule that says it.
        action: What the rules do.
        remark: Why it has no effect here, or under which condition it has.
        tier: The tier its rules stand in; None for built-in rules and the default.
    """

    peer: str
    resolved: Resolved
    traffic: str
    ports: TrafficSet
    sources: tuple[Source, ...]
    action: Action = Action.ALLOW
    remark: str | None = None
    tier: str | None = None


def merged(
    engine: Engine,
    binder: Binder,
    decision: Decision,
    members: Sequence[int],
    policies: Sequence[Policy] | None = None,
) -> list[Entry]:
    """Return what the rules of a decision say, each peer and traffic once.

    Args:
        engine: Who decides.
        binder: Resolves selectors.
        decision: Whose rules.
        members: Indices of the endpoints it is the decision of.
        policies: Only the rules of these, which are all of one tier.
    """
    found: dict[tuple[PeerMatch, TrafficMatch, Action, object], list[Source]] = {}
    examples: dict[tuple[object, ...], tuple[Policy, Rule, Peer, TrafficSet]] = {}
    for policy in decision.policies if policies is None else policies:
        for rule in policy.rules_for(decision.direction):
            bound = [b for b in decision.rules if b.rule is rule and b.policy is policy]
            ports = NO_TRAFFIC
            for each in bound:
                ports |= each.traffic
            for peer in rule.peers:
                asks = (rule.condition, rule.request, rule.sources, rule.subjects)
                key = (peer.match, rule.traffic, rule.action, asks)
                sources = found.setdefault(key, [])
                span = peer.span or rule.span
                source = Source(rule_text(policy, rule), policy.id, rule.index, span)
                if source not in sources:
                    sources.append(source)
                examples.setdefault(key, (policy, rule, peer, ports))
    out = []
    for alike, sources in found.items():
        policy, rule, peer, ports = examples[alike]
        resolved = resolve_peer(engine, binder, peer)
        said = traffic_text(rule.traffic)
        remark = asks_besides(policy, rule) or without_effect(
            engine, decision.direction, rule, resolved, ports, subjects=members
        )
        text = peer_text(peer, policy)
        tier = policy.tier
        out.append(Entry(text, resolved, said, ports, tuple(sources), rule.action, remark, tier))
    return out


def asks_besides(policy: Policy, rule: Rule) -> str | None:
    """Return what a rule asks for besides its peers and ports."""
    said = []
    if rule.subjects is not None:
        whom = " or ".join(match_text(m, policy) for m in rule.subjects) or "nobody"
        said.append(f"only for {whom}")
    if rule.sources is not None:
        said.append(f"only from source ports {rule.sources}")
    if rule.conditions is not None:
        said.append(rule.conditions)
    return "; ".join(said) or None


def without_effect(
    engine: Engine,
    direction: Direction,
    rule: Rule,
    resolved: Resolved,
    ports: TrafficSet,
    subjects: Sequence[int],
) -> str | None:
    """Return why the ports of a rule do nothing here, or probably nothing.

    Args:
        engine: Whose world.
        direction: The rule's.
        rule: The rule.
        resolved: Whom its peer means.
        ports: What its ports come to.
        subjects: Endpoints it applies to.
    """
    if resolved.nothing:
        return None
    if direction is Direction.INGRESS:
        ends, who = subjects, "no selected pod"
    else:
        by = engine.table.by_workload
        ends = [i for w in resolved.workloads for i in by[w.workload]]
        who = "none of these pods"
    if not ports:
        names = listed(sorted({n.name for n in rule.traffic.named}))
        return f"no effect: {who} declares a port named {names}"
    declared = {
        (p.protocol, p.number, p.name) for i in ends for p in engine.table.endpoints[i].ports
    }
    few = ports.size() <= _FEW_PORTS and resolved.kind == "pods"
    if not few or not declared:
        return None
    if any(TrafficSet.ports(protocol, number) & ports for protocol, number, _ in declared):
        return None
    ordered = sorted(declared, key=lambda d: (d[0], d[1], d[2] or ""))
    have = ", ".join(f"{p}/{n}" + (f" ({name})" if name else "") for p, n, name in ordered)
    return f"{who} declares this port; declared: {have}" + _translated(engine, ends, ports)


_FEW_PORTS = 8
"""A rule for more ports than this is a range, and declarations say little about it."""


def _translated(engine: Engine, ends: Iterable[int], ports: TrafficSet) -> str:
    """Name the Service that has such a port and hands it on under another number."""
    endpoints = [engine.table.endpoints[i] for i in ends]
    for service in engine.world.services.values():
        for port in service.ports:
            if port.target in (None, port.port):
                continue
            if not TrafficSet.ports(port.protocol, port.port) & ports or not service.selector:
                continue
            chosen = service.selector.items()
            if any(
                e.namespace == service.namespace and chosen <= e.labels.items() for e in endpoints
            ):
                name = f"{service.namespace}/{service.name}"
                return (
                    f"; {port.port} is the port of Service {name}, which hands it on to"
                    f" {port.target}, and policies see that one"
                )
    return ""


def builtin(engine: Engine, direction: Direction) -> Iterator[Entry]:
    """Yield what the enforcer lets through, or stops, whatever policies say."""
    for layer in engine.policies.layers:
        for rule in layer.builtin:
            if rule.direction is not direction:
                continue
            for peer in rule.peers:
                match = peer.match
                text, kind = "everybody", "any"
                if isinstance(match, RelativeMatch):
                    text, kind = relation_text(match.relation), match.relation.value
                elif not isinstance(match, AnyMatch):
                    text, kind = "others", "unknown"
                yield Entry(
                    text,
                    Resolved(kind),
                    traffic_text(rule.traffic),
                    rule.traffic.must,
                    (Source("built-in rule"),),
                    rule.action,
                )


def tier_of(engine: Engine, policy: Policy) -> TierSpec | None:
    """Return the tier a policy stands in."""
    tiers = (t for layer in engine.policies.layers for t in layer.tiers)
    return next((t for t in tiers if t.name == policy.tier), None)


def beyond_text(engine: Engine) -> str:
    """Return what becomes of protocols other than TCP, UDP and SCTP under isolation."""
    match engine.profile.other_protocols:
        case OtherProtocols.UNDEFINED:
            return "is left to the CNI, since nothing defines it"
        case OtherProtocols.PORTLESS_RULES:
            return "passes where a rule names no ports, and is denied elsewhere"
        case OtherProtocols.DENIED:
            return "is denied"
        case OtherProtocols.ALWAYS_ALLOWED:
            return "always passes"


def entry_caveats(entry: Entry) -> Iterator[Caveat]:
    """Yield what stands on whom a peer means, because of addresses and names."""
    resolved = entry.resolved
    if any(s.policy is not None and s.policy.kind == NETWORK_POLICY for s in entry.sources):
        if resolved.kind == "block" and resolved.workloads:
            yield known.CNI_IPBLOCK_POD
        if resolved.kind == "block" and resolved.nodes:
            yield known.CNI_IPBLOCK_NODE
    if resolved.unsure:
        named = resolved.kind == "names"
        yield known.NAME_NOT_RESOLVED if named else known.POD_ADDRESS_UNKNOWN
