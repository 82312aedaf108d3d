"""Units: endpoints that no policy can tell apart, one per address family.

Everything the engine decides, it decides for units. Pods of the same namespace with the
same values of the label keys that any selector mentions, the same resolvable port names
and addresses in the same atoms are one unit, so work depends on how many kinds of pods
there are and not on how many pods.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from cloison.algebra import (
    EVERY_ADDRESS,
    FAMILY,
    NO_ADDRESSES,
    V6_BASE,
    AddressSet,
    family_of,
)
from cloison.algebra.bitmaps import BitMap
from cloison.engine.addressbook import AddressBook
from cloison.ir.policy import (
    BlockMatch,
    GroupsMatch,
    NamesMatch,
    PeerMatch,
    PodsMatch,
    Policy,
    plain_matches,
)
from cloison.ir.profile import Profile
from cloison.resources.objects import ContainerKind, ContainerPort, Node, PodShape
from cloison.resources.world import PodEndpoint, WorkloadId, World


class UnitKind(Enum):
    """What a unit stands for."""

    POD = "pod"
    HOST = "host"
    """A pod on its node's network: selectors do not see it."""
    NODE = "node"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Unit:
    """Endpoints of one kind and family that no policy can tell apart.

    Args:
        kind: What it stands for.
        family: 4, 6, or 0 when the addresses are unknown.
        node: The node, for `NODE` and, where known, for `HOST`.
        addresses: For `EXTERNAL` the atom; else where the address is known to lie: one atom
            when known, the cluster's range when only that is known, None when nothing is.
        exact: Whether `addresses` is the atom the address is known to lie in.
        ports: Declared ports whose names some policy uses.
        endpoints: Indices into `UnitTable.endpoints`, for pods.
    """

    kind: UnitKind
    family: int
    node: str | None = None
    addresses: AddressSet | None = None
    exact: bool = False
    ports: tuple[ContainerPort, ...] = ()
    endpoints: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Networks:
    """Address ranges of the cluster, as far as somebody said them.

    Args:
        pods: Where pod addresses come from.
        nodes: Where node addresses come from.
        services: Where Service addresses come from.
        names: What DNS names stand for, in lower case without the final dot.
    """

    pods: AddressSet = NO_ADDRESSES
    nodes: AddressSet = NO_ADDRESSES
    services: AddressSet = NO_ADDRESSES
    names: Mapping[str, AddressSet] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What policies can tell apart.

    Args:
        keys: Labels of pods.
        names: Names of ports.
        starts: Address boundaries, ascending; each is the first address of an atom.
        accounts: Labels of the pods' service accounts.
        nodes: Nodes that the pods may run on.
    """

    keys: tuple[str, ...]
    names: frozenset[str]
    starts: tuple[int, ...]
    accounts: tuple[str, ...] = ()
    nodes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, policies: Iterable[Policy], book: AddressBook) -> "Vocabulary":
        """Collect the vocabulary of `policies`.

        Args:
            policies: The policies.
            book: What their address groups and names stand for.
        """
        keys: set[str] = set()
        accounts: set[str] = set()
        nodes: set[str] = set()
        names: set[str] = set()
        starts = {0, V6_BASE}
        for match in _matches(policies, names):
            if isinstance(match, PodsMatch):
                keys |= match.pods.keys
                accounts |= match.accounts.keys
                if match.nodes:
                    nodes |= match.nodes
                continue
            found = [NO_ADDRESSES]
            if isinstance(match, BlockMatch):
                found = [match.addresses]
            elif isinstance(match, GroupsMatch):
                found = [book.group(match.labels)]
            elif isinstance(match, NamesMatch):
                addresses, others = book.named(match)
                # An address that is known to be another name's is none of this one's. The two
                # are cut one by one: where they touch, their union has no boundary.
                found = [addresses, book.resolved if others else NO_ADDRESSES]
            for each in found:
                for low, high in each.spans:
                    starts.update((low, high + 1))
        starts.discard(EVERY_ADDRESS.spans[-1][1] + 1)
        return cls(
            tuple(sorted(keys)),
            frozenset(names),
            tuple(sorted(starts)),
            tuple(sorted(accounts)),
            frozenset(nodes),
        )

    def atom(self, point: int) -> AddressSet:
        """Return the atom an address lies in."""
        at = bisect_right(self.starts, point) - 1
        low = self.starts[at]
        last = at + 1 == len(self.starts)
        high = EVERY_ADDRESS.spans[-1][1] if last else self.starts[at + 1] - 1
        return AddressSet([(low, high)])

    def atoms(self) -> Iterator[AddressSet]:
        """Iterate over all atoms, ascending."""
        for low in self.starts:
            yield self.atom(low)


def _matches(policies: Iterable[Policy], names: set[str]) -> Iterator[PeerMatch]:
    """Iterate over every plain match, and note the names of ports."""
    for policy in policies:
        yield from policy.subjects
        for rule in policy.rules:
            traffic = rule.traffic
            names.update(port.name for port in traffic.named)
            names.update(port.name for port in traffic.excepted)
            for peer in rule.peers:
                yield from plain_matches(peer.match)
            for match in rule.subjects or ():
                yield from plain_matches(match)


@dataclass(frozen=True, slots=True)
class UnitTable:
    """Every unit of a world under one vocabulary.

    Ids are places in `units`: pods first, by namespace, then host pods, nodes, and atoms of
    the address space in ascending order.
    """

    units: tuple[Unit, ...]
    endpoints: tuple[PodEndpoint, ...]
    vocabulary: Vocabulary
    by_endpoint: tuple[tuple[int, ...], ...]
    by_node: dict[str, tuple[int, ...]]
    by_workload: dict[WorkloadId, tuple[int, ...]]
    """Indices of endpoints."""
    kinds: dict[UnitKind, BitMap] = field(default_factory=dict)
    families: dict[int, BitMap] = field(default_factory=dict)
    """Units that take part in IPv4, or IPv6, traffic; unknown ones in both."""
    single: dict[int, BitMap] = field(default_factory=dict)
    """Pods known to have addresses of this family only."""
    first_atom: int = 0
    some_node: int = 0
    """A unit for "one of the nodes, whichever": its address is not known."""

    def external(self, point: int) -> int:
        """Return the unit of an address outside the cluster."""
        return self.first_atom + bisect_right(self.vocabulary.starts, point) - 1

    def external_range(self, addresses: AddressSet) -> BitMap:
        """Return the external units that `addresses` covers or cuts."""
        found = BitMap()
        for low, high in addresses.spans:
            found.add_range(self.external(low), self.external(high) + 1)
        return found

    def workload_units(self, workload: WorkloadId) -> BitMap:
        """Return the units of a workload's endpoints."""
        return BitMap([u for e in self.by_workload[workload] for u in self.by_endpoint[e]])


