"""Words for boxes of requests."""

from cloison.algebra.fields import DNS, HOST, HTTP, KIND, METHOD, NAME, OTHER, PATH, SNI, Box, Part
from cloison.algebra.values import Values


def told(box: Box) -> str:
    """Return a box in words: `GET /api/.*, host x, header x-role: admin`."""
    known = dict(box)
    kinds = [k for k in (HTTP, DNS, OTHER) if KIND not in known or known[KIND].holds(k)]
    web = METHOD in known or PATH in known
    if NAME in known or kinds == [DNS]:
        first = f"DNS {_part(known.get(NAME), 'any name')}"
    elif web or kinds == [HTTP]:
        method = _part(known.get(METHOD), "any method")
        first = f"{method} {_part(known.get(PATH), 'any path')}"
        if not web:
            first = "any HTTP request"
    elif SNI in known and DNS not in kinds:
        first = "TLS" if len(kinds) > 1 else "TLS without HTTP"
        if known[SNI].absent:
            first = "no DNS" if len(kinds) > 1 else "neither HTTP nor DNS"
    else:
        first = _KINDS[tuple(kinds)]
    parts = [first]
    if HOST in known:
        parts.append(f"host {_part(known[HOST], 'any')}")
    for field, values in box:
        if field.part is Part.HEADER:
            parts.append(_optional(f"header {field.name}:", values))
    if SNI in known:
        parts.append(_optional("SNI", known[SNI]))
    return ", ".join(parts)


_KINDS = {
    (OTHER,): "neither HTTP nor DNS",
    (HTTP, DNS): "HTTP or DNS",
    (HTTP, OTHER): "anything but DNS",
    (DNS, OTHER): "anything but HTTP",
    (HTTP, DNS, OTHER): "any",
}


def _part(values: Values | None, anything: str) -> str:
    """Return a regular expression, or words in parentheses."""
    if values is None:
        return f"({anything})"
    text = values.text()
    if text == ".*":
        return f"({anything})"
    return f"({text})" if text.startswith("not ") else text


def _optional(what: str, values: Values) -> str:
    """Return what is said of a field that may be left out."""
    if not values.texts:
        return f"no {what.rstrip(':')}"
    return f"{what} {_part(values, 'any')}{' if any' if values.absent else ''}"
