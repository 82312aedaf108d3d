"""Addresses outside that may be one service's, where no name tells."""

from functools import reduce
from operator import or_
from typing import Final

from cloison.algebra import AddressSet
from cloison.analyses.reconcile.seen import Outside

_LENGTHS: Final = (24, 64)
"""Of the prefixes, IPv4 and IPv6, within which addresses are taken for one service's."""

PRIVATE: Final = reduce(
    or_,
    map(
        AddressSet.block,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    ),
)
"""Addresses that are the cluster's own as likely as somebody else's."""

NEVER: Final = reduce(
    or_,
    map(
        AddressSet.block,
        ("169.254.0.0/16", "fe80::/10", "127.0.0.0/8", "::1/128", "224.0.0.0/4", "ff00::/8"),
    ),
)
"""Addresses of nodes' own services, and those that stand for nobody."""


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


def public(end: Outside) -> bool:
    """Return whether an end outside may be anybody's on the internet."""
    return end.address is None or not end.address.addresses <= PRIVATE | NEVER
