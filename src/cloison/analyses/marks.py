"""What the ends of a map are for others: gateways, resolvers, and what load balancers lead to.

A map says who sends what to whom. That one of them answers lookups, or serves a gateway, is no part
of any edge; it is told of the end.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cloison.analyses.backends import members
from cloison.analyses.connectivity import EndRef, Map, MapOptions, Role
from cloison.analyses.ends import PodsEnd
from cloison.analyses.paths.site import Site
from cloison.analyses.survey import ref_of
from cloison.engine import Engine
from cloison.platform.resolvers import Resolver
from cloison.platform.routes.model import Entry

GATEWAY, RESOLVER, BALANCER = "gateway", "resolver", "load-balancer"


def marked(found: Map, engine: Engine, site: Site, options: MapOptions) -> Map:
    """Return a map whose ends say what they are for others.

    Args:
        found: The map.
        engine: Whose ends they are.
        site: What leads traffic where it goes.
        options: What the map was asked for.
    """
    held: dict[EndRef, set[Role]] = defaultdict(set)
    for indices, role in (*_gateways(engine, site), *_resolvers(engine, site), *balanced(engine)):
        for index in indices:
            ref = ref_of(engine.table.endpoints[index], options)
            if ref is not None:
                held[ref].add(role)
    if not held:
        return found
    ends = (_with(end, held[end]) if end in held else end for end in found.ends)
    return replace(found, ends=tuple(ends))


def served_by(entry: Entry) -> Role:
    """Return who serves an entry, as a role of it."""
    names = (str(name) for plane in entry.planes for name in plane.workloads)
    others = (
        plane.name for plane in entry.planes if not plane.workloads and plane.supposed is None
    )
    supposed = (plane for plane in entry.planes if plane.supposed is not None)
    said = [f"default pods of {plane.name}" for plane in supposed]
    return Role("front", tuple(sorted({*names, *others})), assumed=" or ".join(said) or None)


def _with(end: EndRef, roles: Iterable[Role]) -> EndRef:
    known: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in roles:
        known[each.role, each.seen or ""].update(each.of)
    found = (
        Role(role, tuple(sorted(of)), seen or None)
        for (role, seen), of in sorted(known.items(), key=lambda item: item[0])
    )
    return replace(end, roles=(*end.roles, *found))


def _gateways(engine: Engine, site: Site) -> Iterator[tuple[tuple[int, ...], Role]]:
    for entry in site.entries:
        role = Role(GATEWAY, (f"gw:{entry.namespace}/{entry.name}",))
        for plane in entry.planes:
            for name in plane.workloads:
                yield engine.table.by_workload.get(name, ()), role


def _resolvers(engine: Engine, site: Site) -> Iterator[tuple[tuple[int, ...], Role]]:
    asked: dict[int, tuple[Resolver, ...]] = {}
    for endpoint in engine.table.endpoints:
        found = site.resolvers(endpoint.shape)
        if id(found) not in asked:
            asked[id(found)] = found.every
    known = {each.id: each for every in asked.values() for each in every}
    for each in known.values():
        name = each.service
        role = Role(RESOLVER, () if name is None else (f"svc:{name[0]}/{name[1]}",))
        for workload in each.workloads:
            yield engine.table.by_workload.get(workload, ()), role


def balanced(engine: Engine) -> Iterator[tuple[tuple[int, ...], Role]]:
    """Yield the pods that get what Services take from outside, with whose address they see."""
    for service in engine.world.services.values():
        if not (service.type in ("LoadBalancer", "NodePort") or service.external_ips):
            continue
        seen = "client" if service.external_traffic_policy == "Local" else "node"
        role = Role(BALANCER, (f"svc:{service.namespace}/{service.name}",), seen)
        for end, _ in members(engine, service).ends:
            if isinstance(end, PodsEnd):
                yield end.endpoints, role
