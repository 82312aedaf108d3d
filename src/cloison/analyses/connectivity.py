"""`map`: everything permitted between workloads and with the outside."""

from collections.abc import Iterator
from dataclasses import dataclass

from cloison.algebra import AddressSet, TrafficSet
from cloison.ir.fidelity import Caveat


@dataclass(frozen=True, slots=True, order=True)
class EndRef:
    """One end of an edge.

    Args:
        kind: `workload`, `pod`, `node` or `ip`.
        namespace: Of a workload or pod.
        name: Of a workload, pod or node.
        type: A workload's kind (`Deployment`).
        addresses: Of `ip`.
    """

    kind: str
    namespace: str = ""
    name: str = ""
    type: str = ""
    addresses: AddressSet | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """What `src` may send to `dst`.

    Args:
        src: Who connects.
        dst: Who listens.
        allowed: Traffic that passes, for at least one pair of their pods.
        undetermined: Traffic that may pass, besides.
        caveats: What this stands on.
    """

    src: EndRef
    dst: EndRef
    allowed: TrafficSet
    undetermined: TrafficSet
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True, slots=True)
class MapOptions:
    """What part of the map is asked for.

    Args:
        focus: Only edges with one of these at an end (names as in questions).
        sources: Only edges from these.
        destinations: Only edges to these.
        namespace: Only edges with an end in this namespace.
        port: Only traffic of this port (`8080/UDP`).
        pods: Pods instead of workloads.
        self_edges: Also a workload's unrestricted traffic with itself.
        nodes: Also nodes, and every pod's own node.
    """

    focus: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    namespace: str | None = None
    port: str | None = None
    pods: bool = False
    self_edges: bool = False
    nodes: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the compressed map: every source to every destination, never to itself.

    Expanding all lines of a map gives exactly its edges.
    """

    sources: tuple[EndRef, ...]
    destinations: tuple[EndRef, ...]
    allowed: TrafficSet
    undetermined: TrafficSet
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True, slots=True)
class Map:
    """The answer to `map`."""

    edges: tuple[Edge, ...]
    caveats: tuple[Caveat, ...]
    lines: tuple[Line, ...]

    def __iter__(self) -> Iterator[Edge]:
        """Iterate over the edges, sorted by source and destination."""
        return iter(self.edges)
