"""Maps as JSON lines: an edge each, nothing around them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from cloison.base import QuestionError
from cloison.report.about import About, Look

if TYPE_CHECKING:
    from cloison.analyses.connectivity import Map


def render(kind: str, result: object, _about: About, _look: Look) -> Iterator[str]:
    """Return the edges of a map, one JSON object a line.

    Raises:
        QuestionError: The result is no map.
    """
    if kind != "map":
        msg = f"{kind} has no jsonl output"
        raise QuestionError(msg, "only map has; say -o json")
    from cloison.report.documents.streamed import edges  # noqa: PLC0415 - only for maps

    for some in edges(cast("Map", result)):
        if some:
            yield "\n".join(some) + "\n"
