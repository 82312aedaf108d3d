"""`why`: the verdict on a question, and at each enforcement point what led to it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.caveats import point_caveats
from cloison.analyses.miss import policy_miss, subject_miss
from cloison.analyses.parties import Party
from cloison.analyses.question import Case
from cloison.analyses.resolve import covers
from cloison.analyses.walk import TierWalk, Walk, walks
from cloison.base import Span
from cloison.engine import Engine, Point, UnitKind
from cloison.engine.decide import Piece
from cloison.engine.steps import Cause
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.policy import Action, Direction, Mode, Policy, PolicyId, Rule
from cloison.ir.ruleset import Outcome
from cloison.ir.when import When, within


@dataclass(frozen=True, slots=True)
class Decider:
    """What decided: a rule, the isolation a policy brings, a built-in rule, or a default.

    Args:
        text: `web/portal ingress rule 1`, `web/deny isolates ingress`, `own node`, `default`.
        policy: The policy object, if one decided.
        direction: Seen from the endpoint it protects.
        rule: 1-based rule, None when no rule matched.
        span: Where the rule, or the policy, is written.
        tier: The tier it decided in, if any.
        action: What it did; None where nobody can say.
    """

    text: str
    policy: PolicyId | None = None
    direction: Direction | None = None
    rule: int | None = None
    span: Span | None = None
    tier: str | None = None
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class Considered:
    """A policy that was looked at, and what came of it.

    Args:
        policy: The policy.
        selects: Whether it selects the endpoint at all.
        matched: Its rules that match the traffic, or part of it, and were asked.
        nearest_miss: Why nothing of it matched, but for rules that only write a log.
        miss_rule: 1-based rule that came nearest, if a rule did.
        miss_span: Where what came nearest is written.
        remoteness: How little it has to say about the traffic; 0 says most, from `FAR` on it
            is about other traffic.
        reached: Whether evaluation came to its tier.
    """

    policy: Policy
    selects: bool
    matched: tuple[Rule, ...] = ()
    nearest_miss: str | None = None
    miss_rule: int | None = None
    miss_span: Span | None = None
    remoteness: int = 0
    reached: bool = True

    @property
    def decides(self) -> bool:
        """Whether a rule of it matches that does more than write a log."""
        return any(rule.action is not Action.LOG for rule in self.matched)


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
        walk: The way through the layer's tiers; None where no policy applies to such an end.
        asked: The traffic in question.
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
    walk: Walk | None = None
    asked: TrafficSet = NO_TRAFFIC

    @property
    def when(self) -> tuple[When, ...]:
        """Traffic that passes here with some requests, and not with others."""
        outcome = self.walk.outcome if self.walk else self.point.outcome
        return tuple(each for each in within(outcome.when, self.asked) if each.mixed)

    @property
    def tiers(self) -> tuple[TierWalk, ...]:
        """Tiers that have a policy for this end and direction, in order."""
        return self.walk.tiers if self.walk else ()


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """The answer to one case: one pair of like ends.

    Args:
        case: The case.
        outcome: What becomes of the traffic in question.
        verdict: On all of it.
        points: Leaving the source, entering the destination; each once for every layer that
            has something to say, and once at least.
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
    if any(each.mixed for each in within(outcome.when, asked)):
        return Verdict.MIXED
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
    asked = case.traffic
    points = (
        *_answers(engine, leaving, source, destination, asked, misses=misses),
        *_answers(engine, entering, destination, source, asked, misses=misses),
    )
    outcome = leaving.outcome.meet(entering.outcome)
    return CaseAnswer(case, outcome, verdict_of(outcome, case.traffic), points)


def deciders_at(engine: Engine, point: Point, asked: TrafficSet) -> tuple[Decider, ...]:
    """Return what decides on traffic at one enforcement point, the most telling first."""
    peer = Party(point.peer, "")
    verdict = verdict_of(point.outcome, asked)
    found: list[Decider] = []
    for walk in _telling(engine, point, asked):
        mine = verdict_of(walk.outcome, asked) if walk else verdict
        if verdict is Verdict.ALLOWED or mine is not Verdict.ALLOWED:
            considered = ranked(_consider(engine, point, walk, peer, asked, misses=False), walk)
            found += _deciders(engine, point, walk, considered)
    return tuple(dict.fromkeys(found))


ExplainCase: TypeAlias = Callable[[Engine, Case], CaseAnswer]
"""Answers one case with its reasons."""


