"""The types of YAML scalars, exactly as `kubectl` gives them.

`kubectl` reads YAML through sigs.k8s.io/yaml: a fork of go-yaml v2 (file resolve.go) types the
scalar, the result is written as JSON (Go's encoding/json), and the JSON is read back, where a
number is an int64 if it is written as one and a float64 otherwise. Each step shows: `1e3` is the
integer 1000, `18446744073709551615` a float, and `.inf` an error.
"""

import base64
import binascii
import math
import re
import struct
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

TAG_PREFIX: Final = "tag:yaml.org,2002:"
COLLECTION_TAGS: Final = frozenset(
    TAG_PREFIX + name for name in ("map", "omap", "pairs", "seq", "set", "str")
)
"""Standard tags that `kubectl` accepts on a mapping or sequence, and ignores."""


class ScalarError(ValueError):
    """A scalar that `kubectl` refuses; the text says why."""


_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(
        ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True
    ),
    **dict.fromkeys(
        ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False
    ),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_NOT_FINITE: Final = {
    sign + word: float(sign + word[1:])
    for sign in ("", "+", "-")
    for word in (".inf", ".Inf", ".INF")
} | dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)
_STARTS_NUMBER: Final = frozenset("+-.0123456789")
_INTEGER: Final = re.compile(
    r"[-+]?(?:(?P<dec>0|[1-9][0-9]*)|0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)"
    r"|0[oO]?(?P<oct>[0-7]+))"
)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DOT_FLOAT: Final = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_BASES: Final = {"dec": 10, "hex": 16, "bin": 2, "oct": 8}
_TIMESTAMP: Final = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?:[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2}))"
    r"|(?: ([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]+)?))?"
)
_INT64: Final = range(-(2**63), 2**63)
_UINT64_END: Final = 2**64
_JSON_EXPONENT_FROM: Final = 1e21
"""From here on Go's encoding/json writes an exponent, so the number is read back as a float."""
_LONGEST_NUMBER: Final = 400
"""Digits of the longest text that is tried as a number: more can be no float64 anyone wrote."""


def plain(text: str) -> Scalar:
    """Return the value of an unquoted, untagged scalar.

    Raises:
        ScalarError: The value is infinite or not a number, which JSON cannot say.

    >>> [plain(text) for text in ("y", "12:30", "0644", "1e3", "~")]
    [True, '12:30', 420, 1000, None]
    """
    value = _resolve(text)
    return _through_json(value, text) if type(value) is float or type(value) is int else value


def tagged(tag: str, text: str) -> Scalar:
    """Return the value of a scalar with an explicit standard tag.

    Args:
        tag: The tag in full, `tag:yaml.org,2002:int`.
        text: The scalar as written, without quotes.

    Raises:
        ScalarError: The text is no value of that type.
        KeyError: `tag` is not a standard tag.
    """
    name = tag.removeprefix(TAG_PREFIX) if tag.startswith(TAG_PREFIX) else ""
    if name == "str":
        return text
    if name == "binary":
        return _binary(text)
    if name == "merge":
        if text == "<<":
            return text
        raise ScalarError(f"`{text[:60]}` is no merge key")
    if name == "timestamp":
        return _timestamp(text)
    wanted = {"int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),)}[name]
    value = _resolve(text)
    if type(value) not in wanted:
        raise ScalarError(f"`{text[:60]}` is no {name}, as its tag says")
    if isinstance(value, int | float) and not isinstance(value, bool):
        if name == "float":
            if isinstance(value, int) and value not in _INT64:
                raise ScalarError(f"`{text[:60]}` is no float, as its tag says")
            value = float(value)
        return _through_json(value, text)
    return value


def key(text: str) -> str:
    """Return the JSON key that an unquoted, untagged mapping key becomes.

    Raises:
        ScalarError: No JSON key can stand for it.

    >>> [key(text) for text in ("web", "8080", "0x10", "y", "1.50", "1e3")]
    ['web', '8080', '16', 'true', '1.5', '1000']
    """
    return key_of(_resolve(text), text)


def key_of(value: Scalar, text: str) -> str:
    """Return the JSON key for a key of any scalar type; `text` is for the message."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        raise ScalarError("a null cannot be a key")
    if isinstance(value, int):
        if value not in _INT64:
            raise ScalarError(f"`{text[:60]}` is too large a number to be a key")
        return str(value)
    return _float_key(value)


def _resolve(text: str) -> Scalar:
    """Type `text` as go-yaml's resolve() does, before JSON has its say."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _STARTS_NUMBER:
        return text
    if text in _NOT_FINITE:
        return _NOT_FINITE[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if text[0] == ".":
        # Here go-yaml leaves underscores to Go's ParseFloat, which wants them between digits.
        return _float(text) if _DOT_FLOAT.fullmatch(text) else text
    digits = text.replace("_", "")
    match = _INTEGER.fullmatch(digits)
    if match:
        base = str(match.lastgroup)
        number = int(match[base], _BASES[base])
        number = -number if digits[0] == "-" else number
        if number in _INT64 or (0 <= number < _UINT64_END and digits[0] not in "+-"):
            return number
    return _float(text) if _FLOAT.fullmatch(digits) else text


def _float(text: str) -> float | str:
    """Return the number, or the text itself when it is beyond a float64's range."""
    value = float(text.replace("_", ""))
    return text if math.isinf(value) else value


def _through_json(value: float, text: str) -> int | float:
    """Return a number as it comes back from Go's JSON."""
    if isinstance(value, int):
        return value if value in _INT64 else float(value)
    if math.isinf(value) or math.isnan(value):
        raise ScalarError(f"`{text}` is not a finite number, and JSON has no way to say it")
    if value.is_integer() and abs(value) < _JSON_EXPONENT_FROM:
        # Go writes the shortest digits that mean this float, and zeros after them.
        written = int(Decimal(repr(value)))
        return written if written in _INT64 else value
    return value


def _float_key(value: float) -> str:
    """Write a float key as Go's FormatFloat(value, 'g', -1, 32) does."""
    if math.isnan(value):
        return ".nan"
    single = _single(value)
    if math.isinf(single):
        return ".inf" if value > 0 else "-.inf"
    candidates = (f"{single:.{precision}e}" for precision in range(17))
    digits = next(shown for shown in candidates if _single(float(shown)) == single)
    mantissa, _, exponent = digits.partition("e")
    power = int(exponent)
    # FormatFloat turns to exponents below 1e-4 and, with the shortest precision, from 1e6 on.
    if power not in range(-4, 6):
        return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    return f"{float(digits):.{max(0, len(mantissa.partition('.')[2]) - power)}f}"


def _single(value: float) -> float:
    """Round to a 32-bit float; beyond its range that is infinite."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _timestamp(text: str) -> str:
    """Return a timestamp as the text it is, once it is known to be one."""
    match = _TIMESTAMP.fullmatch(text)
    if match:
        year, month, day, *clock = (int(part) for part in match.groups() if part is not None)
        hour, minute, second = clock or (0, 0, 0)
        try:
            datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            match = None
    if match is None:
        raise ScalarError(f"`{text[:60]}` is no timestamp")
    return text


def _binary(text: str) -> str:
    """Decode base64 as Go's StdEncoding does: line breaks are ignored, blanks are not."""
    packed = text.replace("\r", "").replace("\n", "")
    try:
        data = base64.b64decode(packed.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ScalarError("a `!!binary` value is not base64") from None
    return data.decode("utf-8", "replace")
