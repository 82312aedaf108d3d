"""Maps as JSON lines: an edge each, nothing around them."""

from collections.abc import Iterator
from typing import Any

from cloison.base import QuestionError
from cloison.report.about import About, Look


def render(kind: str, result: Any, _about: About, _look: Look) -> Iterator[str]:
    """Return the edges of a map, one JSON object a line.

    Raises:
        QuestionError: The result is no map.
    """
    if kind != "map":
        msg = f"{kind} has no jsonl output"
        raise QuestionError(msg, "only map has; say -o json")
    from cloison.report.documents.map import edges  # noqa: PLC0415 - only for maps

    for some in edges(result):
        if some:
            yield "\n".join(some) + "\n"
