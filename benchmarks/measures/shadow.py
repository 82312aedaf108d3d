"""What shadow takes on recorded edges of an estate, beside one question for each of them."""

from collections.abc import Iterator

import msgspec

from benchmarks.faults import DisagreementError
from benchmarks.measured import Measured, Meter
from benchmarks.measures.ready import count, ready_to_ask
from benchmarks.worlds.estate import HTTP, estate
from cloison.algebra import TrafficSet
from cloison.analyses.ask import Question, verdict_only
from cloison.analyses.past.course import HOUR, Course
from cloison.analyses.past.watch import Watch
from cloison.analyses.question import Traffic
from cloison.analyses.reconcile.seen import Seen, SeenEnd
from cloison.analyses.shadow.model import Fate
from cloison.app.load import load_objects
from cloison.app.session import Session
from cloison.app.shadow import Recorded, shadowed
from cloison.ir.fidelity import Verdict
from cloison.resources.world import WorkloadId

_START = 490_896
"""The first hour that is watched: 2026-01-01."""
_HOURS = 24
_CALLED = 40
"""How many others each workload calls."""
_APART = 4
"""Hours from one in which an edge is seen to the next."""
_Row = tuple[WorkloadId, WorkloadId, Seen]


def shadow(workloads: int) -> Measured:
    """Measure shadow of all policies of an estate over a day of flows, and a question for each.

    The baseline asks for the verdict on each edge by itself. Both have to find the same number of
    connections that would be denied. Shadow says besides what is missing, what changes against
    today, which is an estate without policies, and what would be left open.

    Args:
        workloads: How many the estate has.

    Raises:
        DisagreementError: They find another number of connections.
    """
    objects = [msgspec.json.decode(msgspec.json.encode(each)) for each in estate(workloads)]
    bare = [each for each in objects if not each["kind"].endswith("Policy")]
    after, before, alone = (
        load_objects(each, profile="generic", runtime=True) for each in (objects, bare, objects)
    )
    for session in (after, before, alone):
        ready_to_ask(session)
    edges = list(_edges(after))
    hours = tuple(_START + hour for hour in range(_HOURS))
    recorded = Recorded(tuple(seen for _, _, seen in edges), Watch({"made": hours}))
    meter = Meter()
    count(after, meter)
    meter.begin()
    with meter.phase("shadow"):
        found = shadowed(before, after, recorded).connections(Fate.DENIED)
    most = meter.peak
    with meter.phase("one by one"):
        plain = sum(seen.count for *ends, seen in edges if _denied(alone, *ends))
    meter.facts |= {"edges": len(edges), "denied": found}
    if found != plain:
        msg = f"shadow finds {found} connections that would be denied, and single questions {plain}"
        raise DisagreementError(msg)
    meter.peak = most
    return meter.done()


def _edges(session: Session) -> Iterator[_Row]:
    """Yield who calls whom, and what was seen of it."""
    names = list(session.world.workloads)
    steps = range(1, _CALLED // 2 + 1)
    for at, name in enumerate(names):
        near = ((at + step) % len(names) for step in steps)
        far = ((at * (2 * step + 1)) % len(names) for step in steps)
        for other in sorted({*near, *far} - {at}):
            yield name, names[other], _seen(name, names[other], (at + other) % _APART)


def _seen(source: WorkloadId, destination: WorkloadId, first: int) -> Seen:
    hours = range(first, _HOURS, _APART)
    course = Course.of((_START + hour, 1 + hour % 3) for hour in hours)
    start, end = (
        SeenEnd("pod", each.namespace, each.name, each.kind, f"{each.name}-0")
        for each in (source, destination)
    )
    times = (course.hours[0] * HOUR, course.hours[-1] * HOUR)
    return Seen(
        start, end, "TCP", HTTP, "allowed", course.total, *times, adapters=("made",), course=course
    )


def _denied(session: Session, source: WorkloadId, destination: WorkloadId) -> bool:
    start, end = (f"{e.namespace}/{e.kind}/{e.name}" for e in (source, destination))
    asked = Traffic(f"{HTTP}/TCP", TrafficSet.ports("TCP", HTTP))
    question = Question(session.names.end(start), session.names.end(end), asked)
    return verdict_only(session.engine, question) is Verdict.DENIED
