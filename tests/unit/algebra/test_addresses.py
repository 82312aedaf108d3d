"""Sets of addresses as text, against the standard library."""

import ipaddress
import random
from collections.abc import Iterator

from cloison.algebra import AddressSet
from cloison.algebra.addresses import V6_BASE

BITS = {0: 32, V6_BASE: 128}


def told(value: AddressSet) -> Iterator[str]:
    """Return a set as text by the blocks that the standard library cuts it into."""
    for text in value.ranges():
        first, last = map(ipaddress.ip_address, text.split("-"))
        cut = [str(block) for block in ipaddress.summarize_address_range(first, last)]
        whole = cut[0].removesuffix(f"/{first.max_prefixlen}")
        yield whole if len(cut) == 1 else text


def spans(rng: random.Random) -> Iterator[tuple[int, int]]:
    for _ in range(3):
        base = rng.choice(sorted(BITS))
        size = 1 << rng.randint(0, BITS[base])
        low = rng.randrange(0, 1 << BITS[base])
        if rng.random() < 0.7:
            low -= low % size
        high = low + size - 1 if rng.random() < 0.8 else low + rng.randrange(2 * size)
        yield base + low, base + min(high, (1 << BITS[base]) - 1)


def test_blocks_are_those_of_the_standard_library() -> None:
    rng = random.Random(1)
    seen = set()
    for _ in range(2000):
        value = AddressSet(spans(rng))
        assert list(value.blocks()) == list(told(value))
        seen |= {mark for text in value.blocks() for mark in "/-" if mark in text}
        seen |= {"alone" for text in value.blocks() if not {"/", "-"} & set(text)}
    assert seen == {"/", "-", "alone"}


def test_both_families_are_told_apart() -> None:
    assert str(AddressSet([(0, V6_BASE + (1 << 128) - 1)])) == "0.0.0.0/0, ::/0"
    assert str(AddressSet([(V6_BASE - 1, V6_BASE)])) == "255.255.255.255, ::"
    assert str(AddressSet(())) == "no address"
