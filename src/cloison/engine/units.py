"""Units: endpoints that no policy can tell apart, one per address family.

Everything the engine decides, it decides for units. Pods of the same namespace with the
same values of the label keys that any selector mentions, the same resolvable port names
and addresses in the same atoms are one unit, so work depends on how many kinds of pods
there are and not on how many pods.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from cloison.algebra import FAMILY, NO_ADDRESSES, AddressSet, family_of
from cloison.algebra.bitmaps import BitMap
from cloison.engine.addressbook import AddressBook
from cloison.engine.vocabulary import Vocabulary
from cloison.ir.names import NamePattern
from cloison.ir.policy import Policy
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
    NAMED = "named"
    """Outside the cluster, at an address of which only the name is known."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Endpoints of one kind and family that no policy can tell apart.

    Args:
        kind: What it stands for.
        family: 4, 6, or 0 when the addresses are unknown.
        node: The node, for `NODE` and, where known, for `HOST`.
        addresses: For `EXTERNAL` the atom; else where the address is known to lie: one atom
            when known, the cluster's range when only that is known, None when nothing is. For
            `NAMED` every address of which nobody said what it is called.
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
        complete: Whether no other names have addresses.
        likely: Where pod addresses probably come from, where nobody knows it.
    """

    pods: AddressSet = NO_ADDRESSES
    nodes: AddressSet = NO_ADDRESSES
    services: AddressSet = NO_ADDRESSES
    names: Mapping[str, AddressSet] = field(default_factory=dict, hash=False)
    complete: bool = False
    likely: AddressSet = NO_ADDRESSES


@dataclass(frozen=True, slots=True)
class UnitTable:
    """Every unit of a world under one vocabulary.

    Ids are places in `units`: pods first, by namespace, then host pods, nodes, and atoms of
    the address space in ascending order. Units of names are there only where `hosts` added them.
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
    pods: dict[str, list[int]] = field(default_factory=dict)
    """Units of pods by namespace."""
    by_namespace: dict[str, list[int]] = field(default_factory=dict)
    """Indices of endpoints."""
    likely: AddressSet = NO_ADDRESSES
    """Where pods of unknown address probably are."""
    hosts: Mapping[NamePattern, tuple[BitMap, BitMap]] = field(default_factory=dict)
    """Units of names that nobody resolved, by a pattern that covers them or some of them."""
    labelled: dict[str, dict[tuple[str, str], list[int]]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """Indices of endpoints by label, of the namespaces that somebody has asked about."""

    def home(self, unit: int) -> str | None:
        """Return the namespace of a pod's unit; None for other units."""
        found = self.units[unit]
        if found.kind is not UnitKind.POD:
            return None
        return self.endpoints[found.endpoints[0]].namespace

    def living_in(self, namespace: str) -> Iterator[PodEndpoint]:
        """Iterate over the endpoints of a namespace."""
        return (self.endpoints[index] for index in self.by_namespace.get(namespace, ()))

    def wearing(self, namespace: str, labels: Iterable[tuple[str, str]]) -> tuple[int, ...]:
        """Return the endpoints of a namespace that have all of some labels, in order.

        Args:
            namespace: The namespace.
            labels: Names and values, at least one.
        """
        here = self.labelled.get(namespace)
        if here is None:
            here = self.labelled[namespace] = {}
            for index in self.by_namespace.get(namespace, ()):
                for pair in self.endpoints[index].labels.items():
                    here.setdefault(pair, []).append(index)
        wanted = set(labels)
        rarest = min((here.get(pair, []) for pair in wanted), key=len)
        return tuple(i for i in rarest if wanted <= self.endpoints[i].labels.items())

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
        self.by_endpoint: list[tuple[int, ...]] = []
        self.by_workload: dict[WorkloadId, tuple[int, ...]] = {}
        self.by_namespace: dict[str, list[int]] = {}
        self.pods: dict[str, list[int]] = {}
        self.units: list[_Group] = []
        self._ids: dict[object, int] = {}
        self._atoms: dict[int, _Place] = {}
        self._ranges: dict[AddressSet, Sequence[_Place]] = {}
        self._shapes: dict[int, _Kind] = {}
        self._kinds: dict[object, _Kind] = {}
        self._accounts: dict[tuple[str, str], tuple[str | None, ...]] = {}

    def build(self) -> UnitTable:
        hosts: list[int] = []
        # The mapping is sorted by namespace, so units of a namespace get adjacent ids.
        for workload in self.world.workloads.values():
            home = workload.id.namespace
            first = len(self.endpoints)
            for endpoint in workload.endpoints:
                index = len(self.endpoints)
                self.endpoints.append(endpoint)
                if endpoint.shape.host_network:
                    hosts.append(index)
                    self.by_endpoint.append(())
                else:
                    self.by_endpoint.append(self._pod(index, endpoint, home))
            here = range(first, len(self.endpoints))
            self.by_workload[workload.id] = tuple(here)
            self.by_namespace.setdefault(home, []).extend(here)
        for index in hosts:
            self.by_endpoint[index] = self._host(index)
        by_node = {name: self._node(node) for name, node in self.world.nodes.items()}
        some_node = len(self.units)
        known = self.networks.nodes
        self.units.append(_Group(UnitKind.NODE, 0, None, known or None, exact=False))
        first_atom = len(self.units)
        for atom in self.vocabulary.atoms():
            family = family_of(atom.spans[0][0])
            self.units.append(_Group(UnitKind.EXTERNAL, family, None, atom, exact=True))
        return self._table(by_node, first_atom, some_node)

    def _table(
        self, by_node: dict[str, tuple[int, ...]], first_atom: int, some_node: int
    ) -> UnitTable:
        units = tuple(group.unit() for group in self.units)
        numbers: dict[UnitKind, list[int]] = {kind: [] for kind in UnitKind}
        of_family: dict[int, list[int]] = {0: [], 4: [], 6: []}
        for number, unit in enumerate(units):
            numbers[unit.kind].append(number)
            of_family[unit.family].append(number)
        kinds = {kind: BitMap(found) for kind, found in numbers.items()}
        families = {family: BitMap(of_family[0] + of_family[family]) for family in (4, 6)}
        return UnitTable(
            units,
            tuple(self.endpoints),
            self.vocabulary,
            tuple(self.by_endpoint),
            by_node,
            self.by_workload,
            kinds,
            families,
            self._single(units),
            first_atom,
            some_node,
            self.pods,
            self.by_namespace,
            NO_ADDRESSES if self.networks.pods else self.networks.likely,
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

    def _pod(self, index: int, endpoint: PodEndpoint, home: str) -> tuple[int, ...]:
        """Return the units of a pod, one for each family it takes part with."""
        shape = endpoint.shape
        kind = self._shapes.get(id(shape)) or self._project(shape)
        account = self._account(endpoint) if self.vocabulary.accounts else ()
        addresses = endpoint.addresses
        if len(addresses) == 1:
            place = self._atom(addresses[0])
            found = self._joined(index, home, kind, account, place, alone=True)
            return self.units[found].alone
        places = self._places(addresses, self.networks.pods)
        # Apart from pods of two families, whose other half speaks for addresses of the other.
        alone = len({place.family for place in places}) == 1
        return tuple(
            self._joined(index, home, kind, account, place, alone=alone) for place in places
        )

    def _joined(
        self,
        index: int,
        home: str,
        kind: "_Kind",
        account: tuple[str | None, ...],
        place: "_Place",
        *,
        alone: bool,
    ) -> int:
        """Add a pod to the unit of those that are like it; return that."""
        # By what there is one of for each value: cheaper to compare than the values.
        key = (home, id(kind), account, id(place), alone)
        number = self._ids.get(key)
        if number is None:
            exact = bool(self.endpoints[index].addresses)
            number = self._new(
                key,
                _Group(UnitKind.POD, place.family, None, place.addresses, kind.ports, exact=exact),
            )
            self.pods.setdefault(home, []).append(number)
        self.units[number].members.append(index)
        return number

    def _host(self, index: int) -> tuple[int, ...]:
        """Return the units of a pod on its node's network."""
        endpoint = self.endpoints[index]
        shape = endpoint.shape
        kind = self._shapes.get(id(shape)) or self._project(shape)
        addresses = endpoint.addresses
        node = self.world.nodes.get(shape.node or "")
        if not addresses and node is not None:
            addresses = node.addresses
        places = self._places(addresses, self.networks.nodes)
        alone = len({place.family for place in places}) == 1
        found = []
        for place in places:
            key = (UnitKind.HOST, shape.node, kind.ports, id(place), alone)
            number = self._ids.get(key)
            if number is None:
                exact = bool(addresses)
                name = shape.node
                number = self._new(
                    key,
                    _Group(
                        UnitKind.HOST, place.family, name, place.addresses, kind.ports, exact=exact
                    ),
                )
            self.units[number].members.append(index)
            found.append(number)
        return tuple(found)

    def _node(self, node: Node) -> tuple[int, ...]:
        first = len(self.units)
        exact = bool(node.addresses)
        for place in self._places(node.addresses, self.networks.nodes):
            self.units.append(
                _Group(UnitKind.NODE, place.family, node.name, place.addresses, exact=exact)
            )
        return tuple(range(first, len(self.units)))

    def _new(self, key: object, group: "_Group") -> int:
        number = self._ids[key] = len(self.units)
        group.alone = (number,)
        self.units.append(group)
        return number

    def _project(self, shape: PodShape) -> "_Kind":
        """Return what policies can tell of a shape: one value for all of which they tell that."""
        labels = tuple(shape.labels.get(key) for key in self.vocabulary.keys)
        named = [port for port in shape.ports if self._counts(port)]
        if self.profile.last_port_name:
            # A pod that may come declares one of those that it could.
            one = {(p.name, p.protocol if p.last else ""): p for p in named}
            named = list(one.values())
        ports = tuple(
            sorted(
                {port for port in named if port.name in self.vocabulary.names},
                key=lambda p: (p.name or "", p.protocol, p.number),
            )
        )
        kind = self._kinds.setdefault((labels, self._node_name(shape.node), ports), _Kind(ports))
        self._shapes[id(shape)] = kind
        return kind

    def _account(self, endpoint: PodEndpoint) -> tuple[str | None, ...]:
        """Return what policies can see of a pod's account."""
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

    def _atom(self, point: int) -> "_Place":
        at = bisect_right(self.vocabulary.starts, point)
        found = self._atoms.get(at)
        if found is None:
            atom = self.vocabulary.atom(point)
            found = self._atoms[at] = _Place(family_of(atom.spans[0][0]), atom)
        return found

    def _places(self, addresses: tuple[int, ...], known: AddressSet) -> "Sequence[_Place]":
        """Return the families, with whereabouts, that an endpoint takes part with."""
        if addresses:
            atoms = {id(place): place for place in map(self._atom, addresses)}
            return sorted(atoms.values(), key=lambda place: place.low)
        found = self._ranges.get(known)
        if found is None:
            ranges = [(f, known & FAMILY[f]) for f in (4, 6)]
            places = [_Place(f, r) for f, r in ranges if r] or [_Place(0, None)]
            found = self._ranges[known] = places
        return found


class _Place:
    """A family with what is known of an address: there is one for each value."""

    __slots__ = ("addresses", "family", "low")

    def __init__(self, family: int, addresses: AddressSet | None) -> None:
        self.family = family
        self.addresses = addresses
        self.low = addresses.spans[0][0] if addresses else 0


class _Kind:
    """What policies can tell of a pod's shape: there is one for each value.

    Args:
        ports: Its ports whose names some policy uses.
    """

    __slots__ = ("ports",)

    def __init__(self, ports: tuple[ContainerPort, ...]) -> None:
        self.ports = ports


class _Group:
    """A unit in the making; `alone` is its number as the only one of an endpoint."""

    __slots__ = ("addresses", "alone", "exact", "family", "kind", "members", "node", "ports")

    def __init__(
        self,
        kind: UnitKind,
        family: int,
        node: str | None,
        addresses: AddressSet | None,
        ports: tuple[ContainerPort, ...] = (),
        *,
        exact: bool,
    ) -> None:
        self.kind = kind
        self.family = family
        self.node = node
        self.addresses = addresses
        self.exact = exact
        self.ports = ports
        self.members: list[int] = []
        self.alone: tuple[int, ...] = ()

    def unit(self) -> Unit:
        return Unit(
            self.kind,
            self.family,
            self.node,
            self.addresses,
            self.exact,
            self.ports,
            tuple(self.members),
        )
