"""What the world holds, indexed for the questions that suspicion asks."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from cloison.algebra import (
    V6_BASE,
    AddressSet,
    LabelSelector,
    Operator,
    parse_address,
)
from cloison.dialects.dialect import Surroundings
from cloison.dialects.networkpolicy.cidr import parse_cidr
from cloison.ir.peers import PodsMatch
from cloison.resources.kinds import group_of
from cloison.resources.objects import Labels, Namespace
from cloison.resources.world import PodEndpoint


class Points:
    """Named addresses, sorted, so that a block finds those inside it without a scan."""

    def __init__(self, points: Iterable[tuple[int, str]]) -> None:
        self._points = sorted(points)

    def inside(self, addresses: AddressSet) -> Sequence[tuple[int, str]]:
        """Return the points in `addresses`, ascending."""
        out: list[tuple[int, str]] = []
        for low, high in addresses:
            first = bisect_left(self._points, low, key=lambda p: p[0])
            out += self._points[first : bisect_right(self._points, high, key=lambda p: p[0])]
        return out

    def any_v6(self) -> bool:
        """Return whether an IPv6 address is among them."""
        return bool(self._points) and self._points[-1][0] >= V6_BASE


class Known:
    """An index of a world. Built once per question; the world is not changed.

    Args:
        around: What is known. Host-network and pending pods count: they exist.
    """

    def __init__(self, around: Surroundings) -> None:
        world = around.world
        self.world = world
        self.around = around
        self.pods: tuple[PodEndpoint, ...] = tuple(
            e for w in world.workloads.values() for e in w.endpoints
        )
        self._by_namespace: dict[str, list[int]] = defaultdict(list)
        self._by_label: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for i, pod in enumerate(self.pods):
            self._by_namespace[pod.namespace].append(i)
            for key, value in pod.labels.items():
                self._by_label[pod.namespace, key, value].append(i)
        self._names: dict[int, frozenset[str]] = {}
        self._selected: dict[PodsMatch, tuple[int, ...]] = {}
        self._namespaces: dict[LabelSelector, tuple[Namespace, ...]] = {}
        self._inside: dict[AddressSet, frozenset[int]] = {}

    def populated(self, namespace: str) -> bool:
        """Return whether any pod of the namespace is known."""
        return namespace in self._by_namespace

    def labels_in(self, namespaces: Iterable[str]) -> Iterator[Labels]:
        """Iterate over the labels of the pods of some namespaces."""
        return (self.pods[i].labels for n in namespaces for i in self._by_namespace.get(n, ()))

    def names_of(self, number: int) -> frozenset[str]:
        """Return the names that pods give to a port number."""
        if number not in self._names:
            ports = (port for pod in self.pods for port in pod.ports)
            self._names[number] = frozenset(p.name for p in ports if p.number == number and p.name)
        return self._names[number]

    @cached_property
    def operated(self) -> frozenset[str]:
        """Kinds of custom resources in the input, in lower case.

        An operator may make pods from them that only a live cluster shows, and usually
        labels those with the name of the kind.
        """
        found = (kind.rpartition("/") for kind in self.world.kinds)
        return frozenset(
            kind.lower()
            for version, _, kind in found
            if "." in group_of(version) and not group_of(version).endswith(".k8s.io")
        )

    def made_by_operator(self, selector: LabelSelector) -> bool:
        """Return whether a selector asks for pods that an operator probably makes."""
        return any(v in self.operated for r in selector.requirements for v in r.values)

    @cached_property
    def declared(self) -> tuple[Namespace, ...]:
        """Namespaces whose labels are known because their object was read."""
        return tuple(n for n in self.world.namespaces.values() if n.span is not None)

    def namespaces(self, selector: LabelSelector) -> tuple[Namespace, ...]:
        """Return the namespaces that `selector` matches."""
        if selector not in self._namespaces:
            everyone = self.world.namespaces.values()
            self._namespaces[selector] = tuple(n for n in everyone if selector.matches(n.labels))
        return self._namespaces[selector]

    def select(self, match: PodsMatch) -> tuple[int, ...]:
        """Return the pods that `match` selects, as places in `pods`, ascending."""
        if match not in self._selected:
            names = (
                [n.name for n in self.namespaces(match.namespaces)]
                if match.namespace is None
                else [match.namespace]
            )
            found = (i for name in names for i in self._in_namespace(name, match.pods))
            self._selected[match] = tuple(sorted(found))
        return self._selected[match]

    def _in_namespace(self, namespace: str, selector: LabelSelector) -> Iterable[int]:
        candidates: Sequence[int] = self._by_namespace.get(namespace, ())
        for requirement in selector.requirements:
            if requirement.operator is Operator.IN and len(requirement.values) == 1:
                pair = (namespace, requirement.key, requirement.values[0])
                candidates = min(candidates, self._by_label.get(pair, ()), key=len)
        return (i for i in candidates if selector.matches(self.pods[i].labels))

    @cached_property
    def pod_points(self) -> Points:
        """Known addresses of pods that are not on the host network."""
        return Points(
            (point, pod.name)
            for pod in self.pods
            if not pod.shape.host_network
            for point in pod.addresses
        )

    @cached_property
    def placed(self) -> int:
        """How many pods that are not on the host network have a known address."""
        return sum(bool(p.addresses) and not p.shape.host_network for p in self.pods)

    def pods_in(self, addresses: AddressSet) -> frozenset[int]:
        """Return the pods with an address in `addresses`, as places in `pods`."""
        if addresses not in self._inside:
            self._inside[addresses] = frozenset(
                self._places[name] for _, name in self.pod_points.inside(addresses)
            )
        return self._inside[addresses]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {pod.name: i for i, pod in enumerate(self.pods)}

    @cached_property
    def node_points(self) -> Points:
        """Known addresses of nodes."""
        nodes = self.world.nodes.values()
        return Points((point, node.name) for node in nodes for point in node.addresses)

    @cached_property
    def service_points(self) -> Points:
        """Known cluster addresses of Services."""
        found: list[tuple[int, str]] = []
        for service in self.world.services.values():
            for text in service.cluster_ips:
                try:
                    found.append((parse_address(text), f"{service.namespace}/{service.name}"))
                except ValueError:  # `None` and the empty text mark Services without an address
                    continue
        return Points(found)

    @cached_property
    def pod_cidrs(self) -> AddressSet:
        """Where pod addresses come from, as far as nodes or the user say."""
        found = self.around.pods
        for node in self.world.nodes.values():
            for text in node.pod_cidrs:
                cidr = parse_cidr(text)
                found = found | cidr.addresses if cidr else found
        return found

    @cached_property
    def speaks_v6(self) -> bool:
        """Whether anything in the cluster has an IPv6 address."""
        points = (self.pod_points, self.node_points, self.service_points)
        ranges = self.pod_cidrs | self.around.nodes | self.around.services
        return any(p.any_v6() for p in points) or any(high >= V6_BASE for _, high in ranges)
