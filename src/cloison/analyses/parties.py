"""The sides of a case: what an end of a question is to the engine."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from cloison.algebra import family_of
from cloison.analyses.ends import (
    AddressEnd,
    AnyEnd,
    End,
    NameEnd,
    NodeEnd,
    PodsEnd,
    SomeNodeEnd,
)
from cloison.base import QuestionError
from cloison.engine import Engine, UnitKind
from cloison.resources.world import PodEndpoint


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a case: a unit, and an example of what is meant in it."""

    unit: int
    text: str
    endpoint: PodEndpoint | None = None


def parties(
    engine: Engine, end: End, *, named: bool = False
) -> Iterator[tuple[Party, tuple[int, ...]]]:
    """Iterate over an end's units; those that declare other ports apart, if a port is `named`."""
    table = engine.table
    match end:
        case PodsEnd():
            for unit, members in _by_unit(engine, end):
                endpoint = table.endpoints[members[0]]
                yield Party(unit, endpoint.name, endpoint), members
        case NodeEnd():
            for unit in table.by_node[end.node.name]:
                yield Party(unit, end.text), ()
        case SomeNodeEnd():
            for unit, text in _some_node(engine, end):
                yield Party(unit, text), ()
        case AnyEnd():
            anybody = _anybody(engine, end.namespace)
            for unit in anybody if named else engine.alike(anybody):
                members = table.units[unit].endpoints
                seen = set()
                for index in members if named else members[:1]:
                    endpoint = table.endpoints[index]
                    if endpoint.ports not in seen:
                        seen.add(endpoint.ports)
                        yield Party(unit, endpoint.name, endpoint), members
        case AddressEnd():
            yield from _at_addresses(engine, end)
        case NameEnd():
            yield from _at_addresses(engine, AddressEnd(end.text, end.addresses))
            units = {u for name in end.names for u in engine.hosts.of(name) or ()}
            for unit in sorted(units):
                yield Party(unit, end.text), ()
        case _:
            msg = f"{end.text} is a name for what is behind it, and sends nothing itself"
            raise QuestionError(msg, "ask about the workload behind it, as NAMESPACE/NAME")


def _some_node(engine: Engine, end: SomeNodeEnd) -> Iterator[tuple[int, str]]:
    """Yield a node of each class that no policy tells apart, for one that passes something on.

    It stays some node where the addresses of one are not known, and where policies govern nodes:
    what these pass on is not what those are about.
    """
    table = engine.table
    nodes = [node for node in engine.world.nodes.values() if end.node in (None, node.name)]
    known = end.passing and all(node.addresses for node in nodes)
    units = [unit for node in nodes for unit in table.by_node[node.name]] if known else []
    if not units or any(unit in engine.governed for unit in units):
        yield table.some_node, end.text
        return
    classes = list(engine.alike(units, apart=False))
    for unit in classes:
        text = f"{end.text} to the address of {table.units[unit].node}"
        yield unit, text if len(classes) > 1 else end.text


def _anybody(engine: Engine, namespace: str | None) -> Iterator[int]:
    """Iterate over the units of pods, of one namespace or of all."""
    table = engine.table
    for unit in table.kinds[UnitKind.POD] | table.kinds[UnitKind.HOST]:
        endpoint = table.endpoints[table.units[unit].endpoints[0]]
        if namespace in (None, endpoint.namespace):
            yield unit


def _at_addresses(engine: Engine, end: AddressEnd) -> Iterator[tuple[Party, tuple[int, ...]]]:
    table = engine.table
    if end.addresses.size() == 1:
        (point, _), *_ = end.addresses.spans
        pods = {point: engine.holders[point]} if point in engine.holders else {}
        nodes = {point: engine.node_addresses[point]} if point in engine.node_addresses else {}
    else:
        pods = {p: held for p, held in engine.holders.items() if p in end.addresses}
        nodes = {p: name for p, name in engine.node_addresses.items() if p in end.addresses}
    # A known pod or node is itself; only what is left of the block is outside.
    rest = end.addresses - type(end.addresses).points(tuple({*pods, *nodes}))
    for unit in table.external_range(rest):
        atom = table.units[unit].addresses
        part = atom & rest if atom is not None else None
        if part:
            text = end.text if part == end.addresses else next(iter(part.ranges())).split("-")[0]
            yield Party(unit, text), ()
    for point, held in sorted(pods.items()):
        for index in held:
            endpoint = table.endpoints[index]
            for unit in table.by_endpoint[index]:
                if table.units[unit].family in (0, family_of(point)):
                    yield Party(unit, endpoint.name, endpoint), (index,)
    for point, name in sorted(nodes.items()):
        for unit in table.by_node[name]:
            if table.units[unit].family in (0, family_of(point)):
                yield Party(unit, f"node:{name}"), ()


def _by_unit(engine: Engine, end: PodsEnd) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Iterate over the units of an end's pods, each with the endpoints of it that are meant."""
    by_unit: dict[int, list[int]] = defaultdict(list)
    for index in end.endpoints:
        for unit in engine.table.by_endpoint[index]:
            by_unit[unit].append(index)
    for unit, members in sorted(by_unit.items()):
        yield unit, tuple(members)
