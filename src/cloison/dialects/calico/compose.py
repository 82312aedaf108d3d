"""Allowlists as Calico's NetworkPolicies.

Source: Calico API reference, NetworkPolicy.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from cloison.algebra import PORT_PROTOCOLS, LabelSelector
from cloison.dialects.calico.from_ir import API_VERSION, ORCHESTRATOR, selector_text
from cloison.dialects.writing.allowed import Margin, Said, metadata
from cloison.dialects.writing.tree import Tree
from cloison.ir.allowlist import Allowlist, Opening, PeerOf, PortRange, Words, grouped
from cloison.ir.peers import AnyMatch, BlockMatch, PodsMatch
from cloison.ir.policy import Direction

WORDS: Final = Words("calico", icmp=True)
_ORDER: Final = 1000
"""Where NetworkPolicies of Kubernetes stand, too."""


def compose(wanted: Allowlist) -> Iterator[Said]:
    """Yield the policy that an allowlist comes to.

    Raises:
        ValueError: It holds what the language has no words for.
    """
    margin = Margin()
    spec: dict[str, Tree] = {
        "order": _ORDER,
        "selector": selector_text(wanted.pods),
        "types": ["Ingress", "Egress"],
    }
    for direction, side in ((Direction.INGRESS, "source"), (Direction.EGRESS, "destination")):
        rules: list[Tree] = []
        for some in grouped(wanted.openings, direction):
            made = [
                _rule(each, side, wanted.namespace, protocol, ports, margin)
                for each in some
                for protocol, ports in _by_protocol(each.ports)
            ]
            rules += [margin.rule(made[0], some), *made[1:]]
        if rules:
            spec[str(direction)] = rules
    yield Said(
        {
            "apiVersion": API_VERSION,
            "kind": "NetworkPolicy",
            "metadata": metadata(wanted, wanted.name, wanted.namespace),
            "spec": spec,
        },
        margin.comments(),
    )


def _by_protocol(
    ports: tuple[PortRange, ...],
) -> Iterator[tuple[str | None, tuple[PortRange, ...]]]:
    """Yield the ports of each protocol: a rule is about one; each type of ICMP is a rule."""
    if not ports:
        # A dependency on everything is about what has ports; what has none is not opened.
        for protocol in PORT_PROTOCOLS:
            yield protocol, ()
        return
    found: dict[str, list[PortRange]] = {}
    for each in ports:
        found.setdefault(each.protocol, []).append(each)
    for protocol, some in found.items():
        if protocol not in PORT_PROTOCOLS:
            for each in some:
                yield protocol, (each,)
        elif any(each.first is None and each.name is None for each in some):
            yield protocol, ()
        else:
            yield protocol, tuple(some)


def _rule(
    opening: Opening,
    side: str,
    home: str,
    protocol: str | None,
    ports: tuple[PortRange, ...],
    margin: Margin,
) -> Tree:
    if opening.http is not None:
        msg = f"Calico cannot ask for {opening.http}"
        raise ValueError(msg)
    found: dict[str, Tree] = {"action": "Allow"}
    if protocol is not None:
        found["protocol"] = int(protocol) if protocol.isdecimal() else protocol
    if protocol not in PORT_PROTOCOLS and ports and ports[0].first is not None:
        values = (each for each in (ports[0].first, ports[0].last) if each is not None)
        found["icmp"] = dict(zip(("type", "code"), values, strict=False))
    sides: dict[str, dict[str, Tree]] = {"source": {}, "destination": {}}
    sides[side] |= _peer(opening.peer, home)
    if protocol in PORT_PROTOCOLS and ports:
        sides["destination"]["ports"] = [margin.port(_port(each), each.note) for each in ports]
    return {**found, **{key: value for key, value in sides.items() if value}}


def _peer(match: PeerOf, home: str) -> Mapping[str, Tree]:
    match match:
        case AnyMatch():
            return {}
        case BlockMatch():
            block: dict[str, Tree] = {"nets": [match.cidr]}
            if match.holes:
                block["notNets"] = list(match.holes)
            return block
        case PodsMatch():
            found: dict[str, Tree] = {}
            if match.namespace is None:
                found["namespaceSelector"] = selector_text(match.namespaces)
            elif match.namespace != home:
                named = LabelSelector.of({"projectcalico.org/name": match.namespace})
                found["namespaceSelector"] = selector_text(named)
            # Without this, network sets of such labels would match, too.
            found["selector"] = selector_text(match.pods, (ORCHESTRATOR,))
            return found
        case _:
            msg = f"Calico cannot name {match}"
            raise ValueError(msg)


def _port(port: PortRange) -> Tree:
    if port.name is not None:
        return port.name
    if port.first is None or port.last in (None, port.first):
        return port.first
    return f"{port.first}:{port.last}"
