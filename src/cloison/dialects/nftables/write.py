"""Writes what the policies of a world come to on one node, as one transaction."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from cloison.algebra import AddressSet, address_text, family_of
from cloison.dialects.nftables.chains import HEADERS, Chains, NodeView
from cloison.dialects.nftables.matches import address_elements
from cloison.dialects.nftables.names import comment
from cloison.ir.counters import FROM_PROXY, TO_PROXY
from cloison.ir.enforcement import EnforcedLayer, Ruleset
from cloison.ir.policy import Direction

TABLE = "inet cloison"
"""The table that holds everything: nothing else of a host's filter is touched."""
BESIDE = "inet cloison-2"
"""Its other name: what is loaded in pieces is in the one or the other."""

Point: TypeAlias = tuple[Direction, bool]
"""Enforcement points of one direction: of pods, or (True) of nodes themselves."""
Maps: TypeAlias = Mapping[tuple[Point, str], Mapping[int, Mapping[int, str]]]
"""For each point and layer, by family, which chain the traffic of which address meets."""

_PODS_OUT, _PODS_IN = (Direction.EGRESS, False), (Direction.INGRESS, False)
_NODE_OUT, _NODE_IN = (Direction.EGRESS, True), (Direction.INGRESS, True)


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where packets meet chains.

    Args:
        prefix: What the names of its chains and maps begin with.
        hooks: What a packet passes at each hook: the point of its source, then its target's.
        priority: Of the first base chain at a hook.
    """

    prefix: str
    hooks: Mapping[str, tuple[Point, ...]]
    priority: int


_FILTER = _Stage(
    "",
    {
        "forward": (_PODS_OUT, _PODS_IN),
        "input": (_PODS_OUT, _NODE_IN),
        "output": (_NODE_OUT, _PODS_IN),
    },
    0,
)
"""What a pod and its own node exchange is forwarded by nobody: it passes the pod's point where it
comes to the node, or goes from there."""
_EARLY = _Stage(
    "early_",
    {"prerouting": (_PODS_OUT, _PODS_IN, _NODE_IN), "output": (_NODE_OUT, _PODS_IN)},
    -300,
)
"""Before connections are tracked, where it is said what of them is not."""

_UNTRANSLATED = _Stage("untranslated_", {"prerouting": (_NODE_IN,)}, -150)
"""Before Services lead elsewhere. What a node sends itself is led elsewhere without it."""
_PROXIED = _Stage("proxied_", {"prerouting": (_PODS_OUT, _PODS_IN)}, -50)
"""After Services have led, where connections are handed to a proxy of the node. They then come to
the node itself, where the filter meets them as it meets others that are forwarded."""
_WITH_PROXY = _Stage("", {**_FILTER.hooks, "input": (_PODS_OUT, _PODS_IN, _NODE_IN)}, 0)

_NEIGHBOURS = "icmpv6 type 133-137 accept"
"""Without neighbour discovery nobody finds anybody."""


def write(ruleset: Ruleset, node: NodeView) -> str:
    """Return a script for `nft -f` that makes a node enforce its part of a ruleset.

    The script replaces whatever its table held, in one transaction. Each rule, and each tier's end,
    counts what it decides on: see `counter_name`.

    Args:
        ruleset: What is enforced in the whole world.
        node: The node.
    """
    chains = Chains(node)
    maps = _maps(ruleset, node, chains.layer)
    early = _maps(ruleset, node, chains.early)
    untranslated = _maps(ruleset, node, chains.untranslated)
    proxied = _maps(ruleset, node, chains.proxied)
    stage = _WITH_PROXY if proxied else _FILTER
    replies = tuple(_replies(ruleset, untracked=bool(early)))
    passed = (f"meta mark {FROM_PROXY} accept",) if proxied else ()
    # Not in the order that subjects happen to come in: each packet meets them as `why` tells it.
    layers = list(dict.fromkeys((*ruleset.layers, *(layer for _, layer in maps))))
    body = [
        comment(f"node {node.name}"),
        *_counters(chains.counters),
        *_sets(chains),
        *_chains((name, lines) for lines, name in chains.chains.items()),
        *_verdicts(_EARLY, early, layers),
        *_verdicts(_UNTRANSLATED, untranslated, layers),
        *_verdicts(_PROXIED, proxied, layers),
        *_verdicts(stage, maps, layers),
        *_chains(_bases(_EARLY, early, layers, ())),
        *_chains(_bases(_UNTRANSLATED, untranslated, layers, replies)),
        *_chains(_held_by_proxy(proxied)),
        *_chains(_bases(_PROXIED, proxied, layers, (f"meta mark {TO_PROXY} accept", *replies))),
        *_chains(_bases(stage, maps, layers, (*passed, *replies))),
    ]
    inside = "".join(f"\t{line}\n" for line in body)
    gone = "".join(f"add table {each}\ndelete table {each}\n" for each in (TABLE, BESIDE))
    return f"{gone}table {TABLE} {{\n{inside}}}\n"


def _maps(
    ruleset: Ruleset, node: NodeView, chain_of: Callable[[EnforcedLayer, Direction], str | None]
) -> Maps:
    """Find out which chain the traffic of which local address meets, and have it written."""
    found: dict[tuple[Point, str], dict[int, dict[int, str]]] = {}
    here = {False: frozenset(_each(node.pods)), True: frozenset(_each(node.own))}
    for each in ruleset.enforcements:
        points = [point for point in _each(each.subjects) if point in here[each.on_host]]
        for layer in each.layers if points else ():
            chain = chain_of(layer, each.direction)
            if chain is None:
                continue
            place = ((each.direction, each.on_host), layer.name)
            by_family = found.setdefault(place, defaultdict(dict))
            for point in points:
                by_family[family_of(point)][point] = chain
    return found


def _counters(counters: Mapping[str, str]) -> Iterator[str]:
    for key, name in sorted(counters.items()):
        yield f"counter {name} {{ {comment(key)}; }}"


def _sets(chains: Chains) -> Iterator[str]:
    for addresses, name in chains.sets.items():
        family = family_of(addresses.spans[0][0])
        ranges = any(low != high for low, high in addresses)
        flags = " flags interval;" if ranges else ""
        elements = ", ".join(address_elements(addresses))
        yield f"set {name} {{ type ipv{family}_addr;{flags} elements = {{ {elements} }}; }}"
    for family in sorted(chains.selves):
        own = (address_text(p) for p in _each(chains.node.pods.family(family)))
        pairs = ", ".join(f"{address} . {address}" for address in own)
        kind = f"ipv{family}_addr"
        yield f"set self_v{family} {{ type {kind} . {kind}; elements = {{ {pairs} }}; }}"


def _verdicts(stage: _Stage, maps: Maps, layers: list[str]) -> Iterator[str]:
    for (point, layer), by_family in maps.items():
        for family, held in sorted(by_family.items()):
            pairs = ", ".join(f"{address_text(p)} : goto {held[p]}" for p in sorted(held))
            name = _map_name(stage, point, layers.index(layer) + 1, family)
            yield f"map {name} {{ type ipv{family}_addr : verdict; elements = {{ {pairs} }}; }}"


def _bases(
    stage: _Stage, maps: Maps, layers: list[str], replies: tuple[str, ...]
) -> Iterator[tuple[str, Iterable[str]]]:
    """Yield the base chains: at each hook one for each point and layer, one after another.

    What one of them accepts goes on to the next, what it drops is gone.
    """
    for hook, points in stage.hooks.items():
        steps = [(p, layer) for p in points for layer in layers if (p, layer) in maps]
        for priority, (point, layer) in enumerate(steps, stage.priority):
            direction, on_host = point
            number = layers.index(layer) + 1
            word = "saddr" if direction is Direction.EGRESS else "daddr"
            lines = [
                comment(f"{direction} of {'nodes' if on_host else 'pods'}, layer {layer}"),
                f"type filter hook {hook} priority {priority}; policy accept;",
                *replies,
            ]
            if hook != "forward":
                lines.append(_NEIGHBOURS)
            for family in sorted(maps[point, layer]):
                name = _map_name(stage, point, number, family)
                lines.append(f"{HEADERS[family]} {word} vmap @{name}")
            yield f"{stage.prefix}{hook}_{_stem(point)}_{number}", lines


def _held_by_proxy(proxied: Maps) -> Iterator[tuple[str, Iterable[str]]]:
    """Yield the chain that gives a proxy's sockets the packets of their connections."""
    if proxied:
        yield (
            "held_by_proxy",
            (
                f"type filter hook prerouting priority {_PROXIED.priority - 1}; policy accept;",
                f"meta l4proto tcp socket transparent 1 meta mark set {TO_PROXY}",
            ),
        )


def _replies(ruleset: Ruleset, *, untracked: bool) -> Iterator[str]:
    """Yield what lets through replies, and connections that stay open.

    Args:
        ruleset: What is enforced.
        untracked: Whether there is traffic here that nobody tracks. An answer to that begins in
            the middle: where its protocol tells as much, no policy lets it through.
    """
    if ruleset.keeps_connections:
        yield "ct state established,related accept"
    else:
        yield from ("ct direction reply accept", "ct state related accept")
    if untracked:
        yield "ct state invalid drop"


def _chains(chains: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    for name, lines in chains:
        yield f"chain {name} {{"
        yield from (f"\t{line}" for line in lines)
        yield "}"


def _stem(point: Point) -> str:
    direction, on_host = point
    return f"{'node' if on_host else 'pod'}_{direction}"


def _map_name(stage: _Stage, point: Point, layer: int, family: int) -> str:
    return f"{stage.prefix}{_stem(point)}_{layer}_v{family}"


def _each(addresses: AddressSet) -> Iterator[int]:
    for low, high in addresses:
        yield from range(low, high + 1)
