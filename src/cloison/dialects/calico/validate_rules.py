"""What the API, and what Felix, asks of a rule.

Source: projectcalico/calico libcalico-go/lib/validator/v3/validator.go (validateRule,
validateEntityRule) and typha/pkg/validator/v1/validator.go (validateBackendRule).
"""

from collections.abc import Iterator

from cloison.base import Span
from cloison.dialects.calico import model
from cloison.dialects.calico.reader import Reader
from cloison.dialects.calico.values import has_ports, parse_block
from cloison.dialects.networkpolicy.model import PolicyType

MAX_NETS = 256
MAX_PORTS = 50
MAX_HTTP = 20
"""Items that the API takes in one list."""

_ICMP = {"ICMP": 4, "ICMPv6": 6}
_SIDES = ("source", "destination")


def validate_rule(
    reader: Reader,
    rule: model.Rule,
    path: str,
    direction: PolicyType | None,
    *,
    wide: bool,
) -> None:
    """Note every reason for which the object of a rule takes no part.

    Args:
        reader: Where they are noted.
        rule: The rule, every value of which is one.
        path: Its path.
        direction: Its direction; None for rules of profiles.
        wide: Whether its policy is of no namespace.
    """
    check = _Rule(reader, rule, path)
    check.ports()
    if reader.stored:
        return
    check.icmp()
    check.families()
    check.sizes()
    check.http(direction)
    check.services(direction, wide=wide)


