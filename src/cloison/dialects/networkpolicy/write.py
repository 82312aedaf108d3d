"""From the model to an object people can apply: the same model, the same bytes.

Fields come in the order the API reference lists them, and what is absent stays absent.
"""

import re
from typing import Any

import yaml

from cloison.dialects.networkpolicy import model

API_VERSION = "networking.k8s.io/v1"
KIND = "NetworkPolicy"

Plain = dict[str, Any]


def to_dict(policy: model.NetworkPolicy) -> Plain:
    """Return `policy` as plain values, as `json.loads` would give them."""
    metadata: Plain = {"name": policy.name, "namespace": policy.namespace}
    if policy.labels:
        metadata["labels"] = dict(sorted(policy.labels.items()))
    if policy.annotations:
        metadata["annotations"] = dict(sorted(policy.annotations.items()))
    spec: Plain = {}
    if policy.pod_selector is not None:
        spec["podSelector"] = selector_to_dict(policy.pod_selector)
    if policy.policy_types is not None:
        spec["policyTypes"] = list(policy.policy_types)
    if policy.ingress is not None:
        spec["ingress"] = [rule_to_dict(r, model.PolicyType.INGRESS) for r in policy.ingress]
    if policy.egress is not None:
        spec["egress"] = [rule_to_dict(r, model.PolicyType.EGRESS) for r in policy.egress]
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}


def to_yaml(policy: model.NetworkPolicy) -> str:
    """Return `policy` as a YAML document, ending in a newline.

    >>> print(to_yaml(model.NetworkPolicy("web", "deny", policy_types=("Ingress",))), end="")
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata:
      name: deny
      namespace: web
    spec:
      podSelector: {}
      policyTypes:
      - Ingress
    """
    return plain_to_yaml(to_dict(policy))


def plain_to_yaml(value: object) -> str:
    """Return plain values as YAML that `kubectl` reads back as the same values."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000
    )
    return text


def rule_to_dict(rule: model.NetworkPolicyRule, type_: model.PolicyType) -> Plain:
    """Return a rule of one direction as plain values."""
    out: Plain = {}
    if rule.peers is not None:
        key = "from" if type_ is model.PolicyType.INGRESS else "to"
        out[key] = [peer_to_dict(peer) for peer in rule.peers]
    if rule.ports is not None:
        out["ports"] = [_port(port) for port in rule.ports]
    return out


def peer_to_dict(peer: model.NetworkPolicyPeer) -> Plain:
    """Return a peer as plain values."""
    out: Plain = {}
    if peer.namespace_selector is not None:
        out["namespaceSelector"] = selector_to_dict(peer.namespace_selector)
    if peer.pod_selector is not None:
        out["podSelector"] = selector_to_dict(peer.pod_selector)
    if peer.ip_block is not None:
        block: Plain = {"cidr": peer.ip_block.cidr}
        if peer.ip_block.except_:
            block["except"] = list(peer.ip_block.except_)
        out["ipBlock"] = block
    return out


def selector_to_dict(selector: model.LabelSelector) -> Plain:
    """Return a selector as plain values."""
    out: Plain = {}
    if selector.match_labels:
        out["matchLabels"] = dict(sorted(selector.match_labels.items()))
    if selector.match_expressions:
        out["matchExpressions"] = [
            {"key": e.key, "operator": str(e.operator)}
            | ({"values": list(e.values)} if e.values else {})
            for e in selector.match_expressions
        ]
    return out


def _port(port: model.NetworkPolicyPort) -> Plain:
    fields = {"protocol": port.protocol, "port": port.port, "endPort": port.end_port}
    return {key: value for key, value in fields.items() if value is not None}


def _unshared(_dumper: object, _data: object) -> bool:
    """Write shared values out, so that every item can be read by itself."""
    return True


# Quotes every text that some YAML reader could take for something else. In C, where PyYAML has
# that: of a thousand proposals, writing is the most work.
_Dumper: Any = type(
    "_Dumper",
    (getattr(yaml, "CSafeDumper", yaml.SafeDumper),),
    {"ignore_aliases": _unshared},
)


# YAML 1.1 and 1.2 readers disagree on `y`, `1e3`, `0o17` and `08`; a word of letters that is
# none of these names, or a text with a slash, no reader takes for anything but text.
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9._-]*|[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)+")
_NOT_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"))


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = _WORD.fullmatch(text) and text.lower() not in _NOT_WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _text)
