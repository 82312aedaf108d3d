"""Calls to a Service's own address, as the pods behind it see them.

Sources that look before addresses are translated show the Service and its port. Policies see
neither: they judge the packet that arrives, at a pod and at the pod's own port.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cloison.algebra import TrafficSet
from cloison.analyses.ends import End, PodsEnd, ServiceEnd
from cloison.analyses.question import Traffic
from cloison.analyses.services import follow
from cloison.base import QuestionError
from cloison.engine import Engine


@dataclass(frozen=True, slots=True)
class Behind:
    """Pods that a call to a Service arrives at.

    Args:
        pods: All pods of their workload.
        protocol: The protocol.
        port: Their own port.
        traffic: Both, as policies are asked.
    """

    pods: PodsEnd
    protocol: str
    port: int
    traffic: TrafficSet


def behind(
    engine: Engine, source: End, service: ServiceEnd, traffic: TrafficSet
) -> tuple[Behind, ...]:
    """Return whom a call to a Service arrives at, each workload and port once, sorted.

    Returns none where no pods answer for it, as for the API server, or where nobody says who does.

    Args:
        engine: Whose Services.
        source: Who calls.
        service: The Service.
        traffic: What is dialled.

    Raises:
        QuestionError: It has pods, and leads to none of them with such traffic.
    """
    try:
        parts = follow(engine, source, service, Traffic(str(traffic), traffic))
    except QuestionError:
        if service.service.selector:
            raise
        return ()
    found = {}
    for part in parts:
        if isinstance(part.destination, PodsEnd):
            for each in _ports(engine, part.destination, part.traffic.traffic):
                found[each.pods.workload.id, each.protocol, each.port] = each
    return tuple(each for _, each in sorted(found.items(), key=lambda item: item[0]))


def _ports(engine: Engine, called: PodsEnd, traffic: TrafficSet) -> Iterator[Behind]:
    workload = called.workload
    every = engine.table.by_workload.get(workload.id, ())
    pods = PodsEnd(str(workload.id), workload, tuple(every))
    for entry in traffic.entries():
        if entry.low is not None:
            one = TrafficSet.ports(entry.protocol, entry.low)
            yield Behind(pods, entry.protocol, entry.low, one)