def _telling(engine: Engine, point: Point, asked: TrafficSet) -> tuple[Walk | None, ...]:
    """Return the layers that have something to say, the first of all where none has."""
    found = walks(engine, point, asked)
    return tuple(w for w in found if not w.silent) or found[:1] or (None,)


def _answers(
    engine: Engine,
    point: Point,
    subject: Party,
    peer: Party,
    asked: TrafficSet,
    *,
    misses: bool,
) -> Iterable[PointAnswer]:
    telling = _telling(engine, point, asked)
    for walk in telling:
        # Of a point with one layer more may be known than its steps show.
        outcome = walk.outcome if walk and len(telling) > 1 else point.outcome
        verdict = verdict_of(outcome, asked)
        found = list(_consider(engine, point, walk, peer, asked, misses=misses))
        if misses and walk is not None and not asked <= outcome.allowed:
            found += _bystanders(engine, point, walk, subject, peer, asked)
        considered = ranked(found, walk)
        first = engine.policies.layers[0].name if engine.policies.layers else ""
        yield PointAnswer(
            subject.text,
            point.direction,
            walk.layer.name if walk else first,
            verdict,
            outcome.allowed & asked,
            tuple(_deciders(engine, point, walk, considered)),
            considered,
            point_caveats(engine, point, walk, subject, peer, asked, verdict),
            point,
            _idle(engine, subject, point.direction),
            walk,
            asked,
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
    engine: Engine,
    point: Point,
    walk: Walk | None,
    peer: Party,
    asked: TrafficSet,
    *,
    misses: bool,
) -> Iterable[Considered]:
    if point.piece is None or walk is None:
        return
    for policy in walk.stray:
        if policy.opaque is not None:
            yield Considered(policy, selects=True, nearest_miss=policy.opaque.reason)
    for tier in walk.tiers:
        matched = _matched(point.piece, tier, asked)
        for policy in tier.policies:
            rules = matched.get(id(policy), [])
            reached = tier.came is not None or len(walk.tiers) == 1
            if any(rule.action is not Action.LOG for rule in rules):
                yield Considered(policy, selects=True, matched=tuple(rules), reached=reached)
            elif policy.opaque is not None:
                reason = policy.opaque.reason
                yield Considered(policy, selects=True, nearest_miss=reason, reached=reached)
            else:
                far = _remoteness(engine, point, policy, asked)
                if not misses or not reached:
                    yield Considered(
                        policy,
                        selects=True,
                        matched=tuple(rules),
                        miss_span=policy.span,
                        remoteness=far,
                        reached=reached,
                    )
                    continue
                miss = policy_miss(engine, policy, point, peer, asked)
                rule = _rule(policy, point.direction, miss.rule)
                span = rule.span if rule else policy.span
                logged, number = tuple(rules), miss.rule or None
                yield Considered(policy, True, logged, miss.text, number, span, far)


def _matched(piece: Piece, tier: TierWalk, asked: TrafficSet) -> dict[int, list[Rule]]:
    """Return the rules of a tier that match, by policy: in order, those that were asked."""
    bound = [b for b, _ in piece.rules if (b.traffic | b.may_traffic) & asked]
    if tier.ordered:
        bound = [step.rule for step in tier.steps if step.rule is not None]
    found: dict[int, list[Rule]] = {}
    for each in bound:
        rules = found.setdefault(id(each.policy), [])
        if each.rule not in rules:
            rules.append(each.rule)
    return found


def _bystanders(
    engine: Engine, point: Point, walk: Walk, subject: Party, peer: Party, asked: TrafficSet
) -> Iterable[Considered]:
    """Find policies of the namespace that would have allowed it but select others."""
    if subject.endpoint is None:
        return
    ended = {t.spec.name for t in walk.tiers if t.ended}
    for policy in engine.naming(subject.endpoint.namespace):
        if policy.tier not in ended:
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
            miss = subject_miss(engine.world, policy, subject.endpoint, subject.text)
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
    if any((b.traffic | b.may_traffic | _unmet(b.rule)) & asked for b in bound):
        return 1
    return FAR if any(point.peer in b.must or point.peer in b.may for b in bound) else FAR + 1


def _unmet(rule: Rule) -> TrafficSet:
    """Return what a rule would match, were another request made."""
    return NO_TRAFFIC if rule.unmet is None else rule.unmet.must | rule.unmet.may


