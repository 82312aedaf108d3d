"""What breaks when an edge is denied."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from cloison.analyses.ends import End, NodeEnd, PodsEnd, SomeNodeEnd
from cloison.analyses.past.link import Link, LinkKey
from cloison.analyses.paths.site import Site
from cloison.analyses.reconcile.seen import Outside
from cloison.analyses.shadow.model import Weight
from cloison.platform.component import Role
from cloison.platform.resolver import DNS_PORT, Resolver
from cloison.resources.world import WorkloadId

_OVER = ("UDP", "TCP")


@dataclass(frozen=True)
class Scales:
    """Tells what breaks when an edge is denied.

    Args:
        site: What leads traffic in the cluster.
    """

    site: Site

    def weight(self, link: Link) -> Weight:
        """Return what breaks when an edge is denied."""
        if self.asks_names(link.key, link.destination):
            return Weight.DNS
        ends = (link.source, link.destination)
        told = {end.entity for seen in link.seen for end in seen.ends}
        if "apiserver" in told:
            return Weight.PLATFORM
        if (
            "gateway" in told
            or any(_workload(end) in self._gateways for end in ends)
            or isinstance(link.source, Outside)
        ):
            return Weight.GATEWAY
        nodes = NodeEnd | SomeNodeEnd
        if any(isinstance(end, nodes) or _workload(end) in self._platform for end in ends):
            return Weight.PLATFORM
        return Weight.CALL

    def asks_names(self, key: LinkKey, destination: End | Outside) -> bool:
        """Return whether an edge is one of lookups."""
        if key.protocol not in _OVER:
            return False
        if key.port == DNS_PORT:
            return True
        name = _workload(destination)
        return (name, key.port) in self._resolving

    @cached_property
    def _resolvers(self) -> tuple[Resolver, ...]:
        every = self.site.world.workloads.values()
        shapes = (each.shape for workload in every for each in workload.endpoints)
        found: dict[str, Resolver] = {}
        for resolvers in (self.site.resolvers(shape) for shape in shapes):
            for each in (*resolvers.every, *resolvers.upstream):
                found.setdefault(each.id, each)
        return tuple(found.values())

    @cached_property
    def _resolving(self) -> frozenset[tuple[WorkloadId | None, int]]:
        return frozenset((name, each.port) for each in self._resolvers for name in each.workloads)

    @cached_property
    def _gateways(self) -> frozenset[WorkloadId | None]:
        planes = (plane for entry in self.site.entries for plane in entry.planes)
        return frozenset(
            {
                *(name for plane in planes for name in plane.workloads),
                *self._of_roles((Role.GATEWAY,)),
            }
        )

    @cached_property
    def _platform(self) -> frozenset[WorkloadId | None]:
        return frozenset(self._of_roles(set(Role) - {Role.GATEWAY, Role.STATEFUL}))

    def _of_roles(self, roles: Iterable[Role]) -> Iterable[WorkloadId]:
        wanted = set(roles)
        return (
            name
            for each in self.site.components
            if each.component.role in wanted
            for name in each.workloads
        )


def _workload(end: End | Outside) -> WorkloadId | None:
    return end.workload.id if isinstance(end, PodsEnd) else None
