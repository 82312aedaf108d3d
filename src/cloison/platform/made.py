"""Pods that operators make of custom resources, for inputs that hold the resource alone.

Data: `made.toml`, a row for each kind, with who says what its pods are. Pods of a row are assumed:
fields of the resource, and settings of the operator, may give them more labels than these.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

from cloison.resources.declared import Declared, GroupKind
from cloison.resources.documents import Node
from cloison.resources.objects import (
    NAMESPACE_NAME_LABEL,
    ContainerPort,
    Labels,
    Namespace,
    PodShape,
)
from cloison.resources.world import PodEndpoint, Workload, WorkloadId, World

_FIELD = re.compile(r"\{([a-zA-Z.]{1,64})\}")
_EVERY = "*"
_MOST = 10_000
"""Replicas that are believed."""


class _Port(msgspec.Struct, frozen=True):
    port: int
    name: str | None = None
    protocol: str = "TCP"
    named_at: str | None = None


class _Unless(msgspec.Struct, frozen=True, rename={"path": "at", "value": "is"}):
    path: str
    value: str


class Row(msgspec.Struct, frozen=True):
    """A row of `made.toml`, which says what the fields mean."""

    group: str
    kind: str
    pods: str
    labels: dict[str, str]
    source: str
    component: str | None = None
    controller: str = "StatefulSet"
    more: list[str] = []
    known_by: list[str] = []
    replicas: str | None = None
    host_network: str | None = None
    ports: list[_Port] = []
    unless: _Unless | None = None


class _Table(msgspec.Struct, frozen=True):
    made: list[Row]


@dataclass(frozen=True, slots=True)
class Made:
    """What an operator makes of a resource.

    Args:
        item: The resource.
        id: What to call the workload: its name says that it is assumed.
        component: The known component that its pods are, by its id; None for no known one.
        labels: Labels that its pods certainly have.
        ports: Ports that its containers declare.
        source: Who says so.
        replicas: How many pods there will be, if the resource says so.
        host_network: Whether they use the network of their node.
    """

    item: Declared
    id: WorkloadId
    component: str | None
    labels: Labels
    ports: tuple[ContainerPort, ...]
    source: str
    replicas: int | None = None
    host_network: bool = False
    _known_by: frozenset[str] = field(default_factory=frozenset, repr=False)

    @property
    def workload(self) -> Workload:
        """Its pods, as one workload that stands where the resource is written."""
        shape = PodShape(dict(sorted(self.labels.items())), self.ports, self.host_network)
        pods = (PodEndpoint(self.id, None, shape, self.item.span),)
        return Workload(self.id, pods, (), self.replicas, self.item.span)

    def may_be(self, labels: Labels) -> bool:
        """Return whether pods with some labels are these: no label of the two disagrees."""
        return all(
            labels[key] == value if key in labels else key not in self._known_by
            for key, value in self.labels.items()
        )


def of_item(item: Declared) -> Made | None:
    """Return what an operator makes of a resource; None where it makes no pods that we know."""
    row = _by_kind().get((item.group, item.kind))
    unless = row.unless if row is not None else None
    if row is None or (unless is not None and _text(item, unless.path) == unless.value):
        return None
    labels: dict[str, str] = {}
    for path in row.more:
        labels |= _texts(_at(item, path))
    own = {key: _filled(value, item) for key, value in row.labels.items()}
    ports = tuple(ContainerPort(each.port, each.protocol, _named(item, each)) for each in row.ports)
    host = _at(item, row.host_network) if row.host_network else None
    return Made(
        item,
        WorkloadId(item.namespace, f"{_filled(row.pods, item)} (assumed)", row.controller),
        row.component,
        {**labels, **own},
        ports,
        row.source,
        _count(item, row.replicas) if row.replicas else None,
        host is not None and host.value is True,
        frozenset(row.known_by or row.labels),
    )


def made(world: World, said: Container[str] = ()) -> tuple[Made, ...]:
    """Return what operators will make of the resources of the input and is not in it.

    Args:
        world: What the cluster holds.
        said: Components, by id, of which the caller says where they are.
    """
    wanted = [
        found
        for kind in _by_kind()
        for item in world.declared.get(kind, ())
        if (found := of_item(item)) is not None and found.component not in said
    ]
    if not wanted:
        return ()
    there: dict[str, list[Labels]] = defaultdict(list)
    for name, workload in world.workloads.items():
        there[name.namespace] += (each.labels for each in workload.endpoints)
    return tuple(
        each
        for each in wanted
        if not any(each.may_be(labels) for labels in there[each.item.namespace])
    )


def with_made(world: World, said: Container[str] = ()) -> tuple[World, Mapping[WorkloadId, Made]]:
    """Return an inventory that also holds what operators will make, and what that is, by name.

    Args:
        world: What the cluster holds.
        said: Components, by id, of which the caller says where they are.
    """
    found = {each.id: each for each in made(world, said)}
    if not found:
        return world, MappingProxyType({})
    spaces = {**world.namespaces}
    for each in found:
        home = each.namespace
        spaces.setdefault(home, Namespace(home, {NAMESPACE_NAME_LABEL: home}))
    added = {name: each.workload for name, each in found.items()}
    return (
        replace(
            world,
            namespaces=dict(sorted(spaces.items())),
            workloads=dict(sorted({**world.workloads, **added}.items())),
        ),
        MappingProxyType(found),
    )


@cache
def _by_kind() -> Mapping[GroupKind, Row]:
    text = files(__package__).joinpath("made.toml").read_text("utf-8")
    rows = msgspec.convert(tomllib.loads(text), _Table).made
    return MappingProxyType({(each.group, each.kind): each for each in rows})


def rows() -> tuple[Row, ...]:
    """Return what is known of operators, in the order of the data."""
    return tuple(_by_kind().values())


def _at(item: Declared, path: str) -> Node | None:
    return item.document.root.get(*path.split("."))


def _text(item: Declared, path: str) -> str | None:
    node = _at(item, path)
    return node.value if node is not None and isinstance(node.value, str) else None


def _texts(node: Node | None) -> dict[str, str]:
    pairs = node.value.items() if node is not None and isinstance(node.value, dict) else ()
    return {key: each.value for key, each in pairs if isinstance(each.value, str)}


def _filled(text: str, item: Declared) -> str:
    """Return a text of a row with the names and fields of a resource in it."""
    said = {"name": item.name, "namespace": item.namespace}
    return _FIELD.sub(lambda at: said.get(at[1]) or _text(item, at[1]) or item.name, text)


def _named(item: Declared, port: _Port) -> str | None:
    return (_text(item, port.named_at) if port.named_at else None) or port.name


def _count(item: Declared, path: str) -> int | None:
    """Return how many pods a resource asks for; None where it does not say."""
    head, _, tail = path.partition(f".{_EVERY}.")
    node = _at(item, head)
    if tail:
        listed = node.value if node is not None and isinstance(node.value, list) else []
        nodes: Iterator[Node | None] = (each.get(*tail.split(".")) for each in listed)
        found = [_number(each) for each in nodes]
        return None if None in found or not found else min(sum(filter(None, found)), _MOST)
    return _number(node)


def _number(node: Node | None) -> int | None:
    value = node.value if node is not None else None
    return min(value, _MOST) if isinstance(value, int) and not isinstance(value, bool) else None
