"""Laws of the sets as values, and agreement with membership."""

import ipaddress
from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from cloison.algebra import (
    ANY,
    EVERY_ADDRESS,
    EVERYTHING,
    FAMILY,
    L4,
    MAX_PORT,
    NO_ADDRESSES,
    NO_TRAFFIC,
    PORT_PROTOCOLS,
    PROTOCOLS,
    V6_BASE,
    AddressSet,
    IntervalSet,
    LabelSelector,
    Operator,
    Requirement,
    TrafficSet,
    address_text,
    family_of,
    parse_address,
)

# Few small numbers, so that ends touch, overlap and repeat; the model is a plain set.
small = st.integers(0, 24)
spans = st.lists(st.tuples(small, small), max_size=6)
sets = spans.map(IntervalSet)
UNIVERSE = IntervalSet([(0, 24)])


def members(value: IntervalSet) -> set[int]:
    return {n for low, high in value.spans for n in range(low, high + 1)}


def canonical(value: IntervalSet) -> bool:
    ordered = all(low <= high for low, high in value.spans)
    gaps = all(a[1] + 1 < b[0] for a, b in zip(value.spans, value.spans[1:], strict=False))
    return ordered and gaps


@given(spans)
def test_intervals_mean_their_members(pairs: list[tuple[int, int]]) -> None:
    value = IntervalSet(pairs)
    expected = {n for low, high in pairs for n in range(low, high + 1)}
    assert canonical(value)
    assert members(value) == expected
    assert {n for n in range(25) if n in value} == expected
    assert value.size() == len(expected)
    assert bool(value) is bool(expected)


@given(sets, sets)
def test_operations_agree_with_plain_sets(a: IntervalSet, b: IntervalSet) -> None:
    for ours, theirs in (
        (a | b, members(a) | members(b)),
        (a & b, members(a) & members(b)),
        (a - b, members(a) - members(b)),
    ):
        assert canonical(ours)
        assert members(ours) == theirs
    assert (a <= b) is (members(a) <= members(b))
    assert a.isdisjoint(b) is members(a).isdisjoint(members(b))


@given(sets, sets)
def test_equality_is_set_equality(a: IntervalSet, b: IntervalSet) -> None:
    assert (a == b) is (members(a) == members(b))
    if a == b:
        assert hash(a) == hash(b)


@given(sets, sets, sets)
def test_interval_laws(a: IntervalSet, b: IntervalSet, c: IntervalSet) -> None:
    empty = IntervalSet()
    assert a | empty == a
    assert a & empty == empty
    assert a - empty == a
    assert a & UNIVERSE == a
    assert a | a == a == a & a
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a | (b & c) == (a | b) & (a | c)
    assert a | (a & b) == a
    assert UNIVERSE - (a | b) == (UNIVERSE - a) & (UNIVERSE - b)
    assert UNIVERSE - (a & b) == (UNIVERSE - a) | (UNIVERSE - b)
    assert UNIVERSE - (UNIVERSE - a) == a
    assert (a - b) | (a & b) == a
    assert (a - b).isdisjoint(b)


protocols = st.sampled_from(PORT_PROTOCOLS)
ports = st.one_of(st.integers(1, MAX_PORT), st.sampled_from((1, 2, 80, 81, MAX_PORT)))


def _range(protocol: str, low: int, high: int) -> TrafficSet:
    return TrafficSet.ports(protocol, min(low, high), max(low, high))


traffic = st.lists(
    st.one_of(
        st.builds(_range, protocols, ports, ports),
        st.builds(TrafficSet.protocol, st.integers(0, 255)),
        st.builds(TrafficSet.icmp, st.integers(0, 255), st.none() | st.integers(0, 255)),
    ),
    max_size=4,
).map(lambda parts: TrafficSet([span for part in parts for span in part.spans]))


@given(protocols, ports, ports, protocols, ports)
def test_port_ranges_hold_their_ports(
    protocol: str, low: int, high: int, other: str, port: int
) -> None:
    value = _range(protocol, low, high)
    point = PROTOCOLS[other] * (MAX_PORT + 1) + port
    inside = other == protocol and min(low, high) <= port <= max(low, high)
    assert (point in value) is inside


@given(traffic)
def test_traffic_lies_between_nothing_and_everything(value: TrafficSet) -> None:
    assert NO_TRAFFIC <= value <= ANY
    assert (value & L4) | (value - L4) == value
    assert (ANY - value) | value == ANY
    assert (ANY - value) & value == NO_TRAFFIC
    assert isinstance(value & L4, TrafficSet)


@given(traffic)
@example(ANY)
@example(L4)
@example(NO_TRAFFIC)
def test_printed_traffic_is_the_traffic(value: TrafficSet) -> None:
    rebuilt = NO_TRAFFIC
    for entry in value.entries():
        if entry.protocol == "ANY":
            rebuilt |= ANY
        elif entry.low is None or entry.high is None:
            rebuilt |= TrafficSet.protocol(entry.protocol)
        else:
            base = PROTOCOLS[entry.protocol] * (MAX_PORT + 1)
            rebuilt |= TrafficSet([(base + entry.low, base + entry.high)])
    # Of a protocol with neither ports nor types every point is one thing, and is printed so.
    assert value <= rebuilt
    typed = TrafficSet.protocol("ICMP") | TrafficSet.protocol("ICMPV6") | L4
    assert value & typed == rebuilt & typed


