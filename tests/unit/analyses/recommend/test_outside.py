"""Addresses outside as blocks: how wide, and when."""

from cloison.algebra import AddressSet
from cloison.analyses.recommend.outside import Block, Days, merged

WEEK = frozenset(range(7))


def days(*texts: str, seen: frozenset[int] = WEEK) -> Days:
    return dict.fromkeys(texts, seen)


def test_single_addresses_have_all_their_bits() -> None:
    assert merged(days("203.0.113.7", "2001:db8::7")) == (
        Block("203.0.113.7/32", 1),
        Block("2001:db8::7/128", 1),
    )


def test_half_of_a_block_for_a_week_is_the_block() -> None:
    half = [f"203.0.113.{n}" for n in range(0, 256, 2)]
    assert merged(days(*half)) == (Block("203.0.113.0/24", 128),)
    assert Block("203.0.113.0/24", 128).widened == 128


def test_half_of_a_block_for_three_days_is_not() -> None:
    half = [f"203.0.113.{n}" for n in range(0, 256, 2)]
    found = merged(days(*half, seen=frozenset(range(3))))
    assert len(found) == 128
    assert not sum(each.widened for each in found)


def test_two_addresses_never_stand_for_others() -> None:
    found = merged(days("203.0.113.0", "203.0.113.2", seen=frozenset(range(90))))
    assert [each.cidr for each in found] == ["203.0.113.0/32", "203.0.113.2/32"]


def test_blocks_end_at_the_floor() -> None:
    whole = [f"203.0.{block}.{n}" for block in (112, 113) for n in range(256)]
    assert [each.cidr for each in merged(days(*whole))] == ["203.0.112.0/24", "203.0.113.0/24"]


def test_no_block_has_an_address_of_the_clusters_that_was_not_seen() -> None:
    half = [f"203.0.113.{n}" for n in range(0, 256, 2)]
    own = AddressSet.address("203.0.113.129")
    found = merged(days(*half), own)
    assert found[0] == Block("203.0.113.0/25", 64)
    holding = AddressSet(s for each in found for s in AddressSet.block(each.cidr).spans)
    assert not holding & own


def test_ipv6_needs_many_addresses_and_stays_within_64_bits() -> None:
    many = [f"2001:db8:0:1::{n:x}" for n in range(1, 17)]
    (block, *rest) = merged(days(*many))
    assert (block.cidr, rest) == ("2001:db8:0:1::/64", [])
    few = [f"2001:db8:0:1::{n:x}" for n in range(1, 5)]
    assert all(each.cidr.endswith("/128") or "/12" in each.cidr for each in merged(days(*few)))


def test_the_order_of_addresses_is_nothing() -> None:
    texts = [f"198.51.100.{n}" for n in (9, 3, 200, 77)]
    assert merged(days(*texts)) == merged(days(*reversed(texts)))
