"""How a plan becomes links, addresses and routes: lines for `ip -batch`, nothing is done here.

Every link is a pair of virtual interfaces. Its upper end is `fe80::1` and its lower end `fe80::2`,
for IPv4 too, and both know the other's hardware address from the start. So nobody ever asks for
a neighbour: no packet waits for an answer, none is lost to a filter, and no table overflows.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloison.ir.counters import TO_PROXY
from cloison.probe.lab.edge import edge, homes
from cloison.probe.lab.plan import Plan, Station

OUTSIDE = "outside"
"""The station of external hosts."""

WIRE = "wire"
"""What nodes and the outside call their link to the router between them."""

_UP, _DOWN = "fe80::1", "fe80::2"
_EVERYWHERE = ("0.0.0.0/0", "::/0")
TO_PROXIES = {
    option: f"rule add fwmark {TO_PROXY} lookup 100\nroute add local {block} dev lo table 100\n"
    for option, block in (("-4", "0.0.0.0/0"), ("-6", "::/0"))
}
"""Lines for every node, for `ip -batch` with an option: packets marked for its proxy stay with it,
whoever they are addressed to."""
_UNSAFE = re.compile(r"[^a-z0-9.-]+")
_MOST_LETTERS = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """What to do where.

    Args:
        files: For each station what its namespace is called on the file system.
        wire: Lines for the router between nodes, first of all.
        nodes: Lines for each node, then.
        pods: Lines for each pod and the outside, last.
    """

    files: dict[str, str]
    wire: str
    nodes: dict[str, str]
    pods: dict[str, str]


def layout(plan: Plan, directory: str) -> Layout:
    """Return what to do to build a plan.

    Args:
        plan: The plan.
        directory: Where namespaces have names.
    """
    stations = (*plan.nodes, *plan.pods, Station(OUTSIDE, "", plan.outside))
    files = _files(stations)
    wire = ["link set lo up"]
    nodes: dict[str, list[str]] = {}
    pods: dict[str, str] = {}
    numbers = {node.name: number for number, node in enumerate(plan.nodes)}
    for node, number in zip(plan.nodes, numbers.values(), strict=True):
        pair = _Pair(f"n{number}", WIRE, 0x10000 + number, f"{directory}/{files[node.name]}")
        wire += [*pair.made(), *pair.upper(node.addresses)]
        own = (*node.addresses, *plan.caches)
        lower = ["link set lo up", *(f"address add {a} dev lo{_nodad(a)}" for a in own)]
        nodes[node.name] = [*lower, *pair.lower(_EVERYWHERE)]
    for number, pod in enumerate(plan.pods):
        above = nodes[f"node:{pod.node}"] if f"node:{pod.node}" in nodes else nodes[pod.node]
        pair = _Pair(f"p{number}", "eth0", 0x20000 + number, f"{directory}/{files[pod.name]}")
        above += [*pair.made(), *pair.upper(pod.addresses)]
        link = f"n{numbers[_node_of(pod, numbers)]}"
        wire += [_route(a, _DOWN, link) for a in pod.addresses]
        pods[pod.name] = _text(_host(pod.addresses, pair))
    pair = _Pair("out", WIRE, 0x30000, f"{directory}/{files[OUTSIDE]}")
    wire += [*pair.made(), *pair.upper(_EVERYWHERE), *_to_services(plan, numbers)]
    pods[OUTSIDE] = _text(_outside(plan, pair))
    return Layout(files, _text(wire), {n: _text(lines) for n, lines in nodes.items()}, pods)


def _node_of(pod: Station, numbers: dict[str, int]) -> str:
    return pod.node if pod.node in numbers else f"node:{pod.node}"


@dataclass(frozen=True, slots=True)
class _Pair:
    """A link.

    Args:
        above: What its upper end is called, on the router.
        below: What its lower end is called.
        number: Tells its hardware addresses from those of others.
        path: The namespace of the lower end.
    """

    above: str
    below: str
    number: int
    path: str

    def _hardware(self, end: int) -> str:
        octets = self.number.to_bytes(4, "big")
        return ":".join(f"{octet:02x}" for octet in (0x02, *octets, end))

    def made(self) -> Iterator[str]:
        """Lines that make it, on the router."""
        yield (
            f"link add {self.above} address {self._hardware(1)} type veth "
            f"peer name {self.below} address {self._hardware(2)} netns {self.path}"
        )

    def upper(self, addresses: Iterable[str]) -> Iterator[str]:
        """Lines for the router: its end, and what is reached through it."""
        yield f"link set {self.above} addrgenmode none up"
        yield f"neigh add {_DOWN} lladdr {self._hardware(2)} dev {self.above} nud permanent"
        yield from (_route(address, _DOWN, self.above) for address in addresses)

    def lower(self, beyond: Iterable[str]) -> Iterator[str]:
        """Lines for the other end, and what is reached through the router."""
        yield f"link set {self.below} addrgenmode none up"
        yield f"neigh add {_UP} lladdr {self._hardware(1)} dev {self.below} nud permanent"
        yield from (_route(block, _UP, self.below) for block in beyond)


def _host(addresses: tuple[str, ...], pair: _Pair) -> Iterator[str]:
    """Lines for a pod: it has routes only of families that it has an address of."""
    yield "link set lo up"
    families = {":" in address for address in addresses}
    link, *rest = pair.lower(b for b in _EVERYWHERE if (":" in b) in families)
    yield link
    yield from (f"address add {a} dev {pair.below}{_nodad(a)}" for a in addresses)
    yield from rest


def _outside(plan: Plan, pair: _Pair) -> Iterator[str]:
    """Lines for the external hosts: they answer at every address that is nobody else's."""
    yield "link set lo up"
    yield from (f"address add {a} dev lo{_nodad(a)}" for a in plan.outside)
    inside = [a for station in (*plan.nodes, *plan.pods) for a in station.addresses]
    inside += [a for service in plan.services for a in service.addresses]
    inside = [a for a in inside if a not in plan.caches]
    yield from pair.lower(dict.fromkeys(inside))
    yield from (f"route add local {block} dev lo table main" for block in _EVERYWHERE)


