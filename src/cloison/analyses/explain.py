"""`why`: the verdict on a question, and at each enforcement point what led to it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from cloison.algebra import TrafficSet
from cloison.analyses.caveats import point_caveats
from cloison.analyses.miss import policy_miss, subject_miss
from cloison.analyses.question import Case, Party
from cloison.analyses.resolve import covers
from cloison.base import Span
from cloison.engine import Engine, Point, UnitKind
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.policy import Action, Direction, Mode, Policy, PolicyId, Rule
from cloison.ir.ruleset import Outcome


@dataclass(frozen=True, slots=True)
class Decider:
    """What decided: a rule, the isolation a policy brings, a built-in rule, or a default.

    Args:
        text: `web/portal ingress rule 1`, `web/deny isolates ingress`, `own node`, `default`.
        policy: The policy object, if one decided.
        direction: Seen from the endpoint it protects.
        rule: 1-based rule, None when no rule matched.
        span: Where the rule, or the policy, is written.
    """

    text: str
    policy: PolicyId | None = None
    direction: Direction | None = None
    rule: int | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Considered:
    """A policy that was looked at, and what came of it.

    Args:
        policy: The policy.
        selects: Whether it selects the endpoint at all.
        matched: Its rules that match the traffic, or part of it.
        nearest_miss: Why nothing of it matched.
        miss_rule: 1-based rule that came nearest, if a rule did.
        miss_span: Where what came nearest is written.
        remoteness: How little it has to say about the traffic; 0 says most, from `FAR` on it
            is about other traffic.
    """

    policy: Policy
    selects: bool
    matched: tuple[Rule, ...] = ()
    nearest_miss: str | None = None
    miss_rule: int | None = None
    miss_span: Span | None = None
    remoteness: int = 0


@dataclass(frozen=True, slots=True)
class PointAnswer:
    """One enforcement point's part in an answer.

    Args:
        endpoint: Whose policies were asked.
        direction: Which way.
        layer: Which layer enforces.
        verdict: On the traffic in question.
        allowed: What of it passes here.
        decided_by: What decided, first the most telling.
        considered: Policies looked at, first the most telling: those that select the
            endpoint, and those of its namespace that do not but would have allowed the traffic.
        caveats: What the verdict here stands on.
        point: The engine's own answer.
        idle: Policies that would govern this, were policies enforced at all.
    """

    endpoint: str
    direction: Direction
    layer: str
    verdict: Verdict
    allowed: TrafficSet
    decided_by: tuple[Decider, ...]
    considered: tuple[Considered, ...]
    caveats: tuple[Caveat, ...]
    point: Point = field(compare=False)
    idle: tuple[PolicyId, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """The answer to one case: one pair of like ends.

    Args:
        case: The case.
        outcome: What becomes of the traffic in question.
        verdict: On all of it.
        points: Leaving the source, entering the destination.
    """

    case: Case
    outcome: Outcome
    verdict: Verdict
    points: tuple[PointAnswer, ...]

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Caveats of every point, sorted."""
        return merge_caveats(point.caveats for point in self.points)

    @property
    def decided_by(self) -> tuple[Decider, ...]:
        """What decided: the points that stop the traffic, else all of them."""
        stopping = [p for p in self.points if p.verdict is self.verdict]
        chosen = stopping if self.verdict is not Verdict.ALLOWED else list(self.points)
        return tuple(d for p in chosen or self.points for d in p.decided_by)


def verdict_of(outcome: Outcome, asked: TrafficSet) -> Verdict:
    """Return the verdict on all of `asked`."""
    if asked <= outcome.allowed:
        return Verdict.ALLOWED
    allowed = outcome.allowed & asked
    undetermined = outcome.undetermined & asked
    if not allowed and not undetermined:
        return Verdict.DENIED
    if asked <= undetermined:
        return Verdict.UNDETERMINED
    return Verdict.MIXED


def merge_caveats(groups: Iterable[Iterable[Caveat]]) -> tuple[Caveat, ...]:
    """Return every caveat once, sorted by id."""
    return tuple(sorted({c for group in groups for c in group}))


def case_outcome(engine: Engine, case: Case) -> Outcome:
    """Return what becomes of a case's traffic, without explaining it."""
    return engine.outcome(
        case.source.unit, case.destination.unit, case.out_of, case.into, case.family
    )


