"""What leads traffic where it goes, as far as the input shows: platform, components, entries."""

from dataclasses import dataclass, field
from functools import cached_property

from cloison.platform.cluster import UNKNOWN, Platform
from cloison.platform.component import Found, Said
from cloison.platform.resolvers import Resolvers, cluster_resolvers, resolvers
from cloison.platform.routes.leaving import Leaving
from cloison.platform.routes.model import Entry
from cloison.resources.objects import PodShape
from cloison.resources.world import World


@dataclass(frozen=True)
class Site:
    """A cluster seen from the traffic.

    Args:
        world: What it holds.
        platform: What it is.
        components: Known components in it.
        entries: Gateways, Ingresses and routes.
        said: What the caller says of components.
        leaving: Ways out of the cluster by chosen nodes.
    """

    world: World
    platform: Platform = UNKNOWN
    components: tuple[Found, ...] = ()
    entries: tuple[Entry, ...] = ()
    said: Said = field(default_factory=dict)
    leaving: tuple[Leaving, ...] = ()

    @cached_property
    def _resolvers(self) -> dict[tuple[object, bool], Resolvers]:
        return {}

    @cached_property
    def _cluster(self) -> Resolvers:
        return cluster_resolvers(self.world, self.platform, self.said)

    def resolvers(self, shape: PodShape) -> Resolvers:
        """Return what a pod asks to resolve names."""
        run = shape.runtime
        said = (run.dns_policy, run.nameservers) if run is not None else None
        key = (said, shape.host_network)
        found = self._resolvers.get(key)
        if found is None:
            found = resolvers(
                self.world, self.platform, shape, said=self.said, cluster=self._cluster
            )
            self._resolvers[key] = found
        return found
