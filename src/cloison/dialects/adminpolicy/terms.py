"""The small parts that the CRDs hold their fields against, and what to write instead."""

import ipaddress
import re
from collections.abc import Sequence
from typing import Final

from cloison.algebra import Operator
from cloison.resources.names import is_label_key, is_label_value, shown

PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
"""Protocols with ports, in the order of the API reference."""
_OPERATORS = (Operator.IN, Operator.NOT_IN, Operator.EXISTS, Operator.DOES_NOT_EXIST)
# `A-z` is the CRD's own slip: it lets `[`, `]`, `^`, `_`, the backslash and the backquote in.
_DOMAIN = re.compile(
    r"(\*\.)?([a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+"
    r"[a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?"
)


def is_cidr(text: str) -> bool:
    """Return whether CEL's `isCIDR` accepts a block: bits after the prefix, no leading zeros.

    >>> is_cidr("10.1.2.3/8"), is_cidr("010.0.0.0/8"), is_cidr("::ffff:10.0.0.0/104")
    (True, False, False)
    """
    address, slash, length = text.partition("/")
    if not slash or not re.fullmatch(r"0|[1-9][0-9]{0,2}", length) or "%" in address:
        return False
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        return False
    return not (isinstance(found, ipaddress.IPv6Interface) and found.ip.ipv4_mapped is not None)


def usable(operator: str, key: str, values: Sequence[str]) -> str | None:
    """Return why a controller cannot use a requirement that the CRD stores, None when it can."""
    if operator not in _OPERATORS:
        return f"`{shown(operator)}` is not an operator"
    listed = operator in (Operator.IN, Operator.NOT_IN)
    if listed and not values:
        return f"`{operator}` without values"
    if values and not listed:
        return f"`{operator}` with values"
    if not is_label_key(key):
        return f"`{shown(key)}` is not a label key"
    bad = next((value for value in values if not is_label_value(value)), None)
    return None if bad is None else f"`{shown(bad)}` cannot be the value of a label"


def is_domain(text: str) -> bool:
    """Return whether a domain name meets the pattern of the CRD.

    >>> is_domain("*.example.com"), is_domain("com"), is_domain("a.*.com")
    (True, False, False)
    """
    return _DOMAIN.fullmatch(text) is not None


def word_help(word: str, words: Sequence[str], kind: str) -> str:
    """Return what to write for a word that is none of those there are."""
    other = {"Allow": "Accept", "Accept": "Allow"}.get(word.title(), word.title())
    for meant in (word.title(), other):
        if meant in words:
            return f"write `{meant}`, as {kind} spells it"
    if word == "Pass":
        return "BaselineAdminNetworkPolicy is the last to be asked and cannot pass on"
    return "write one of " + ", ".join(f"`{word}`" for word in words)


def split_help(field: str) -> str:
    """Return what to do with a list that is too long."""
    if field in ("ingress", "egress"):
        return "continue in another policy, with the next priority"
    if field in ("networks", "domainNames", "from", "to", "ports", "protocols"):
        return "continue in another rule with the same action, right after this one"
    return "remove some of them"


def cidr_help(text: str) -> str:
    """Return what to write for a text that is no address block."""
    for length in ("/32", "/128"):
        if is_cidr(text + length):
            return f"for this one address write `{text}{length}`"
    return "write a block such as `192.0.2.0/24` or `2001:db8::/32`, without leading zeros"


def protocol_help(protocol: str) -> str:
    """Return what to write for a text that is no protocol."""
    if protocol.upper() in PROTOCOLS:
        return f"write `{protocol.upper()}`"
    return "write one of `TCP`, `UDP`, `SCTP`; for other protocols leave `ports` out"


def operator_help(operator: str) -> str:
    """Return what to write for a requirement that nobody can use."""
    for word in _OPERATORS:
        if operator.lower() == word.lower() and operator != word:
            return f"write `{word}`, with this spelling"
    return (
        "`In` and `NotIn` take values, `Exists` and `DoesNotExist` take none; keys and values "
        "are spelt like labels"
    )
