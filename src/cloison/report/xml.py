"""What every format written in XML has to mind."""

import re

_UNFIT = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    "|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
"""What XML 1.0 cannot hold or discourages, and what makes text run backwards."""


def legal(text: str) -> str:
    r"""Return text with what XML cannot hold, or a reader would be fooled by, made visible.

    It is not escaped yet.

    >>> legal("a\x1bb")
    'a\ufffdb'
    """
    return _UNFIT.sub("\ufffd", text)
