"""Replies to traffic that was let through before connections are tracked.

Such traffic opens no connection, so that its reply is a packet like any other, and needs a rule
of the same kind in the other direction. Where a protocol tells how connections begin, a reply to
none is no beginning, and goes no further; one of UDP is, and meets policies as a connection of its
own. Of replies only the ends are known, not the port they go to; whether a rule that there is lets
one through is left open. So it is where the request is tracked and a rule keeps its reply from it.

Source: projectcalico/calico felix/rules/endpoints.go (packets of no connection) and static.go.
"""

from collections.abc import Sequence

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.explain import CaseAnswer, PointAnswer
from cloison.engine import Engine
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Action, Direction

_UDP = TrafficSet.protocol("UDP")
_OTHER = {Direction.INGRESS: Direction.EGRESS, Direction.EGRESS: Direction.INGRESS}


def reply_verdict(
    engine: Engine, answers: Sequence[CaseAnswer], verdict: Verdict
) -> tuple[Verdict, str | None]:
    """Return what becomes of replies, and why that differs from what their connection meets.

    Args:
        engine: Who decides.
        answers: What becomes of the traffic that they answer.
        verdict: The verdict on all of it.
    """
    fates = [_fate(engine, answer) for answer in answers]
    if verdict is Verdict.DENIED or not any(fates):
        return verdict, None
    if all(fate is Verdict.DENIED for fate in fates):
        note = "an untracked rule lets the request in, and none lets the reply out"
        if _direction(answers) is Direction.EGRESS:
            note = "an untracked rule lets the request out, and none lets the reply in"
        return Verdict.DENIED, note
    return Verdict.UNDETERMINED, "replies to untracked traffic are judged by themselves"


def _direction(answers: Sequence[CaseAnswer]) -> Direction | None:
    for answer in answers:
        for point in answer.points:
            if _untracked(point):
                return point.direction
    return None


def _fate(engine: Engine, answer: CaseAnswer) -> Verdict | None:
    """Return what becomes of the replies of one case; None where they are a connection's."""
    concerned = [point for point in answer.points if _untracked(point)]
    if not concerned:
        apart = any(_answered(engine, answer, point) for point in answer.points)
        return Verdict.UNDETERMINED if apart else None
    for point in concerned:
        let = NO_TRAFFIC
        for sure, traffic in _untracked(point):
            let |= traffic if sure else NO_TRAFFIC
        if answer.case.traffic <= let - _UDP and not _answered(engine, answer, point):
            return Verdict.DENIED
    return Verdict.UNDETERMINED


def _untracked(point: PointAnswer) -> list[tuple[bool, TrafficSet]]:
    """Return what untracked rules let through at a point, each with whether it is certain."""
    steps = point.walk.steps if point.walk else ()
    return [
        (step.sure, step.traffic)
        for step in steps
        if step.rule is not None and step.action is Action.ALLOW and not step.rule.rule.tracked
    ]


def _answered(engine: Engine, answer: CaseAnswer, point: PointAnswer) -> bool:
    """Whether an untracked rule of the other direction may let the reply through."""
    case = answer.case
    leaving = point.direction is Direction.EGRESS
    back = engine.point(
        point.point.subject,
        point.point.peer,
        _OTHER[point.direction],
        case.out_of if leaving else case.into,
        case.family,
    )
    rules = back.piece.rules if back.piece else ()
    return any(not bound.rule.tracked and bound.rule.action is Action.ALLOW for bound, _ in rules)
