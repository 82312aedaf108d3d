"""Findings of an answer, for people."""

from collections.abc import Iterator

from cloison.base import Diagnostic, Severity
from cloison.report.about import Judged, Look
from cloison.report.text.layout import count, wrapped

_STYLE = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_NOUNS = (
    (Severity.ERROR, "error"),
    (Severity.WARNING, "warning"),
    (Severity.INFO, "note"),
)


def findings(result: Judged[object], look: Look, *, columns: bool = False) -> Iterator[str]:
    """Iterate over the findings that count, then over those that are accepted.

    Args:
        result: What was found.
        look: How lines look.
        columns: Whether places are told with their columns.
    """
    for each in result.findings:
        yield from _finding(each, look, columns=columns)
        yield ""
    for accepted in result.suppressed if result.show_suppressed else ():
        until = f" (until {accepted.expires})" if accepted.expires else ""
        yield from wrapped(accepted.diagnostic.message, look, "suppressed: ")
        yield from wrapped(f"{accepted.reason}{until}", look, "  because: ")
        yield ""


def _finding(each: Diagnostic, look: Look, *, columns: bool) -> Iterator[str]:
    head = look.paint(f"{each.severity}[{each.code}]", "bold", _STYLE[each.severity])
    yield from wrapped(each.message, look, f"{head}: ", "  ")
    if each.span is not None:
        about = f"  {each.object}" if each.object else ""
        place = str(each.span) if columns else each.span.place
        yield f"  {look.paint('-->', 'cyan')} {place}{about}"
    said = (("effect", each.effect), ("help", each.help), ("source", each.source))
    for word, text in said:
        if text:
            yield from wrapped(text, look, f"  {word}: ".ljust(10))


def tally(result: Judged[object]) -> str:
    """Return how much was found, in a sentence without its end."""
    counted = [each.severity for each in result.findings]
    said = [count(counted.count(s), noun) for s, noun in _NOUNS if s in counted]
    quiet = "" if result.show_suppressed else "; --show-suppressed lists them"
    accepted = f"; {len(result.suppressed)} suppressed{quiet}" if result.suppressed else ""
    return f"{', '.join(said) or 'no findings'}{accepted}"
