"""What is asked of an element of a rule.

Source: cilium/cilium pkg/policy/api/rule_validation.go.
"""

from cloison.base import Span
from cloison.dialects.cilium.model_rules import CidrRule, Element, L7Rules, Port, PortRule
from cloison.dialects.cilium.reader import Reader
from cloison.dialects.cilium.values import block_base, parse_block

MAX_PORTS = 40
"""Ports of one element of `toPorts`."""
_PEERS = (
    ("Endpoints", "endpoints"),
    ("CIDR", "cidrs"),
    ("CIDRSet", "cidr_sets"),
    ("Entities", "entities"),
    ("Nodes", "nodes"),
    ("Groups", "groups"),
    ("Services", "services"),
    ("FQDNs", "fqdns"),
)


def validate_element(reader: Reader, element: Element, path: str, name: str, *, host: bool) -> None:
    """Note every reason for which the object of an element takes no part.

    Args:
        reader: Where they are noted.
        element: The element, every value of which is one.
        path: Its path.
        name: The list it stands in.
        host: Whether its rule is about nodes.
    """
    check = _Element(reader, element, path, ingress=name.startswith("ingress"), host=host)
    check.peers()
    check.blocks()
    check.icmps()
    for i, each in enumerate(element.ports or ()):
        check.port_rule(each, f"toPorts[{i}]")


def asks(rules: L7Rules | None) -> bool:
    """Return whether rules about requests ask anything at all; a parser without rules does not.

    >>> asks(L7Rules(http=())), asks(L7Rules(proto="r2d2")), asks(L7Rules(kafka=1))
    (False, False, True)
    """
    return rules is not None and bool(rules.http or rules.dns or rules.kafka or rules.other)


class _Element:
    """One element under examination."""

    __slots__ = ("element", "host", "ingress", "path", "reader")

    def __init__(
        self, reader: Reader, element: Element, path: str, *, ingress: bool, host: bool
    ) -> None:
        self.reader = reader
        self.element = element
        self.path = path
        self.ingress = ingress
        self.host = host

    def refuse(self, code: str, span: Span | None, where: str, message: str, help_: str) -> None:
        place = f"{self.path}.{where}" if where else self.path
        self.reader.refuse(code, span or self.element.span, f"`{place}` {message}", help_)

    def peers(self) -> None:
        """One element says in one way who the peer is."""
        side = "from" if self.ingress else "to"
        said = [f"`{side}{name}`" for name, field in _PEERS if getattr(self.element, field)]
        if len(said) > 1:
            message = f"has {' and '.join(said)}, and one element takes one of them"
            help_ = "write an element for each; elements of a list are alternatives"
            self.refuse("CIL105", self.element.span, "", message, help_)

    def blocks(self) -> None:
        """A block is one of three things, and what is cut out of it begins in it."""
        side = "fromCIDRSet" if self.ingress else "toCIDRSet"
        for i, rule in enumerate(self.element.cidr_sets or ()):
            where = f"{side}[{i}]"
            said = [
                name
                for name, value in (
                    ("cidr", rule.cidr),
                    ("cidrGroupRef", rule.group),
                    ("cidrGroupSelector", rule.groups),
                )
                if value is not None
            ]
            if len(said) != 1:
                names = "`cidr`, `cidrGroupRef` or `cidrGroupSelector`"
                has = " and ".join(f"`{name}`" for name in said)
                message = f"has {has}" if said else f"has none of {names}"
                self.refuse("CIL115", rule.span, where, message, f"write one of {names}")
            self._holes(rule, where)

    def _holes(self, rule: CidrRule, where: str) -> None:
        block = parse_block(rule.cidr) if rule.cidr is not None else None
        if block is None:
            return
        for i, hole in enumerate(rule.holes):
            if parse_block(hole) is not None and block_base(hole) not in block:
                message = f"is {hole}, which does not begin in {rule.cidr}"
                help_ = "cut out a part of the block, or remove it"
                self.refuse("CIL115", rule.span, f"{where}.except[{i}]", message, help_)

    def icmps(self) -> None:
        """ICMP and ports are alternatives."""
        if self.element.icmps is not None and self.element.ports:
            help_ = "write an element for each; elements of a list are alternatives"
            self.refuse("CIL106", None, "", "has `icmps` and `toPorts`", help_)

    def port_rule(self, rule: PortRule, where: str) -> None:
        """Ports, and what is asked of requests through them."""
        ports = rule.ports or ()
        if len(ports) > MAX_PORTS:
            message = f"has {len(ports)} ports, and at most {MAX_PORTS} are accepted"
            self.refuse("CIL107", rule.span, where, message, "spread them over several elements")
        self._listener(rule, where)
        if rule.rules is not None and asks(rule.rules):
            self._requests(rule.rules, rule, where)
            self._dns(rule.rules, ports, f"{where}.rules")

    def _listener(self, rule: PortRule, where: str) -> None:
        if rule.listener is not None and self.ingress:
            help_ = "remove it: traffic is only sent to a listener on its way out"
            self.refuse("CIL114", rule.span, f"{where}.listener", "is of ingress", help_)
        if rule.listener is not None and asks(rule.rules):
            help_ = "leave one of them out"
            self.refuse("CIL114", rule.span, f"{where}.listener", "stands beside `rules`", help_)

    def _requests(self, rules: L7Rules, rule: PortRule, where: str) -> None:
        ports = rule.ports or ()
        if rule.server_names and not rule.terminates:
            message = "has `serverNames` and `rules`, and no `terminatingTLS`"
            help_ = "add `terminatingTLS`: nobody can read requests that stay encrypted"
            self.refuse("CIL113", rule.span, where, message, help_)
        if self.host and (self.ingress or rules.http or rules.kafka):
            message = "asks about requests, and the rule is about nodes"
            help_ = "leave `rules` out; of nodes only DNS names can be asked, on their way out"
            self.refuse("CIL112", rules.span, f"{where}.rules", message, help_)
        for i, port in enumerate(ports):
            at = f"{where}.ports[{i}]"
            if not rules.dns and port.protocol != "TCP":
                written = "has no protocol" if port.protocol == "ANY" else f"is {port.protocol}"
                message = f"{written}, and `rules` are about TCP"
                self.refuse("CIL109", port.span, at, message, "write `protocol: TCP`")
            if port.port == "0":
                message = "is every port, and `rules` need one"
                self.refuse("CIL110", port.span, at, message, "name the port")

    def _dns(self, rules: L7Rules, ports: tuple[Port, ...], where: str) -> None:
        if not rules.dns:
            return
        if self.ingress:
            help_ = "write it in an `egress` rule of who asks"
            self.refuse("CIL108", rules.span, where, "ask about DNS names in ingress", help_)
        if not ports:
            message = "ask about DNS names, and there are no ports"
            help_ = 'add `ports: [{port: "53", protocol: ANY}]`'
            self.refuse("CIL108", rules.span, where, message, help_)
        for port in ports:
            if port.port.isdigit() and port.end is not None and port.end > int(port.port):
                message = "ask about DNS names, and the port is a range"
                self.refuse("CIL108", port.span, where, message, "name each port by itself")
