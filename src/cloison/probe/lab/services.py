"""Services as packet filters lead them: a table of its own for each node.

Whoever connects is led to a backend by the router in front of it, before policies look. Backends
take turns. A node port is led by the node that has the address.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from cloison.probe.lab.edge import homes
from cloison.probe.lab.layout import WIRE
from cloison.probe.lab.plan import Plan, ServicePort, Station

TABLE = "cloison-services"

_REPLACED = "0x4000"
"""The mark of connections whose source's address is replaced by that of the node."""
_FAMILIES = ((4, "ip", False), (6, "ip6", True))


def service_script(plan: Plan, node: Station) -> str:
    """Return the nftables script of one node's Services.

    Args:
        plan: The plan.
        node: The node, one of the plan's.
    """
    chains: list[str] = []
    ways: dict[str, str] = {}
    on_nodes: dict[str, str] = {}
    at = homes(plan)
    for service in plan.services:
        for port in service.ports:
            if not port.backends:
                continue
            name = f"service-{len(chains)}"
            inner, outer = name, name
            said = f"{service.name} {port.protocol}/{port.port}"
            chains.append(_chain(name, said, port))
            mine = [b for b in port.backends if at.get(b[0]) == node.name]
            if service.kept or service.local:
                chains.append(_chain(f"{name}-here", said, replace(port, backends=tuple(mine))))
            if service.kept:
                inner = f"{name}-here"
            if service.outside or port.node_port:
                outer = f"{name}-outer"
                chains.append(_outer(outer, name, local=service.local))
            protocol = port.protocol.lower()
            for address in service.addresses:
                if address not in plan.caches:
                    way = outer if address in service.outside else inner
                    ways.setdefault(f"{address} . {protocol} . {port.port}", way)
            if port.node_port:
                on_nodes.setdefault(f"{protocol} . {port.node_port}", outer)
    own = {a for station in (*plan.nodes, *plan.pods) for a in station.addresses}
    own |= {*plan.caches}
    served = dict.fromkeys(a for s in plan.services for a in s.addresses if a not in own)
    inside = [a for pod in plan.pods for a in pod.addresses]
    pods = [a for pod in plan.pods if _is_home(pod, node) for a in pod.addresses]
    return "\n".join(
        [
            f"table inet {TABLE}",
            f"delete table inet {TABLE}",
            f"table inet {TABLE} {{",
            *_map("ways4", "ipv4_addr . inet_proto . inet_service", _way(ways, six=False)),
            *_map("ways6", "ipv6_addr . inet_proto . inet_service", _way(ways, six=True)),
            *_map("node-ports", "inet_proto . inet_service", on_nodes),
            *_set("served4", "ipv4_addr", _family(served, six=False)),
            *_set("served6", "ipv6_addr", _family(served, six=True)),
            *_set("itself4", "ipv4_addr . ipv4_addr", _twice(_family(pods, six=False))),
            *_set("itself6", "ipv6_addr . ipv6_addr", _twice(_family(pods, six=True))),
            *_set("pods4", "ipv4_addr", _family(inside, six=False)),
            *_set("pods6", "ipv6_addr", _family(inside, six=True)),
            *chains,
            *_leading("prerouting"),
            *_leading("output"),
            *_returning(node),
            *_refusing("forward"),
            *_refusing("output"),
            "}",
            "",
        ]
    )


def _is_home(pod: Station, node: Station) -> bool:
    return node.name in (pod.node, f"node:{pod.node}")


def _chain(name: str, what: str, port: ServicePort) -> str:
    rules = []
    for family, word, six in _FAMILIES:
        backends = [b for b in port.backends if (":" in b[0]) == six]
        if backends:
            turns = ", ".join(f"{n} : {a} . {p}" for n, (a, p) in enumerate(backends))
            rules.append(
                f"    meta nfproto ipv{family} meta l4proto {port.protocol.lower()} "
                f"dnat {word} to numgen inc mod {len(backends)} map {{ {turns} }}"
            )
    if not port.backends:
        rules = ["    drop"]
    said = "".join(letter if letter.isprintable() else "?" for letter in what)
    return "\n".join([f"  # {said}", f"  chain {name} {{", *rules, "  }"])


def _outer(name: str, inner: str, *, local: bool) -> str:
    """The chain for what is sent to an outside address, or to a port of a node.

    As kube-proxy has it: pods and nodes are led as if all of the cluster were meant; of others the
    address is replaced, unless the Service keeps them on this node.

    Source: kubernetes/kubernetes pkg/proxy/iptables/proxier.go.
    """
    replaced = f"ct mark set {_REPLACED}"
    if not local:
        rules = [f"    {replaced} goto {inner}"]
    else:
        rules = [f"    {word} saddr @pods{family} goto {inner}" for family, word, _ in _FAMILIES]
        rules += [f"    fib saddr type local {replaced} goto {inner}", f"    goto {inner}-here"]
    return "\n".join([f"  chain {name} {{", *rules, "  }"])


def _leading(hook: str) -> Iterator[str]:
    """The chains that decide whether a packet is for a Service."""
    yield f"  chain leading-{hook} {{"
    yield f"    type nat hook {hook} priority -100"
    yield "    ip daddr . meta l4proto . th dport vmap @ways4"
    yield "    ip6 daddr . meta l4proto . th dport vmap @ways6"
    yield "    fib daddr type local meta l4proto . th dport vmap @node-ports"
    yield "  }"


def _returning(node: Station) -> Iterator[str]:
    """Whoever is led back to itself, or through this node to another, must see answers come back.

    So such packets get the address of the node, once policies have looked.
    """
    yield "  chain returning {"
    yield "    type nat hook postrouting priority 100"
    for family, word, six in _FAMILIES:
        mine = _family(node.addresses, six=six)
        if mine:
            yield (
                f"    ct status dnat {word} saddr . {word} daddr @itself{family} "
                f"snat {word} to {mine[0]}"
            )
            yield f"    ct mark {_REPLACED} meta nfproto ipv{family} snat {word} to {mine[0]}"
            yield (
                f"    ct status dnat iifname {WIRE} oifname {WIRE} meta nfproto ipv{family} "
                f"snat {word} to {mine[0]}"
            )
    yield "  }"


def _refusing(hook: str) -> Iterator[str]:
    """No backend, or no such port: unreachable, rather than refused as if by a backend."""
    yield f"  chain refusing-{hook} {{"
    yield f"    type filter hook {hook} priority 10"
    yield "    ip daddr @served4 reject with icmp type host-unreachable"
    yield "    ip6 daddr @served6 reject with icmpv6 type addr-unreachable"
    yield "  }"


def _map(name: str, kind: str, pairs: dict[str, str]) -> Iterator[str]:
    yield f"  map {name} {{"
    yield f"    type {kind} : verdict"
    if pairs:
        yield f"    elements = {{ {', '.join(f'{k} : goto {v}' for k, v in pairs.items())} }}"
    yield "  }"


def _set(name: str, kind: str, members: Iterable[str]) -> Iterator[str]:
    yield f"  set {name} {{"
    yield f"    type {kind}"
    listed = ", ".join(members)
    if listed:
        yield f"    elements = {{ {listed} }}"
    yield "  }"


def _twice(addresses: Iterable[str]) -> list[str]:
    return [f"{address} . {address}" for address in addresses]


def _family(addresses: Iterable[str], *, six: bool) -> list[str]:
    return [address for address in addresses if (":" in address) == six]


def _way(ways: dict[str, str], *, six: bool) -> dict[str, str]:
    return {key: ways[key] for key in _family(ways, six=six)}