@given(traffic, traffic)
def test_different_traffic_prints_differently(a: TrafficSet, b: TrafficSet) -> None:
    assert (str(a) == str(b)) is (a == b)


v4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
v6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)
hosts = st.one_of(v4, v6)


def _point(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    return int(address) + (V6_BASE if address.version == 6 else 0)


@given(hosts)
def test_addresses_survive_the_axis(host: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    point = parse_address(str(host))
    assert point == _point(host)
    assert address_text(point) == str(host)
    assert family_of(point) == host.version
    assert point in FAMILY[host.version]
    assert point not in FAMILY[10 - host.version]


@given(hosts, st.integers(0, 128), hosts, st.integers(-2, 2))
def test_blocks_hold_what_ipaddress_says(
    host: ipaddress.IPv4Address | ipaddress.IPv6Address,
    length: int,
    other: ipaddress.IPv4Address | ipaddress.IPv6Address,
    shift: int,
) -> None:
    network = ipaddress.ip_network(f"{host}/{min(length, host.max_prefixlen)}", strict=False)
    block = AddressSet.block(f"{host}/{network.prefixlen}")
    assert (_point(other) in block) is (other in network)
    for edge in (network[0], network[-1]):
        beside = int(edge) + shift
        if 0 <= beside < 1 << host.max_prefixlen:
            near = type(host)(beside)
            assert (_point(near) in block) is (near in network)
    assert block.size() == network.num_addresses
    assert block.family(host.version) == block
    assert block.family(10 - host.version) == NO_ADDRESSES
    assert str(block) == (str(network) if block.size() > 1 else str(network[0]))


@given(st.lists(hosts, max_size=5))
def test_address_sets_split_by_family(
    found: list[ipaddress.IPv4Address | ipaddress.IPv6Address],
) -> None:
    value = AddressSet.points(tuple(_point(host) for host in found))
    assert value.family(4) | value.family(6) == value
    assert value.family(4).isdisjoint(value.family(6))
    assert value <= EVERY_ADDRESS
    rebuilt = NO_ADDRESSES
    for text in value.ranges():
        first, last = text.split("-")
        rebuilt |= AddressSet([(parse_address(first), parse_address(last))])
    assert rebuilt == value


keys = st.sampled_from(("app", "tier"))
values = st.sampled_from(("a", "b", ""))
labels = st.dictionaries(keys, values)
requirements = st.one_of(
    st.builds(
        Requirement,
        keys,
        st.sampled_from((Operator.IN, Operator.NOT_IN)),
        st.lists(values, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(Requirement, keys, st.sampled_from((Operator.EXISTS, Operator.DOES_NOT_EXIST))),
)
selectors = st.builds(LabelSelector.of, labels, st.lists(requirements, max_size=3))

TRUTH: dict[Operator, Callable[[str | None, tuple[str, ...]], bool]] = {
    Operator.IN: lambda value, listed: value is not None and value in listed,
    Operator.NOT_IN: lambda value, listed: value is None or value not in listed,
    Operator.EXISTS: lambda value, _: value is not None,
    Operator.DOES_NOT_EXIST: lambda value, _: value is None,
}
"""Source: kubernetes/apimachinery pkg/labels/selector.go, Requirement.Matches."""


@given(labels, st.lists(requirements, max_size=3), labels)
def test_a_selector_is_a_conjunction(
    wanted: dict[str, str], expressions: list[Requirement], found: dict[str, str]
) -> None:
    selector = LabelSelector.of(wanted, expressions)
    by_hand = wanted.items() <= found.items() and all(
        TRUTH[r.operator](found.get(r.key), r.values) for r in expressions
    )
    assert selector.matches(found) is by_hand
    assert bool(selector.unmet(found)) is not by_hand
    assert EVERYTHING.matches(found)


@given(labels, st.lists(requirements, max_size=3))
def test_selectors_are_canonical(wanted: dict[str, str], expressions: list[Requirement]) -> None:
    again = [
        Requirement(r.key, r.operator, tuple(reversed(r.values))) for r in reversed(expressions)
    ]
    assert LabelSelector.of(wanted, expressions) == LabelSelector.of(wanted, again + again)


@given(selectors)
def test_satisfiable_means_that_some_labels_match(selector: LabelSelector) -> None:
    possible = [
        {k: v for k, v in (("app", app), ("tier", tier)) if v is not None}
        for app in (None, "a", "b", "", "other")
        for tier in (None, "a", "b", "", "other")
    ]
    assert selector.satisfiable() is any(selector.matches(found) for found in possible)


@given(selectors, labels)
def test_only_the_keys_matter(selector: LabelSelector, found: dict[str, str]) -> None:
    seen = {k: v for k, v in found.items() if k in selector.keys}
    assert selector.matches(found) is selector.matches(seen)
