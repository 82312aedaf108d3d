"""What drift takes on a month of flows, beside a plain look at each edge in each hour."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from benchmarks.faults import DisagreementError
from benchmarks.measured import Measured, Meter
from benchmarks.measures.ready import count, ready_to_ask
from benchmarks.worlds.estate import HTTP, estate
from cloison.algebra import TrafficSet
from cloison.analyses.ask import Question, verdict_only
from cloison.analyses.drift.model import BLANK, Code, State
from cloison.analyses.drift.windows import FAST
from cloison.analyses.past.course import HOUR, Course
from cloison.analyses.past.watch import Watch
from cloison.analyses.question import Traffic
from cloison.analyses.reconcile.seen import Seen, SeenEnd
from cloison.app.drift import Asked, Past, drifted
from cloison.app.load import load_objects
from cloison.app.session import Session
from cloison.ir.fidelity import Verdict
from cloison.resources.world import WorkloadId

_START = 490_896
"""The first hour that is watched: 2026-01-01."""
_NEAR, _FAR = 3, (3, 7, 31)
"""How many of the next ones each workload calls; where others are, as multiples of its place."""
_TIMES = 3
"""Connections of each hour."""


def drift(workloads: int, days: int) -> Measured:
    """Measure drift over hourly flows of an estate, and a plain look at them as a baseline.

    The baseline asks for a verdict on each edge, and then in each hour whether it was seen in three
    of the last six. All flows got through, after a silence: those that policy denies contradict it,
    and both have to find the same number of these. Drift looks for eleven other things besides.

    Args:
        workloads: How many the estate has.
        days: Days of flows. Half of the edges are seen in every hour, from the second day on.

    Raises:
        DisagreementError: They find another number of contradictions.
    """
    objects = [msgspec.json.decode(msgspec.json.encode(each)) for each in estate(workloads)]
    session, before = (load_objects(objects, profile="generic", runtime=True) for _ in range(2))
    for each in (session, before):
        ready_to_ask(each)
    edges = list(_edges(session, days))
    hours = tuple(_START + hour for hour in range(24 * days))
    known = Past(tuple(seen for _, _, seen in edges), Watch({"made": hours}))
    asked = Asked(datetime.fromtimestamp((hours[-1] + 1) * 3600, UTC).date(), until=_end(hours))
    meter = Meter()
    count(session, meter)
    meter.begin()
    with meter.phase("drift"):
        found, _, _ = drifted(session, asked, known, BLANK, before)
    most = meter.peak
    with meter.phase("hour by hour"):
        plain = [_confirmed(seen, hours) and _denied(session, *ends) for *ends, seen in edges]
    told = [
        member
        for each in found.findings
        if each.key.code is Code.NOT_ENFORCED and each.state is State.CONFIRMED
        for member in each.members or (each.sign,)
    ]
    meter.facts |= {"edges": len(edges), "hours": len(hours), "findings": len(found.findings)}
    if len(told) != sum(plain):
        msg = f"drift finds {len(told)} contradictions, and a look at each hour {sum(plain)}"
        raise DisagreementError(msg)
    meter.peak = most
    return meter.done()


def _end(hours: tuple[int, ...]) -> int:
    return (hours[-1] + 1) * HOUR


def _edges(session: Session, days: int) -> Iterator[tuple[WorkloadId, WorkloadId, Seen]]:
    """Yield who calls whom, and what was seen of it."""
    names = list(session.world.workloads)
    for at, name in enumerate(names):
        others = [(at + 1 + near) % len(names) for near in range(_NEAR)]
        others += [(at * far) % len(names) for far in _FAR]
        for place, other in enumerate(sorted({*others} - {at})):
            hours = range(24, 24 * days)
            # Every hour, or one each day, at an hour of its own, and lately again and again.
            seldom = {*hours[(at + place) % 24 :: 24], *hours[-FAST.span :]}
            seen = hours if place % 2 else sorted(seldom)
            yield name, names[other], _seen(name, names[other], seen)


def _seen(source: WorkloadId, destination: WorkloadId, hours: "range | list[int]") -> Seen:
    course = Course.of((_START + hour, _TIMES) for hour in hours)
    start, end = (
        SeenEnd("pod", each.namespace, each.name, each.kind, f"{each.name}-0")
        for each in (source, destination)
    )
    times = (course.hours[0] * HOUR, course.hours[-1] * HOUR)
    number = course.total
    return Seen(
        start, end, "TCP", HTTP, "allowed", number, *times, adapters=("made",), course=course
    )


def _confirmed(seen: Seen, watched: tuple[int, ...]) -> bool:
    """Return whether an edge was seen in three of six hours, and again in the last day."""
    hours = frozenset(seen.course.hours if seen.course is not None else ())
    confirmed, last = False, 0
    for at, hour in enumerate(watched):
        if hour in hours:
            last = at
        some = sum(each in hours for each in watched[max(0, at - FAST.span + 1) : at + 1])
        confirmed = (confirmed and at - last < FAST.leave) or some >= FAST.enter
    return confirmed


def _denied(session: Session, source: WorkloadId, destination: WorkloadId) -> bool:
    start, end = (f"{e.namespace}/{e.kind}/{e.name}" for e in (source, destination))
    asked = Traffic(f"{HTTP}/TCP", TrafficSet.ports("TCP", HTTP))
    question = Question(session.names.end(start), session.names.end(end), asked)
    return verdict_only(session.engine, question) is Verdict.DENIED
