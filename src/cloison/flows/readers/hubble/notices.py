"""What Hubble says about what it did not see."""

from collections.abc import Sequence
from typing import Final

from cloison.flows.reader import BadRecordError
from cloison.flows.readers.hubble.wire import NOTHING, Line, Lost, Status
from cloison.flows.readers.times import microseconds
from cloison.flows.readers.values import number
from cloison.flows.schema import Coverage, Record

_LONGEST: Final = 1024
_STATES: Final = {1: "NODE_CONNECTED", 2: "NODE_UNAVAILABLE", 3: "NODE_GONE", 4: "NODE_ERROR"}
_SOURCES: Final = {
    1: "PERF_EVENT_RING_BUFFER",
    2: "OBSERVER_EVENTS_QUEUE",
    3: "HUBBLE_RING_BUFFER",
}


def others(line: Line) -> Sequence[Record] | None:
    """Return what a line without a flow says; `None` if it is none of the exporter's."""
    status, lost = line.node_status or line.nodeStatus, line.lost_events or line.lostEvents
    if status is not None:
        return _nodes(status, _since(line))
    if lost is not None:
        return (_lost(lost, line),)
    about = (line.agent_event, line.agentEvent, line.debug_event, line.debugEvent)
    return () if any(raw is not NOTHING for raw in about) else None


def _lost(lost: Lost, line: Line) -> Coverage:
    source = _SOURCES.get(lost.source, "") if isinstance(lost.source, int) else lost.source
    return Coverage(
        since=microseconds(lost.first) if lost.first else _since(line),
        until=microseconds(lost.last) if lost.last else None,
        node=(line.node_name or line.nodeName).rpartition("/")[2] or None,
        lost=number(lost.num_events_lost or lost.numEventsLost) or 0,
        reason=f"lost in {source or 'an unknown place'}",
    )


def _nodes(status: Status, since: int) -> tuple[Coverage, ...]:
    state = status.state_change or status.stateChange
    name = _STATES.get(state, str(state)) if isinstance(state, int) else state
    if name == "NODE_CONNECTED":
        # Nothing is missing by it.
        return ()
    message = f": {status.message[:_LONGEST]}" if status.message else ""
    return tuple(
        Coverage(since=since, node=node.rpartition("/")[2] or None, reason=f"{name}{message}")
        for node in status.node_names or status.nodeNames or ()
    )


def _since(line: Line) -> int:
    if not line.time:
        raise BadRecordError("it has no time")
    return microseconds(line.time)
