"""The spec of a Kubernetes NetworkPolicy as plain values, for the staged kind that holds one."""

from typing import Any

from cloison.dialects.networkpolicy import model

Plain = dict[str, Any]


def spec_to_dict(policy: model.NetworkPolicy) -> Plain:
    """Return a policy's spec, fields in the order of the API reference."""
    spec: Plain = {}
    if policy.pod_selector is not None:
        spec["podSelector"] = _selector(policy.pod_selector)
    if policy.policy_types is not None:
        spec["policyTypes"] = list(policy.policy_types)
    for field, rules, peers in (
        ("ingress", policy.ingress, "from"),
        ("egress", policy.egress, "to"),
    ):
        if rules is not None:
            spec[field] = [_rule(rule, peers) for rule in rules]
    return spec


def _rule(rule: model.NetworkPolicyRule, peers: str) -> Plain:
    found: Plain = {}
    if rule.peers is not None:
        found[peers] = [_peer(peer) for peer in rule.peers]
    if rule.ports is not None:
        found["ports"] = [_port(port) for port in rule.ports]
    return found


def _peer(peer: model.NetworkPolicyPeer) -> Plain:
    found: Plain = {}
    if peer.namespace_selector is not None:
        found["namespaceSelector"] = _selector(peer.namespace_selector)
    if peer.pod_selector is not None:
        found["podSelector"] = _selector(peer.pod_selector)
    if peer.ip_block is not None:
        holes = list(peer.ip_block.except_)
        found["ipBlock"] = {"cidr": peer.ip_block.cidr, **({"except": holes} if holes else {})}
    return found


def _port(port: model.NetworkPolicyPort) -> Plain:
    fields = {"protocol": port.protocol, "port": port.port, "endPort": port.end_port}
    return {key: value for key, value in fields.items() if value is not None}


def _selector(selector: model.LabelSelector) -> Plain:
    found: Plain = {}
    if selector.match_labels:
        found["matchLabels"] = dict(sorted(selector.match_labels.items()))
    if selector.match_expressions:
        found["matchExpressions"] = [
            {"key": each.key, "operator": each.operator}
            | ({"values": list(each.values)} if each.values else {})
            for each in selector.match_expressions
        ]
    return found
