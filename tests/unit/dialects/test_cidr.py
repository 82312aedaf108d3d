"""Blocks as the API server's lenient parser reads them."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloison.algebra import V6_BASE, AddressSet
from cloison.dialects.networkpolicy.cidr import Cidr, parse_cidr


def block(text: str) -> Cidr:
    cidr = parse_cidr(text)
    assert cidr is not None, text
    return cidr


networks = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)),
    st.tuples(st.ip_addresses(v=6), st.integers(0, 128)),
).map(lambda pair: f"{pair[0]}/{pair[1]}")


@given(networks)
def test_agrees_with_python_where_python_understands(text: str) -> None:
    network = ipaddress.ip_network(text, strict=False)
    mapped = isinstance(network, ipaddress.IPv6Network) and (
        ipaddress.IPv6Address(text.split("/", maxsplit=1)[0]).ipv4_mapped is not None
    )
    if mapped:
        return
    cidr = block(text)
    assert cidr.addresses == AddressSet.block(text)
    assert cidr.canonical() == str(network)
    assert not cidr.leading_zeros
    assert cidr.host_bits == (text.split("/", maxsplit=1)[0] != str(network.network_address))


@given(st.text(alphabet="0123456789abcdef:./ %+-", max_size=24))
def test_never_raises(text: str) -> None:
    cidr = parse_cidr(text)
    if cidr is not None:
        assert ipaddress.ip_network(cidr.canonical()) is not None


@pytest.mark.parametrize(
    ("text", "canonical", "complaint"),
    [
        ("10.0.0.0/8", "10.0.0.0/8", None),
        ("10.1.2.3/8", "10.0.0.0/8", "bits set"),
        ("010.0.0.0/8", "10.0.0.0/8", "leading zeros"),
        ("0000000000000010.0.0.0/8", "10.0.0.0/8", "leading zeros"),
        ("10.0.0.0/08", "10.0.0.0/8", "leading zeros"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8", "mapped"),
        ("::ffff:a00:0/104", "10.0.0.0/8", "mapped"),
        ("::ffff:10.1.2.3/104", "10.0.0.0/8", "mapped"),
        ("::ffff:0.0.0.0/96", "0.0.0.0/0", "mapped"),
        ("::ffff:10.0.0.0/80", "::/80", "mapped"),
        ("00001::/16", "1::/16", "leading zeros"),
        ("1:2:3:4:5:6:7::/112", "1:2:3:4:5:6:7:0/112", None),
        ("::1.2.3.4/128", "::102:304/128", None),
        ("::1.2.3.04/128", "::102:304/128", "leading zeros"),
        ("::/0", "::/0", None),
    ],
)
def test_lenient_forms(text: str, canonical: str, complaint: str | None) -> None:
    cidr = block(text)
    assert cidr.canonical() == canonical
    assert (cidr.complaint is None) == (complaint is None)
    assert (complaint or "") in (cidr.complaint or "")


@pytest.mark.parametrize(
    "text",
    [
        *("", "/", "10.0.0.1", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "10.0.0.0.0/8"),
        *("256.0.0.0/8", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", " 10.0.0.0/8"),
        *("10.0.0.0/8 ", "0x0a.0.0.0/8", "\u0661\u0660.0.0.0/8", "10..0.0/8", ".10.0.0/8"),
        *("::/129", ":::/0", "1::2::3/64", "1:2:3:4:5:6:7:8::/64", ":1/64", "1:/64"),
        *("1:2:3:4:5:6:7/64", "12345::/16", "g::/16", "fe80::1%eth0/64", "1.2.3.4::/64"),
        *("1:2:3:4:5:6:7:1.2.3.4/64", "::1.2.3/64", "9" * 5000 + ".0.0.0/8"),
    ],
)
def test_not_blocks(text: str) -> None:
    assert parse_cidr(text) is None


def test_a_mapped_block_matches_ipv4_packets() -> None:
    assert block("::ffff:10.0.0.0/104").addresses == AddressSet.block("10.0.0.0/8")
    assert block("::ffff:10.0.0.0/80").addresses.spans == ((V6_BASE, V6_BASE + (1 << 48) - 1),)


@pytest.mark.parametrize(
    ("outer", "inner", "holds"),
    [
        ("10.0.0.0/8", "10.1.0.0/16", True),
        ("10.0.0.0/8", "10.0.0.0/8", False),
        ("10.0.0.0/8", "11.0.0.0/16", False),
        ("10.0.0.0/8", "fd00::/64", False),
        ("10.0.0.0/8", "0.0.0.0/0", False),
        ("10.0.0.0/8", "10.9.9.9/16", True),
        ("fd00::/8", "fd00:1::/32", True),
        # What follows looks odd, and is what Go's net package and the server do.
        ("::ffff:10.0.0.0/104", "10.1.0.0/16", False),
        ("10.0.0.0/8", "::ffff:10.0.0.0/104", True),
        ("::/0", "::ffff:10.0.0.0/104", False),
    ],
)
def test_what_except_may_name(outer: str, inner: str, *, holds: bool) -> None:
    assert block(outer).holds_strictly(block(inner)) is holds
