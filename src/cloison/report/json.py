"""Results as JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import msgspec

from cloison.report import documents
from cloison.report.about import About, Look

if TYPE_CHECKING:
    from cloison.analyses.connectivity import Map


def render(kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return one JSON object, indented; a map has an edge on each line."""
    if kind == "map":
        yield from _map(result, about)
        return
    encoded = msgspec.json.encode(documents.of(kind).document(result, about))
    yield msgspec.json.format(encoded, indent=2).decode()
    yield "\n"


def _map(result: object, about: About) -> Iterator[str]:
    from cloison.report.documents.map import head as published  # noqa: PLC0415 - only for maps
    from cloison.report.documents.streamed import edges  # noqa: PLC0415 - likewise

    known = cast("Map", result)
    encoded = msgspec.json.encode(published(known, about))
    head = msgspec.json.format(encoded, indent=2).decode()
    before = "\n    "
    yield head.removesuffix("]\n}")
    for some in edges(known):
        if some:
            yield before + ",\n    ".join(some)
            before = ",\n    "
    yield "]\n}\n" if before == "\n    " else "\n  ]\n}\n"
