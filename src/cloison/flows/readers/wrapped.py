"""Lines of text as they come, or as a log shipper wraps them: `{"log": "...", ...}`."""

from typing import Final

import msgspec

from cloison.flows.reader import BadRecordError, Head

_KEYS: Final = {
    "raw": "raw",
    "log": "log",
    "message": "message",
    "msg": "msg",
    "MESSAGE": "journal",
    "line": "line",
    "textPayload": "text_payload",
    "body": "body",
}


class _Wrapped(msgspec.Struct):
    raw: str = ""
    log: str = ""
    message: str = ""
    msg: str = ""
    journal: str = msgspec.field(name="MESSAGE", default="")
    line: str = ""
    text_payload: str = msgspec.field(name="textPayload", default="")
    body: str = ""
    format: str = ""


_DECODER = msgspec.json.Decoder(_Wrapped)


def unwrapped(line: bytes) -> tuple[str, str]:
    """Return a line's own text, and the order of its fields where the wrapping says that.

    Raises:
        BadRecordError: it is no text, or what wraps it holds none.
    """
    if not line.lstrip().startswith(b"{"):
        try:
            return line.decode().rstrip("\r\n"), ""
        except UnicodeDecodeError:
            raise BadRecordError("the line is no UTF-8") from None
    try:
        read = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRecordError(str(error)) from None
    for key in _KEYS.values():
        if said := getattr(read, key):
            return str(said).rstrip("\r\n"), read.format
    raise BadRecordError(f"the object holds no line of text under any of {', '.join(_KEYS)}")


def samples(head: Head) -> list[tuple[str, str]]:
    """Return the first lines of a file as `unwrapped` does, without those that are no text."""
    found = []
    for line in head.lines[:20]:
        try:
            found.append(unwrapped(line))
        except (BadRecordError, RecursionError):
            continue
    return found
