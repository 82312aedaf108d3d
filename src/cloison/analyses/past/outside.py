"""Addresses outside that may be one service's, where no name tells."""

from typing import Final

from cloison.algebra import AddressSet
from cloison.analyses.reconcile.seen import Outside

_LENGTHS: Final = (24, 64)
"""Of the prefixes, IPv4 and IPv6, within which addresses are taken for one service's."""


def around(end: Outside) -> AddressSet | None:
    """Return the block around an address within which others may be the same service's.

    Returns None where no address is known.
    """
    if end.address is None:
        return None
    text = end.address.text
    try:
        return AddressSet.block(f"{text.partition('/')[0]}/{_LENGTHS[':' in text]}")
    except ValueError:
        return None
