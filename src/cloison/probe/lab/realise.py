"""A world as a lab builds it: one pod of each kind, each with addresses and a node."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from msgspec.structs import replace as with_fields

from cloison.algebra import PORT_PROTOCOLS, address_text, parse_address
from cloison.engine import Engine
from cloison.probe.lab.backends import Home, dns_server, names, service_plans
from cloison.probe.lab.plan import Listen, Plan, ServicePlan, ServicePort, Station
from cloison.probe.lab.ranges import Ranges
from cloison.resources.objects import ContainerKind, Node, Service
from cloison.resources.world import PodEndpoint, Workload, WorkloadId, World

NODE = "lab-node"
"""The node of a world that has none."""

HOSTNAME_LABEL = "kubernetes.io/hostname"

NAME_SERVER = ("192.0.2.53", "2001:db8::53")
"""Where the lab's DNS server answers when the world has none: outside, and nobody's."""

_DNS_PORT = 53
_API = ("default", "kubernetes")
_API_PORT = 6443


@dataclass(frozen=True, slots=True)
class Realised:
    """What a lab makes of a world.

    Args:
        world: The world as built: predictions are to be made for it.
        plan: What to build; without packet filters.
        left_out: How many pods are like one that is built, and are not built.
    """

    world: World
    plan: Plan
    left_out: int = 0


def realise(
    engine: Engine,
    outside: Iterable[str] = (),
    like: Plan | None = None,
    twice: Collection[WorkloadId] = (),
    caches: Iterable[str] = (),
) -> Realised:
    """Return a world as a lab builds it, and the plan to build it by.

    Args:
        engine: Policies bound to the world as declared.
        outside: Addresses of external hosts.
        like: The plan of a lab that runs: what has a name there gets its addresses again.
        twice: Workloads of which two pods are built, so that they can talk to one another.
        caches: Addresses at which every node answers for names itself.

    Raises:
        QuestionError: There are not enough addresses.
    """
    made = _Builder(engine, tuple(dict.fromkeys(outside)), like, frozenset(twice)).build()
    return with_caches(made, tuple(dict.fromkeys(caches)))


def with_caches(made: Realised, caches: tuple[str, ...]) -> Realised:
    """Return what a lab makes of a world, with a cache for names on every node.

    Args:
        made: Without.
        caches: At which addresses; those that somebody else has are left out.
    """
    plan = made.plan
    taken = {a for each in (*plan.nodes, *plan.pods) for a in each.addresses}
    own = tuple(a for a in caches if a not in taken)
    if not own:
        return made
    there = ((node.name, _DNS_PORT) for node in plan.nodes)
    answering = tuple(dict.fromkeys((*plan.answering, *there)))
    outside = tuple(a for a in plan.outside if a not in own)
    changed = with_fields(plan, caches=own, answering=answering, outside=outside)
    return replace(made, plan=changed)


class _Builder:
    """Makes a world; lives for one call."""

    def __init__(
        self,
        engine: Engine,
        outside: tuple[str, ...],
        like: Plan | None,
        twice: frozenset[WorkloadId],
    ) -> None:
        self.engine = engine
        self.twice = twice
        self.outside = outside
        self.before = _addresses_before(like)
        there = set(engine.world.nodes) or {NODE}
        pods = like.pods if like is not None else ()
        self.homes_before = {pod.name: pod.node for pod in pods if pod.node in there}
        taken = _taken(engine.world)
        before = (point for addresses in self.before.values() for point in addresses)
        taken["other"] = {*_points((*outside, *NAME_SERVER)), *before}
        self.ranges = Ranges(engine, taken)
        self.nodes: dict[str, Node] = {}
        self.homes: list[Home] = []
        self.left_out = 0
        self._held: set[int] = set()
        self._named: set[str] = set()
        self._turn = 0

    def build(self) -> Realised:
        world = self.engine.world
        self.nodes = {node.name: self._node(node) for node in world.nodes.values()}
        if not self.nodes:
            self.nodes[NODE] = self._node(Node(NODE, {HOSTNAME_LABEL: NODE}))
        # The names of nodes, so that each gets its share of pods whatever order they come in.
        self.order = tuple(sorted(self.nodes))
        workloads = {id_: self._workload(each) for id_, each in world.workloads.items()}
        services = {key: self._service(each) for key, each in world.services.items()}
        built = replace(world, nodes=self.nodes, workloads=workloads, services=services)
        return Realised(built, self._plan(built), self.left_out)

    def _node(self, node: Node) -> Node:
        """Return a node with addresses."""
        addresses = node.addresses or self._given(f"node:{node.name}", "node")
        self._held |= set(addresses)
        return replace(node, addresses=addresses)

    def _workload(self, workload: Workload) -> Workload:
        """Return a workload with one pod of each kind that policies can tell apart, or two."""
        ours = self.engine.table.by_workload[workload.id]
        kinds: dict[object, list[PodEndpoint]] = {}
        most = 2 if workload.id in self.twice else 1
        for index, endpoint in zip(ours, workload.endpoints, strict=True):
            if endpoint.pending or self._is_taken(endpoint):
                continue
            node = endpoint.shape.node if endpoint.shape.host_network else None
            alike = kinds.setdefault((self.engine.table.by_endpoint[index], node), [])
            if len(alike) < most:
                alike.append(endpoint)
            else:
                self.left_out += 1
        chosen = [endpoint for alike in kinds.values() for endpoint in alike]
        if len(chosen) == 1 < most and chosen[0].pod is None and not chosen[0].shape.host_network:
            # Of a template it makes as many as are asked for.
            chosen.append(replace(chosen[0], pod=f"{workload.id.name}-2"))
        built = tuple(self._pod(workload.id, endpoint) for endpoint in chosen)
        return replace(workload, endpoints=built, replicas=len(built))

    def _is_taken(self, endpoint: PodEndpoint) -> bool:
        """Whether another pod of the input has its address: only one of them can be built."""
        if endpoint.shape.host_network:
            return False
        taken = bool(self._held.intersection(endpoint.addresses))
        self._held |= set(endpoint.addresses)
        return taken

    def _pod(self, workload: WorkloadId, endpoint: PodEndpoint) -> PodEndpoint:
        """Return a pod with a name, addresses and a node, and note where it lives."""
        shape, pod = endpoint.shape, endpoint.pod or workload.name
        name = f"{workload.namespace}/{pod}"
        if name in self._named:
            name = f"{workload.namespace}/{workload.kind}/{pod}"
        self._named.add(name)
        node = self.nodes[shape.node or self.homes_before.get(name) or self._next_node()]
        if shape.host_network:
            addresses = node.addresses
        else:
            addresses = endpoint.addresses or self._given(name, "pod", node.pod_cidrs)
        if shape.node is None:
            shape = replace(shape, node=node.name)
        built = replace(endpoint, pod=pod, shape=shape, addresses=addresses)
        station = f"node:{node.name}" if shape.host_network else name
        self.homes.append(Home(name, station, built))
        return built

    def _next_node(self) -> str:
        self._turn += 1
        return self.order[self._turn % len(self.order)]

    def _service(self, service: Service) -> Service:
        """Return a Service with an address, if it is of a type that has one."""
        if service.cluster_ips or service.type == "ExternalName":
            return service
        points = self._given(f"svc:{service.namespace}/{service.name}", "service")
        return replace(service, cluster_ips=tuple(map(address_text, points)))

    def _given(self, name: str, kind: str, within: tuple[str, ...] = ()) -> tuple[int, ...]:
        return self.before.get(name) or self.ranges.give(kind, within)

    def _plan(self, world: World) -> Plan:
        services = list(service_plans(world, self.homes))
        listening: dict[str, dict[tuple[str, int], str]] = {}
        for home in self.homes:
            mine = listening.setdefault(home.station, {})
            for port in home.pod.ports:
                # An init container has ended before anybody connects.
                ended = port.container is ContainerKind.INIT
                if port.protocol in PORT_PROTOCOLS and not ended:
                    mine.setdefault((port.protocol, port.number), port.name or "")
        at = {address_text(p): h.station for h in self.homes for p in h.pod.addresses}
        for service in services:
            for led in service.ports:
                for address, number in led.backends:
                    if address in at:
                        listening[at[address]].setdefault((led.protocol, number), "")
        if _API not in world.services:
            services.append(self._api())
            listening.setdefault(f"node:{self.order[0]}", {})["TCP", _API_PORT] = "https"
        answering = dns_server(world, services, at)
        outside = self.outside + tuple(
            address_text(span[0])
            for meant in self.engine.networks.names.values()
            for span in meant.spans
        )
        asked: tuple[str, ...] = NAME_SERVER
        if answering is None:
            places: tuple[tuple[str, int], ...] = (("outside", _DNS_PORT),)
            outside += NAME_SERVER
        else:
            asked, places = answering
        inside = {address_text(p) for p in self._held} | set(at)
        inside |= {a for service in services for a in service.addresses}
        return Plan(
            tuple(self._stations(listening, hosts=True)),
            tuple(self._stations(listening, hosts=False)),
            tuple(a for a in dict.fromkeys(outside) if a not in inside),
            tuple(services),
            names(world, services, self.homes, self.engine.networks.names),
            asked,
            places,
        )

    def _stations(
        self, listening: Mapping[str, Mapping[tuple[str, int], str]], *, hosts: bool
    ) -> Iterator[Station]:
        """Iterate over nodes, or over pods with a network of their own."""
        if hosts:
            for node in self.nodes.values():
                name = f"node:{node.name}"
                yield Station(
                    name, node.name, _texts(node.addresses), _listens(listening.get(name))
                )
            return
        for home in self.homes:
            if home.station == home.name:
                yield Station(
                    home.name,
                    home.pod.shape.node or "",
                    _texts(home.pod.addresses),
                    _listens(listening.get(home.name)),
                    str(home.pod.workload),
                )

    def _api(self) -> ServicePlan:
        """Return the Service every cluster has, though no manifest holds it."""
        node = self.nodes[self.order[0]]
        backends = tuple((text, _API_PORT) for text in _texts(node.addresses))
        addresses = self._given("svc:default/kubernetes", "service")
        return ServicePlan("/".join(_API), _texts(addresses), (ServicePort("TCP", 443, backends),))


def _listens(found: Mapping[tuple[str, int], str] | None) -> tuple[Listen, ...]:
    return tuple(Listen(*key, name) for key, name in sorted((found or {}).items()))


def _texts(points: Iterable[int]) -> tuple[str, ...]:
    return tuple(map(address_text, points))


def _points(texts: Iterable[str]) -> Iterator[int]:
    """Iterate over the addresses among texts: `None` marks a headless Service."""
    for text in texts:
        try:
            yield parse_address(text)
        except ValueError:
            continue


def _taken(world: World) -> dict[str, set[int]]:
    """Return every address that is somebody's, by what has it."""
    found: dict[str, set[int]] = {"pod": set(), "node": set(), "service": set()}
    for workload in world.workloads.values():
        for endpoint in workload.endpoints:
            kind = "node" if endpoint.shape.host_network else "pod"
            found[kind].update(endpoint.addresses)
    for node in world.nodes.values():
        found["node"].update(node.addresses)
    for service in world.services.values():
        found["service"].update(_points(service.cluster_ips))
        found["node"].update(_points(service.external_ips))
    for piece in world.slices:
        for each in piece.endpoints:
            found["pod"].update(_points(each.addresses))
    return found


def _addresses_before(plan: Plan | None) -> dict[str, tuple[int, ...]]:
    """Return the addresses of everything in a plan, by name; Services as `svc:NAME`."""
    if plan is None:
        return {}
    found = {each.name: tuple(_points(each.addresses)) for each in (*plan.nodes, *plan.pods)}
    return found | {f"svc:{each.name}": tuple(_points(each.addresses)) for each in plan.services}
