"""`effective`: everything that governs one workload, whichever policy says it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cloison.algebra import ANY, L4, TrafficSet
from cloison.analyses.ends import End, NodeEnd, PodsEnd
from cloison.analyses.entries import (
    Entry,
    Source,
    beyond_text,
    builtin,
    entry_caveats,
    merged,
    tier_of,
)
from cloison.analyses.miss import peer_text, subject_miss
from cloison.analyses.resolve import (
    Resolved,
    binder_for,
    covers,
    selects,
)
from cloison.analyses.walk import is_ordered, one_list
from cloison.base import QuestionError, Span
from cloison.base.words import listed
from cloison.engine import Engine, UnitKind
from cloison.engine.decide import Decision
from cloison.ir import caveats as known
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import PodsMatch
from cloison.ir.policy import Action, Direction, LayerSpec, Peer, Policy, PolicyId, TierSpec
from cloison.ir.profile import OtherProtocols
from cloison.resources.kinds import NETWORK_POLICY
from cloison.resources.world import PodEndpoint, WorkloadId

OTHERS = 5
"""Policies of the namespace that miss a workload, shown at most."""


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
        governs: Directions it isolates or has rules for.
    """

    policy: PolicyId
    selector: str
    isolates: tuple[Direction, ...]
    span: Span | None
    subject_span: Span | None
    remark: str | None = None
    governs: tuple[Direction, ...] = ()


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
class TierSide:
    """One of several tiers, in one direction.

    Args:
        name: The tier.
        layer: The layer it is part of.
        policies: Its policies that select the workload and govern the direction, in order.
        isolated_by: Those that bring the tier's end about.
        otherwise: What becomes of what no entry of it decides.
        asked: Whether anything comes to it at all.
    """

    name: str
    layer: str
    policies: tuple[Source, ...]
    isolated_by: tuple[Source, ...]
    otherwise: str
    asked: bool = True


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
        tiers: Its tiers in the order they are asked, where there is more to it than one list
            of what is let through.
    """

    direction: Direction
    isolated: bool
    isolated_by: tuple[Source, ...]
    text: str
    entries: tuple[Entry, ...]
    otherwise: str | None
    caveats: tuple[Caveat, ...]
    tiers: tuple[TierSide, ...] = ()


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
    if isinstance(end, NodeEnd) and engine.table.by_node.get(end.node.name):
        units = engine.table.by_node[end.node.name]
        if any(unit in engine.governed for unit in units):
            msg = f"{end.text} is a node under policy, and only workloads and pods are told of here"
            raise QuestionError(msg, f"ask about one flow: cloison why SRC {end.text}:PORT")
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
        by_node = unit in engine.governed
        return (True, *(id(engine.decision(unit, d)) for d in Direction if by_node))
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
    on_node = engine.table.units[unit].kind is not UnitKind.POD
    host = on_node and unit not in engine.governed
    remark = "its pods are on their node's network, where no selector sees them"
    if not host:
        remark += "; what governs the node governs them"
    return Section(
        pods,
        tuple(sorted(shared)),
        tuple(_selecting(engine, first)),
        tuple(_side(engine, unit, members, d, host=host) for d in Direction),
        tuple(others[:OTHERS]),
        max(len(others) - OTHERS, 0),
        remark if on_node else None,
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
            tuple(d for d in Direction if d in policy.isolates or policy.rules_for(d)),
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
        miss = subject_miss(engine.world, policy, endpoint, endpoint.name)
        yield NotSelecting(policy.id, miss.text, miss.distance, policy.subject_span)


def _side(
    engine: Engine, unit: int, members: Sequence[int], direction: Direction, *, host: bool
) -> Side:
    endpoint = engine.table.endpoints[members[0]]
    decision = None if host else engine.decision(unit, direction)
    if decision is not None and not one_list(engine.policies.layers, decision):
        return _tiered(engine, decision, members)
    by = tuple(_policy_source(p) for p in _isolating(decision))
    if decision is None or not by:
        opaque = [p for p in decision.policies if p.opaque] if decision else []
        text = _open_text(engine, direction, host=host, opaque=bool(opaque))
        entry = Entry("everybody", Resolved("any"), "any", ANY, (Source("default"),))
        caveats = _open_caveats(engine, endpoint, direction, opaque, host=host)
        return Side(direction, False, (), text, (entry,), None, tuple(sorted(caveats)))
    names = listed([s.text for s in by])
    verb = "may connect to it" if direction is Direction.INGRESS else "it may connect to"
    text = f"isolated by {names}: only what is listed {verb}"
    if direction is Direction.EGRESS:
        text = f"isolated by {names}: {verb} only what is listed"
    entries = [*merged(engine, binder_for(engine), decision, members), *builtin(engine, direction)]
    stands_on = set(_caveats(engine, decision, entries))
    otherwise = _otherwise(engine, decision)
    return Side(direction, True, by, text, tuple(entries), otherwise, tuple(sorted(stands_on)))


def _by_tier(
    engine: Engine, decision: Decision
) -> list[tuple[LayerSpec, TierSpec, tuple[Policy, ...]]]:
    """Return the tiers that have a policy for an end, with these, in order."""
    found = []
    for layer in engine.policies.layers:
        for tier in layer.tiers:
            mine = tuple(p for p in decision.policies if p.tier == tier.name)
            if mine:
                found.append((layer, tier, mine))
    return found


def _tiered(engine: Engine, decision: Decision, members: Sequence[int]) -> Side:
    """Return what several tiers, or rules in an order, do in one direction."""
    direction = decision.direction
    groups = _by_tier(engine, decision)
    binder = binder_for(engine)
    found: list[TierSide] = []
    unit = engine.table.by_endpoint[members[0]][0]
    pods = engine.table.units[unit].kind is UnitKind.POD
    entries: list[Entry] = list(builtin(engine, direction)) if pods else []
    ended: set[str] = set()
    for layer, tier, policies in groups:
        isolating = [p for p in policies if direction in p.isolates and not p.opaque]
        found.append(
            TierSide(
                tier.name,
                layer.name,
                tuple(_policy_source(p) for p in policies),
                tuple(_policy_source(p) for p in isolating),
                _left(engine, tier, policies, decision),
                layer.name not in ended,
            )
        )
        entries += merged(engine, binder, decision, members, policies)
        passing = any(r.action is Action.PASS for p in policies for r in p.rules_for(direction))
        if isolating and tier.end in (Action.DENY, Action.ALLOW) and not passing:
            ended.add(layer.name)
    names = listed([t.name for t in found])
    text = f"tier {names} is asked" if len(found) == 1 else f"tiers {names} are asked in turn"
    verb = "who may connect to it" if direction is Direction.INGRESS else "what it may connect to"
    closed = any(layer.name not in ended for layer, _, _ in groups)
    layers = {layer.name: layer for layer, _, _ in groups}
    default = any(layers[n].default is Action.DENY for n in layers if n not in ended)
    rest = "what no tier decides is denied" if default else "what no tier decides passes"
    by = tuple(s for t in found for s in t.isolated_by)
    caveats = set(_caveats(engine, decision, entries))
    return Side(
        direction,
        bool(by),
        by,
        f"{text} {verb}",
        tuple(entries),
        rest if closed else None,
        tuple(sorted(caveats)),
        tuple(found),
    )


def _policy_source(policy: Policy) -> Source:
    return Source(policy.id.said, policy.id, None, policy.span)


def _left(engine: Engine, tier: TierSpec, policies: Sequence[Policy], decision: Decision) -> str:
    """Return what becomes of what no rule of a tier decides."""
    direction, total = decision.direction, len(engine.table.units)
    mine = {id(p) for p in policies}
    for bound in decision.rules:
        everybody = len(bound.must) == total and not bound.rule.asks
        acts = id(bound.policy) in mine and bound.rule.action is not Action.LOG
        if acts and everybody and bound.traffic == ANY:
            return "nothing is left after that"
    if any(p.opaque for p in policies):
        return "a policy that is not understood selects it: what becomes of everything is open"
    isolating = any(direction in p.isolates for p in policies)
    if not isolating or tier.end is None:
        return "everything else is left to what comes next"
    if tier.end is Action.PASS:
        return "everything else passes to what comes next"
    if tier.end is Action.ALLOW:
        return "everything else passes"
    if is_ordered(tier, policies, direction) and tier.end_scope == ANY:
        return "everything else is denied"
    return _denied(engine, tier)


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
        direction in p.isolates and covers(engine, p, endpoint)
        for p in engine.ordered
        if p.id.kind == NETWORK_POLICY
    ):
        yield known.HOSTNETWORK


def _otherwise(engine: Engine, decision: Decision) -> str:
    if any(p.opaque for p in decision.policies):
        return "a policy that is not understood selects it: what becomes of everything is open"
    return _denied(engine, tier_of(engine, decision.isolating[0]))


def _denied(engine: Engine, tier: TierSpec | None) -> str:
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
    isolating = any(p.id.kind == NETWORK_POLICY for p in decision.isolating)
    open_ = engine.profile.own_node_egress is None
    if decision.direction is Direction.EGRESS and isolating and open_:
        yield known.OWN_NODE_EGRESS
    for entry in entries:
        yield from entry_caveats(entry)
        sctp = TrafficSet.protocol("SCTP")
        if entry.ports & sctp and not entry.ports >= L4 and engine.profile.sctp is not True:
            yield known.SCTP_SUPPORT
