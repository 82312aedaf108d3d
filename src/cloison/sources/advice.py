"""What to say of a YAML document that does not parse: what usually causes libyaml's complaint."""

from typing import Final

import yaml

from cloison.base import Diagnostic, Span
from cloison.sources.faults import broken_yaml

_INDENTATION: Final = "the indentation does not match the lines before it"
_ALIGN: Final = "line the keys of one mapping, and the dashes of one list, up below each other"

_KNOWN: Final[dict[str, tuple[str, str]]] = {
    "mapping values are not allowed": (
        "a `:` where no key can stand: the line is indented wrongly, or the value needs quotes",
        "check the indentation of this line, and quote a value that contains `: `",
    ),
    "did not find expected key": (_INDENTATION, _ALIGN),
    "did not find expected '-' indicator": (_INDENTATION, _ALIGN),
    "block sequence entries are not allowed": (
        "a list item cannot start here",
        "put the `- ` on a line of its own below the key",
    ),
    "could not find expected ':'": (
        "a key without its `:`",
        "write `key: value`; a long text needs quotes or `|`",
    ),
    "did not find expected ',' or": (
        "a `[` or `{` that is not closed, or a missing `,`",
        "close it, or write the list or mapping in block form",
    ),
    "did not find expected node content": (
        "a value is missing inside `[ ]` or `{ }`",
        "write the value, or quote it if it starts with a special character",
    ),
    "found unexpected end of stream": (
        "a quotation mark that is not closed before the end of the file",
        "close the quotation",
    ),
    "found unexpected document indicator": (
        "a quotation mark that is not closed before the next `---`",
        "close the quotation",
    ),
    "found unknown escape character": (
        'an unknown escape after `\\` in a "..." text',
        "double the backslash, or use '...' quotes",
    ),
    "did not find expected <document start>": (
        "text after the end of a document",
        "start the next document with `---`",
    ),
    "found duplicate anchor": ("an anchor is defined twice", "rename one of them"),
}
"""Part of the parser's problem text, and its meaning and remedy."""

_STARTERS: Final = {
    "\t": (
        "a tab is used for indentation, and YAML allows only spaces",
        "replace the tab by spaces",
    ),
    "@": ("a value cannot start with `@`", "quote the value"),
    "`": ("a value cannot start with a backquote", "quote the value"),
    "%": ("a value cannot start with `%`", "quote the value"),
}


def explain(error: yaml.MarkedYAMLError, file: str, first_line: int, text: str) -> Diagnostic:
    """Return the diagnostic for a parser's error.

    Args:
        error: What the parser raised.
        file: Name of the input.
        first_line: 0-based line where the parser had started counting.
        text: The line of the error, as written.
    """
    problem = error.problem or error.context or "not YAML"
    mark = error.problem_mark or error.context_mark
    span = (
        Span(file, mark.line + first_line + 1, mark.column + 1)
        if mark is not None
        else Span(file, first_line + 1)
    )
    message, advice = _meaning(problem, text, span.column - 1)
    context = error.context_mark
    if context is not None and mark is not None and context.line != mark.line:
        opened = context.line + first_line + 1
        message += f" (what it belongs to starts at line {opened})"
    return broken_yaml(span, message, advice)


def _meaning(problem: str, text: str, column: int) -> tuple[str, str | None]:
    """Return what a problem means, and the remedy if one is known."""
    indent = text[: len(text) - len(text.lstrip())]
    if "\t" in indent and "document" not in problem:
        return _STARTERS["\t"]
    if "cannot start any token" in problem:
        found = text[column : column + 1]
        return _STARTERS.get(found, (f"a value cannot start with `{found}`", "quote the value"))
    for part, known in _KNOWN.items():
        if part in problem:
            return known
    return problem, None