def _to_services(plan: Plan, numbers: dict[str, int]) -> Iterator[str]:
    """Lines for the wire: where whoever comes from outside finds a Service."""
    taken = {a for station in (*plan.nodes, *plan.pods) for a in station.addresses}
    taken |= {*plan.caches}
    at = homes(plan)
    first = plan.nodes[0].name if plan.nodes else ""
    for service in plan.services:
        backends = (a for port in service.ports for a, _ in port.backends)
        inner = next((at[a] for a in backends if a in at), first)
        outer = edge(plan, service) if service.outside else None
        for address in service.addresses:
            home = outer.name if outer is not None and address in service.outside else inner
            if address not in taken and home:
                taken.add(address)
                yield _route(address, _DOWN, f"n{numbers[home]}")


def _route(block: str, via: str, link: str) -> str:
    if ":" in block:
        return f"route add {block} via {via} dev {link} onlink"
    return f"route add {block} via inet6 {via} dev {link} onlink"


def _nodad(address: str) -> str:
    """Nobody has to be asked whether an address is free: it can be used at once."""
    return " nodad" if ":" in address else ""


def _files(stations: Iterable[Station]) -> dict[str, str]:
    """Return a file name for each station: its own name, as far as that is safe and unique."""
    files: dict[str, str] = {}
    taken: set[str] = set()
    for station in stations:
        plain = _UNSAFE.sub(".", station.name.lower()).strip(".")[:_MOST_LETTERS] or "station"
        name, number = plain, 1
        while name in taken:
            number += 1
            name = f"{plain}.{number}"
        taken.add(name)
        files[station.name] = name
    return files


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
