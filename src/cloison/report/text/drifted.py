"""`drift` for people: what is new, what stands, what was seen too seldom, and what to do."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import zip_longest

from cloison.analyses.drift.model import Drift, Finding, State
from cloison.analyses.past.course import HOUR
from cloison.base import Severity
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import at, count, listed, wrapped

_STYLE = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_MOST = 12
"""Findings that are not new and are shown; suspects as well."""
_LINES = 24
"""Lines of a manifest that are shown: more are for programs."""


def lines(result: Drift, about: About, look: Look) -> Iterator[str]:
    """Iterate over the findings, what is new first, and a sum."""
    new = [each for each in result.findings if each.counts]
    rest = [each for each in result.findings if not each.counts]
    for each in new:
        yield from finding(each, look)
        yield ""
    for each in rest[:_MOST]:
        yield from short(each, look)
    if len(rest) > _MOST:
        yield f"and {len(rest) - _MOST} more that are not new: -o json has them all"
    for each in result.suspects[:_MOST]:
        yield from short(each, look)
    if len(result.suspects) > _MOST:
        yield f"and {len(result.suspects) - _MOST} more suspects: -o json has them all"
    for key in result.gone:
        yield from wrapped(f"{key}: it is so no more", look, "gone: ", "  ")
    if rest or result.suspects or result.gone:
        yield ""
    yield from _rows(result, look)
    for sentence in summary(result):
        yield from wrapped(sentence, look, "", "  ")
    if new:
        yield "accept what is to stay by its key:"
        yield "  cloison drift --baseline drift.yaml --accept KEY --owner NAME"
    yield from closing(about, look)


def finding(each: Finding, look: Look) -> Iterator[str]:
    """Iterate over the lines of a finding in full."""
    sign = each.sign
    head = look.paint(f"{sign.severity}[{each.key.code}]", "bold", _STYLE[sign.severity])
    yield from wrapped(sign.message, look, f"{head}: ", "  ")
    yield f"  state:   {state(each)}"
    for proof in sign.evidence:
        yield from wrapped(f"{proof.text}{at(proof.span)}", look, "  seen:    ")
    if sign.atom is not None:
        yield from wrapped(f"{sign.atom.text}{at(sign.atom.span)}", look, "  policy:  ")
    if each.preceded is not None:
        yield from wrapped(preceded(each), look, "  before:  ")
    yield from wrapped(sign.help, look, "  help:    ")
    for word, step in (("allow", sign.allow), ("remove", sign.remove)):
        if step is not None:
            yield from wrapped(step.text, look, f"  {word}:".ljust(11))
            shown = (step.lines or step.manifest).rstrip("\n").splitlines()
            yield from (f"    {line}" for line in shown[:_LINES])
            if len(shown) > _LINES:
                yield f"    # and {len(shown) - _LINES} more lines: -o json has them all"
    # In one line, as it is copied from there.
    yield f"  key:     {each.key}"


def short(each: Finding, look: Look) -> Iterator[str]:
    """Iterate over the lines of a finding in a sentence."""
    seldom = each.state in (State.NEW, State.SUSPECT)
    word = look.paint(f"{'suspect' if seldom else each.state}[{each.key.code}]", "bold")
    why = f" ({each.sign.doubt})" if each.sign.doubt else ""
    if seldom and not why:
        why = f" (seen in {count(len(each.sign.course.hours), 'hour')} so far)"
    by = ""
    if each.accepted is not None:
        until = f" until {each.accepted.until}" if each.accepted.until else ""
        by = f", accepted by {each.accepted.owner}{until}"
    yield from wrapped(f"{each.sign.message}{why}{by}", look, f"{word}: ", "  ")


def state(each: Finding) -> str:
    """Return how far a finding has come, and since when."""
    parts = [str(each.state)]
    if each.first is not None:
        parts.append(f"first seen {hour(each.first)}")
    if each.last is not None:
        parts.append(f"last {hour(each.last)}")
    if each.state is State.RESOLVED and each.resolved is not None:
        parts.append(f"over by {hour(each.resolved)}")
    return ", ".join(parts)


def preceded(each: Finding) -> str:
    """Return the change that came before a finding, in words."""
    change = each.preceded
    if change is None:
        return "no change is known"
    when = "" if change.time is None else f" at {hour(change.time // HOUR)}"
    who = f" by {change.user}" if change.user else ""
    return f"{change.text}{who}{when}"


def hour(number: int) -> str:
    """Return an hour since 1970 as people read it.

    >>> hour(490896)
    '2026-01-01 00:00Z'
    """
    return f"{datetime.fromtimestamp(number * 3600, UTC):%Y-%m-%d %H:00Z}"


def _rows(result: Drift, look: Look) -> Iterator[str]:
    for row in result.rows:
        yield look.paint(f"{row.workload.kind} {row.workload}", "bold")
        for word, texts in (
            ("expected", row.expected),
            ("new", row.new),
            ("denied", row.denied),
            ("unused", row.unused),
        ):
            if texts:
                yield from wrapped(listed(list(texts), 4), look, f"  {word}:".ljust(13))
        for word, text in zip_longest(("  action:",), row.actions, fillvalue=""):
            yield from wrapped(text, look, word.ljust(13))
    if result.rows:
        yield ""


def summary(result: Drift) -> Iterator[str]:
    """Iterate over the sentences that say what came of it."""
    new = len(result.new)
    counted = [(s, sum(each.state is s for each in result.findings)) for s in State]
    said = ", ".join(f"{number} {s}" for s, number in counted if number)
    head = f"{count(new, 'new finding')}" if new else "nothing new"
    errors = sum(each.sign.severity is Severity.ERROR for each in result.new)
    bad = f", {errors} of the new ones {'an error' if errors == 1 else 'errors'}" if errors else ""
    more = f"; {len(result.suspects)} seen too seldom" if result.suspects else ""
    yield f"{head} of {count(len(result.checks), 'check')}{f' ({said})' if said else ''}{bad}{more}"
    if result.first is not None and result.last is not None:
        lost = f"; sources lost {result.lost:,} events" if result.lost else ""
        yield (
            f"flows of {result.store}: {count(result.covered, 'covered hour')} from "
            f"{hour(result.first)} to {hour(result.last)}{lost}"
        )
    else:
        yield "no flows were read, so what is seen is not known: see cloison flows ingest"
    if result.against is not None:
        yield f"compared with {result.against}"
    for each in result.unjudged:
        yield f"not judged, {each.code}: {count(each.count, each.noun)}: {each.reason}"
