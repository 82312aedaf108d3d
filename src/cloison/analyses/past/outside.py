"""Addresses outside that may be one service's, where no name tells."""

from ipaddress import ip_network
from typing import Final

from cloison.algebra import AddressSet
from cloison.analyses.reconcile.seen import Outside

_LENGTHS: Final = (24, 64)
"""Of the prefixes, IPv4 and IPv6, within which addresses are taken for one service's."""

_PRIVATE: Final = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
            *("169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"),
        ),
    )
)


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
    if end.address is None:
        return True
    try:
        block = ip_network(end.address.text, strict=False)
    except ValueError:
        return True
    return not any(
        block.version == own.version and own.supernet_of(block)  # type: ignore[arg-type]
        for own in _PRIVATE
    )