class _Rule:
    """One rule under examination."""

    __slots__ = ("path", "reader", "rule")

    def __init__(self, reader: Reader, rule: model.Rule, path: str) -> None:
        self.reader = reader
        self.rule = rule
        self.path = path

    def refuse(self, code: str, span: Span | None, where: str, message: str, help_: str) -> None:
        place = f"{self.path}.{where}" if where else self.path
        self.reader.refuse(code, span or self.rule.span, f"`{place}` {message}", help_)

    def entities(self) -> Iterator[tuple[str, model.EntityRule]]:
        for side in _SIDES:
            yield side, self.rule.source if side == "source" else self.rule.destination

    def ports(self) -> None:
        """Numbers of ports need a protocol that has them; Felix and the API agree."""
        protocol = self.rule.protocol
        for side, entity in self.entities():
            for field, ports in (("ports", entity.ports), ("notPorts", entity.not_ports)):
                if protocol is None and any(not isinstance(port, str) for port in ports):
                    message = "has numbers, and the rule has no protocol"
                    help_ = "add `protocol: TCP`, UDP or SCTP"
                elif protocol is not None and ports and not has_ports(protocol):
                    message = f"cannot be said of {protocol}, which has no ports"
                    help_ = "leave the ports out, or name TCP, UDP or SCTP"
                else:
                    continue
                self.refuse("CAL023", entity.span, f"{side}.{field}", message, help_)

    def icmp(self) -> None:
        """Messages need their protocol, and the protocol its address family."""
        rule = self.rule
        if rule.icmp is not None and rule.protocol not in _ICMP:
            help_ = "add `protocol: ICMP` or `protocol: ICMPv6`"
            self.refuse("CAL024", rule.icmp.span, "icmp", "needs protocol ICMP or ICMPv6", help_)
        for field, said in (("protocol", rule.protocol), ("notProtocol", rule.not_protocol)):
            family = _ICMP.get(said) if isinstance(said, str) else None
            if family and rule.ip_version and family != rule.ip_version:
                message = f"is {said}, which belongs to IPv{family}, and `ipVersion` is "
                help_ = f"write `ipVersion: {family}`, or leave it out"
                self.refuse("CAL025", rule.span, field, f"{message}{rule.ip_version}", help_)

    def families(self) -> None:
        """Blocks of one rule are of one family, the one that it names."""
        seen: set[int] = set()
        for side, entity in self.entities():
            for field, nets in (("nets", entity.nets), ("notNets", entity.not_nets)):
                blocks = [block for block in map(parse_block, nets) if block is not None]
                mine = {4 if block.is_v4 else 6 for block in blocks}
                where = f"{side}.{field}"
                version = self.rule.ip_version
                if version and mine - {version}:
                    help_ = "make them agree, or leave `ipVersion` out"
                    message = f"is not of IPv{version}, which the rule is for"
                    self.refuse("CAL025", entity.span, where, message, help_)
                if mine and len(seen | mine) > 1:
                    message = "mixes IPv4 with IPv6 in one rule"
                    self.refuse("CAL026", entity.span, where, message, "write a rule for each")
                seen |= mine

    def sizes(self) -> None:
        """Lists have an end."""
        http = self.rule.http
        lists = [
            (f"{side}.{field}", entity.span, len(items), most)
            for side, entity in self.entities()
            for field, items, most in (
                ("nets", entity.nets, MAX_NETS),
                ("notNets", entity.not_nets, MAX_NETS),
                ("ports", entity.ports, MAX_PORTS),
                ("notPorts", entity.not_ports, MAX_PORTS),
            )
        ]
        if http is not None:
            lists += [
                ("http.methods", http.span, len(http.methods), MAX_HTTP),
                ("http.paths", http.span, len(http.paths), MAX_HTTP),
            ]
        for where, span, count, most in lists:
            if count > most:
                message = f"has {count} items, and at most {most} are accepted"
                self.refuse("CAL032", span, where, message, "spread them over several rules")

    def http(self, direction: PolicyType | None) -> None:
        """The application's part: allow rules of ingress, over TCP."""
        rule, http = self.rule, self.rule.http
        if http is None:
            return
        if (http.methods or http.paths) and rule.action is not model.Action.ALLOW:
            help_ = "write `action: Allow`; what is not allowed is denied"
            self.refuse("CAL029", http.span, "http", "can only be allowed", help_)
        if rule.protocol not in (None, "TCP"):
            message = f"cannot be said of {rule.protocol}"
            self.refuse("CAL029", http.span, "http", message, "write `protocol: TCP`")
        if (http.methods or http.paths) and direction is PolicyType.EGRESS:
            help_ = "say it in an ingress rule of the other end"
            self.refuse("CAL029", http.span, "http", "cannot be said of egress", help_)
        if len(set(http.methods)) < len(http.methods):
            self.refuse("CAL029", http.span, "http.methods", "repeats one", "name each once")
        for i, path in enumerate(http.paths):
            text = path.exact or path.prefix or ""
            if bool(path.exact) == bool(path.prefix):
                message = "needs one of `exact` and `prefix`"
            elif not text.startswith("/"):
                message = "does not start with `/`"
            elif any(each in text for each in "? #"):
                message = "holds a `?`, a `#` or a blank"
            else:
                continue
            help_ = "write `exact: /path` or `prefix: /path`"
            self.refuse("CAL029", http.span, f"http.paths[{i}]", message, help_)

    def services(self, direction: PolicyType | None, *, wide: bool) -> None:
        """`services` stands alone, at the far end, and in full where no namespace is implied."""
        for side, entity in self.entities():
            services = entity.services
            if services is None:
                continue
            where = f"{side}.services"
            far = "destination" if direction is PolicyType.EGRESS else "source"
            if direction is not None and side != far:
                message = f"is not accepted in the {side} of {direction.lower()} rules"
                self.refuse("CAL028", services.span, where, message, f"write it in `{far}`")
            beside = [
                name
                for name, value in (
                    ("selector", entity.selector),
                    ("notSelector", entity.not_selector),
                    ("namespaceSelector", entity.namespace_selector),
                    ("nets", entity.nets),
                    ("notNets", entity.not_nets),
                    ("serviceAccounts", entity.service_accounts),
                )
                if value not in (None, ())
            ]
            if side == "destination":
                ports = (("ports", entity.ports), ("notPorts", entity.not_ports))
                beside += [name for name, value in ports if value]
            if beside:
                message = f"stands beside `{beside[0]}`"
                self.refuse("CAL028", services.span, where, message, "leave one of them out")
            if wide and services.namespace is None:
                message = "names no namespace, and the policy is of none"
                self.refuse("CAL028", services.span, where, message, "add `namespace`")
