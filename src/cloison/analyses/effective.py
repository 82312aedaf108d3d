"""`effective`: everything that governs one workload, whichever policy says it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cloison.algebra import ANY, L4, NO_TRAFFIC, TrafficSet
from cloison.analyses.ends import End, PodsEnd
from cloison.analyses.explain import rule_text
from cloison.analyses.miss import peer_text, subject_miss, traffic_text
from cloison.analyses.resolve import (
    Resolved,
    binder_for,
    covers,
    relation_text,
    resolve_peer,
    selects,
)
from cloison.base import QuestionError, Span
from cloison.engine import Engine, UnitKind
from cloison.engine.bind import Binder
from cloison.engine.decide import Decision
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import (
    Action,
    AnyMatch,
    Direction,
    Peer,
    PeerMatch,
    PodsMatch,
    Policy,
    PolicyId,
    RelativeMatch,
    Rule,
    TierSpec,
    TrafficMatch,
)
from cloison.ir.profile import OtherProtocols
from cloison.resources.world import PodEndpoint, WorkloadId

OTHERS = 5
"""Policies of the namespace that miss a workload, shown at most."""


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
class Selecting:
    """A policy that selects the workload.

    Args:
        policy: The policy.
        selector: Its subject selector, in words: why it selects.
        isolates: Directions it isolates.
        span: Where the policy starts.
        subject_span: Where its selector is written.
        remark: Why it has no effect, or cannot be understood.
    """

    policy: PolicyId
    selector: str
    isolates: tuple[Direction, ...]
    span: Span | None
    subject_span: Span | None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class NotSelecting:
    """A policy of the namespace that does not select the workload.

    Args:
        policy: The policy.
        text: What it selects, and what the workload has instead.
        distance: Number of conditions the workload does not meet.
        span: Where its selector is written.
    """

    policy: PolicyId
    text: str
    distance: int
    span: Span | None


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
    """

    peer: str
    resolved: Resolved
    traffic: str
    ports: TrafficSet
    sources: tuple[Source, ...]
    action: Action = Action.ALLOW
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One direction.

    Args:
        direction: Which.
        isolated: Whether what no entry allows is refused.
        isolated_by: The policies that isolate it.
        text: What holds, in a sentence.
        entries: What is let through, policies in the order they are evaluated, then
            built-in rules; everything where it is not isolated.
        otherwise: What becomes of the rest; None where there is no rest.
        caveats: What this stands on, sorted.
    """

    direction: Direction
    isolated: bool
    isolated_by: tuple[Source, ...]
    text: str
    entries: tuple[Entry, ...]
    otherwise: str | None
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Pods of the workload that the same policies govern.

    Args:
        pods: Their names; the workload's own where no pod was read.
        labels: Labels they all have, sorted.
        selecting: Policies that select them.
        sides: Ingress, then egress.
        others: Policies of the namespace that do not select them, nearest first.
        more: How many others there are besides.
        remark: Why policies do not apply to them, where they do not.
    """

    pods: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    selecting: tuple[Selecting, ...]
    sides: tuple[Side, ...]
    others: tuple[NotSelecting, ...]
    more: int = 0
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Effective:
    """The answer to `effective`.

    Args:
        endpoint: What was asked about.
        workload: The workload it is, or belongs to.
        sections: One where all its pods are governed alike.
        known: What is known of the enforcer beyond what is modelled.
        notes: How to read it.
    """

    endpoint: str
    workload: WorkloadId
    sections: tuple[Section, ...]
    known: tuple[Caveat, ...]
    notes: tuple[str, ...]


def effective(engine: Engine, end: End) -> Effective:
    """Return everything that governs a workload or pod.

    Raises:
        QuestionError: the end is neither.
    """
    if not isinstance(end, PodsEnd):
        msg = f"{end.text} is not a workload or pod, and policies select pods only"
        raise QuestionError(msg, "name a workload or pod: NAMESPACE/NAME")
    notes = [end.note] if end.note else []
    if not end.endpoints:
        notes.append("it has run to its end: nothing of it can send or receive")
    else:
        notes.append("a connection passes only if the other end lets it pass too")
    if any(engine.table.endpoints[i].pending for i in end.endpoints):
        notes.append("it waits for an address: until it has one, it can neither send nor receive")
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index in end.endpoints:
        groups[_signature(engine, index)].append(index)
    sections = tuple(_section(engine, members) for members in groups.values())
    return Effective(end.text, end.workload.id, sections, engine.profile.known, tuple(notes))


