"""Comments as nftables takes them."""

import re

_MOST_COMMENT = 120
"""Bytes; the kernel's limit is 128."""


def comment(text: str) -> str:
    """Return a comment, in quotes. What cannot stand there is left out."""
    printable = re.sub(r"[^ !#-\[\]-~]+", "?", text)
    if len(printable) > _MOST_COMMENT:
        printable = f"{printable[: _MOST_COMMENT - 3]}..."
    return f'comment "{printable}"'
