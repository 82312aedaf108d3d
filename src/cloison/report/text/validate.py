"""`validate` for people: each finding with the line it is about."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from cloison.base import Diagnostic, Severity, Span
from cloison.report.about import About, Findings, Look
from cloison.report.text.layout import count, wrapped

_STYLE = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_LONGEST = 160
"""Columns of a quoted source line."""
_LAST = 100_000
"""Lines after which a file is not looked into for a quotation."""
_BYTES = 1 << 14
"""Longest line that is read for a quotation."""


def lines(result: Findings, _about: About, look: Look) -> Iterator[str]:
    """Iterate over the findings, the worst first, and a sum at the end."""
    quoted = Quotes()
    ranked = sorted(result.diagnostics, key=lambda d: -d.severity.rank)
    for each in ranked:
        yield from message(each, look, quoted)
        yield ""
    if result.show_suppressed:
        for accepted in result.suppressed:
            yield from message(accepted.diagnostic, look, quoted)
            until = f" (until {accepted.expires})" if accepted.expires else ""
            yield from wrapped(f"{accepted.reason}{until}", look, "  suppressed: ")
            yield ""
    yield summary(result)


def summary(result: Findings) -> str:
    """Return how much was found in how many files."""
    counted = [d.severity for d in result.diagnostics]
    said = [
        count(counted.count(severity), noun)
        for severity, noun in (
            (Severity.ERROR, "error"),
            (Severity.WARNING, "warning"),
            (Severity.INFO, "note"),
        )
        if severity in counted
    ]
    quiet = "" if result.show_suppressed else "; --show-suppressed lists them"
    accepted = f"; {len(result.suppressed)} suppressed{quiet}" if result.suppressed else ""
    return f"{', '.join(said) or 'nothing to report'} in {count(result.files, 'file')}{accepted}"


class Quotes:
    """Lines of the input, read again when a message quotes them; lives for one output."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], str | None] = {}

    def line(self, span: Span) -> str | None:
        """Return the line a position is in, or None where it cannot be had."""
        key = (span.file, span.line)
        if key not in self._known:
            self._known[key] = _line(span)
        return self._known[key]


def _line(span: Span) -> str | None:
    path = Path(span.file)
    if not 1 <= span.line <= _LAST or not path.is_file():
        return None
    try:
        with path.open("rb") as handle:
            raw = next(islice(iter(lambda: handle.readline(_BYTES), b""), span.line - 1, None), b"")
    except OSError:
        return None
    return raw.decode("utf-8", "replace").rstrip("\r\n")


def message(each: Diagnostic, look: Look, quoted: Quotes) -> Iterator[str]:
    """Iterate over the lines of one message: what, where, effect, help, source."""
    head = look.paint(f"{each.severity}[{each.code}]", "bold", _STYLE[each.severity])
    yield f"{head}: {each.message}"
    if each.span is not None:
        about = f"  {each.object}" if each.object else ""
        yield f"  {look.paint('-->', 'cyan')} {each.span}{about}"
        yield from _quote(each.span, look, quoted)
    elif each.object:
        yield f"  {look.paint('-->', 'cyan')} {each.object}"
    said = (("effect", each.effect), ("help", each.help), ("source", each.source))
    for word, text in said:
        if text:
            yield from wrapped(text, look, f"  {word}: ".ljust(10))


def _quote(span: Span, look: Look, quoted: Quotes) -> Iterator[str]:
    line = quoted.line(span)
    if line is None or not line.strip() or span.column > min(len(line), _LONGEST):
        return
    shown = line[:_LONGEST].expandtabs(1)
    number = f"{span.line:>5} | "
    yield f"{look.paint(number, 'cyan')}{shown}"
    end = _token(shown, span.column - 1)
    bar = look.paint(" " * (len(number) - 2) + "| ", "cyan")
    caret = look.paint("^" * max(1, end - span.column + 1), _STYLE[Severity.ERROR])
    yield f"{bar}{' ' * (span.column - 1)}{caret}"


def _token(line: str, start: int) -> int:
    """Return where the word that starts at `start` ends."""
    if line[start] in "\"'":
        closing = line.find(line[start], start + 1)
        return closing + 1 if closing > 0 else len(line.rstrip())
    if line[start] in "-{[":
        return start + 1
    end = start
    while end < len(line) and line[end] not in " ,:{}[]#":
        end += 1
    return max(end, start + 1)
