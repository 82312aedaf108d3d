"""`effective --policy` for people: one policy in words, and what it does not do."""

from collections.abc import Iterator

from cloison.analyses.describe import PolicyDescription, RuleWords
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.effective import TOLD
from cloison.report.text.layout import wrapped
from cloison.report.text.validate import Quotes, message


def lines(result: PolicyDescription, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of a description."""
    place = f"  {look.paint(result.span.place, 'cyan')}" if result.span else ""
    yield f"{result.policy.kind} {look.paint(str(result.policy), 'bold')}{place}"
    yield ""
    yield from wrapped(result.selects, look)
    for sentence in result.isolates:
        yield from wrapped(sentence, look)
    for sentence in result.place:
        yield from wrapped(sentence, look)
    for rule in result.rules:
        yield ""
        yield from _rule(rule, look)
    if result.limits:
        yield ""
        yield look.paint("what it does not do", "bold")
        for limit in result.limits:
            yield from wrapped(limit.text, look, "  - ", "    ")
    if result.findings:
        yield ""
        quoted = Quotes()
        for finding in result.findings:
            yield from message(finding, look, quoted)
    if result.caveats:
        yield ""
    for caveat in result.caveats:
        yield from wrapped(caveat.text, look, f"caveat {caveat.id}: ", "  ")
    yield ""
    yield from closing(about, look)


def _rule(rule: RuleWords, look: Look) -> Iterator[str]:
    place = f"  {look.paint(rule.span.place, 'cyan')}" if rule.span else ""
    yield f"{rule.direction} rule {rule.index}{place}"
    yield from wrapped(rule.text, look, "  ")
    for entry in rule.entries:
        if entry.resolved.kind in TOLD:
            lead = "here" if len(rule.entries) == 1 else entry.peer
            yield from wrapped(f"{lead}: {entry.resolved.text}", look, "    ", "      ")
        if entry.remark:
            yield from wrapped(entry.remark, look, "    ! ")
