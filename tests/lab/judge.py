"""Sends what is asked of a world that was built, and compares with what the engine says."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cloison.algebra import address_text, family_of, parse_address
from cloison.analyses.ends import AddressEnd, NodeEnd, PodsEnd
from cloison.analyses.ends import End as Asked
from cloison.app import Session
from cloison.dialects.nftables import counter_name
from cloison.probe.lab.plan import Measured, Plan, Probe
from cloison.resources.objects import ContainerPort
from tests.lab.cells import Cell, Prediction
from tests.lab.counted import Counts, Sent, batches, wrong
from tests.lab.paths import Path, Stage, path_of
from tests.support.worlds import end_text

OUTSIDE = "outside"
BATCHES = 6


class Places:
    """Finds where ends are in a lab.

    Args:
        session: The world as built.
        plan: What was built.
    """

    def __init__(self, session: Session, plan: Plan) -> None:
        self.session = session
        self._stations = {
            parse_address(text): station
            for station in (*plan.nodes, *plan.pods)
            for text in station.addresses
        }
        self._nodes = set(plan.nodes)
        self._outside = {parse_address(text) for text in plan.outside}

    def address(self, text: str, family: int) -> int | None:
        """Return an address that an end has in the lab, as a point; None where it has none."""
        return next(iter(self.addresses(text, family)), None)

    def addresses(self, text: str, family: int) -> list[int]:
        """Return the addresses that an end has in the lab, one of each pod that is meant."""
        found: dict[str, int] = {}
        for point in self._points(self.session.names.end(text)):
            station = self.station(point)
            if family_of(point) == family and station is not None:
                found.setdefault(station, point)
        return list(found.values())

    def ports(self, text: str) -> Iterator[ContainerPort]:
        """Yield the ports that pods declare."""
        end = self.session.names.end(text)
        for index in end.endpoints if isinstance(end, PodsEnd) else ():
            yield from self.session.engine.table.endpoints[index].ports

    def _points(self, end: Asked) -> Iterator[int]:
        table = self.session.engine.table
        match end:
            case PodsEnd():
                for index in end.endpoints:
                    yield from table.endpoints[index].addresses
            case NodeEnd():
                yield from end.node.addresses
            case AddressEnd():
                yield from (low for low, _ in end.addresses.spans)

    def station(self, point: int) -> str | None:
        """Return the name of the station at an address."""
        found = self._stations.get(point)
        if found is not None:
            return found.name
        return OUTSIDE if point in self._outside else None

    def is_pod(self, point: int) -> bool:
        """Whether an address is that of a pod on a network of its own."""
        found = self._stations.get(point)
        return found is not None and found not in self._nodes

    def node(self, point: int) -> str:
        """Return the node at whose filter an address is; empty for the outside."""
        found = self._stations.get(point)
        return f"node:{found.node}" if found is not None else ""


@dataclass(frozen=True)
class Trial:
    """A cell that can be tried.

    Args:
        cell: The cell.
        prediction: What the engine says.
        probe: What to send.
        path: What it moves; None where that is not known.
        nodes: Where its source and its target is.
    """

    cell: Cell
    prediction: Prediction
    probe: Probe
    path: Path | None
    nodes: tuple[str, str]


def trial(
    places: Places, cell: Cell, prediction: Prediction, *, counted: bool = True
) -> Trial | None:
    """Return what to send for a cell; None where the lab has nothing to send it from, or to.

    Args:
        places: Where ends are.
        cell: The cell.
        prediction: What the engine says.
        counted: Whether it is known what counts its packets.
    """
    source = places.address(end_text(cell.source), cell.family)
    target = places.address(end_text(cell.target), cell.family)
    if source is None or target is None:
        return None
    station = places.station(source) or ""
    probe = Probe(
        station,
        address_text(source),
        address_text(target),
        cell.protocol,
        cell.port,
        cell.source_port,
    )
    path = None
    if prediction.case is not None and counted:
        path = path_of(prediction.case)
    if station == places.station(target) and places.is_pod(source):
        # What a pod says to itself never leaves it.
        path = Path()
    return Trial(cell, prediction, probe, path, (places.node(source), places.node(target)))


@dataclass
class Findings:
    """What came of some trials.

    Args:
        outcomes: How often each outcome was measured.
        counted: How many trials were compared counter by counter.
        differences: What is not as predicted.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    counted: int = 0
    differences: list[str] = field(default_factory=list)


class Lab(Protocol):
    """As much of a lab as is used here."""

    def probe(self, probes: Sequence[Probe], /) -> Sequence[Measured]:
        """Try connections."""

    def counters(self) -> Mapping[str, Mapping[str, int]]:
        """Return the packets that were counted, by node and counter."""

    def listen(self, station: str, protocol: str, port: int, /) -> object:
        """Have a station listen on one more port."""


def judged(lab: Lab, trials: Sequence[Trial], *, anew: bool = False) -> Findings:
    """Send probes and compare what comes of them, and what counts them, with what should.

    Args:
        lab: The lab.
        trials: What to send.
        anew: Whether policies are asked about every packet of a connection.
    """
    found = Findings()
    after = lab.counters()
    for batch in _batches(trials):
        before = after
        measured = lab.probe([each.probe for each in batch])
        after = lab.counters()
        moved = _moved(before, after)
        found.outcomes.update(each.outcome for each in measured)
        found.differences += _unlike(batch, measured)
        sent = [
            Sent(str(t.cell), t.nodes, _named(t.path), m.attempts, anew=anew)
            for t, m in zip(batch, measured, strict=True)
            if t.path is not None
        ]
        if len(sent) == len(batch):
            found.counted += len(sent)
            found.differences += wrong(sent, moved)
    return found


def have_listeners(lab: Lab, probes: Iterable[Probe], plan: Plan) -> None:
    """Listen where SCTP is sent to: a kernel that knows none of it does not even refuse it."""
    stations = {text: each.name for each in (*plan.nodes, *plan.pods) for text in each.addresses}
    wanted = {
        (stations.get(probe.target, OUTSIDE), probe.port)
        for probe in probes
        if probe.protocol == "SCTP"
    }
    for station, port in sorted(wanted):
        lab.listen(station, "SCTP", port)


def _batches(trials: Sequence[Trial]) -> Iterator[list[Trial]]:
    clear = [each for each in trials if each.path is not None]
    paths = [each.path for each in clear if each.path is not None]
    for batch in batches(paths, BATCHES):
        yield [clear[place] for place in batch]
    rest = [each for each in trials if each.path is None]
    if rest:
        yield rest


def _unlike(batch: Sequence[Trial], measured: Sequence[Measured]) -> Iterator[str]:
    for each, found in zip(batch, measured, strict=True):
        if found.arrived is not each.prediction.arrives:
            said = f"{each.prediction.answer.verdict} by {each.prediction.answer.decided_by}"
            yield f"{each.cell}: measured {found.outcome} {found.detail}, predicted {said}"


def _moved(
    before: Mapping[str, Mapping[str, int]], after: Mapping[str, Mapping[str, int]]
) -> Counts:
    """Return by how much counters moved; those of rules that decide nothing are left out."""
    return {
        (node, name): number - before[node].get(name, 0)
        for node, counters in after.items()
        for name, number in counters.items()
        if number != before[node].get(name, 0)
    }


def _named(path: Path) -> Path:
    """Return a path with the names that counters have in packet filters."""
    stages = tuple(
        Stage(s.direction, *(frozenset(map(counter_name, keys)) for keys in (s.one_of, s.besides)))
        for s in path.stages
    )
    return Path(stages, path.isolating)