def build_units(
    world: World,
    policies: Iterable[Policy],
    profile: Profile,
    networks: Networks,
    book: AddressBook,
) -> UnitTable:
    """Sort the endpoints of `world` into units.

    Args:
        world: Whose endpoints.
        policies: What can tell them apart.
        profile: Who enforces.
        networks: Address ranges of the cluster.
        book: What the policies' address groups and names stand for.

    Cost: linear in endpoints, with a small constant: shapes are shared, and each is
    projected on the vocabulary once.
    """
    return _Builder(world, Vocabulary.of(policies, book), profile, networks).build()


class _Builder:
    """Collects units; lives for one call."""

    def __init__(
        self, world: World, vocabulary: Vocabulary, profile: Profile, networks: Networks
    ) -> None:
        self.world = world
        self.vocabulary = vocabulary
        self.profile = profile
        self.networks = networks
        self.endpoints: list[PodEndpoint] = []
        self.by_endpoint: list[list[int]] = []
        self.by_workload: dict[WorkloadId, tuple[int, ...]] = {}
        self.members: list[list[int]] = []
        self.units: list[Unit] = []
        self._ids: dict[object, int] = {}
        self._atoms: dict[int, AddressSet] = {}
        self._shapes: dict[int, tuple[tuple[str | None, ...], tuple[ContainerPort, ...]]] = {}
        self._accounts: dict[tuple[str, str], tuple[str | None, ...]] = {}

    def build(self) -> UnitTable:
        hosts: list[int] = []
        # The mapping is sorted by namespace, so units of a namespace get adjacent ids.
        for workload in self.world.workloads.values():
            first = len(self.endpoints)
            for endpoint in workload.endpoints:
                index = len(self.endpoints)
                self.endpoints.append(endpoint)
                self.by_endpoint.append([])
                if endpoint.shape.host_network:
                    hosts.append(index)
                else:
                    self._pod(index, endpoint)
            self.by_workload[workload.id] = tuple(range(first, len(self.endpoints)))
        for index in hosts:
            self._host(index)
        by_node = {name: self._node(node) for name, node in self.world.nodes.items()}
        some_node = len(self.units)
        known = self.networks.nodes
        self.units.append(Unit(UnitKind.NODE, 0, addresses=known or None))
        self.members.append([])
        first_atom = len(self.units)
        for atom in self.vocabulary.atoms():
            self.units.append(
                Unit(UnitKind.EXTERNAL, family_of(atom.spans[0][0]), None, atom, exact=True)
            )
            self.members.append([])
        return self._table(by_node, first_atom, some_node)

    def _table(
        self, by_node: dict[str, tuple[int, ...]], first_atom: int, some_node: int
    ) -> UnitTable:
        units = tuple(
            replace(u, endpoints=tuple(m)) if m else u
            for u, m in zip(self.units, self.members, strict=True)
        )
        kinds = {kind: BitMap() for kind in UnitKind}
        families = {4: BitMap(), 6: BitMap()}
        for number, unit in enumerate(units):
            kinds[unit.kind].add(number)
            for family, members in families.items():
                if unit.family in (0, family):
                    members.add(number)
        return UnitTable(
            units,
            tuple(self.endpoints),
            self.vocabulary,
            tuple(tuple(found) for found in self.by_endpoint),
            by_node,
            self.by_workload,
            kinds,
            families,
            self._single(units),
            first_atom,
            some_node,
        )

    def _single(self, units: tuple[Unit, ...]) -> dict[int, BitMap]:
        """Sort pod units whose endpoints take part in one family only."""
        found = {4: BitMap(), 6: BitMap()}
        for number, unit in enumerate(units):
            if unit.endpoints and unit.family:
                both = {self.units[u].family for u in self.by_endpoint[unit.endpoints[0]]}
                if len(both) == 1:
                    found[unit.family].add(number)
        return found

    def _pod(self, index: int, endpoint: PodEndpoint) -> None:
        labels, ports = self._project(endpoint.shape)
        account, node = self._account(endpoint), self._node_name(endpoint.shape.node)
        exact = bool(endpoint.addresses)
        places = self._places(endpoint.addresses, self.networks.pods)
        # Apart from pods of two families, whose other half speaks for addresses of the other.
        alone = len({family for family, _ in places}) == 1
        for family, place in places:
            key = (endpoint.namespace, labels, account, node, ports, family, place, alone)
            self._join(key, index, Unit(UnitKind.POD, family, None, place, exact, ports))

    def _host(self, index: int) -> None:
        endpoint = self.endpoints[index]
        _, ports = self._project(endpoint.shape)
        addresses = endpoint.addresses
        node = self.world.nodes.get(endpoint.shape.node or "")
        if not addresses and node is not None:
            addresses = node.addresses
        exact = bool(addresses)
        places = self._places(addresses, self.networks.nodes)
        alone = len({family for family, _ in places}) == 1
        for family, place in places:
            name = endpoint.shape.node
            key = (UnitKind.HOST, name, ports, family, place, alone)
            self._join(key, index, Unit(UnitKind.HOST, family, name, place, exact, ports))

    def _node(self, node: Node) -> tuple[int, ...]:
        found = []
        for family, place in self._places(node.addresses, self.networks.nodes):
            found.append(len(self.units))
            self.units.append(Unit(UnitKind.NODE, family, node.name, place, bool(node.addresses)))
            self.members.append([])
        return tuple(found)

    def _join(self, key: object, index: int, unit: Unit) -> None:
        number = self._ids.get(key)
        if number is None:
            number = self._ids[key] = len(self.units)
            self.units.append(unit)
            self.members.append([])
        self.members[number].append(index)
        self.by_endpoint[index].append(number)

    def _project(self, shape: PodShape) -> tuple[tuple[str | None, ...], tuple[ContainerPort, ...]]:
        found = self._shapes.get(id(shape))
        if found is None:
            labels = tuple(shape.labels.get(key) for key in self.vocabulary.keys)
            ports = tuple(
                sorted(
                    {
                        port
                        for port in shape.ports
                        if port.name in self.vocabulary.names and self._counts(port)
                    },
                    key=lambda p: (p.name or "", p.protocol, p.number),
                )
            )
            found = self._shapes[id(shape)] = (labels, ports)
        return found

    def _account(self, endpoint: PodEndpoint) -> tuple[str | None, ...]:
        """Return what policies can see of a pod's account."""
        if not self.vocabulary.accounts:
            return ()
        key = (endpoint.namespace, endpoint.shape.service_account)
        found = self._accounts.get(key)
        if found is None:
            labels = self.world.account_labels(*key)
            found = tuple(labels.get(name) for name in self.vocabulary.accounts)
            self._accounts[key] = found
        return found

    def _node_name(self, name: str | None) -> str | None:
        """Return what policies can see of the node a pod runs on; None where it is not known."""
        asked = self.vocabulary.nodes
        return name if name is not None and name in asked else "" if name and asked else None

    def _counts(self, port: ContainerPort) -> bool:
        return port.container is ContainerKind.REGULAR or self.profile.init_container_ports

    def _atom(self, point: int) -> AddressSet:
        at = bisect_right(self.vocabulary.starts, point)
        found = self._atoms.get(at)
        if found is None:
            found = self._atoms[at] = self.vocabulary.atom(point)
        return found

    def _places(
        self, addresses: tuple[int, ...], known: AddressSet
    ) -> list[tuple[int, AddressSet | None]]:
        """Return the (family, whereabouts) an endpoint takes part with."""
        if addresses:
            if len(addresses) == 1:
                return [(family_of(addresses[0]), self._atom(addresses[0]))]
            atoms = {self._atom(point) for point in addresses}
            return [
                (family_of(atom.spans[0][0]), atom)
                for atom in sorted(atoms, key=lambda atom: atom.spans)
            ]
        ranges = [(f, known & FAMILY[f]) for f in (4, 6)]
        return [(f, r) for f, r in ranges if r] or [(0, None)]