def explain_case(engine: Engine, case: Case, *, misses: bool = True) -> CaseAnswer:
    """Answer one case with its reasons.

    Args:
        engine: Who decides.
        case: What is asked.
        misses: Whether to look for what came near: each policy's nearest miss, and policies
            that would have allowed the traffic but select others. Without, isolation is
            placed at its policy instead of the rule that came nearest.
    """
    source, destination = case.source, case.destination
    leaving = engine.point(
        source.unit, destination.unit, Direction.EGRESS, case.out_of, case.family
    )
    entering = engine.point(
        destination.unit, source.unit, Direction.INGRESS, case.into, case.family
    )
    points = (
        _answer(engine, leaving, source, destination, case.traffic, misses=misses),
        _answer(engine, entering, destination, source, case.traffic, misses=misses),
    )
    outcome = leaving.outcome.meet(entering.outcome)
    return CaseAnswer(case, outcome, verdict_of(outcome, case.traffic), points)


def deciders_at(engine: Engine, point: Point, asked: TrafficSet) -> tuple[Decider, ...]:
    """Return what decides on traffic at one enforcement point, the most telling first."""
    peer = Party(point.peer, "")
    considered = ranked(_consider(engine, point, peer, asked, misses=False))
    return tuple(_deciders(engine, point, verdict_of(point.outcome, asked), considered))


ExplainCase: TypeAlias = Callable[[Engine, Case], CaseAnswer]
"""Answers one case with its reasons."""


def _answer(
    engine: Engine,
    point: Point,
    subject: Party,
    peer: Party,
    asked: TrafficSet,
    *,
    misses: bool,
) -> PointAnswer:
    verdict = verdict_of(point.outcome, asked)
    found = list(_consider(engine, point, peer, asked, misses=misses))
    if misses and point.decision is not None and not asked <= point.outcome.allowed:
        found += _bystanders(engine, point, subject, peer, asked)
    considered = ranked(found)
    layer = engine.policies.layers[0].name if engine.policies.layers else ""
    return PointAnswer(
        subject.text,
        point.direction,
        layer,
        verdict,
        point.outcome.allowed & asked,
        tuple(_deciders(engine, point, verdict, considered)),
        considered,
        point_caveats(engine, point, subject, peer, asked, verdict),
        point,
        _idle(engine, subject, point.direction),
    )


def _idle(engine: Engine, subject: Party, direction: Direction) -> tuple[PolicyId, ...]:
    """Return the policies that select an endpoint in vain, since nobody enforces them."""
    endpoint = subject.endpoint
    if engine.profile.enforces or endpoint is None or endpoint.shape.host_network:
        return ()
    found = (
        policy.id
        for policy in engine.policies.policies
        if policy.mode is Mode.ENFORCED
        and direction in policy.isolates
        and covers(engine, policy, endpoint)
    )
    return tuple(sorted(found, key=str))


def _consider(
    engine: Engine, point: Point, peer: Party, asked: TrafficSet, *, misses: bool
) -> Iterable[Considered]:
    decision, piece = point.decision, point.piece
    if decision is None or piece is None:
        return
    matched: dict[int, list[Rule]] = {}
    for bound, _ in piece.rules:
        rules = matched.setdefault(id(bound.policy), [])
        if (bound.traffic | bound.may_traffic) & asked and bound.rule not in rules:
            rules.append(bound.rule)
    for policy in decision.policies:
        rules = matched.get(id(policy), [])
        if rules:
            yield Considered(policy, selects=True, matched=tuple(rules))
        elif policy.opaque is not None:
            yield Considered(policy, selects=True, nearest_miss=policy.opaque.reason)
        else:
            far = _remoteness(engine, point, policy, asked)
            if not misses:
                yield Considered(policy, selects=True, miss_span=policy.span, remoteness=far)
                continue
            miss = policy_miss(engine, policy, point.direction, peer, asked)
            rule = _rule(policy, point.direction, miss.rule)
            span = rule.span if rule else policy.span
            yield Considered(policy, True, (), miss.text, miss.rule or None, span, far)


