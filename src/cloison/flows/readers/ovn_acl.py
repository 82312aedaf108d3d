"""OVN-Kubernetes: what logged ACLs wrote to ovn-controller's log.

Addresses only, first packets and metered, so that an absent line means nothing. The ACL's name
tells the policy: `NP:` NetworkPolicy, `ANP:` AdminNetworkPolicy, `BANP:` its baseline, `EF:` the
egress firewall of a namespace.
"""

import re
from collections.abc import Iterator
from typing import Final

from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.times import microseconds
from cloison.flows.readers.values import address, number, port, protocol
from cloison.flows.readers.wrapped import samples, unwrapped
from cloison.flows.schema import Decision, Flow, Record, Verdict

_LINE: Final = re.compile(
    r'^(?P<time>[^|]+)\|\d+\|acl_log\([^)]*\)\|\w+\|name="(?P<name>[^"]*)",'
    r" verdict=(?P<verdict>\w+), severity=\w+, direction=(?P<lport>from-lport|to-lport):"
    r" (?P<proto>\w+)(?:,(?P<rest>.*))?$"
)
_VERDICTS: Final[dict[str, Verdict]] = {"allow": "allowed", "drop": "denied", "reject": "denied"}
_EFFECTS: Final = {"allow": "allow", "drop": "deny", "reject": "deny", "pass": "pass"}
_KINDS: Final = {
    "NP": "NetworkPolicy",
    "ANP": "AdminNetworkPolicy",
    "BANP": "BaselineAdminNetworkPolicy",
    "EF": "EgressFirewall",
}
_PROTOCOLS: Final = {
    "icmp": "ICMP",
    "icmp6": "ICMPv6",
    "tcp6": "TCP",
    "udp6": "UDP",
    "sctp6": "SCTP",
}
_NUMBERED: Final = 2


def _suits(head: Head) -> float:
    return 0.97 if any("|acl_log(" in text for text, _ in samples(head)) else 0.0


def _open(_head: Head, _options: Options) -> Decode:
    def decode(line: bytes) -> Iterator[Record]:
        # Other modules write to the same log.
        if b"|acl_log(" not in line:
            return
        text, _ = unwrapped(line)
        found = _LINE.match(text)
        if found is None:
            raise BadRecordError("the line is no acl_log line as OVN writes it")
        yield from _flow(found)

    return decode


def _flow(found: re.Match[str]) -> Iterator[Record]:
    said = dict(part.split("=", 1) for part in (found["rest"] or "").split(",") if "=" in part)
    src = said.get("nw_src") or said.get("ipv6_src")
    dst = said.get("nw_dst") or said.get("ipv6_dst")
    if not src or not dst:
        raise BadRecordError("the line has no addresses")
    if found["verdict"] not in _EFFECTS:
        raise BadRecordError(f"{found['verdict']!r} is no verdict")
    egress = found["lport"] == "from-lport"
    flags = set(filter(None, said.get("tcp_flags", "").split("|")))
    yield Flow(
        time=microseconds(found["time"]),
        verdict=_VERDICTS.get(found["verdict"], "unknown"),
        observer="src" if egress else "dst",
        direction="egress" if egress else "ingress",
        proto=protocol(_PROTOCOLS.get(found["proto"], found["proto"])),
        src_ip=address(src),
        dst_ip=address(dst),
        src_port=port(said.get("tp_src")),
        dst_port=port(said.get("tp_dst")),
        icmp_type=number(said.get("icmp_type"), most=255),
        icmp_code=number(said.get("icmp_code"), most=255),
        opens="syn" in flags and "ack" not in flags if flags else None,
        is_reply=True if {"syn", "ack"} <= flags else None,
        decided_by=_decided(found["name"], _EFFECTS[found["verdict"]], egress=egress),
    )


def _decided(name: str, effect: str, *, egress: bool) -> tuple[Decision, ...]:
    kind, _, rest = name.partition(":")
    if kind not in _KINDS:
        return ()
    words = rest.split(":")
    way = "egress" if egress else "ingress"
    rule = ""
    # The direction and the rule's number end the name, where it has them.
    if len(words) >= _NUMBERED and words[-2].lower() == way:
        rule = words[-1]
        words = words[:-2]
    namespaced = kind == "EF" or (kind == "NP" and len(words) > 1)
    namespace = words.pop(0) if namespaced else ""
    return (Decision(_KINDS[kind], namespace, ":".join(words), way, effect, "", rule),)


READER = Reader(
    "ovn-acl",
    "OVN-Kubernetes ACL logs",
    _suits,
    _open,
    "ovn-kubernetes/ovn-kubernetes docs/features/network-security-controls",
)
