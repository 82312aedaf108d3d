"""Exercises for people: the list, the text of one, and what packets say about it."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from cloison.analyses.matrix import Expect
from cloison.analyses.measured import MeasuredRow
from cloison.analyses.practice import Exercise, Finding, Practised
from cloison.base import Severity
from cloison.report.about import Look
from cloison.report.text.layout import count, table, wrapped
from cloison.report.text.measured import outcomes
from cloison.report.text.rows import telling
from cloison.report.text.validate import Quotes, message

_DECIDERS = 2
_NOTICED = 3
"""What `validate` says besides to whoever is not done yet."""

Listed: TypeAlias = "Sequence[tuple[Exercise, bool]]"
"""Exercises, each with whether it has been done."""


def listing(found: Listed, where: str, look: Look) -> Iterator[str]:
    """Iterate over the lines of the list of exercises.

    Args:
        found: The exercises.
        where: The directory of the learner's files.
        look: How lines are laid out.
    """
    minutes = sum(each.sheet.minutes for each, _ in found)
    yield look.paint(f"{count(len(found), 'exercise')}, {minutes} minutes", "bold")
    yield from wrapped(
        "Each is a small cluster in a lab on this machine. You write the policies, packets say "
        f"whether they do what they should. Your files go to {where}.",
        look,
    )
    yield ""
    rows = [
        (
            f"{each.number:>4}",
            "done" if done else "",
            f"{each.sheet.minutes:>2} min",
            each.sheet.title,
        )
        for each, done in found
    ]
    for (_, done), line in zip(found, table(rows), strict=True):
        yield look.paint(line, "green") if done else line
    yield ""
    todo = next((each for each, done in found if not done), None)
    if todo is None:
        yield "all done"
    else:
        yield f"next: cloison lab practice {todo.number}"


def page(exercise: Exercise, text: str, look: Look) -> Iterator[str]:
    """Iterate over the lines of an exercise's text, which is Markdown that reads well as it is."""
    for line in text.splitlines():
        if line.startswith("# "):
            yield look.paint(f"{exercise.number}  {line.removeprefix('# ')}", "bold")
        elif line.startswith("## "):
            yield look.paint(line.removeprefix("## "), "bold")
        else:
            yield line


def laid_out(files: Iterable[tuple[str, bool]], look: Look) -> Iterator[str]:
    """Iterate over what became of an exercise's files: each with whether it was written."""
    known = list(files)
    yield look.paint("Your files", "bold")
    left = "was there, and is as you left it"
    rows = [(name, "" if written else left) for name, written in known]
    yield from table(rows, indent="  ")


def solution(exercise: Exercise, files: Iterable[tuple[str, str]], look: Look) -> Iterator[str]:
    """Iterate over a solution: the files, each with its text, and what there is to learn."""
    for name, text in files:
        yield look.paint(f"# {name}", "bold")
        yield from text.splitlines()
    # The whole may be written to a file as it is.
    yield "#"
    yield from wrapped(exercise.sheet.learned, look, "# ", "# ")


