"""Policies that a cluster's settings, or its version, refuse; others take the same object.

Source: cilium/cilium pkg/policy/api/rule_validation.go and
pkg/k8s/apis/cilium.io/client/crds/v2; layer7.rst at v1.20.2 for Kafka.
"""

import re
from collections.abc import Iterator

from cloison.base import Diagnostic, Span
from cloison.dialects.cilium.model import Policy, Rule
from cloison.dialects.cilium.model_rules import Element, PortRule
from cloison.dialects.cilium.say import CRD, VALIDATION, refused
from cloison.dialects.cilium.switches import Switches
from cloison.dialects.cilium.validate_rules import asks
from cloison.dialects.cilium.values import PORTLESS

_NO_REQUIRES = (1, 19)
_NO_KAFKA = (1, 20)
_STARS_ANYWHERE = (1, 20)
_STARS_FIRST = re.compile(r"(?:\*?\*\.)?[-a-zA-Z0-9_.]+")


def withheld(policy: Policy, switches: Switches) -> list[Diagnostic]:
    """Return every reason for which a cluster of these settings has no part of a policy.

    Args:
        policy: One that is sound by itself.
        switches: The cluster's settings and version.

    Returns:
        Nothing when it takes part. Otherwise all of it is absent, and these say why.
    """
    name = str(policy)
    return [
        refused(code, name, span or policy.span, message, help_, source=source)
        for rule in policy.rules
        for code, span, message, help_, source in _reasons(rule, switches)
    ]


_Reason = tuple[str, Span | None, str, str, str]


def _reasons(rule: Rule, switches: Switches) -> Iterator[_Reason]:
    for elements in (rule.ingress, rule.egress, rule.ingress_deny, rule.egress_deny):
        for element in elements or ():
            yield from _element(element, switches)


def _element(element: Element, switches: Switches) -> Iterator[_Reason]:
    span = element.span
    if element.nodes and not switches.node_selector_labels:
        message = "nodes are selected by label, and `enable-node-selector-labels` is off"
        help_ = "turn it on, or write the entity `remote-node` or `host`"
        yield "CIL120", span, message, help_, VALIDATION
    if element.icmps is not None and not switches.icmp_rules:
        message = "ICMP types are named, and `enable-icmp-rules` is off"
        yield "CIL121", span, message, "turn it on, or leave `icmps` out", VALIDATION
    if element.requires and switches.version >= _NO_REQUIRES:
        message = "`fromRequires` and `toRequires` are gone since Cilium 1.19"
        help_ = "write the labels into every selector of peers"
        yield "CIL122", span, message, help_, CRD
    for rule in element.ports or ():
        yield from _ports(rule, switches)


def _ports(rule: PortRule, switches: Switches) -> Iterator[_Reason]:
    rules = rule.rules
    if rules is not None and asks(rules) and not switches.l7_proxy:
        message = "requests are asked about, and `enable-l7-proxy` is off"
        yield "CIL123", rules.span, message, "turn it on, or leave `rules` out", VALIDATION
    if rules is not None and switches.version >= _NO_KAFKA:
        gone = "kafka" if rules.kafka is not None else "l7proto" if rules.proto else None
        if gone is not None:
            message = f"`rules.{gone}` is gone since Cilium 1.20, which refuses what is left"
            help_ = "leave `rules` out to allow the port, or write `http`"
            yield "CIL124", rules.span, message, help_, CRD
    for text in rule.server_names or () if switches.version < _STARS_ANYWHERE else ():
        if not _STARS_FIRST.fullmatch(text):
            message = f"the server's name `{text}` has a `*` that is not its first label"
            help_ = "write `*.example.com`; before Cilium 1.20 a `*` is a whole label"
            yield "CIL126", rule.span, message, help_, CRD
    if switches.extended_protocols:
        return
    for port in rule.ports or ():
        if port.protocol in PORTLESS and not port.port:
            message = f"{port.protocol} has no port, and `enable-extended-ip-protocols` is off"
            yield "CIL125", port.span, message, "turn it on", VALIDATION
