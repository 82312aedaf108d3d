"""Everybody to everybody: the engine's rectangles, and three other ways to the same."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from benchmarks.baselines.bitmatrix import BitMatrix
from benchmarks.baselines.pairs import PairLoop
from benchmarks.faults import DisagreementError
from benchmarks.measured import Measured, Meter, Phase, peak
from benchmarks.measures.ready import count, decoded, ready_to_ask
from benchmarks.samples import Lot, Question
from benchmarks.worlds import WORLDS
from cloison.app.load import load_objects
from cloison.app.session import Session
from cloison.engine import Rectangle
from cloison.resources.world import PodEndpoint
from tests.oracle.ir import IROracle
from tests.oracle.ir_ways import traffic_point

PROTOCOL, PORT = "TCP", 8080
"""What is counted, so that all can be held against one another."""


def all_pairs(world: str, size: int, who: str, pairs: int = 0, sampled: int = 0) -> Measured:
    """Measure how long one of them takes from a ready session to everybody's connectivity.

    Args:
        world: Its name.
        size: Its size.
        who: The engine, or one of the baselines.
        pairs: For those that go from pair to pair: how many pairs are asked about, from which
            the time for all is worked out. Every pair when 0.
        sampled: How many answers are held against the oracle's.

    Raises:
        DisagreementError: One of them is not the oracle's.
        NotSupportedError: The baseline does not know what this world has.
    """
    session = load_objects(decoded(world, size), profile=WORLDS[world].profile)
    ready_to_ask(session)
    meter = Meter()
    count(session, meter)
    meter.begin()
    reaches = _WAYS[who](session, meter, pairs)
    most = meter.peak
    oracle = IROracle(session.world, session.policies, session.profile)
    for question in Lot(session, only_pods=True).questions(sampled, seed=2):
        told = reaches(question)
        if told is None:
            continue
        expected = str(oracle.verdict(question.source, question.destination, PROTOCOL, PORT, 4))
        meter.facts["sampled pairs"] = meter.facts.get("sampled pairs", 0) + 1
        meter.facts[expected] = meter.facts.get(expected, 0) + 1
        if told != (expected == "allowed"):
            ends = " to ".join(question.words)
            msg = f"{ends} on {PROTOCOL}/{PORT}: the oracle says {expected}, {who} does not"
            raise DisagreementError(msg)
    meter.peak = most
    return meter.done()


Reaches = Callable[[Question], bool | None]


def _engine(session: Session, meter: Meter, _: int) -> Reaches:
    with meter.phase("all pairs"):
        found = list(session.engine.rectangles())
    meter.facts["rectangles"] = len(found)
    table = session.engine.table
    weights: dict[int, int] = {}
    unit_of: dict[str, int] = {}
    for endpoint, units in zip(table.endpoints, table.by_endpoint, strict=True):
        weights[units[0]] = weights.get(units[0], 0) + 1
        unit_of[endpoint.name] = units[0]
    open_ = [each for each in found if traffic_point(PROTOCOL, PORT) in each.outcome.allowed]
    meter.facts["reachable"] = _pairs(open_, weights)

    def reaches(question: Question) -> bool | None:
        source, destination = question.source, question.destination
        if isinstance(source, int) or isinstance(destination, int) or source == destination:
            return None
        ends = unit_of[source.name], unit_of[destination.name]
        return any(ends[0] in each.sources and ends[1] in each.destinations for each in open_)

    return reaches


def _pairs(open_: Iterable[Rectangle], weights: Mapping[int, int]) -> int:
    """Return how many ordered pairs of two pods rectangles hold."""
    found = 0
    for each in open_:
        sources, destinations = (
            {unit for unit in side if unit in weights} for side in (each.sources, each.destinations)
        )
        found += sum(weights[unit] for unit in sources) * sum(weights[u] for u in destinations)
        # A pod and itself are no pair; what it does with itself is not in here.
        found -= sum(weights[unit] for unit in sources & destinations)
    return found


def _bit_matrix(session: Session, meter: Meter, _: int) -> Reaches:
    with meter.phase("all pairs"):
        matrix = BitMatrix(session, PROTOCOL, PORT)
        meter.facts["reachable"] = matrix.count()
    places = {id(pod): place for place, pod in enumerate(matrix.pods)}

    def reaches(question: Question) -> bool:
        source, destination = places[id(question.source)], places[id(question.destination)]
        return matrix.reaches(source, destination)

    return reaches


def _pair_loop(session: Session, meter: Meter, pairs: int) -> Reaches:
    loop = PairLoop(session)
    point = traffic_point(PROTOCOL, PORT)

    def reaches(question: Question) -> bool | None:
        source, destination = question.source, question.destination
        if isinstance(source, int) or isinstance(destination, int):
            return None
        return point in loop.passing(source, destination)

    _each(session, meter, pairs, lambda one, other: point in loop.passing(one, other))
    return reaches


def _oracle(session: Session, meter: Meter, pairs: int) -> Reaches:
    oracle = IROracle(session.world, session.policies, session.profile)

    def passes(source: PodEndpoint, destination: PodEndpoint) -> bool:
        return oracle.verdict(source, destination, PROTOCOL, PORT, 4) == "allowed"

    _each(session, meter, pairs, passes)
    return lambda _: None


def _each(
    session: Session, meter: Meter, pairs: int, passes: Callable[[PodEndpoint, PodEndpoint], bool]
) -> None:
    """Go from pair to pair, or to some of them, and say what all would take."""
    pods = Lot(session).pods
    total = len(pods) * (len(pods) - 1)
    done = reachable = 0
    wall, cpu = time.perf_counter(), time.process_time()
    for one, other in _some(session, pods, pairs):
        done += 1
        reachable += passes(one, other)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    meter.phases["all pairs"] = Phase(cpu * total / done, wall * total / done)
    meter.phases["one pair"] = Phase(cpu / done, wall / done)
    meter.peak = peak()
    meter.facts["pairs asked"] = done
    meter.facts["pairs"] = total
    if not pairs:
        meter.facts["reachable"] = reachable


def _some(
    session: Session, pods: list[PodEndpoint], pairs: int
) -> Iterator[tuple[PodEndpoint, PodEndpoint]]:
    if not pairs:
        yield from ((one, other) for one in pods for other in pods if one is not other)
        return
    left = pairs
    for question in Lot(session, only_pods=True).questions(pairs * 4, seed=3):
        source, destination = question.source, question.destination
        if isinstance(source, int) or isinstance(destination, int) or source is destination:
            continue
        yield source, destination
        left -= 1
        if not left:
            return


_WAYS: Mapping[str, Callable[[Session, Meter, int], Reaches]] = {
    "engine": _engine,
    "bit matrix": _bit_matrix,
    "pair loop": _pair_loop,
    "oracle": _oracle,
}
"""By name."""
