"""As much of HTTP/1.1 as a lab's proxy and its probes need: one request on a connection."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, parse_headers
from urllib.parse import urlsplit

from cloison.algebra import Request
from cloison.probe.lab.plan import Ask

MOST = 64 << 10
"""Bytes of the longest head."""
END_OF_HEAD = b"\r\n\r\n"
REFUSED_BY = "x-cloison-proxy"
"""The header by which a refusal of the proxy is told from one of whoever listens."""
_HOP = ("connection", "keep-alive", "proxy-connection", "upgrade")
_WITH_BODY = ("POST", "PUT", "PATCH")
_STATUS = {
    307: "Temporary Redirect",
    400: "Bad Request",
    403: "Forbidden",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


class NotHttpError(ValueError):
    """What was said is no request that a proxy takes; the message says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came.

    Args:
        request: What policies compare.
        headers: Every header as it was sent.
        body: How many bytes follow the head.
    """

    request: Request
    headers: tuple[tuple[str, str], ...]
    body: int

    def sent_on(self, path: str) -> bytes:
        """Return its head as it is sent on: with a path, and on a connection of its own."""
        method = self.request.method or "GET"
        kept = [(n, v) for n, v in self.headers if n.lower() not in _HOP]
        return head(f"{method} {path} HTTP/1.1", (*kept, ("Connection", "close")))


def read_request(said: bytes) -> Asked:
    """Read the head of a request.

    Args:
        said: All up to the empty line, and that.

    Raises:
        NotHttpError: It is none, or one that is not taken.
    """
    line, _, rest = said.partition(b"\r\n")
    words = _text(line).split(" ")
    if len(words) != len(("GET", "/", "HTTP/1.1")) or not words[2].startswith("HTTP/1."):
        raise NotHttpError("that is no request of HTTP/1.1")
    headers = _headers(rest)
    if "transfer-encoding" in headers:
        raise NotHttpError("a body is to say its length")
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdecimal():
        raise NotHttpError("the length of the body is no number")
    method, target, _ = words
    host = headers.get("host")
    if not target.startswith("/"):
        whole = urlsplit(target)
        host = whole.netloc or host
        target = (whole.path or "/") + (f"?{whole.query}" if whole.query else "")
    values: dict[str, list[str]] = {}
    for name, value in headers.items():
        values.setdefault(name.lower(), []).append(value)
    named = tuple((n, ",".join(v)) for n, v in values.items() if n != "host")
    request = Request("http", method, target, host, named)
    return Asked(request, tuple(headers.items()), int(length))


def _headers(said: bytes) -> HTTPMessage:
    try:
        return parse_headers(io.BytesIO(said))
    except (HTTPException, ValueError) as error:
        raise NotHttpError("these are no headers") from error


def _text(said: bytes) -> str:
    try:
        return said.decode()
    except UnicodeDecodeError:
        raise NotHttpError("a request is UTF-8 here") from None


def written(ask: Ask) -> bytes:
    """Return a request as it is sent."""
    headers = (("Host", ask.host), *ask.headers)
    length = (("Content-Length", "0"),) if ask.method in _WITH_BODY else ()
    return head(f"{ask.method} {ask.path} HTTP/1.1", (*headers, *length, ("Connection", "close")))


def head(first: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return the head of a message: its first line, headers, and the empty line."""
    lines = (first, *(f"{name}: {value}" for name, value in headers), "", "")
    return "\r\n".join(lines).encode()


def answer(status: int, text: str, by: str = "", *, location: str = "") -> bytes:
    """Return an answer of the proxy's own.

    Args:
        status: 307, 400, 403, 501, 502 or 503.
        text: What it says.
        by: What of the lab refused it; for 403, and for what a path alone brings about.
        location: Where a redirect leads.
    """
    body = f"{text}\r\n".encode()
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    headers += [(REFUSED_BY, by)] if by else []
    headers += [("Location", location)] if location else []
    first = f"HTTP/1.1 {status} {_STATUS[status]}"
    return head(first, (*headers, ("Connection", "close"))) + body


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for a request.

    Args:
        status: Its number.
        by: What of the lab gave it, where that was no listener.
        text: What it says.
    """

    status: int
    by: str
    text: str


def read_reply(said: bytes) -> Reply | None:
    """Read a reply; None as long as not all of it is there."""
    first, end, body = said.partition(END_OF_HEAD)
    line, _, rest = first.partition(b"\r\n")
    words = line.decode("utf-8", "replace").split(" ", 2)
    if not end or len(words) < len(("HTTP/1.1", "200")) or not words[1].isdecimal():
        return None
    headers = _headers(rest + END_OF_HEAD)
    length = headers.get("content-length", "0")
    if length.isdecimal() and len(body) < int(length):
        return None
    text = body.decode("utf-8", "replace").strip()
    return Reply(int(words[1]), headers.get(REFUSED_BY, ""), text if text.isprintable() else "")