def _bystanders(
    engine: Engine, point: Point, subject: Party, peer: Party, asked: TrafficSet
) -> Iterable[Considered]:
    """Find policies of the namespace that would have allowed it but select others."""
    if subject.endpoint is None:
        return
    for policy in engine.ordered:
        if subject.endpoint.namespace not in {s.namespace for s in policy.subjects}:
            continue
        if subject.unit in engine.binder.subject(policy):
            continue
        ports = engine.table.units[subject.unit].ports
        hits = [
            bound.rule
            for bound in engine.binder.rules(policy, point.direction, ports)
            if peer.unit in bound.must
            and bound.rule.action is Action.ALLOW
            and bound.traffic & asked
        ]
        if hits:
            miss = subject_miss(policy, subject.endpoint.labels, subject.text)
            yield Considered(
                policy, False, (), f"would allow it, but {miss.text}", None, policy.subject_span
            )


FAR = 2
"""From this remoteness on, a policy has nothing to say about the very traffic."""


def _remoteness(engine: Engine, point: Point, policy: Policy, asked: TrafficSet) -> int:
    """Return how little a policy that does not match has to say about traffic."""
    if not policy.rules_for(point.direction):
        return FAR + 2
    ports = engine.table.units[point.subject].ports
    bound = engine.binder.rules(policy, point.direction, ports)
    if any((b.traffic | b.may_traffic) & asked for b in bound):
        return 1
    return FAR if any(point.peer in b.must or point.peer in b.may for b in bound) else FAR + 1


def ranked(considered: Iterable[Considered]) -> tuple[Considered, ...]:
    """Return the policies of an enforcement point, the most telling first.

    Those that match come first, then those whose rules speak of the very traffic, those with
    other traffic for the same peer, and those with rules at all; a default deny comes last.
    Of equals, the ones made for fewer pods come before those made for many.
    """
    return tuple(
        sorted(
            considered,
            key=lambda c: (
                not c.matched,
                c.remoteness,
                -min((len(s.pods.requirements) for s in c.policy.subjects), default=0),
                str(c.policy.id),
            ),
        )
    )


def _rule(policy: Policy, direction: Direction, index: int) -> Rule | None:
    return next((r for r in policy.rules_for(direction) if r.index == index), None)


def _deciders(
    engine: Engine,
    point: Point,
    verdict: Verdict,
    considered: Sequence[Considered],
) -> Iterable[Decider]:
    kind = engine.table.units[point.subject].kind
    if point.builtin is not None and point.builtin_sure:
        yield Decider(_relation(point.builtin), direction=point.direction)
        return
    if point.decision is None or not point.decision.policies:
        what = "default" if kind in (UnitKind.POD, UnitKind.EXTERNAL) else "not policed"
        yield Decider(what, direction=point.direction)
        return
    rules = [
        Decider(rule_text(c.policy, r), c.policy.id, point.direction, r.index, r.span)
        for c in considered
        if c.selects
        for r in c.matched
        if _decides(r, verdict)
    ]
    if verdict is not Verdict.DENIED:
        yield from rules
    if verdict is not Verdict.ALLOWED:
        yield from (d for d in rules if verdict is Verdict.DENIED)
        yield from _isolation(point, considered)
    elif not rules:
        yield Decider("default", direction=point.direction)


def _decides(rule: Rule, verdict: Verdict) -> bool:
    wanted = {Verdict.ALLOWED: (Action.ALLOW,), Verdict.DENIED: (Action.DENY,)}
    return rule.action in wanted.get(verdict, (Action.ALLOW, Action.DENY))


def _isolation(point: Point, considered: Sequence[Considered]) -> Iterable[Decider]:
    """Name the isolating policies in the order they were considered, the most telling first."""
    if point.decision is None:
        return
    isolating = {id(p) for p in point.decision.isolating}
    for each in considered:
        policy = each.policy
        if id(policy) not in isolating or policy.opaque is not None:
            continue
        span = each.miss_span if each.miss_rule else policy.span
        yield Decider(
            f"{policy.id} isolates {point.direction}", policy.id, point.direction, None, span
        )
    for policy in point.decision.policies:
        if policy.opaque is not None:
            text = f"{policy.id.kind} {policy.id} is not understood"
            yield Decider(text, policy.id, point.direction, None, policy.span)


def _relation(rule: Rule) -> str:
    match = rule.peers[0].match
    relation = getattr(match, "relation", None)
    return str(relation.value).replace("-", " ") if relation else "built-in rule"


def rule_text(policy: Policy, rule: Rule) -> str:
    """Return a rule as people name it.

    The words are the same in every answer, so that they can be searched for.
    """
    return f"{policy.id} {rule.direction} rule {rule.index}"
