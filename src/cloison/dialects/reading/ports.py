"""What port names stand for where one answer holds for a whole cluster."""

from collections.abc import Mapping

from cloison.resources.objects import ContainerKind
from cloison.resources.world import World


def port_names(world: World) -> Mapping[tuple[str, str], frozenset[int]]:
    """Return the numbers of each port name and protocol, over all pods on the pod network."""
    found: dict[tuple[str, str], set[int]] = {}
    for workload in world.workloads.values():
        for end in workload.endpoints:
            ports = () if end.shape.host_network else end.ports
            # Of those by one name the last counts that a pod declares.
            last = {p.name: p for p in ports if p.container is ContainerKind.REGULAR}
            for name, port in last.items():
                if name:
                    found.setdefault((name, port.protocol), set()).add(port.number)
    return {key: frozenset(numbers) for key, numbers in found.items()}
