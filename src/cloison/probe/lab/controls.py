"""Positive controls: what arrives beside a closed path shows that it is closed, not broken."""

from collections.abc import Iterable, Iterator

from cloison.algebra import parse_address
from cloison.analyses.measured import Control, Flow
from cloison.ir.fidelity import Verdict
from cloison.probe.lab.cells import Planned, Planner
from cloison.probe.lab.stations import Place

_LOOKED_AT = 200
"""Flows looked at to find a control for one cell."""


class Controls:
    """Flows that arrived, by where they came from and where they led.

    A control travels by the same address family and protocol as what it is the control of.

    Args:
        arrived: The flows, in order of preference.
    """

    def __init__(self, arrived: Iterable[Flow]) -> None:
        self._to: dict[tuple[object, ...], list[Flow]] = {}
        self._from: dict[tuple[object, ...], list[Flow]] = {}
        for flow in arrived:
            self._to.setdefault(_target(flow), []).append(flow)
            self._from.setdefault(_source(flow), []).append(flow)

    def of(self, flow: Flow) -> Control | None:
        """Return the best control of a flow: to the same port, the same target, or its source."""
        to = self._to.get(_target(flow), [])
        same = [other for other in to if other.port == flow.port]
        if same or to:
            return Control((same or to)[0], "target")
        out = self._from.get(_source(flow), [])
        return Control(out[0], "source") if out else None


def _target(flow: Flow) -> tuple[object, ...]:
    return flow.family, flow.protocol, flow.target


def _source(flow: Flow) -> tuple[object, ...]:
    return flow.family, flow.protocol, flow.address


def candidates(planner: Planner, cell: Planned, most: int) -> list[Planned]:
    """Return flows that should arrive, to be sent as controls of a closed one.

    Args:
        planner: Predicts them.
        cell: The flow that should not arrive, or did not.
        most: How many to return.
    """
    found: list[Planned] = []
    flow = cell.flow
    if cell.probe is None:
        return found
    for number, other in enumerate(_around(planner, cell)):
        if number >= _LOOKED_AT or len(found) >= most:
            break
        allowed = other is not None and other.predicted is Verdict.ALLOWED
        if allowed and other is not None and other.probe is not None and other.flow != flow:
            found.append(other)
    return found


def _around(planner: Planner, cell: Planned) -> Iterator[Planned | None]:
    """Yield flows to the same target, then from the same source, likely ones first."""
    flow, stations = cell.flow, planner.stations
    target, source = (
        _place(planner, flow.target, flow.destination),
        _place(planner, flow.address, flow.source),
    )
    everywhere = list(stations.everywhere(flow.family))
    if target is not None:
        node = stations.node_of(target)
        for other in (*((node,) if node else ()), *everywhere):
            if other.station.name not in (target.station.name, cell.probe and cell.probe.source):
                yield planner.between(other, target, flow.protocol, flow.port)
    else:
        # A Service has no place of its own.
        yield from (planner.through(other, flow) for other in everywhere)
    if source is not None:
        node = stations.node_of(source)
        for other in (*((node,) if node else ()), *everywhere):
            if other.station.name == source.station.name or other.address == source.address:
                continue
            for port in _listened(other, flow):
                yield planner.between(source, other, flow.protocol, port)


def _listened(place: Place, flow: Flow) -> Iterator[int]:
    """Yield the ports to try at a place: what it listens on, else the port in question."""
    found = [each.port for each in place.station.listens if each.protocol == flow.protocol]
    yield from dict.fromkeys((*found, flow.port))


def _place(planner: Planner, address: str, text: str) -> Place | None:
    point = parse_address(address)
    station = planner.stations.at(point)
    return Place(station, point, text) if station is not None else None