def lines(result: Practised, following: Exercise | None, where: str, look: Look) -> Iterator[str]:
    """Iterate over what packets say.

    Args:
        result: What came of an exercise.
        following: The exercise after it.
        where: The directory of the learner's files.
        look: How lines are laid out.
    """
    exercise = result.exercise
    number = exercise.number
    for note in result.notes:
        yield from wrapped(note, look, "note: ")
    if result.fresh:
        yield "the lab was built anew"
    if result.refused:
        yield look.paint(f"{number}  {exercise.sheet.title}: not measured", "bold", "red")
        yield ""
        quoted = Quotes()
        for diagnostic in result.refused:
            yield from message(diagnostic, look, quoted)
            yield ""
        yield f"when that is mended: cloison lab practice {number} --check"
        return
    held = sum(each.held for each in result.findings)
    head = f"{number}  {exercise.sheet.title}: {held} of {len(result.findings)} hold"
    yield look.paint(head, "bold", "green" if result.done else "yellow")
    yield ""
    shown = table([_row(each) for each in result.findings], indent="  ")
    for finding, line in zip(result.findings, shown, strict=True):
        word = line[2:7]
        yield f"  {look.paint(word, 'green' if finding.held else 'red')}{line[7:]}"
        if not finding.held:
            yield from _closer(finding, exercise, where, look)
    yield ""
    if result.done:
        yield from _done(exercise, following, look)
        return
    noticed = [d for d in result.noticed if d.severity is not Severity.INFO]
    for diagnostic in noticed[:_NOTICED]:
        place = f"  {diagnostic.span.place.removeprefix(f'{where}/')}" if diagnostic.span else ""
        yield from wrapped(f"{diagnostic.message}{place}", look, "noticed: ")
    if noticed:
        yield f"more about that: cloison validate -f {shlex.quote(where)}"
        yield ""
    yield f"change your files, and again: cloison lab practice {number} --check"


def _row(finding: Finding) -> tuple[str, str, str, str]:
    """Return whether something holds, what, what packets say, and what proves it."""
    word = "holds" if finding.held else "FAILS"
    return word, str(finding.row), _came(finding), _proof(finding)


def _came(finding: Finding) -> str:
    if finding.by:
        return f"counted by {', '.join(finding.counted) or 'no rule'}"
    measured = finding.measured
    if measured is None or measured.error:
        return "not asked"
    return outcomes(measured.cells)


def _proof(finding: Finding) -> str:
    """Say what arrived beside a closed path: without that, it may as well be broken."""
    if not finding.held or finding.measured is None:
        return ""
    controls = (cell.control for cell in finding.measured.cells if cell.control is not None)
    control = next(controls, None)
    if control is None:
        return ""
    return f"while {control.flow.source} -> {control.flow.destination} arrived"


def _closer(finding: Finding, exercise: Exercise, where: str, look: Look) -> Iterator[str]:
    """Say what is known about something that does not hold."""
    indent = " " * 9
    row, measured = finding.row, finding.measured
    must = "open" if row.expect is Expect.ALLOW else "closed"
    if finding.by:
        yield f"{indent}must be counted by {finding.by}"
    if measured is not None:
        said = f"{'you say' if exercise.sheet.beliefs else 'must be'} {must}: "
        for line in _reasons(measured):
            yield from wrapped(said + line.replace(f"  {where}/", "  "), look, indent)
            said = ""
    if row.why:
        yield from wrapped(row.why, look, indent)
    if finding.hint:
        yield from wrapped(finding.hint, look, f"{indent}hint: ")


def _reasons(measured: MeasuredRow) -> Iterator[str]:
    """Yield what let something through that must not pass, or stopped what must."""
    if measured.error is not None:
        yield measured.error
        return
    opened = any(cell.arrival is not None and cell.arrival.arrived for cell in measured.cells)
    if not opened and measured.row.expect is Expect.DENY:
        yield from dict.fromkeys(cell.reason for cell in measured.cells if cell.reason)
        return
    deciders = telling(measured.decided_by)
    if all(decider.policy is None for decider in deciders):
        yield "no policy says anything about it"
        return
    for decider in deciders[:_DECIDERS]:
        place = f"  {decider.span.place}" if decider.span else ""
        # Of isolation the text itself says what it does.
        deed = "" if decider.rule is None else " lets it through" if opened else " stops it"
        yield f"{decider.text}{deed}{place}"


def _done(exercise: Exercise, following: Exercise | None, look: Look) -> Iterator[str]:
    yield look.paint("done", "bold", "green")
    yield from wrapped(exercise.sheet.learned, look)
    yield ""
    if following is None:
        yield "that was the last one; to end the lab: cloison lab down practice"
    else:
        yield f"next: cloison lab practice {following.number}  ({following.sheet.title})"