def ranked(considered: Iterable[Considered], walk: Walk | None = None) -> tuple[Considered, ...]:
    """Return the policies of an enforcement point, the most telling first.

    Tiers that took part in the decision come first, in order, then those that had nothing to
    say, then those that nobody came to. In a tier without order those that match come first,
    then those whose rules speak of the very traffic, those with other traffic for the same
    peer, and those with rules at all; a default deny comes last. Of equals, the ones made for
    fewer pods come before those made for many. In a tier with an order those that match come
    first, all in that order.
    """
    tiers = walk.tiers if walk else ()
    rank = {t.spec.name: (_part(t), i) for i, t in enumerate(tiers)}
    order = {id(p): i for t in tiers if t.ordered for i, p in enumerate(t.policies)}
    return tuple(
        sorted(
            considered,
            key=lambda c: (
                not c.reached,
                rank.get(c.policy.tier, (0, 0)),
                not c.decides,
                order.get(id(c.policy), 0),
                c.remoteness,
                -min((len(s.pods.requirements) for s in c.policy.subjects), default=0),
                str(c.policy.id),
            ),
        )
    )


def _part(tier: TierWalk) -> int:
    """Return how little a tier has to do with the decision."""
    if any(step.action not in (Action.PASS, Action.LOG) for step in tier.steps):
        return 0
    return 1 if tier.steps else 2


def _rule(policy: Policy, direction: Direction, index: int) -> Rule | None:
    return next((r for r in policy.rules_for(direction) if r.index == index), None)


def _deciders(
    engine: Engine, point: Point, walk: Walk | None, considered: Sequence[Considered]
) -> Iterable[Decider]:
    direction = point.direction
    always = walk.always if walk else ()
    for builtin in always:
        yield Decider(_relation(builtin), direction=direction, action=builtin.action)
    if walk is None or walk.silent:
        kind = engine.table.units[point.subject].kind
        what = "default" if kind in (UnitKind.POD, UnitKind.EXTERNAL) else "not policed"
        yield Decider(what, direction=direction, action=Action.ALLOW)
        return
    if any(step.cause is Cause.BUILTIN and step.builtin is None for step in walk.steps):
        action = next(t.returned for t in walk.layer.tiers if t.returned)
        yield Decider("self through a Service", direction=direction, action=action)
    yield from dict.fromkeys(_by_tiers(point, walk, considered))
    if not any(step.cause is Cause.OPAQUE for step in walk.steps):
        if walk.default:
            yield Decider("default", direction=direction, action=walk.layer.default)
    else:
        for policy in walk.policies:
            if policy.opaque is not None:
                text = f"{policy.id.kind} {policy.id} is not understood"
                yield Decider(text, policy.id, direction, None, policy.span, policy.tier)


def _by_tiers(point: Point, walk: Walk, considered: Sequence[Considered]) -> Iterable[Decider]:
    """Name what decided in each tier: its rules, then its end."""
    ranks = {id(c.policy): i for i, c in enumerate(considered) if c.selects}
    for tier in walk.tiers:
        acting = [
            (step.rule, step.action)
            for step in tier.steps
            if step.rule is not None and step.action in (Action.ALLOW, Action.DENY)
        ]
        if not tier.ordered:
            acting.sort(key=lambda item: ranks.get(id(item[0].policy), len(ranks)))
        for bound, action in acting:
            policy, rule = bound.policy, bound.rule
            text = rule_text(policy, rule)
            span = rule.span
            yield Decider(
                text, policy.id, point.direction, rule.index, span, tier.spec.name, action
            )
        ends = [s for s in tier.steps if s.cause is Cause.END and s.action is not Action.PASS]
        if ends:
            did = {step.action for step in ends}
            yield from _isolation(point, tier, did.pop() if len(did) == 1 else None, considered)


def _isolation(
    point: Point, tier: TierWalk, action: Action | None, considered: Sequence[Considered]
) -> Iterable[Decider]:
    """Name the isolating policies in the order they were considered, the most telling first."""
    mine = {id(p) for p in tier.policies if point.direction in p.isolates}
    for each in considered:
        policy = each.policy
        if id(policy) not in mine or policy.opaque is not None or not each.selects:
            continue
        span = each.miss_span if each.miss_rule else policy.span
        text = f"{policy.id.said} isolates {point.direction}"
        yield Decider(text, policy.id, point.direction, None, span, tier.spec.name, action)


def _relation(rule: Rule) -> str:
    match = rule.peers[0].match
    relation = getattr(match, "relation", None)
    return str(relation.value).replace("-", " ") if relation else "built-in rule"


def rule_text(policy: Policy, rule: Rule) -> str:
    """Return a rule as people name it.

    The words are the same in every answer, so that they can be searched for.
    """
    return f"{policy.id.said} {rule.label}"
