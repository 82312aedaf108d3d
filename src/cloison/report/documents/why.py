"""`why` as published."""

from collections.abc import Iterator, Sequence

import msgspec

from cloison.analyses.ask import Explanation
from cloison.analyses.ask import Mend as Mended
from cloison.analyses.ask import Question as Asked
from cloison.analyses.ask import Witness as Shown
from cloison.analyses.explain import CaseAnswer, Considered, Decider, PointAnswer, rule_text
from cloison.analyses.paths.model import HopRole
from cloison.analyses.paths.model import Stop as Stopped
from cloison.analyses.question import State
from cloison.analyses.walk import Came, TierWalk
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Action, Direction
from cloison.report.about import About
from cloison.report.documents import ends, parts


class Question(parts.Base, frozen=True):
    """What was asked, as it was understood."""

    text: str
    source: parts.Endpoint
    destination: parts.Endpoint
    port: str | None
    traffic: list[parts.Traffic]
    state: State
    family: int | None
    http: str | None
    grpc: str | None
    sni: str | None
    dns: str | None


class DecidedBy(parts.Base, frozen=True):
    """What decided: a rule, the isolation a policy brings, a built-in rule, or a default.

    `action` is what it did, null where nobody can say; `tier` is null outside of every tier.
    """

    text: str
    policy: parts.PolicyRef | None
    direction: Direction | None
    rule: int | None
    tier: str | None
    action: Action | None
    file: str | None
    line: int | None
    column: int | None


class MatchedRule(parts.Base, frozen=True):
    """A rule that matches, counted from 1 within its policy and direction."""

    rule: int
    action: Action
    file: str | None
    line: int | None
    column: int | None


class ConsideredPolicy(parts.Base, frozen=True):
    """A policy that was looked at, and what came of it.

    `reached` is false where an earlier tier had decided before its own was asked.
    """

    policy: parts.PolicyRef
    tier: str
    reached: bool
    selects: bool
    matched: list[MatchedRule]
    nearest_miss: str | None
    nearest_rule: int | None
    file: str | None
    line: int | None
    column: int | None


class TierSaid(parts.Base, frozen=True):
    """What one tier did, and by which policies that select the endpoint.

    `outcome` is allowed, denied, passed, unmatched, undetermined or mixed; what is passed or
    unmatched goes on to the next tier. `conflicts` names rules of equal order that disagree.
    """

    name: str
    outcome: Came
    traffic: list[parts.Traffic]
    policies: list[parts.PolicyRef]
    conflicts: list[list[str]]


class EnforcementPoint(parts.Base, frozen=True):
    """One place where the traffic is judged, by one layer.

    `tiers` are those that were asked and have a policy for this endpoint and direction, in
    order, up to the decision.
    """

    endpoint: parts.Endpoint
    direction: Direction
    layer: str
    verdict: Verdict
    allowed: list[parts.Traffic]
    when: list[parts.When]
    decided_by: list[DecidedBy]
    tiers: list[TierSaid]
    considered: list[ConsideredPolicy]
    caveats: list[parts.CaveatSaid]


class Hop(parts.Base, frozen=True):
    """One connection of the path, judged at its enforcement points in order.

    A call by a name takes several: `role` says what each is for, `why` what leads there, and
    `assumed` what stands in for something that the input does not hold. A call that may go
    different ways has hops with another `way`. `verdict` is null where nothing was judged.
    """

    way: int
    hop: int
    role: HopRole
    source: parts.Endpoint
    destination: parts.Endpoint
    traffic: str | None
    verdict: Verdict | None
    why: list[str]
    assumed: str | None
    enforcement_points: list[EnforcementPoint]


class Stop(parts.Base, frozen=True):
    """Why nothing arrives on a way, though no policy is to blame."""

    way: int
    reason: str
    text: str
    help: str
    file: str | None
    line: int | None
    column: int | None


class Witness(parts.Base, frozen=True):
    """One flow of a mixed answer."""

    verdict: Verdict
    source: str
    destination: str
    traffic: list[parts.Traffic]
    request: str | None


class Mend(parts.Base, frozen=True):
    """A change that, with the others of the list, would let the traffic pass.

    `lines` are to be added to the object at `file` and `line`; they are empty where the object is
    new. `manifest` is the whole object as it should be. `opens` names what else the change opens.
    """

    text: str
    manifest: str
    lines: str
    file: str | None
    line: int | None
    opens: list[str]


class Why(parts.Envelope, frozen=True):
    """Whether one end may reach the other, and at each enforcement point why.

    `when` holds traffic that passes with some requests; `instead`, of a request that is denied,
    those with which its traffic passes, and `refusal` what the client sees.
    """

    question: Question
    verdict: Verdict
    allowed: list[parts.Traffic]
    when: list[parts.When]
    instead: list[parts.When]
    refusal: str | None
    path: list[Hop]
    stops: list[Stop]
    witnesses: list[Witness]
    mend: list[Mend]
    caveats: list[parts.CaveatSaid]
    notes: list[str]


DOCUMENT = Why


def document(result: Explanation, about: About) -> Why:
    """Return an explanation as published."""
    question = result.question
    asked = question.traffic.traffic
    if not asked:
        for case in result.cases:
            asked |= case.case.traffic
    return Why(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=parts.findings(about),
        question=Question(
            text=str(question),
            source=ends.end(question.source),
            destination=ends.end(question.destination),
            port=question.traffic.text,
            traffic=parts.traffic(asked),
            state=question.state,
            family=question.family,
            http=question.application.http,
            grpc=question.application.grpc,
            sni=question.application.sni,
            dns=question.application.dns,
        ),
        verdict=result.verdict,
        allowed=parts.traffic(result.allowed),
        when=parts.when(result.when),
        instead=parts.when(result.instead),
        refusal=result.refusal,
        path=list(_path(result)),
        stops=[_stop(number, way.stop) for number, way in enumerate(result.ways, 1) if way.stop],
        witnesses=[witness(each) for each in result.witnesses],
        mend=mends(result.mend),
        caveats=parts.caveats(result.caveats),
        notes=list(result.notes),
    )


