"""Results as JSON."""

from collections.abc import Iterator
from typing import Any

import msgspec

from cloison.report import documents
from cloison.report.about import About, Look


def render(kind: str, result: Any, about: About, _look: Look) -> Iterator[str]:
    """Return one JSON object, indented; a map has an edge on each line."""
    if kind == "map":
        yield from _map(result, about)
        return
    encoded = msgspec.json.encode(documents.of(kind).document(result, about))
    yield msgspec.json.format(encoded, indent=2).decode()
    yield "\n"


def _map(result: Any, about: About) -> Iterator[str]:
    from cloison.report.documents import map as published  # noqa: PLC0415 - only for maps

    encoded = msgspec.json.encode(published.head(result, about))
    head = msgspec.json.format(encoded, indent=2).decode()
    before = "\n    "
    yield head.removesuffix("]\n}")
    for some in published.edges(result):
        if some:
            yield before + ",\n    ".join(some)
            before = ",\n    "
    yield "]\n}\n" if before == "\n    " else "\n  ]\n}\n"
