"""Traffic in words of nftables."""

import pytest

from cloison.algebra import ANY, L4, NO_TRAFFIC, TrafficSet
from cloison.dialects.nftables.matches import traffic_matches
from tests.support.filtering import tried

PORTS, WHOLE, ICMP = TrafficSet.ports, TrafficSet.protocol, TrafficSet.icmp
HIGH = PORTS("TCP", 1024, 65535)

CASES: dict[str, tuple[TrafficSet, list[str]]] = {
    "everything": (ANY, [""]),
    "nothing": (NO_TRAFFIC, []),
    "a port": (PORTS("TCP", 80), ["tcp dport 80"]),
    "ports": (PORTS("UDP", 53) | PORTS("UDP", 67, 68), ["udp dport { 53, 67-68 }"]),
    "ports of SCTP": (PORTS("SCTP", 9), ["sctp dport 9"]),
    "ports of two protocols": (
        PORTS("TCP", 80, 90) | PORTS("UDP", 53),
        ["meta l4proto . th dport { tcp . 80-90, udp . 53 }"],
    ),
    "whole protocols": (L4, ["meta l4proto { tcp, udp, sctp }"]),
    "a protocol and a port of another": (
        WHOLE("UDP") | PORTS("TCP", 80),
        ["meta l4proto udp", "tcp dport 80"],
    ),
    "a protocol without a name": (WHOLE(47), ["meta l4proto 47"]),
    "all but some": (ANY - L4, ["meta l4proto { 0-5, 7-16, 18-131, 133-255 }"]),
    "all but a port": (
        ANY - PORTS("TCP", 22),
        ["meta l4proto { 0-5, 7-255 }", "tcp dport { 1-21, 23-65535 }"],
    ),
    "ICMP": (WHOLE("ICMP"), ["meta l4proto icmp"]),
    "a type": (ICMP(8), ["icmp type 8"]),
    "types in a row": (ICMP(3) | ICMP(4), ["icmp type 3-4"]),
    "a code": (ICMP(3, 4), ["icmp type . icmp code { 3 . 4 }"]),
    "types and codes": (
        ICMP(8) | ICMP(3, 0) | ICMP(3, 1) | ICMP(11, 1),
        ["icmp type 8", "icmp type . icmp code { 3 . 0-1, 11 . 1 }"],
    ),
    "a span of codes across types": (
        ICMP(3) - ICMP(3, 0) | ICMP(4) | ICMP(5, 0),
        ["icmp type 4", "icmp type . icmp code { 3 . 1-255, 5 . 0 }"],
    ),
    "types of ICMPv6": (ICMP(128, version=6), ["icmpv6 type 128"]),
}


@pytest.mark.parametrize("name", CASES)
def test_destinations(name: str) -> None:
    traffic, expected = CASES[name]
    assert traffic_matches(traffic) == expected


SOURCES: dict[str, tuple[TrafficSet, TrafficSet, list[str]]] = {
    "any source": (PORTS("TCP", 80), ANY, ["tcp dport 80"]),
    "one protocol": (PORTS("TCP", 80), HIGH, ["tcp sport 1024-65535 tcp dport 80"]),
    "whatever the port": (WHOLE("TCP"), HIGH, ["tcp sport 1024-65535"]),
    "only of what both are about": (
        L4,
        HIGH | PORTS("UDP", 53),
        ["tcp sport 1024-65535", "udp sport 53"],
    ),
    "everything from a port": (ANY, HIGH, ["tcp sport 1024-65535"]),
    "none": (PORTS("UDP", 53), HIGH, []),
    "a protocol from everywhere": (L4, WHOLE("TCP"), ["meta l4proto tcp"]),
    "protocols without ports": (
        ANY,
        HIGH | WHOLE(47) | WHOLE("ICMP"),
        ["meta l4proto { icmp, 47 }", "tcp sport 1024-65535"],
    ),
    "types": (ICMP(8), WHOLE("ICMP"), ["icmp type 8"]),
}


@pytest.mark.parametrize("name", SOURCES)
def test_sources(name: str) -> None:
    traffic, sources, expected = SOURCES[name]
    assert traffic_matches(traffic, sources) == expected


def test_a_kernel_takes_them_all() -> None:
    found = [line for _, lines in CASES.values() for line in lines]
    found += [line for _, _, lines in SOURCES.values() for line in lines]
    body = "".join(f"\t\t{line} accept\n" for line in found)
    start = "add table inet cloison\ndelete table inet cloison\ntable inet cloison {\n"
    (trial,) = tried([(f"{start}\tchain x {{\n{body}\t}}\n}}\n", ())])
    assert trial.listed.count("accept") == len(found)
