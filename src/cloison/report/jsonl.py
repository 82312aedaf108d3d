"""Maps as JSON lines: an edge each, nothing around them."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from cloison.base import QuestionError
from cloison.report.about import About, Look

_CHUNK = 2048


def render(kind: str, result: Any, _about: About, _look: Look) -> Iterator[str]:
    """Return the edges of a map, one JSON object a line.

    Raises:
        QuestionError: The result is no map.
    """
    if kind != "map":
        msg = f"{kind} has no jsonl output"
        raise QuestionError(msg, "only map has; say -o json")
    from cloison.report.documents.map import edges  # noqa: PLC0415 - only for maps

    found = edges(result)
    while some := list(islice(found, _CHUNK)):
        yield "\n".join(some) + "\n"
