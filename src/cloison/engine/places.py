"""Who is at an address of a world, and whose ports of a node lead elsewhere."""

from collections import defaultdict
from functools import cached_property, reduce
from operator import or_

from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.engine.units import UnitTable
from cloison.resources.world import World


class Places:
    """What an engine knows of addresses, whatever policies say."""

    world: World
    table: UnitTable

    @cached_property
    def holders(self) -> dict[int, tuple[int, ...]]:
        """Endpoints by address, pods on their node's network left out: theirs are the node's."""
        found: dict[int, list[int]] = defaultdict(list)
        for index, endpoint in enumerate(self.table.endpoints):
            if not endpoint.shape.host_network:
                for point in endpoint.addresses:
                    found[point].append(index)
        return {point: tuple(held) for point, held in found.items()}

    @cached_property
    def node_addresses(self) -> dict[int, str]:
        """Names of nodes by address."""
        return {p: n.name for n in self.world.nodes.values() for p in n.addresses}

    def host_ports(self, node: str | None) -> TrafficSet:
        """Return the traffic to a node that its pods take by their host ports, or may take.

        Args:
            node: Its name; None for any.
        """
        found = self._host_ports
        if node is None:
            return reduce(or_, found.values(), NO_TRAFFIC)
        return found.get(node, NO_TRAFFIC) | found.get(None, NO_TRAFFIC)

    @cached_property
    def _host_ports(self) -> dict[str | None, TrafficSet]:
        """What pods take by host ports, by node; None of those that may be on any."""
        taken = {
            (endpoint.shape.node, protocol, port)
            for endpoint in self.table.endpoints
            for protocol, port in endpoint.shape.host_ports
        }
        found: dict[str | None, TrafficSet] = defaultdict(TrafficSet)
        for node, protocol, port in taken:
            found[node] |= TrafficSet.ports(protocol, port)
        return dict(found)
