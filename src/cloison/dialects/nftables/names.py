"""Names and comments as nftables takes them."""

import re
from hashlib import blake2s

_MOST_NAME = 80
_MOST_COMMENT = 120
"""Bytes; the kernel's limits are 255 and 128."""


def counter_name(key: str) -> str:
    """Return the name of the counter of a rule or of a tier's end: readable, and its alone.

    >>> counter_name("NetworkPolicy web/front ingress 1")
    'c_NetworkPolicy_web_front_ingress_1_b6a684'
    """
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", key).strip("_")[:_MOST_NAME]
    return f"c_{readable}_{blake2s(key.encode(), digest_size=3).hexdigest()}"


def comment(text: str) -> str:
    """Return a comment, in quotes. What cannot stand there is left out."""
    printable = re.sub(r"[^ !#-\[\]-~]+", "?", text)
    if len(printable) > _MOST_COMMENT:
        printable = f"{printable[: _MOST_COMMENT - 3]}..."
    return f'comment "{printable}"'
