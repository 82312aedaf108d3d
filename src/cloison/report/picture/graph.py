"""What a picture shows: nodes in groups, and bundles of edges between them."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cloison.analyses.connectivity import EndRef

_ID_DIGITS = 12
"""Hexadecimal digits of an id: among a picture's few hundred things no two are alike."""


@dataclass(frozen=True, slots=True)
class Node:
    """Something that sends or receives.

    Args:
        id: Stable: the same for the same ends in every picture. Fit for an id in HTML.
        kind: `workload`, `pod`, `node`, `ip`, or one that stands for several ends: `namespace`,
            `others` (of several namespaces), `nodes`, `outside`.
        label: Its name, whole.
        note: What kind of thing it is, in a word or two (`Deployment`, `12 workloads`).
        group: Id of the group it stands in, or none.
        size: How many ends it stands for.
        names: The ends it stands for, as questions name them, sorted.
    """

    id: str
    kind: str
    label: str
    note: str = ""
    group: str | None = None
    size: int = 1
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A namespace whose workloads are shown one by one.

    Args:
        id: Stable, as a node's.
        label: The namespace.
        notes: What each may send to each other here, where nothing else needs saying.
    """

    id: str
    label: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """Edges that say the same: from every source to every destination, never to itself.

    One node alone on both sides stands for what it may send to itself; of a node that stands for
    several ends that is what flows among them.

    Args:
        id: Stable, as a node's.
        kind: `allowed` or `undetermined` in a map; `opened`, `closed` or `changed` in a difference.
        label: The traffic in few words, fit to be drawn.
        title: The same, whole.
        sources: Ids of nodes, sorted as the picture's nodes are.
        destinations: Ids of nodes, likewise.
        pairs: How many pairs of ends it stands for.
        some: It holds for some of the ends of its nodes only.
    """

    id: str
    kind: str
    label: str
    title: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    pairs: int = 1
    some: bool = False

    @property
    def mutual(self) -> bool:
        """Whether each may send to each other."""
        return len(self.sources) > 1 and self.sources == self.destinations


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn.

    Args:
        title: What it is a picture of, in a line.
        nodes: Sorted: by group, then name; outside last.
        groups: Sorted.
        bundles: Sorted by sources and destinations.
        notes: What the picture leaves out or folds together, in sentences.
    """

    title: str
    nodes: tuple[Node, ...]
    groups: tuple[Group, ...]
    bundles: tuple[Bundle, ...]
    notes: tuple[str, ...] = ()


def known_by(*parts: str) -> str:
    """Return a short name made of parts, the same for the same parts wherever they occur."""
    told = "\x00".join(parts)
    return sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_DIGITS]


def node_id(end: EndRef) -> str:
    """Return the id of the node that shows one end, and only that."""
    addresses = str(end.addresses or "")
    return "n-" + known_by(end.kind, end.namespace, end.type, end.name, addresses)


def folded_id(kind: str, names: Iterable[str] = ()) -> str:
    """Return the id of a node that stands for several ends."""
    return "n-" + known_by("folded", kind, *names)


def group_id(namespace: str) -> str:
    """Return the id of the group that shows a namespace."""
    return "g-" + known_by("namespace", namespace)
