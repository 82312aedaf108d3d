"""What Kubernetes accepts as a name, a label and a port name."""

import re
from enum import StrEnum

MAX_LABEL = 63
MAX_SUBDOMAIN = 253
MAX_PORT_NAME = 15
MAX_PORT = 65535
PROTOCOLS = frozenset(("TCP", "UDP", "SCTP"))
"""What a port's protocol may be, spelt exactly so."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PORT = re.compile(r"[a-z0-9](-?[a-z0-9])*")
_SHOWN = 60


class NameRule(StrEnum):
    """How the names of a kind are spelt."""

    LABEL = "label"
    SUBDOMAIN = "subdomain"


def is_name(text: str, rule: NameRule) -> bool:
    """Return whether `text` can name an object of a kind that follows `rule`.

    Source: kubernetes/apimachinery pkg/util/validation, IsDNS1123Label and IsDNS1123Subdomain.
    """
    if rule is NameRule.LABEL:
        return len(text) <= MAX_LABEL and _LABEL.fullmatch(text) is not None
    return len(text) <= MAX_SUBDOMAIN and _SUBDOMAIN.fullmatch(text) is not None


def is_label_key(text: str) -> bool:
    """Return whether `text` is a label key: a name, with or without a DNS prefix and a slash.

    Source: kubernetes/apimachinery pkg/util/validation, IsQualifiedName.
    """
    prefix, slash, name = text.rpartition("/")
    if slash and not is_name(prefix, NameRule.SUBDOMAIN):
        return False
    return len(name) <= MAX_LABEL and _QUALIFIED.fullmatch(name) is not None


def is_label_value(text: str) -> bool:
    """Return whether `text` is a label value; the empty text is one.

    Source: kubernetes/apimachinery pkg/util/validation, IsValidLabelValue.
    """
    return not text or (len(text) <= MAX_LABEL and _QUALIFIED.fullmatch(text) is not None)


def is_port(number: int) -> bool:
    """Return whether `number` is a port an object may name."""
    return 1 <= number <= MAX_PORT


def is_port_name(text: str) -> bool:
    """Return whether `text` is a port name: short, lower case, with a letter in it.

    Source: kubernetes/apimachinery pkg/util/validation, IsValidPortName.
    """
    return (
        len(text) <= MAX_PORT_NAME
        and _PORT.fullmatch(text) is not None
        and any(c.isalpha() for c in text)
    )


def shown(text: str) -> str:
    """Return text from the input as it may stand in a message: short, and printable."""
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return cut if cut.isprintable() else repr(cut)[1:-1]


def printable(text: str) -> str:
    r"""Return text with everything that does not print made visible, whatever its length.

    >>> printable(f"web{chr(10)}`x`")
    'web\\n`x`'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
