"""One world out of two: everything that either source describes."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import TypeVar

from cloison.base import Span
from cloison.resources.declared import Declared, GroupKind
from cloison.resources.world import WorkloadId, World

K = TypeVar("K", str, tuple[str, str], WorkloadId)
V = TypeVar("V")


def union_of(first: World, second: World) -> tuple[World, tuple[str, ...]]:
    """Return a world with everything of both, and the names of what they describe differently.

    What both describe is taken as the second does, unless only the first has read it: a
    namespace that objects merely mention says nothing against one that is declared.

    Args:
        first: The one world.
        second: The other.
    """
    differing: list[str] = []

    def joined(
        what: str, ours: Mapping[K, V], theirs: Mapping[K, V], name: Callable[[K], str]
    ) -> dict[K, V]:
        found = dict(ours)
        for key, value in theirs.items():
            old = found.get(key)
            if old is None or not _alike(old, value):
                if old is not None and _read(value) and _read(old):
                    differing.append(f"{what} {name(key)}")
                found[key] = old if old is not None and not _read(value) else value
        return {key: found[key] for key in sorted(found)}

    counted = sorted({*first.kinds, *second.kinds})
    kinds = {kind: max(first.kinds.get(kind, 0), second.kinds.get(kind, 0)) for kind in counted}
    slices = joined(
        "EndpointSlice",
        {(s.namespace, s.name): s for s in first.slices},
        {(s.namespace, s.name): s for s in second.slices},
        "/".join,
    )
    world = World(
        joined("Namespace", first.namespaces, second.namespaces, str),
        joined("", first.workloads, second.workloads, lambda id_: f"{id_.kind} {id_}"),
        joined("Node", first.nodes, second.nodes, str),
        joined("Service", first.services, second.services, "/".join),
        tuple(slices.values()),
        joined("ServiceAccount", first.accounts, second.accounts, "/".join),
        kinds,
        _declared(first, second),
        second.domains or first.domains,
    )
    return world, tuple(sorted(text.strip() for text in differing))


def _declared(first: World, second: World) -> dict[GroupKind, tuple[Declared, ...]]:
    """Return what leads traffic in either world, as the second says it where both do."""
    found = {}
    for kind in sorted({*first.declared, *second.declared}):
        both = (*first.declared.get(kind, ()), *second.declared.get(kind, ()))
        named = {(each.namespace, each.name): each for each in both}
        found[kind] = tuple(named[name] for name in sorted(named))
    return found


def _read(value: object) -> bool:
    """Return whether an object itself was read, and not only its name somewhere."""
    return getattr(value, "span", None) is not None and not getattr(value, "inferred", False)


def _alike(one: object, other: object) -> bool:
    """Return whether two objects say the same, wherever they are written."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    if is_dataclass(one) and type(one) is type(other):
        return all(
            _alike(getattr(one, f.name), getattr(other, f.name))
            for f in fields(one)
            if f.name != "span"
        )
    return isinstance(one, Span) or one == other