def _signature(engine: Engine, index: int) -> tuple[object, ...]:
    """Return what tells apart pods that are governed differently."""
    unit = engine.table.by_endpoint[index][0]
    if engine.table.units[unit].kind is not UnitKind.POD:
        return (True,)
    endpoint = engine.table.endpoints[index]
    # Without an enforcer every decision is the same; the policies that select still differ.
    selected = tuple(p.id for p in engine.policies.policies if selects(engine, p, endpoint))
    return (False, selected, *(id(engine.decision(unit, d)) for d in Direction))


def _section(engine: Engine, members: Sequence[int]) -> Section:
    endpoints = [engine.table.endpoints[i] for i in members]
    first = endpoints[0]
    shared = set(first.labels.items()).intersection(*(e.labels.items() for e in endpoints))
    pods = tuple(dict.fromkeys(e.name for e in endpoints))
    others = sorted(_others(engine, first), key=lambda o: (o.distance, str(o.policy)))
    unit = engine.table.by_endpoint[members[0]][0]
    host = engine.table.units[unit].kind is not UnitKind.POD
    return Section(
        pods,
        tuple(sorted(shared)),
        tuple(_selecting(engine, first)),
        tuple(_side(engine, unit, members, d, host=host) for d in Direction),
        tuple(others[:OTHERS]),
        max(len(others) - OTHERS, 0),
        "its pods are on their node's network, where no selector sees them" if host else None,
    )


def _selecting(engine: Engine, endpoint: PodEndpoint) -> Iterator[Selecting]:
    order = {id(p): i for i, p in enumerate(engine.ordered)}
    found = [p for p in engine.policies.policies if selects(engine, p, endpoint)]
    for policy in sorted(found, key=lambda p: (order.get(id(p), len(order)), str(p.id))):
        remark = None
        if policy.opaque is not None:
            remark = policy.opaque.reason
        elif id(policy) not in order:
            why = engine.profile.title if not engine.profile.enforces else None
            remark = (
                f"no effect: {why} enforces no policies" if why else f"no effect: {policy.mode}"
            )
        yield Selecting(
            policy.id,
            subject_text(policy),
            tuple(d for d in Direction if d in policy.isolates),
            policy.span,
            policy.subject_span,
            remark,
        )


def subject_text(policy: Policy) -> str:
    """Return whom a policy says it selects, in words.

    The peer's words fit: a subject is a peer of nobody.
    """
    return " or ".join(_subject_text(policy, subject) for subject in policy.subjects)


def _subject_text(policy: Policy, subject: PodsMatch) -> str:
    if subject.namespace is not None:
        pods = f"pods labelled {subject.pods}" if subject.pods else "every pod"
        return f"{pods} in namespace {subject.namespace}"
    return peer_text(Peer(subject), policy)


def _others(engine: Engine, endpoint: PodEndpoint) -> Iterator[NotSelecting]:
    for policy in engine.policies.policies:
        homes = {subject.namespace for subject in policy.subjects}
        if endpoint.namespace not in homes or selects(engine, policy, endpoint):
            continue
        if covers(engine, policy, endpoint):
            text = f"has its labels, but {endpoint.name} is on its node's network"
            yield NotSelecting(policy.id, text, 0, policy.subject_span)
            continue
        miss = subject_miss(policy, endpoint.labels, endpoint.name)
        yield NotSelecting(policy.id, miss.text, miss.distance, policy.subject_span)


def _side(
    engine: Engine, unit: int, members: Sequence[int], direction: Direction, *, host: bool
) -> Side:
    endpoint = engine.table.endpoints[members[0]]
    decision = None if host else engine.decision(unit, direction)
    by = tuple(Source(str(p.id), p.id, None, p.span) for p in _isolating(decision))
    if decision is None or not by:
        opaque = [p for p in decision.policies if p.opaque] if decision else []
        text = _open_text(engine, direction, host=host, opaque=bool(opaque))
        entry = Entry("everybody", Resolved("any"), "any", ANY, (Source("default"),))
        caveats = _open_caveats(engine, endpoint, direction, opaque, host=host)
        return Side(direction, False, (), text, (entry,), None, tuple(sorted(caveats)))
    names = _listed([s.text for s in by])
    verb = "may connect to it" if direction is Direction.INGRESS else "it may connect to"
    text = f"isolated by {names}: only what is listed {verb}"
    if direction is Direction.EGRESS:
        text = f"isolated by {names}: {verb} only what is listed"
    entries = [*merged(engine, binder_for(engine), decision, members), *builtin(engine, direction)]
    stands_on = set(_caveats(engine, decision, entries))
    otherwise = _otherwise(engine, decision)
    return Side(direction, True, by, text, tuple(entries), otherwise, tuple(sorted(stands_on)))


