"""Allowlists as CiliumNetworkPolicies.

Source: cilium/cilium Documentation/security/policy, pages language, kubernetes and dns.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from cloison.algebra import PORT_PROTOCOLS, LabelSelector, Operator, Requirement
from cloison.dialects.cilium.identities import (
    HOST,
    NAMESPACE,
    NAMESPACE_LABELS,
    REMOTE_NODE,
)
from cloison.dialects.cilium.model import API_VERSION, Entity
from cloison.dialects.writing.allowed import Margin, Said, metadata
from cloison.dialects.writing.blocks import batched
from cloison.dialects.writing.labels import requirements_tree
from cloison.dialects.writing.tree import Tree
from cloison.ir.allowlist import (
    Allowlist,
    Asked,
    Known,
    Opening,
    PeerOf,
    PortRange,
    Words,
    grouped,
)
from cloison.ir.peers import (
    AnyMatch,
    BlockMatch,
    NamesMatch,
    PodsMatch,
    Relative,
    RelativeMatch,
)
from cloison.ir.policy import Direction
from cloison.resources.objects import NAMESPACE_NAME_LABEL

WORDS: Final = Words(
    "cilium",
    http=True,
    names=True,
    icmp_types=True,
    nodes=True,
    known=frozenset((Entity.KUBE_APISERVER.value, Entity.INGRESS.value)),
)
_PORTS: Final = 40
"""Ports of a rule, or types of ICMP, at most."""
_FAMILIES: Final = {"ICMP": "IPv4", "ICMPv6": "IPv6"}


def compose(wanted: Allowlist) -> Iterator[Said]:
    """Yield the CiliumNetworkPolicy that an allowlist comes to.

    Raises:
        ValueError: It holds what the language has no words for.
    """
    margin = Margin()
    named = any(isinstance(each.peer, NamesMatch) for each in wanted.openings)
    spec: dict[str, Tree] = {"endpointSelector": requirements_tree(wanted.pods.requirements)}
    for direction, way in ((Direction.INGRESS, "from"), (Direction.EGRESS, "to")):
        rules = [
            margin.rule(rule, some)
            for some in grouped(wanted.openings, direction)
            for rule in _rules(some, way, wanted.namespace, margin, named=named)
        ]
        # An empty rule lets nothing through, and isolates.
        spec[str(direction)] = rules or [{}]
    yield Said(
        {
            "apiVersion": API_VERSION,
            "kind": "CiliumNetworkPolicy",
            "metadata": metadata(wanted, wanted.name, wanted.namespace),
            "spec": spec,
        },
        margin.comments(),
    )


def _rules(
    openings: tuple[Opening, ...], way: str, home: str, margin: Margin, *, named: bool
) -> Iterator[Tree]:
    """Yield a rule for each kind of peer, and for ports and ICMP, which one rule cannot mix."""
    kinds: dict[str, list[Tree]] = {}
    for each in openings:
        for kind, tree in _peers(each.peer, home):
            kinds.setdefault(f"{way}{kind}", []).append(tree)
    first = openings[0]
    ports = tuple(each for each in first.ports if each.protocol in PORT_PROTOCOLS)
    fields = [_icmp(each) for each in first.ports if each.protocol not in PORT_PROTOCOLS]
    for kind, peers in sorted(kinds.items()):
        if ports or not fields:
            found: dict[str, Tree] = {kind: peers}
            if ports:
                asked = replace(first, ports=ports)
                found["toPorts"] = list(_to_ports(asked, margin, see=named and first.lookup))
            yield found
        for some in batched(fields, _PORTS):
            yield {kind: peers, "icmps": [{"fields": list(some)}]}


def _icmp(port: PortRange) -> Tree:
    """Return a type of ICMP, whatever its codes."""
    if port.protocol not in _FAMILIES or port.first is None or port.last is not None:
        msg = f"a CiliumNetworkPolicy cannot name {port.text}"
        raise ValueError(msg)
    return {"family": _FAMILIES[port.protocol], "type": port.first}


def _to_ports(opening: Opening, margin: Margin, *, see: bool) -> Iterator[Tree]:
    asked = opening.http
    parts = [[p for p in opening.ports if (p.protocol == "TCP") is tcp] for tcp in (True, False)]
    every = batched(opening.ports, _PORTS)
    for some in (batch for p in parts for batch in batched(p, _PORTS)) if asked else every:
        found: dict[str, Tree] = {"ports": [margin.port(_port(each), each.note) for each in some]}
        if asked is not None and some[0].protocol == "TCP":
            found["rules"] = {"http": [_http(asked)]}
        elif see:
            # Names can be let through only where the answers to lookups are seen.
            found["rules"] = {"dns": [{"matchPattern": "*"}]}
        yield found


def _http(asked: Asked) -> Mapping[str, Tree]:
    """Return a part of HTTP as patterns, which have to match the whole text."""
    said = {"method": asked.method, "path": asked.path, "host": asked.host}
    return {
        key: re.escape(value) if key != "path" else _path(value)
        for key, value in said.items()
        if value is not None
    }


def _path(path: str) -> str:
    """Return a path as a pattern, without escapes that it does not need."""
    return re.sub(r"([.*+?()\[\]{}|^$\\])", r"\\\1", path)


def _peers(match: PeerOf, home: str) -> Iterator[tuple[str, Tree]]:
    match match:
        case Known(known) if known in WORDS.known:
            yield "Entities", known
        case BlockMatch() if match.holes:
            yield "CIDRSet", {"cidr": match.cidr, "except": list(match.holes)}
        case BlockMatch():
            yield "CIDR", match.cidr
        case RelativeMatch(Relative.OWN_NODE):
            yield "Entities", HOST
        case RelativeMatch(Relative.OTHER_NODE):
            yield "Entities", REMOTE_NODE
        case AnyMatch():
            yield "Entities", "all"
        case NamesMatch():
            for name in match.names:
                yield "FQDNs", {"matchName" if name.exact else "matchPattern": name.text}
        case PodsMatch():
            asked = (*_where(match, home), *match.pods.requirements)
            yield "Endpoints", requirements_tree(asked)
        case _:
            msg = f"a CiliumNetworkPolicy cannot name {match}"
            raise ValueError(msg)


def _where(match: PodsMatch, home: str) -> Iterator[Requirement]:
    if match.namespace is not None:
        if match.namespace != home:
            yield Requirement(NAMESPACE, Operator.IN, (match.namespace,))
        return
    wanted: LabelSelector = match.namespaces
    if not wanted:
        yield Requirement(NAMESPACE, Operator.EXISTS)
    for each in wanted.requirements:
        key = NAMESPACE if each.key == NAMESPACE_NAME_LABEL else NAMESPACE_LABELS + each.key
        yield Requirement(key, each.operator, each.values)


def _port(port: PortRange) -> Tree:
    if port.name is not None:
        return {"port": port.name, "protocol": port.protocol}
    found: dict[str, Tree] = {"port": str(port.first or 0)}
    if port.last not in (None, port.first):
        found["endPort"] = port.last
    return {**found, "protocol": port.protocol}
