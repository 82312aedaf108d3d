"""What a question says of the application: an HTTP request, a gRPC call, names in TLS and DNS."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from shlex import quote
from typing import TYPE_CHECKING, Self, TypedDict

from cloison import algebra
from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.analyses.question import Traffic
from cloison.base import QuestionError
from cloison.resources.names import shown

if TYPE_CHECKING:
    from cloison.algebra import Request

_TCP = TrafficSet.protocol("TCP")
_DNS = _TCP | TrafficSet.protocol("UDP")
_HTTP_HELP = "write a method and a path, as in GET /pub/x"
_MAPPED_HELP = "write {method: GET, path: /pub/x}; host and headers may be said as well"
_GRPC_HELP = "write a service and a method, as in shop.v1.Cart/Add"
_NAME_HELP = "write a name, as in api.example.com"
_PARTS = ("method", "path", "host", "headers")
MOST_HEADERS = 32
"""Headers that one request may name."""
MOST_CHARACTERS = 8192
"""Characters of a path, or of a header's value."""
LONGEST_NAME = 253
"""Characters of a name."""
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})"
"""One label of a name that is looked up, or that TLS is opened with."""
WORD = r"[A-Za-z_][A-Za-z0-9_]{0,254}"
"""One word of the name of a gRPC service, or its method."""


class Said(TypedDict, total=False):
    """What `Application` holds, given by name."""

    http: str | None
    grpc: str | None
    sni: str | None
    dns: str | None


@dataclass(frozen=True, slots=True)
class Application:
    """What a question says of the application, as it is written; nothing said is left open.

    Args:
        http: A method and a path, `GET /pub/x`, either of which may go without; or a mapping
            with `method`, `path`, `host` and `headers`, as JSON.
        grpc: A method, with its service: `shop.v1.Cart/Add`.
        sni: The name that TLS is opened with.
        dns: The name that is looked up.
    """

    http: str | None = None
    grpc: str | None = None
    sni: str | None = None
    dns: str | None = None

    @property
    def said(self) -> dict[str, str]:
        """What is said, by the name of the part."""
        found = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {name: text for name, text in found if text is not None}

    @property
    def words(self) -> tuple[str, ...]:
        """It as arguments of the command line."""
        return tuple(word for name, text in self.said.items() for word in (f"--{name}", text))

    @classmethod
    def saying(cls, request: "Request") -> Self:
        """Return what says a request."""
        http = None
        if request.kind == "http" and (request.method or request.path):
            parts = {"host": request.host, "headers": dict(request.headers) or None}
            more = {name: part for name, part in parts.items() if part is not None}
            line = {"method": request.method, "path": request.path}
            whole = {name: part for name, part in {**line, **more}.items() if part}
            http = json.dumps(whole) if more else " ".join(str(part) for part in whole.values())
        return cls(http, sni=request.sni or None, dns=request.name or None)

    @property
    def options(self) -> str:
        """It as options of the command line, each after a blank."""
        return "".join(f" --{name} {quote(text)}" for name, text in self.said.items())

    def request(self) -> "Request | None":
        """Return the request, or what is known of it; None where nothing is said.

        Raises:
            QuestionError: it is none, or two that exclude one another.
        """
        said = self.said
        for one, other in (("http", "grpc"), *(("dns", each) for each in ("http", "grpc", "sni"))):
            if one in said and other in said:
                msg = f"nothing is both {_WHAT[one]} and {_WHAT[other]}"
                raise QuestionError(msg, f"leave {one} or {other} out")
        if self.dns is not None:
            return algebra.Request(kind="dns", name=_name(self.dns, "a name to look up"))
        found = None
        if self.http is not None:
            found = parse_http(self.http)
        elif self.grpc is not None:
            found = parse_grpc(self.grpc)
        if self.sni is None:
            return found
        name = _name(self.sni, "a server's name")
        return algebra.Request(kind=None, sni=name) if found is None else replace(found, sni=name)

    def over(self, traffic: Traffic) -> Traffic:
        """Return that part of some traffic that can carry it.

        Raises:
            QuestionError: none of it can.
        """
        said = next(iter(self.said), None)
        if said is None or traffic.name is not None:
            return traffic
        possible = traffic.traffic & (_DNS if said == "dns" else _TCP)
        if possible == NO_TRAFFIC:
            msg = f"{_NEVER[said]} over {traffic.text}"
            port = "a TCP or UDP port" if said == "dns" else "a TCP port"
            raise QuestionError(msg, f"ask about {port}, or leave {said} out")
        return replace(traffic, traffic=possible)


