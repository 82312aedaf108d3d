"""As what pods leave the cluster, and by whom they are meant to: egress gateways and proxies."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cloison.algebra import AddressSet
from cloison.algebra.addresses import address_text
from cloison.analyses.egress.model import Outward, Seen
from cloison.analyses.paths.site import Site
from cloison.base.words import few
from cloison.engine import Engine
from cloison.platform.components import Role
from cloison.platform.names import service_of
from cloison.platform.routes.leaving import Leaving
from cloison.platform.routes.proxies import Proxies, proxies
from cloison.resources.world import Workload, WorkloadId

_MOST = 4


class Ways:
    """What leads workloads out; lives for one answer.

    Args:
        engine: Whose pods.
        site: What leads traffic where it goes.
        translation: What becomes of the source of what leaves, where nothing else decides.
    """

    def __init__(self, engine: Engine, site: Site, translation: Seen) -> None:
        self.engine = engine
        self.site = site
        self._plain = translation
        self._environment: dict[WorkloadId, tuple[Proxies, ...]] = {}
        self._runs: dict[object, tuple[Proxies, ...]] = {}
        self.proxies: frozenset[WorkloadId] = frozenset(self._found())

    def _found(self) -> Iterator[WorkloadId]:
        """Yield the workloads that others name as their proxy, and egress gateways."""
        for known in self.site.components:
            if known.component.role is Role.GATEWAY and "egress" in known.component.id:
                yield from known.workloads
        hosts: set[tuple[str, str]] = set()
        for name, workload in self.engine.world.workloads.items():
            run = workload.endpoints[0].shape.runtime if workload.endpoints else None
            if run is None or not run.containers:
                continue
            found = proxies(self.site.world, name.namespace, run)
            if found:
                self._environment[name] = found
            for each in found:
                hosts |= {
                    key
                    for proxy in each.by_scheme.values()
                    if (key := service_of(self.site.world, name.namespace, proxy.host)) is not None
                }
        for key in hosts:
            service = self.engine.world.services.get(key)
            if service is None or not service.selector:
                continue
            wanted = service.selector.items()
            for endpoint in self.engine.table.living_in(key[0]):
                if wanted <= endpoint.labels.items():
                    yield endpoint.workload

    def named(self, workload: Workload) -> tuple[str, ...]:
        """Return the proxies that a workload's environment names."""
        found: dict[str, None] = {}
        for each in self._environment.get(workload.id, ()):
            found |= dict.fromkeys(str(proxy) for proxy in each.by_scheme.values())
            found |= dict.fromkeys(f"{name} (its value is not read)" for name in each.hidden)
        return tuple(found)

    def gateways(self, workload: Workload) -> tuple[Leaving, ...]:
        """Return the rules by which a workload's traffic leaves through chosen nodes."""
        world = self.engine.world
        return tuple(
            each
            for each in self.site.leaving
            if any(each.takes(world, endpoint) for endpoint in workload.endpoints)
        )

    def seen(self, workload: Workload, outward: Sequence[Outward]) -> tuple[Seen, ...]:
        """Return the source addresses that the outside sees of a workload.

        Args:
            workload: It.
            outward: What its pods may reach.
        """
        if all(not each.destinations for each in outward):
            return ()
        if workload.endpoints[0].shape.host_network:
            return (self._of_node(workload),)
        found = []
        open_ = AddressSet(s for o in outward for d in o.destinations for s in d.addresses.spans)
        for each in self.gateways(workload):
            towards = open_ & each.destinations
            if towards:
                told = few(tuple(towards.blocks()), _MOST)
                text = f"{each.name}: {each.seen}"
                known = bool(each.addresses or each.nodes)
                found.append(Seen(text, known, told, each.span))
        plain = self._plain
        if (
            found
            and open_
            and all(open_ <= each.destinations for each in self.gateways(workload)[:1])
        ):
            return tuple(found)
        return (*found, replace(plain, towards="everything else" if found else ""))

    def _of_node(self, workload: Workload) -> Seen:
        nodes = sorted({e.shape.node for e in workload.endpoints if e.shape.node})
        points = [
            address_text(point)
            for name in nodes
            if (node := self.engine.world.nodes.get(name)) is not None
            for point in node.addresses
        ]
        text = "its node's address, being on its network"
        if points:
            text += f": {few(points, _MOST)}"
        return Seen(text, known=True, span=workload.span)
