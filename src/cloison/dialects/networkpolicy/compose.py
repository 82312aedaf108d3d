"""Allowlists as NetworkPolicies."""

from collections.abc import Iterator
from typing import Final

from cloison.dialects.writing.allowed import Margin, Said, metadata
from cloison.dialects.writing.labels import named_namespace, selector_tree
from cloison.dialects.writing.tree import Tree
from cloison.ir.allowlist import Allowlist, Opening, PeerOf, PortRange, Words, grouped
from cloison.ir.peers import AnyMatch, BlockMatch, PodsMatch
from cloison.ir.policy import Direction

WORDS: Final = Words("networkpolicy")


def compose(wanted: Allowlist) -> Iterator[Said]:
    """Yield the NetworkPolicy that an allowlist comes to.

    Raises:
        ValueError: It holds what the language has no words for.
    """
    margin = Margin()
    spec: dict[str, Tree] = {
        "podSelector": selector_tree(wanted.pods),
        "policyTypes": ["Ingress", "Egress"],
    }
    for direction, key in ((Direction.INGRESS, "from"), (Direction.EGRESS, "to")):
        rules = [
            margin.rule(_rule(some, key, wanted.namespace, margin), some)
            for some in grouped(wanted.openings, direction)
        ]
        if rules:
            spec[str(direction)] = rules
    yield Said(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata(wanted, wanted.name, wanted.namespace),
            "spec": spec,
        },
        margin.comments(),
    )


def _rule(openings: tuple[Opening, ...], key: str, home: str, margin: Margin) -> Tree:
    first = openings[0]
    if first.http is not None:
        msg = f"a NetworkPolicy cannot ask for {first.http}"
        raise ValueError(msg)
    found: dict[str, Tree] = {}
    if not any(isinstance(each.peer, AnyMatch) for each in openings):
        found[key] = [_peer(each.peer, home) for each in openings]
    if first.ports:
        found["ports"] = [margin.port(_port(each), each.note) for each in first.ports]
    return found


def _peer(match: PeerOf, home: str) -> Tree:
    match match:
        case BlockMatch():
            block: dict[str, Tree] = {"cidr": match.cidr}
            if match.holes:
                block["except"] = list(match.holes)
            return {"ipBlock": block}
        case PodsMatch():
            found: dict[str, Tree] = {}
            if match.namespace is None:
                found["namespaceSelector"] = selector_tree(match.namespaces)
            elif match.namespace != home:
                found["namespaceSelector"] = selector_tree(named_namespace(match.namespace))
            if match.pods or not found:
                found["podSelector"] = selector_tree(match.pods)
            return found
        case _:
            msg = f"a NetworkPolicy cannot name {match}"
            raise ValueError(msg)


def _port(port: PortRange) -> Tree:
    found: dict[str, Tree] = {"protocol": port.protocol}
    if port.name is not None:
        found["port"] = port.name
    elif port.first is not None:
        found["port"] = port.first
        if port.last not in (None, port.first):
            found["endPort"] = port.last
    return found
