"""Policies of administrators as text."""

from typing import Any

from cloison.dialects.adminpolicy import model
from cloison.dialects.networkpolicy.write import selector_to_dict
from cloison.dialects.writing import rendered

Plain = dict[str, Any]


def to_yaml(policy: model.Policy) -> str:
    """Return `policy` as a YAML document, ending in a newline.

    >>> everybody = model.Subject(namespaces=model.LabelSelector())
    >>> print(to_yaml(model.AdminNetworkPolicy(name="a", priority=1, subject=everybody)))
    apiVersion: policy.networking.k8s.io/v1alpha1
    kind: AdminNetworkPolicy
    metadata:
      name: a
    spec:
      priority: 1
      subject:
        namespaces: {}
    <BLANKLINE>
    """
    return rendered(to_dict(policy))


def to_dict(policy: model.Policy) -> Plain:
    """Return `policy` as plain values, as `json.loads` would give them."""
    metadata: Plain = {"name": policy.name}
    if policy.labels:
        metadata["labels"] = dict(sorted(policy.labels.items()))
    if policy.annotations:
        metadata["annotations"] = dict(sorted(policy.annotations.items()))
    spec: Plain = {}
    if isinstance(policy, model.ClusterNetworkPolicy):
        spec["tier"] = str(policy.tier)
    if not isinstance(policy, model.BaselineAdminNetworkPolicy):
        spec["priority"] = policy.priority
    spec["subject"] = _selected(policy.subject.namespaces, policy.subject.pods)
    for field, rules in (("ingress", policy.ingress), ("egress", policy.egress)):
        if rules is not None:
            spec[field] = [rule_to_dict(rule, field) for rule in rules]
    return {
        "apiVersion": policy.api_version,
        "kind": policy.kind,
        "metadata": metadata,
        "spec": spec,
    }


def rule_to_dict(rule: model.Rule, field: str) -> Plain:
    """Return a rule as plain values.

    Args:
        rule: The rule.
        field: Where it stands, `ingress` or `egress`.
    """
    out: Plain = {} if rule.name is None else {"name": rule.name}
    out["action"] = rule.action
    out["from" if field == "ingress" else "to"] = [peer_to_dict(peer) for peer in rule.peers]
    if rule.ports is not None:
        out["ports"] = [_port(port) for port in rule.ports]
    if rule.protocols is not None:
        out["protocols"] = [_protocol(entry) for entry in rule.protocols]
    return out


def peer_to_dict(peer: model.Peer) -> Plain:
    """Return a peer as plain values."""
    out = _selected(peer.namespaces, peer.pods)
    if peer.nodes is not None:
        out["nodes"] = selector_to_dict(peer.nodes)
    if peer.networks is not None:
        out["networks"] = list(peer.networks)
    if peer.domain_names is not None:
        out["domainNames"] = list(peer.domain_names)
    return out


def _selected(namespaces: model.LabelSelector | None, pods: model.NamespacedPod | None) -> Plain:
    out: Plain = {}
    if namespaces is not None:
        out["namespaces"] = selector_to_dict(namespaces)
    if pods is not None:
        found = (
            {}
            if pods.namespace_selector is None
            else {"namespaceSelector": selector_to_dict(pods.namespace_selector)}
        )
        out["pods"] = {**found, "podSelector": selector_to_dict(pods.pod_selector)}
    return out


def _port(port: model.Port) -> Plain:
    if port.port_number is not None:
        number = port.port_number
        return {"portNumber": _said(protocol=number.protocol, port=number.port)}
    if port.port_range is not None:
        several = port.port_range
        said = _said(protocol=several.protocol, start=several.start, end=several.end)
        return {"portRange": said}
    return {"namedPort": port.named_port}


def _protocol(entry: model.Protocol) -> Plain:
    for name, port in (("tcp", entry.tcp), ("udp", entry.udp), ("sctp", entry.sctp)):
        if port is None:
            continue
        if port.range is not None:
            low, high = port.range
            return {name: {"destinationPort": {"range": {"start": low, "end": high}}}}
        return {name: {"destinationPort": {"number": port.number}}}
    return {"destinationNamedPort": entry.destination_named_port}


def _said(**fields: str | int | None) -> Plain:
    return {key: value for key, value in fields.items() if value is not None}
