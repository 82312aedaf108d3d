"""What policies are compiled in: who enforces, with which settings, and what is there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cloison.algebra import AddressSet
from cloison.base import Sharing
from cloison.dialects.cilium.identities import CLUSTER, MARK, NODE, SEEN
from cloison.dialects.cilium.model import CiliumCIDRGroup
from cloison.dialects.cilium.switches import Switches, pattern, switches
from cloison.dialects.reading.blocks import together
from cloison.dialects.reading.ports import port_names
from cloison.ir.peers import PodsMatch
from cloison.ir.profile import LabelFilter, Profile
from cloison.resources.objects import ContainerKind, ContainerPort
from cloison.resources.world import PodEndpoint, WorkloadId, World

API_SERVER_SERVICE = ("default", "kubernetes")
"""The Service whose endpoints are the API servers."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where some pods run.

    Args:
        nodes: Nodes that some of them run on.
        unknown: Whether it is not known of some.
    """

    nodes: frozenset[str]
    unknown: bool


@dataclass(frozen=True)
class Cluster:
    """What policies are compiled in.

    Args:
        profile: Who enforces.
        world: The inventory.
        groups: CIDR groups by name.
        share: Keeps what policies have in common.
    """

    profile: Profile
    world: World
    groups: Mapping[str, CiliumCIDRGroup] = field(default_factory=dict)
    share: Sharing = field(default_factory=Sharing)
    _places: dict[tuple[PodsMatch, ...], Places] = field(default_factory=dict)
    _kept: dict[str, bool] = field(default_factory=dict)

    def keeps(self, key: str) -> bool:
        """Return whether policies see a label."""
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self.visible.keeps(key)
        return found

    def nodes_of(self, matches: tuple[PodsMatch, ...]) -> Places:
        """Return where the pods run that some matches find, those on a node's network aside."""
        found = self._places.get(matches)
        if found is None:
            ends = {end.shape.node for match in matches for end in self._found(match)}
            nodes = frozenset(each for each in ends if each is not None)
            found = self._places[matches] = Places(nodes, None in ends)
        return found

    def places_of(self, matches: tuple[PodsMatch, ...], without: tuple[PodsMatch, ...]) -> Places:
        """Return where the pods run that some matches find and others do not."""
        others = {pod for match in without for pod in self.pods_of(match)}
        ends = {
            end.shape.node
            for match in matches
            for end in self._found(match)
            if (end.workload, end.pod) not in others
        }
        return Places(frozenset(each for each in ends if each is not None), None in ends)

    def ports_of(self, match: PodsMatch) -> Iterator[tuple[ContainerPort, ...]]:
        """Iterate over the ports that pods declare which a match finds, one by each name."""
        for end in self._found(match):
            regular = (each for each in end.ports if each.container is ContainerKind.REGULAR)
            # Of those by one name the last counts that a pod declares.
            yield tuple({each.name: each for each in regular if each.name}.values())

    def pods_of(self, match: PodsMatch) -> frozenset[tuple[WorkloadId, str | None]]:
        """Return the pods that a match finds, those on a node's network aside."""
        return frozenset((end.workload, end.pod) for end in self._found(match))

    def _found(self, match: PodsMatch) -> Iterator[PodEndpoint]:
        """Iterate over the pods that a match finds."""
        world = self.world
        homes = self._by_namespace
        named = homes if match.namespace is None else (match.namespace,)
        for home in named:
            namespace = world.namespaces.get(home)
            known = namespace.labels if namespace is not None else {}
            if match.namespace is None and not match.namespaces.matches(known):
                continue
            for end in homes.get(home, ()):
                accounts = match.accounts
                of = world.account_labels(home, end.shape.service_account) if accounts else {}
                if match.pods.matches(end.labels) and accounts.matches(of):
                    yield end

    @cached_property
    def hosts_anywhere(self) -> bool:
        """Whether pods are on the network of a node, and nobody knows of which."""
        every = (end.shape for w in self.world.workloads.values() for end in w.endpoints)
        return any(shape.host_network and shape.node is None for shape in every)

    @cached_property
    def _by_namespace(self) -> Mapping[str, list[PodEndpoint]]:
        """Pods that have an identity of their own, by namespace."""
        found: dict[str, list[PodEndpoint]] = {}
        for workload in self.world.workloads.values():
            ends = [end for end in workload.endpoints if not end.shape.host_network]
            found.setdefault(workload.id.namespace, []).extend(ends)
        return found

    @cached_property
    def switches(self) -> Switches:
        """The settings, with the defaults of the version."""
        return switches(self.profile)

    @cached_property
    def visible(self) -> LabelFilter:
        """Which labels policies see."""
        return self.profile.visible or LabelFilter()

    @cached_property
    def node_labels(self) -> LabelFilter:
        """Which labels of nodes rules see that select nodes as peers."""
        said = [pattern(each, NODE) for each in self.switches.node_labels]
        shown = tuple(each for each, hidden in said if each and not hidden)
        ignored = tuple(each for each, hidden in said if each and hidden)
        return LabelFilter(shown, ignored, only=any(not hidden for _, hidden in said))

    @cached_property
    def _marks(self) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        """Reserved identities, other clusters and labels in spite of the filter, of all pods."""
        reserved: set[str] = set()
        seen_keys: set[str] = set()
        clusters: set[str] = set()
        seen: set[int] = set()
        for workload in self.world.workloads.values():
            for end in workload.endpoints:
                if id(end.shape) in seen:
                    continue
                seen.add(id(end.shape))
                reserved.update(key for key in end.labels if key.startswith(MARK))
                seen_keys.update(key for key in end.labels if key.startswith(SEEN))
                if CLUSTER in end.labels:
                    clusters.add(end.labels[CLUSTER])
        names = frozenset(key.removeprefix(MARK) for key in reserved)
        return names, frozenset(clusters), frozenset(key.removeprefix(SEEN) for key in seen_keys)

    @property
    def reserved(self) -> tuple[str, ...]:
        """Reserved identities that some pods have."""
        return tuple(sorted(self._marks[0]))

    @property
    def clusters(self) -> tuple[str, ...]:
        """Other clusters that some pods are of."""
        return tuple(sorted(self._marks[1]))

    @property
    def marked(self) -> bool:
        """Whether some pods have identities that their own labels do not tell."""
        return any(self._marks)

    @property
    def seen(self) -> frozenset[str]:
        """Keys of labels that some identities have although the filter leaves them out."""
        return self._marks[2]

    @cached_property
    def api_servers(self) -> AddressSet | None:
        """Addresses of the API servers; None where nobody says."""
        mine = [
            each
            for each in self.world.slices
            if (each.namespace, each.service) == API_SERVER_SERVICE
        ]
        texts = [text for each in mine for end in each.endpoints for text in end.addresses]
        return together(texts) if mine else None

    @cached_property
    def port_names(self) -> Mapping[tuple[str, str], frozenset[int]]:
        """Numbers of each port name and protocol, over all pods that have an identity."""
        return port_names(self.world)

    @cached_property
    def addresses_of(self) -> Mapping[str, frozenset[int]]:
        """Addresses of each node, as far as it or a pod on its network says them."""
        found = {node.name: set(node.addresses) for node in self.world.nodes.values()}
        for workload in self.world.workloads.values():
            for end in workload.endpoints:
                if end.shape.host_network and end.shape.node is not None:
                    found.setdefault(end.shape.node, set()).update(end.addresses)
        return {name: frozenset(points) for name, points in found.items()}

    @cached_property
    def node_addresses(self) -> AddressSet:
        """Addresses of all nodes."""
        return AddressSet.points(
            tuple(sorted({point for held in self.addresses_of.values() for point in held}))
        )
