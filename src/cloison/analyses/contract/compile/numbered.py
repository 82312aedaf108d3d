"""Names of ports as numbers, for enforcers that do not look a name up on each called pod."""

from collections.abc import Iterator
from dataclasses import replace

from cloison.analyses.contract.compile.model import TODAY, Edge, Notes
from cloison.analyses.contract.compile.peers import on_host
from cloison.analyses.contract.compile.subjects import is_pods
from cloison.analyses.doctor.clinic import Clinic
from cloison.analyses.ends import AnyEnd, PodsEnd
from cloison.base import Severity
from cloison.ir.allowlist import PortRange
from cloison.ir.profile import NamedPorts
from cloison.platform.profiles import names_together


def numbered(edge: Edge, clinic: Clinic, notes: Notes) -> Iterator[Edge]:
    """Yield an edge with numbers wherever a name would not mean what each pod declares by it.

    Pods that may give a name different numbers are then named workload by workload.

    Args:
        edge: The edge.
        clinic: The cluster, under who will enforce the result.
        notes: Takes what follows from that.
    """
    profile = clinic.engine.profile
    alone = profile.named_ports is NamedPorts.PER_POD
    if alone and not names_together(profile):
        yield edge
        return
    end = edge.destination
    if isinstance(end, AnyEnd) and _named(edge.ports):
        _told(edge, notes)
        made = tuple(_each(edge, end, clinic))
        if not made and edge.entry is not None:
            names = ", ".join(each.text for each in edge.ports if each.name is not None)
            notes.lacks(edge.entry, f"no pod of {end.text} has a port {names}", "write its number")
        yield from made
        return
    if _named(edge.dialled or ()) and edge.destination_peer is not None:
        _told(edge, notes)
        edge = replace(edge, destination_peer=None, dialled=None)
    if isinstance(end, PodsEnd) and _named(edge.ports):
        # On the way in, a name is looked up on the pods that the policy is for.
        numbers = tuple(_numbers(edge.ports, end))
        edge = replace(edge, ports=edge.ports if alone else numbers, dialled=numbers)
    yield edge


def _each(edge: Edge, end: AnyEnd, clinic: Clinic) -> Iterator[Edge]:
    """Yield an edge for each workload among many, with the numbers that it gives the names."""
    engine = clinic.engine
    for name, workload in engine.world.workloads.items():
        if end.namespace not in (None, name.namespace) or on_host(workload):
            continue
        if not is_pods(workload):
            continue
        pods = clinic.pods(name)
        if ports := tuple(_numbers(edge.ports, pods)):
            yield replace(edge, destination=pods, ports=ports, dialled=None)


def _numbers(ports: tuple[PortRange, ...], end: PodsEnd) -> Iterator[PortRange]:
    """Yield ports of pods by number."""
    for port in ports:
        if port.name is None:
            yield port
            continue
        declared = (each for pod in end.workload.endpoints for each in pod.ports)
        numbers = {
            each.number
            for each in declared
            if (each.name, each.protocol) == (port.name, port.protocol)
        }
        for number in sorted(numbers):
            yield PortRange(port.protocol, number, number, None, f"port {port.name}")


def _named(ports: tuple[PortRange, ...]) -> bool:
    return any(each.name is not None for each in ports)


def _told(edge: Edge, notes: Notes) -> None:
    if edge.entry is not None:
        notes.of(
            edge.entry,
            TODAY,
            "this enforcer does not look a port's name up on each pod that is called, so workloads "
            "are named one by one, with the numbers they give it",
            "pods that come later are not let through, though the contract means them",
            "compile again whenever workloads come or go, or write numbers",
            Severity.INFO,
        )
