"""Times as sources write them, in microseconds since 1970, UTC."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cloison.flows.reader import BadRecordError

_LATEST: Final = 7_258_118_400  # the year 2200


def microseconds(text: str) -> int:
    """Return a time of RFC 3339, with as many digits of a second as it likes.

    Raises:
        BadRecordError: it is no such time.

    >>> microseconds("1970-01-01T00:00:01.234567891Z")
    1234567
    """
    digits = text[20:-1]
    if text[19:20] == "." and text[-1] == "Z" and digits.isdigit() and digits.isascii():
        # As nearly all sources write it.
        return _seconds(text[:19] + "Z") * 1_000_000 + int(digits[:6].ljust(6, "0"))
    whole, dot, rest = text.partition(".")
    if not dot:
        return _seconds(whole) * 1_000_000
    end = len(rest) - len(rest.lstrip("0123456789"))
    digits, zone = rest[:end], rest[end:]
    return _seconds(whole + zone) * 1_000_000 + int(digits[:6].ljust(6, "0") or "0")


@lru_cache(maxsize=1024)
def _seconds(text: str) -> int:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise BadRecordError(f"{text[:64]!r} is no time") from None
    seconds = int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
    if not 0 <= seconds < _LATEST:
        raise BadRecordError(f"{text[:64]!r} is no time of a record")
    return seconds
