"""Maps, diffs and exposure as JSON lines: an edge each, nothing around them.

Only where an answer lacks something does a last line, which is no edge, say what.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from cloison.base import QuestionError
from cloison.report.about import About, Look

if TYPE_CHECKING:
    from cloison.analyses.connectivity import Map
    from cloison.analyses.diff import Diff
    from cloison.analyses.exposure import Exposure


def render(kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return the edges of a map, diff or exposure, one JSON object a line.

    The edges of a diff say first what became of them. What the answer lacks comes last.

    Raises:
        QuestionError: The result is none of these.
    """
    if kind == "exposure":
        yield from _exposure(cast("Exposure", result))
    elif kind == "diff":
        yield from _changes(cast("Diff", result))
    elif kind == "map":
        yield from _edges(cast("Map", result))
    else:
        msg = f"{kind} has no jsonl output"
        raise QuestionError(msg, "only map and diff have; say -o json")
    yield from _lacks(about)


def _lacks(about: About) -> Iterator[str]:
    """Say in one line what an answer lacks, if anything, as a JSON document does."""
    from cloison.report.lacking import lacking, previewed  # noqa: PLC0415 - only once edges are out

    if found := (*previewed(about), *lacking(about)):
        import msgspec  # noqa: PLC0415 - only where it is needed

        from cloison.report.documents.parts import finding  # noqa: PLC0415 - likewise

        line = msgspec.json.encode({"diagnostics": [finding(d) for d in found]})
        yield f"{line.decode()}\n"


def _edges(result: "Map") -> Iterator[str]:
    from cloison.report.documents.streamed import edges  # noqa: PLC0415 - only for maps

    for some in edges(result):
        if some:
            yield "\n".join(some) + "\n"


def _exposure(result: "Exposure") -> Iterator[str]:
    import msgspec  # noqa: PLC0415 - only where edges are encoded one by one

    from cloison.report.documents.exposure import edges  # noqa: PLC0415 - likewise

    for edge in edges(result):
        yield f"{msgspec.json.encode(edge).decode()}\n"


def _changes(result: "Diff") -> Iterator[str]:
    from cloison.analyses.diff import Kind  # noqa: PLC0415 - only for diffs
    from cloison.report.documents.diff import streamed  # noqa: PLC0415 - likewise

    for kind in (Kind.OPENED, Kind.CLOSED, Kind.CHANGED):
        for some in streamed(result, kind):
            yield "".join(f'{{"change":"{kind}",{change[1:]}\n' for change in some)