def witness(known: Shown) -> Witness:
    """Return one flow of a mixed answer as published."""
    return Witness(
        verdict=known.verdict,
        source=known.source,
        destination=known.destination,
        traffic=parts.traffic(known.traffic),
        request=str(known.request) if known.request else None,
    )


def mends(found: Sequence[Mended]) -> list[Mend]:
    """Return changes as published."""
    return [
        Mend(
            text=each.text,
            manifest=each.manifest,
            lines=each.lines,
            file=each.file,
            line=each.line,
            opens=list(each.also),
        )
        for each in found
    ]


def _path(result: Explanation) -> Iterator[Hop]:
    if not result.ways:
        if result.shown is not None:
            yield _hop(result.shown, HopRole.CALL, result.question, result.verdict)
        return
    for number, way in enumerate(result.ways, 1):
        for place, hop in enumerate(way.hops, 1):
            shown = hop.answer.shown if hop.answer else None
            verdict = hop.verdict if hop.answer else None
            made = _hop(shown, hop.role, hop.question, verdict)
            yield msgspec.structs.replace(
                made, way=number, hop=place, why=list(hop.why), assumed=hop.assumed
            )


def _hop(shown: CaseAnswer | None, role: HopRole, asked: Asked, verdict: Verdict | None) -> Hop:
    """Return a hop; of several pairs of ends that it stands for, the one that tells most."""
    if shown is None:
        source, destination = ends.end(asked.source), ends.end(asked.destination)
    else:
        source, destination = ends.party(shown.case.source), ends.party(shown.case.destination)
    return Hop(
        way=1,
        hop=1,
        role=role,
        source=source,
        destination=destination,
        traffic=asked.traffic.text,
        verdict=verdict,
        why=[],
        assumed=None,
        enforcement_points=[
            _point(point, source if point.direction is Direction.EGRESS else destination)
            for point in (shown.points if shown else ())
        ],
    )


def _stop(way: int, stop: Stopped) -> Stop:
    span = stop.span
    return Stop(
        way=way,
        reason=stop.reason,
        text=stop.text,
        help=stop.help,
        file=span.file if span else None,
        line=span.line if span else None,
        column=span.column if span else None,
    )


def _point(point: PointAnswer, endpoint: parts.Endpoint) -> EnforcementPoint:
    return EnforcementPoint(
        endpoint=endpoint,
        direction=point.direction,
        layer=point.layer,
        verdict=point.verdict,
        allowed=parts.traffic(point.allowed),
        when=parts.when(point.when),
        decided_by=[decided_by(d) for d in point.decided_by],
        tiers=[_tier(t, t.came) for t in point.tiers if t.came is not None],
        considered=[_considered(c) for c in point.considered],
        caveats=parts.caveats(point.caveats),
    )


def _tier(known: TierWalk, came: Came) -> TierSaid:
    return TierSaid(
        name=known.spec.name,
        outcome=came,
        traffic=parts.traffic(known.traffic),
        policies=[parts.policy_ref(p.id) for p in known.policies],
        conflicts=[
            [rule_text(b.policy, b.rule) for b in (c.one, c.other)] for c in known.conflicts
        ],
    )


def decided_by(decider: Decider) -> DecidedBy:
    """Return what decided as published."""
    span = decider.span
    return DecidedBy(
        text=decider.text,
        policy=parts.policy_ref(decider.policy) if decider.policy else None,
        direction=decider.direction,
        rule=decider.rule,
        tier=decider.tier,
        action=decider.action,
        file=span.file if span else None,
        line=span.line if span else None,
        column=span.column if span else None,
    )


def _considered(known: Considered) -> ConsideredPolicy:
    span = known.miss_span or known.policy.span
    return ConsideredPolicy(
        policy=parts.policy_ref(known.policy.id),
        tier=known.policy.tier,
        reached=known.reached,
        selects=known.selects,
        matched=[
            MatchedRule(
                rule=rule.index,
                action=rule.action,
                file=rule.span.file if rule.span else None,
                line=rule.span.line if rule.span else None,
                column=rule.span.column if rule.span else None,
            )
            for rule in known.matched
        ],
        nearest_miss=known.nearest_miss,
        nearest_rule=known.miss_rule,
        file=span.file if span else None,
        line=span.line if span else None,
        column=span.column if span else None,
    )


HEADER = (
    "question",
    "verdict",
    "direction",
    "endpoint",
    "pointVerdict",
    "policyKind",
    "policy",
    "selects",
    "matchedRules",
    "nearestMiss",
    "file",
    "line",
    "tier",
)


def rows(result: Explanation) -> Iterator[Sequence[object]]:
    """Iterate over the policies that were considered, point by point."""
    lead = (str(result.question), str(result.verdict))
    if result.shown is None:
        yield (*lead, *[""] * (len(HEADER) - len(lead)))
        return
    for point in result.shown.points:
        head = (*lead, str(point.direction), point.endpoint, str(point.verdict))
        if not point.considered:
            yield (*head, *[""] * (len(HEADER) - len(head)))
        for each in point.considered:
            span = each.matched[0].span if each.matched else each.miss_span or each.policy.span
            yield (
                *head,
                each.policy.id.kind,
                str(each.policy.id),
                "true" if each.selects else "false",
                " ".join(str(r.index) for r in each.matched),
                each.nearest_miss or "",
                span.file if span else "",
                span.line if span else "",
                each.policy.tier,
            )