NOTHING_SAID = Application()
"""Of the application nothing is said."""
_WHAT = {
    "http": "an HTTP request",
    "grpc": "a gRPC call",
    "sni": "a TLS connection",
    "dns": "a look-up of a name",
}
_NEVER = {
    "http": "no HTTP request is made",
    "grpc": "no gRPC call is made",
    "sni": "no TLS connection is opened",
    "dns": "no name is looked up",
}


def parse_http(text: str) -> "Request":
    """Read a request: `GET /pub/x`, or a mapping as JSON. What is left out may be anything.

    Raises:
        QuestionError: it is neither.
    """
    held = _mapped(text) if text.startswith("{") else _split(text)
    method, path, host = (_text(held, part) for part in ("method", "path", "host"))
    headers = tuple(_headers(held.get("headers")))
    if method is None and path is None and host is None and not headers:
        msg = f"{shown(text)} is not a request"
        raise QuestionError(msg, _HTTP_HELP)
    if method is not None and not re.fullmatch(r"[A-Za-z-]{1,64}", method):
        msg = f"{shown(method)} is not a method"
        raise QuestionError(msg, _HTTP_HELP)
    if path is not None and not (re.fullmatch(r"/\S*", path) and _plain(path)):
        msg = f"{shown(path)} is not a path: it does not start with /, or has blanks"
        raise QuestionError(msg, _HTTP_HELP)
    if host is not None and not (re.fullmatch(r"[^\s/?#@]{1,300}", host) and _plain(host)):
        msg = f"{shown(host)} is not a host"
        raise QuestionError(msg, "write a name as it is sent, with its port if that is, too")
    return algebra.Request(method=method, path=path, host=host, headers=headers)


def _plain(text: str) -> bool:
    return text.isprintable() and len(text) <= MOST_CHARACTERS


def _split(text: str) -> dict[str, object]:
    first, _, rest = text.strip().partition(" ")
    if first.startswith("/"):
        first, rest = "", text.strip()
    return {"method": first or None, "path": rest.strip() or None}


def _mapped(text: str) -> dict[str, object]:
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    unknown = sorted(set(held) - set(_PARTS))
    if unknown:
        msg = f"a request has {', '.join(_PARTS[:-1])} and headers, not {shown(unknown[0])}"
        raise QuestionError(msg, _MAPPED_HELP)
    return dict(held)


def _text(held: Mapping[str, object], part: str) -> str | None:
    value = held.get(part)
    if value is None or isinstance(value, str):
        return value
    msg = f"the {part} of a request is text, not {shown(json.dumps(value))}"
    raise QuestionError(msg, _MAPPED_HELP)


def _headers(said: object) -> Iterator[tuple[str, str | None]]:
    """Yield headers by name; one with null is left out of the request."""
    help_ = "write headers: {x-role: admin}, and null for one that is not sent"
    if said is None:
        return
    if not isinstance(said, dict) or len(said) > MOST_HEADERS:
        msg = f"headers are at most {MOST_HEADERS} names, each with a value"
        raise QuestionError(msg, help_)
    known = set[str]()
    for name, value in said.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}", name) or name.lower() in known:
            msg = f"{shown(name)} is not a header, or is said twice"
            raise QuestionError(msg, help_)
        if value is not None and not (isinstance(value, str) and _plain(value)):
            msg = f"the header {shown(name)} has no value that can be sent"
            raise QuestionError(msg, help_)
        known.add(name.lower())
        yield name.lower(), value


def parse_grpc(text: str) -> "Request":
    """Read a gRPC call: `shop.v1.Cart/Add`. It is a POST to the path of that name.

    Raises:
        QuestionError: it is none.
    """
    found = re.fullmatch(rf"/?((?:{WORD}\.){{0,32}}{WORD})/({WORD})", text.strip())
    if found is None:
        msg = f"{shown(text)} is not a gRPC method"
        raise QuestionError(msg, _GRPC_HELP)
    return algebra.Request(method="POST", path=f"/{found[1]}/{found[2]}")


def _name(text: str, what: str) -> str:
    """Return a name in small letters, without the last dot."""
    name = text.strip().lower().removesuffix(".")
    if len(name) > LONGEST_NAME or not re.fullmatch(rf"{LABEL}(?:\.{LABEL})*", name):
        msg = f"{shown(text)} is not {what}"
        raise QuestionError(msg, _NAME_HELP)
    return name
