"""`recommend` as Markdown: what one pastes into the pull request that brings the policies."""

from collections.abc import Iterator

from cloison.analyses.recommend.model import Backed, Question, Recommended
from cloison.analyses.recommend.tell import seen
from cloison.report.about import Judged
from cloison.report.marked import code, folded, text
from cloison.report.text.layout import count
from cloison.report.text.recommended import summary


def lines(result: Judged[Recommended]) -> Iterator[str]:
    """Iterate over the lines of what is recommended, the heading first."""
    found = result.answer
    yield "### Policies that are recommended"
    yield ""
    for word, sentence in summary(found):
        yield f"- **{text(word[:1].upper() + word[1:])}**: {text(sentence)}"
    yield ""
    if result.findings:
        title = count(len(result.findings), "finding")
        yield f"#### {title}"
        yield ""
        rows = [
            (str(each.severity), each.code, text(each.message), text(each.effect or ""))
            for each in result.findings
        ]
        yield from folded(title, ("Severity", "Code", "What", "Effect"), rows)
    if found.fused.questions:
        title = count(len(found.fused.questions), "question")
        yield f"#### {title}"
        yield ""
        questions = [_question(each) for each in found.fused.questions]
        yield from folded(title, ("What", "From", "To", "Why", "To let it through"), questions)
    if found.fused.aside:
        title = f"{count(len(found.fused.aside), 'call')} set aside"
        aside = [
            (code(e.ends[0]), code(e.ends[1]) + text(f" on {', '.join(e.ports)}"), text(e.why))
            for e in found.fused.aside
        ]
        yield from folded(title, ("From", "To", "Why no policy is about it"), aside, shown=0)
    refused = found.refused
    lost = [
        (*_call(each)[:4], text(refused[each.entry.name]))
        for each in found.fused.backed
        if each.entry.name in refused
    ]
    if lost:
        title = f"{count(len(lost), 'call')} not let through, or not in whole"
        yield f"#### {title}"
        yield ""
        yield from folded(title, ("Name", "From", "To", "Ports", "Why"), lost)
    calls = [_call(each) for each in found.fused.backed if each.entry.name not in refused]
    if calls:
        title = f"{count(len(calls), 'call')} let through"
        head = ("Name", "From", "To", "Ports", "Owner", "Confidence", "Evidence")
        yield from folded(title, head, calls, shown=0)


def _question(each: Question) -> tuple[str, ...]:
    ports = f" on {', '.join(each.ports)}" if each.ports else ""
    return (
        text(str(each.asking)),
        code(each.ends[0]),
        code(each.ends[1]) + text(ports),
        text(each.why),
        code(each.write or ""),
    )


def _call(each: Backed) -> tuple[str, ...]:
    entry, found = each.entry, each.evidence
    grounds = ", ".join(found.grounds)
    return (
        code(entry.name),
        code(entry.source.text),
        code(entry.destination.text),
        code(", ".join(port.text for port in entry.ports)),
        text(entry.owner or ""),
        str(found.sure),
        text(f"{grounds}; {seen(found)}"),
    )
