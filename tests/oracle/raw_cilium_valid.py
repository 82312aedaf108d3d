"""Whether Cilium takes a policy: `VALID`, `INVALID`, or `NOT_IN_SCHEMA` for unknown fields.

Source: cilium/cilium pkg/policy/api/rule_validation.go, pkg/k8s/apis/cilium.io/v2.
"""

import ipaddress
import re
from collections.abc import Mapping

from tests.oracle.raw import Manifest

ENTITIES = {
    "all",
    "world",
    "cluster",
    "host",
    "init",
    "ingress",
    "unmanaged",
    "remote-node",
    "health",
    "none",
    "kube-apiserver",
}
PEERS = ("Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes", "Groups", "Services", "FQDNs")
PROTOCOLS = {"TCP", "UDP", "SCTP", "ANY", "VRRP", "IGMP", "ICMP", "ICMPV6"}
SIDES = (("ingress", "from"), ("ingressDeny", "from"), ("egress", "to"), ("egressDeny", "to"))
MOST = 40
SERVICE_NAME = re.compile(r"(?=.*[a-zA-Z])(?!.*--)[a-zA-Z0-9]([-a-zA-Z0-9]{0,13}[a-zA-Z0-9])?")


class RefusedError(Exception):
    """Cilium refuses an object."""


def judged(item: Manifest, switches: Mapping[str, str]) -> str:
    """Return what becomes of a policy that is sent to the API.

    Args:
        item: The policy.
        switches: The cluster's settings.
    """
    rules = [item["spec"]] if item.get("spec") else []
    rules += item.get("specs") or []
    elements = [(side, e) for rule in rules for side, _ in SIDES for e in rule.get(side) or ()]
    for side, element in elements:
        denied = side.endswith("Deny") and "toFQDNs" in element
        asked = side.endswith("Deny") and any("rules" in p for p in element.get("toPorts") or ())
        if denied or asked:
            return "NOT_IN_SCHEMA"
    try:
        _need(rules)
        for rule in rules:
            _rule(rule, item["kind"], switches)
    except (RefusedError, ValueError, re.error):
        return "INVALID"
    return "VALID"


def _need(condition: object) -> None:
    if not condition:
        raise RefusedError


def _rule(rule: Manifest, kind: str, switches: Mapping[str, str]) -> None:
    nodes = rule.get("nodeSelector") is not None
    _need(nodes != (rule.get("endpointSelector") is not None))
    _need(not nodes or kind == "CiliumClusterwideNetworkPolicy")
    _need(any(rule.get(side) for side, _ in SIDES))
    for side, word in SIDES:
        for element in rule.get(side) or ():
            _element(element, word, switches)
            for ports in element.get("toPorts") or ():
                _ports(ports, side, switches, nodes=nodes)


def _element(element: Manifest, word: str, switches: Mapping[str, str]) -> None:
    given = [name for name in PEERS if element.get(f"{word}{name}")]
    _need(len(given) <= 1)
    _need(not element.get(f"{word}Requires"))
    _need(set(element.get(f"{word}Entities") or ()) <= ENTITIES)
    _need(not element.get(f"{word}Nodes") or _on(switches, "enable-node-selector-labels", "false"))
    if element.get("icmps"):
        _need(not element.get("toPorts") and _on(switches, "enable-icmp-rules", "true"))
        _need(sum(len(each.get("fields") or ()) for each in element["icmps"]) <= MOST)
    for text in element.get(f"{word}CIDR") or ():
        _need("/" in text)
        ipaddress.ip_network(text, strict=False)
    for each in element.get(f"{word}CIDRSet") or ():
        _block(each)
    for each in element.get("toFQDNs") or ():
        _name(each)


def _block(each: Manifest) -> None:
    _need(sum(key in each for key in ("cidr", "cidrGroupRef", "cidrGroupSelector")) == 1)
    holes = [ipaddress.ip_interface(text) for text in each.get("except") or ()]
    if "cidr" in each:
        _need("/" in each["cidr"])
        whole = ipaddress.ip_network(each["cidr"], strict=False)
        _need(all(hole.network.network_address in whole for hole in holes))


def _name(each: Manifest) -> None:
    _need(("matchName" in each) != ("matchPattern" in each))
    text = each.get("matchName") or each.get("matchPattern") or ""
    allowed = r"[-a-zA-Z0-9_.]+" if "matchName" in each else r"[-a-zA-Z0-9_.*]+"
    _need(re.fullmatch(allowed, text) and len(text) <= 255)


def _ports(rule: Manifest, side: str, switches: Mapping[str, str], *, nodes: bool) -> None:
    ports, rules = rule.get("ports") or (), rule.get("rules") or {}
    _need(len(ports) <= MOST)
    http, dns = rules.get("http"), rules.get("dns")
    other = rules.get("kafka") or rules.get("l7proto")
    asked = http or dns or other
    _need(not rules.get("l7") or rules.get("l7proto"))
    _need(sum(bool(each) for each in (http, dns, rules.get("kafka"), rules.get("l7proto"))) <= 1)
    _need(not asked or _on(switches, "enable-l7-proxy", "true"))
    for port in ports:
        _port(port, http or other, asked)
    _need(not dns or (side == "egress" and ports and not any("endPort" in p for p in ports)))
    _need(not (nodes and asked) or (side == "egress" and dns))
    if rule.get("serverNames"):
        _need(all(rule["serverNames"]))
        _need(not asked or rule.get("terminatingTLS"))
    _need("listener" not in rule or (side == "egress" and not asked))
    for each in http or ():
        _request(each)
    for each in dns or ():
        _name(each)


def _port(port: Manifest, proxied: object, asked: object) -> None:
    protocol = (port.get("protocol") or "ANY").upper()
    _need(protocol in PROTOCOLS)
    text = str(port.get("port", ""))
    number = text.isdecimal() and 0 <= int(text) <= 65535
    _need(number or SERVICE_NAME.fullmatch(text))
    _need(not proxied or protocol == "TCP")
    _need(not asked or text != "0")


def _request(each: Manifest) -> None:
    for key in ("path", "method"):
        re.compile(each.get(key) or "")
    for header in each.get("headerMatches") or ():
        _need(header.get("name"))
        _need(header.get("mismatch") in (None, "LOG", "ADD", "DELETE", "REPLACE"))


def _on(switches: Mapping[str, str], name: str, default: str) -> bool:
    return switches.get(name, default) == "true"