def _isolating(decision: Decision | None) -> tuple[Policy, ...]:
    return tuple(p for p in decision.isolating if not p.opaque) if decision else ()


def _open_text(engine: Engine, direction: Direction, *, host: bool, opaque: bool) -> str:
    what = "everybody may connect to it"
    if direction is Direction.EGRESS:
        what = "it may connect to everything"
    if opaque:
        return "a policy that is not understood selects it: what is allowed is open"
    if host:
        return f"not isolated, being on its node's network: {what}"
    if not engine.profile.enforces and engine.policies.policies:
        return f"not isolated, since {engine.profile.title} enforces no policies: {what}"
    return f"not isolated: {what}"


def _open_caveats(
    engine: Engine,
    endpoint: PodEndpoint,
    direction: Direction,
    opaque: Iterable[Policy],
    *,
    host: bool,
) -> Iterator[Caveat]:
    yield from {p.opaque.caveat for p in opaque if p.opaque}
    if not engine.profile.enforces and engine.policies.policies:
        yield known.CNI_NOT_ENFORCING
    if host and any(
        direction in p.isolates and covers(engine, p, endpoint) for p in engine.ordered
    ):
        yield known.HOSTNETWORK


def merged(
    engine: Engine, binder: Binder, decision: Decision, members: Sequence[int]
) -> list[Entry]:
    """Return what the rules of a decision say, each peer and traffic once.

    Args:
        engine: Who decides.
        binder: Resolves selectors.
        decision: Whose rules.
        members: Indices of the endpoints it is the decision of.
    """
    found: dict[tuple[PeerMatch, TrafficMatch, Action, object], list[Source]] = {}
    examples: dict[tuple[object, ...], tuple[Policy, Rule, Peer, TrafficSet]] = {}
    for policy in decision.policies:
        for rule in policy.rules_for(decision.direction):
            bound = [b for b in decision.rules if b.rule is rule and b.policy is policy]
            ports = NO_TRAFFIC
            for each in bound:
                ports |= each.traffic
            for peer in rule.peers:
                key = (peer.match, rule.traffic, rule.action, (rule.condition, rule.sources))
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
        remark = rule.condition or without_effect(
            engine, decision.direction, rule, resolved, ports, subjects=members
        )
        text = peer_text(peer, policy)
        out.append(Entry(text, resolved, said, ports, tuple(sources), rule.action, remark))
    return out


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
        names = _listed(sorted({n.name for n in rule.traffic.named}))
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


def _otherwise(engine: Engine, decision: Decision) -> str:
    if any(p.opaque for p in decision.policies):
        return "a policy that is not understood selects it: what becomes of everything is open"
    tier = tier_of(engine, decision.isolating[0])
    scope = tier.end_scope if tier else ANY
    if scope == ANY and engine.profile.other_protocols is OtherProtocols.DENIED:
        return "everything else is denied"
    rest = f"any other protocol, such as ICMP, {beyond_text(engine)}"
    return f"everything else over TCP, UDP and SCTP is denied; {rest}"


def _caveats(engine: Engine, decision: Decision, entries: Sequence[Entry]) -> Iterator[Caveat]:
    for policy in decision.policies:
        tier = tier_of(engine, policy)
        if policy.opaque:
            yield policy.opaque.caveat
        if policy in decision.isolating and tier and tier.end_caveat:
            yield tier.end_caveat
    if decision.direction is Direction.EGRESS and engine.profile.own_node_egress is None:
        yield known.OWN_NODE_EGRESS
    for entry in entries:
        if entry.resolved.kind == "block" and entry.resolved.workloads:
            yield known.CNI_IPBLOCK_POD
        if entry.resolved.kind == "block" and entry.resolved.nodes:
            yield known.CNI_IPBLOCK_NODE
        if entry.resolved.unsure:
            yield known.POD_ADDRESS_UNKNOWN
        sctp = TrafficSet.protocol("SCTP")
        if entry.ports & sctp and not entry.ports >= L4 and engine.profile.sctp is not True:
            yield known.SCTP_SUPPORT


def _listed(names: Sequence[str]) -> str:
    """Return names as one phrase.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(names) < 2:  # noqa: PLR2004 - nothing to join
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
