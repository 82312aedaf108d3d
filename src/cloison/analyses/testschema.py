"""The JSON Schema of a tests file: what `testfile` reads, for editors and for whoever writes rows.

It refuses what the reader refuses of a row by itself. That an end exists, that a range is not
written backwards and that names occur once, only the reader can tell.
"""

from typing import Any

from cloison.analyses.application import LABEL, LONGEST_NAME, MOST_CHARACTERS, MOST_HEADERS, WORD
from cloison.analyses.matrix import Expect
from cloison.analyses.testfile import API_VERSION, KIND

Schema = dict[str, Any]

_NUMBER = (
    "0*(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)
_BYTE = "(?:[0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
_PREFIX = "(?:node|svc|gw|dns|any|reserved):"
_ICMP = f"[Ii][Cc][Mm][Pp](?:[Vv]6)?(?:/{_BYTE}(?:/{_BYTE})?)?"
_TCP, _UDP, _SCTP = "[Tt][Cc][Pp]", "[Uu][Dd][Pp]", "[Ss][Cc][Tt][Pp]"


def schema() -> Schema:
    """Return the schema of a tests file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cloison tests",
        "description": "Connectivity tests: rows of who reaches whom, and what is expected of it.",
        "type": "object",
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": KIND},
            "metadata": {"description": "Anything; nothing is read from it."},
            "tests": {"type": "array", "items": {"$ref": "#/$defs/row"}},
        },
        "required": ["tests"],
        "additionalProperties": False,
        "$defs": {"row": _row(), "http": _http()},
    }


def _row() -> Schema:
    fields = {
        "name": _text("What reports call the row; best used once."),
        "from": _end("Who connects, as in questions: web/portal, 192.0.2.7, any:web."),
        "to": _end("Who listens; the port has a field of its own."),
        "port": {
            "description": "A port, a range of ports or a port's name; without it, every port.",
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 65535},
                {"type": "string", "pattern": f"^{_NUMBER}(?:-{_NUMBER})?$"},
                {
                    "type": "string",
                    "maxLength": 15,
                    "pattern": "^(?=.*[a-z])(?!icmp(?:v6)?$)[a-z0-9](?:-?[a-z0-9])*$",
                },
                {"type": "null"},
            ],
        },
        "protocol": {
            "description": "TCP where nothing is said; ICMP may have a type and a code: icmp/8/0.",
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 255},
                {"type": "string", "pattern": f"^(?:{_TCP}|{_UDP}|{_SCTP}|{_ICMP}|0*{_BYTE})$"},
                {"type": "null"},
            ],
        },
        "http": {
            "description": "An HTTP request, or as much of it as counts: GET /pub/x.",
            "anyOf": [
                {
                    "type": "string",
                    "pattern": r"^(?:\{.*|\s*(?:[A-Za-z-]{1,64}(?: +/\S*)?|/\S*)\s*)$",
                    "maxLength": MOST_CHARACTERS,
                },
                {"$ref": "#/$defs/http"},
                {"type": "null"},
            ],
        },
        "grpc": _text(
            "A gRPC method, with its service: shop.v1.Cart/Add.",
            rf"^\s*/?(?:{WORD}\.){{0,32}}{WORD}/{WORD}\s*$",
        ),
        "sni": _name("The name that TLS is opened with."),
        "dns": _name("The name that is looked up."),
        "expect": {"description": "What is expected of all of it.", "enum": sorted(Expect)},
        "why": _text("Why it is expected."),
    }
    return {
        "description": "One expectation. With a request, all that leaves the rest of it open.",
        "type": "object",
        "properties": fields,
        "required": ["from", "to", "expect"],
        "additionalProperties": False,
        "allOf": [
            *(_never(*pair) for pair in (("http", "grpc"), ("dns", "http"), ("dns", "grpc"))),
            _never("dns", "sni"),
            *(_over(each, f"{_TCP}|0*6", [6]) for each in ("http", "grpc", "sni")),
            _over("dns", f"{_TCP}|{_UDP}|0*6|0*17", [6, 17]),
            _over("port", f"{_TCP}|{_UDP}|{_SCTP}|0*6|0*17|0*132", [6, 17, 132]),
        ],
    }


def _http() -> Schema:
    fields = {
        "method": (_text("", "^[A-Za-z-]{1,64}$"), {"type": "string"}),
        "path": (_text("", r"^/\S*$", MOST_CHARACTERS), {"type": "string"}),
        "host": (_text("", r"^[^\s/?#@]{1,300}$"), {"type": "string"}),
        "headers": (
            {
                "description": "Values by name; null for a header that is not sent.",
                "type": ["object", "null"],
                "maxProperties": MOST_HEADERS,
                "propertyNames": {"pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$"},
                "additionalProperties": {"type": ["string", "null"], "maxLength": MOST_CHARACTERS},
            },
            {"type": "object", "minProperties": 1},
        ),
    }
    return {
        "description": "A request by its parts; what is left out may be anything.",
        "type": "object",
        "properties": {name: part for name, (part, _) in fields.items()},
        "additionalProperties": False,
        "anyOf": [
            {"required": [name], "properties": {name: said}} for name, (_, said) in fields.items()
        ],
    }


def _text(description: str, pattern: str | None = None, most: int | None = None) -> Schema:
    found: Schema = {"description": description} if description else {}
    found["type"] = ["string", "null"]
    if pattern is not None:
        found["pattern"] = pattern
    if most is not None:
        found["maxLength"] = most
    return found


def _name(description: str) -> Schema:
    return _text(description, rf"^\s*{LABEL}(?:\.{LABEL})*\.?\s*$", LONGEST_NAME + 1)


def _end(description: str) -> Schema:
    carries = (
        r"^\[[^\]]+\]:.",
        rf"^{_PREFIX}[^:]*:[^:]*$",
        rf"^(?!{_PREFIX})[^:]*:[^:]*$",
    )
    none = "".join(f"(?!{each.removeprefix('^')})" for each in carries)
    return {"description": description, "type": "string", "pattern": f"^{none}."}


def _said(name: str) -> Schema:
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _never(one: str, other: str) -> Schema:
    return {"not": {"allOf": [_said(one), _said(other)]}}


def _over(name: str, protocol: str, numbers: list[int]) -> Schema:
    """Return that a field goes with some protocols only."""
    allowed = [
        {"type": "string", "pattern": f"^(?:{protocol})$"},
        {"enum": [*numbers, None]},
    ]
    return {"if": _said(name), "then": {"properties": {"protocol": {"anyOf": allowed}}}}
