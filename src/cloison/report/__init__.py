"""Results rendered for readers: people, scripts, spreadsheets.

Adding an output format is one module with a function `render`, like `json`, and one row here.
"""

from collections.abc import Iterator
from importlib import import_module

from cloison.base import QuestionError
from cloison.report.about import PLAIN, About, Findings, Look

FORMATS = {
    "text": "cloison.report.text",
    "json": "cloison.report.json",
    "yaml": "cloison.report.yaml",
    "csv": "cloison.report.csv",
    "jsonl": "cloison.report.jsonl",
}
"""Modules that render, by the name of the format; each is imported when asked for."""

KINDS = ("why", "map", "grouped", "effective", "policy", "verify", "validate")
"""Results that can be rendered; `grouped` is a map in groups."""

_ONLY = {"grouped": ("json", "yaml")}
"""Formats of results that cannot be had in every one."""

__all__ = ["FORMATS", "KINDS", "PLAIN", "About", "Findings", "Look", "render"]


def render(
    kind: str, result: object, about: About, output: str = "text", look: Look = PLAIN
) -> Iterator[str]:
    """Return a result as text in pieces, to be written one after the other.

    Args:
        kind: Which result: one of `KINDS`.
        result: The result itself.
        about: What surrounds it: profile, diagnostics, version.
        output: The format: one of `FORMATS`.
        look: How text for people is laid out.

    Raises:
        QuestionError: There is no such format, or not for this result.
    """
    if output not in FORMATS:
        msg = f"{output!r} is not an output format"
        raise QuestionError(msg, f"formats are {', '.join(FORMATS)}")
    if output not in _ONLY.get(kind, FORMATS):
        msg = f"{kind} has no {output} output"
        raise QuestionError(msg, f"say -o {' or -o '.join(_ONLY[kind])}")
    pieces: Iterator[str] = import_module(FORMATS[output]).render(kind, result, about, look)
    return pieces
