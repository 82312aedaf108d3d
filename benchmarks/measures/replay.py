"""A million recorded flows judged: all at once, and one by one as the baseline."""

import numpy as np

from benchmarks.faults import DisagreementError
from benchmarks.measured import Measured, Meter
from benchmarks.measures.ready import decoded, opened
from benchmarks.worlds import WORLDS
from cloison.algebra import TrafficSet
from cloison.analyses.ask import Question, verdict_only
from cloison.analyses.question import Traffic
from cloison.analyses.replay import CODES, Batch, replay
from cloison.app.session import Session

_PORTS = (("TCP", 80), ("TCP", 443), ("TCP", 5432), ("TCP", 8080), ("TCP", 9090), ("UDP", 53))
_OUTSIDE = 100


def replayed(world: str, size: int, flows: int, alone: int) -> Measured:
    """Measure how long verdicts on many flows take.

    Args:
        world: Its name.
        size: Its size.
        flows: How many flows, between any two workloads or addresses outside.
        alone: Of how many the verdict is asked one by one, which is the baseline.

    Raises:
        DisagreementError: One of these is another than among all.
    """
    meter = Meter()
    session = opened(decoded(world, size), WORLDS[world].profile, meter)
    batch = _batch(session, flows)
    meter.begin()
    with meter.phase("replay"):
        codes = replay(session.engine, batch)
    most = meter.peak
    with meter.phase("again"):
        replay(session.engine, batch)
    with meter.phase("one by one"):
        found = [CODES[verdict_only(session.engine, _question(batch, row))] for row in range(alone)]
    meter.facts |= {"flows": flows, "asked alone": alone, "ends": len(batch.ends)}
    for row, code in enumerate(found):
        if code != codes[row]:
            msg = f"{_question(batch, row)}: {code} alone, {codes[row]} among all"
            raise DisagreementError(msg)
    meter.peak = most
    return meter.done()


def _question(batch: Batch, row: int) -> Question:
    return Question(
        batch.ends[batch.source[row]],
        batch.ends[batch.destination[row]],
        batch.traffics[batch.traffic[row]],
    )


def _batch(session: Session, flows: int) -> Batch:
    names = session.names
    workloads = [f"{w.namespace}/{w.kind}/{w.name}" for w in session.world.workloads]
    ends = [names.end(text) for text in workloads]
    ends += [names.end(f"203.0.113.{last}") for last in range(_OUTSIDE)]
    traffics = [
        Traffic(f"{port}/{protocol}", TrafficSet.ports(protocol, port)) for protocol, port in _PORTS
    ]
    random = np.random.default_rng(7)
    return Batch(
        ends,
        traffics,
        random.integers(0, len(ends), flows),
        random.integers(0, len(ends), flows),
        random.integers(0, len(traffics), flows),
    )
