"""Allowlists as ClusterNetworkPolicies of the Baseline tier.

There, a NetworkPolicy of a namespace still decides by itself where it selects a pod. What is let
through comes first, what a namespace denies later. Nothing can be denied to who calls from outside
the cluster, since rules for ingress know pods only.

Source: kubernetes-sigs/network-policy-api apis/v1alpha2/clusternetworkpolicy_types.go.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from cloison.algebra import MAX_PORT, PORT_PROTOCOLS
from cloison.dialects.adminpolicy.from_ir import API_VERSION, KIND
from cloison.dialects.writing.allowed import Margin, Said, metadata
from cloison.dialects.writing.blocks import batched, cidrs
from cloison.dialects.writing.labels import named_namespace, selector_tree
from cloison.dialects.writing.tree import Tree
from cloison.ir.allowlist import Allowlist, Opening, PeerOf, PortRange, Words, grouped
from cloison.ir.peers import BlockMatch, PodsMatch
from cloison.ir.policy import Direction

WORDS: Final = Words("clusternetworkpolicy", outside_in=False)
_MOST: Final = 25
"""Rules of a direction, peers of a rule and protocols of a rule, at most."""
_ACCEPTS: Final = 100
_DENIES: Final = 900
"""Priorities: lower ones come first."""


def compose(wanted: Allowlist) -> Iterator[Said]:
    """Yield the ClusterNetworkPolicies that an allowlist comes to.

    Raises:
        ValueError: It holds what the language has no words for.
    """
    ingress = list(_rules(wanted, Direction.INGRESS))
    egress = list(_rules(wanted, Direction.EGRESS))
    name = f"{wanted.namespace}.{wanted.name}"
    parts = max(-(-len(ingress) // _MOST), -(-len(egress) // _MOST))
    for number in range(parts):
        part = slice(number * _MOST, (number + 1) * _MOST)
        own = name if not number else f"{name}.{number + 1}"
        yield _policy(wanted, own, _ACCEPTS, ingress[part], egress[part])
    if not wanted.pods:
        pods: Tree = {"namespaces": {}}
        nets: Tree = {"networks": ["0.0.0.0/0", "::/0"]}
        deny: dict[str, Tree] = {"action": "Deny"}
        yield _policy(
            wanted,
            name if not parts else f"{name}.deny",
            _DENIES,
            [({**deny, "from": [pods]}, ())],
            [({**deny, "to": [pods, nets]}, ())],
        )


_Rule = tuple[dict[str, Tree], tuple[Opening, ...]]


def _policy(
    wanted: Allowlist, name: str, priority: int, ingress: list[_Rule], egress: list[_Rule]
) -> Said:
    margin = Margin()
    home = selector_tree(named_namespace(wanted.namespace))
    subject: Tree = {"namespaces": home}
    if wanted.pods:
        pods: Tree = {"namespaceSelector": home, "podSelector": selector_tree(wanted.pods)}
        subject = {"pods": pods}
    spec: dict[str, Tree] = {"tier": "Baseline", "priority": priority, "subject": subject}
    for key, rules in (("ingress", ingress), ("egress", egress)):
        if rules:
            spec[key] = [margin.rule(tree, some) for tree, some in rules]
    tree: dict[str, Tree] = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": metadata(wanted, name, None),
        "spec": spec,
    }
    return Said(tree, margin.comments())


def _rules(wanted: Allowlist, direction: Direction) -> Iterator[_Rule]:
    key = "from" if direction is Direction.INGRESS else "to"
    for some in grouped(wanted.openings, direction):
        if some[0].http is not None:
            msg = f"a ClusterNetworkPolicy cannot ask for {some[0].http}"
            raise ValueError(msg)
        # Who calls from outside the cluster is let in anyway: no rule can be about it.
        inside = [e for e in some if direction is Direction.EGRESS or isinstance(e.peer, PodsMatch)]
        peers = [tree for each in inside for tree in _peers(each.peer)]
        for part in batched(peers, _MOST):
            for ports in batched(_protocols(some[0].ports), _MOST):
                rule: dict[str, Tree] = {"action": "Accept", key: list(part)}
                rule["protocols"] = list(ports)
                yield rule, some


def _peers(match: PeerOf) -> Iterator[Tree]:
    match match:
        case BlockMatch():
            for part in batched(cidrs(match.addresses), _MOST):
                yield {"networks": list(part)}
        case PodsMatch():
            homes = match.namespaces
            if match.namespace is not None:
                homes = named_namespace(match.namespace)
            home = selector_tree(homes)
            if match.pods:
                yield {
                    "pods": {"namespaceSelector": home, "podSelector": selector_tree(match.pods)}
                }
            else:
                yield {"namespaces": home}
        case _:
            msg = f"a ClusterNetworkPolicy cannot name {match}"
            raise ValueError(msg)


def _protocols(ports: Sequence[PortRange]) -> Iterator[Tree]:
    """Yield ports; without any, all that have some."""
    for each in ports or [PortRange(protocol) for protocol in PORT_PROTOCOLS]:
        if each.name is not None:
            yield {"destinationNamedPort": each.name}
            continue
        first, last = each.first or 1, each.last or (each.first or MAX_PORT)
        port: Tree = (
            {"number": first} if first == last else {"range": {"start": first, "end": last}}
        )
        yield {each.protocol.lower(): {"destinationPort": port}}
