"""What a run says on standard error about its input, once its answer is out."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloison.base import Diagnostic, Severity, sort_diagnostics
from cloison.report import Look
from cloison.report.lacking import left_out, unread
from cloison.report.text.layout import count
from cloison.report.text.validate import Quotes, message

if TYPE_CHECKING:
    from datetime import date

    from cloison.app import Session

_TOLD = 5
"""Messages that are printed whole before an answer's reader is sent to `validate`."""
_READING = "SRC"
"""Family of what has to do with reading: a warning of it may mean that nothing was read."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The two sides of a difference.

    Args:
        before: The one.
        after: The other.
        names: How the two sources are called; None where the second is a change of the first.
    """

    before: "Session"
    after: "Session"
    names: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How to complain.

    Args:
        look: How the lines are laid out.
        today: The day it is, for suppressions that expire.
        text: Whether the answer is text. Only then is the input judged: that costs as much as a
            map, and a program that asks for one does not pay for it. Text also says itself what
            it lacks, so that need not be counted again.
        told: What the answer has told of the input already.
    """

    look: Look
    today: "date"
    text: bool
    told: frozenset[Diagnostic] = frozenset()


def complaint(session: "Session", sides: Sides | None, how: Manner) -> Iterator[str]:
    """Iterate over the lines: what makes the answer incomplete whole, the rest counted.

    Args:
        session: What was read; of two sides together.
        sides: The two sides of a difference.
        how: How to complain.
    """
    groups = _groups(session, sides, how)
    alone = frozenset(d for group in groups if group.whole for d in group.found)
    every = sort_diagnostics(d for group in groups for d in group.found)
    told = [d for d in every if d in alone or _costs(d)]
    quotes = Quotes()
    parts = [list(message(each, how.look, quotes)) for each in told[:_TOLD]]
    parts.append(
        [s for group in groups for s in group.summed(frozenset(told[:_TOLD]), text=how.text)]
    )
    for number, lines in enumerate(part for part in parts if part):
        yield from ([""] if number else [])
        yield from lines


@dataclass(frozen=True, slots=True)
class _Group:
    """Findings that are counted together.

    Args:
        where: Where they are.
        advice: What lists them; empty where nothing does.
        found: The findings.
        suppressed: How many more the settings file accepts.
        whole: Whether each of them is printed, for want of a command that does.
    """

    where: str
    advice: str
    found: tuple[Diagnostic, ...]
    suppressed: int = 0
    whole: bool = field(default=False, kw_only=True)

    def summed(self, shown: frozenset[Diagnostic], *, text: bool) -> Iterator[str]:
        """Say how many there are, save those that need not be counted as well.

        Args:
            shown: Those that were printed.
            text: Whether the answer is text, and has said what it lacks.
        """
        rest = [
            d
            for d in self.found
            if not (d in shown and (self.whole or (text and (unread(d) or left_out(d)))))
        ]
        sums = [
            count(number, str(severity))
            for severity in (Severity.ERROR, Severity.WARNING)
            if (number := sum(d.severity is severity for d in rest))
        ]
        if sums:
            accepted = f" ({self.suppressed} more suppressed)" if self.suppressed else ""
            see = f"; see {self.advice}" if self.advice else ""
            yield f"{' and '.join(sums)} {self.where}{accepted}{see}"


def _groups(session: "Session", sides: Sides | None, how: Manner) -> list[_Group]:
    if sides is None:
        return [_Group("in the input", "cloison validate", *_found(session, how))]
    if sides.names is None:
        return _changed(sides, how)
    # Of two sources the second is judged: it is what somebody is about to have.
    before, after = sides.names
    return [
        _Group(f"in {_called(before)}", _advice(before), *_found(sides.before, how, judge=False)),
        _Group(f"in {_called(after)}", _advice(after), *_found(sides.after, how)),
    ]


def _changed(sides: Sides, how: Manner) -> list[_Group]:
    """Return what to say of a source and a change of it.

    `validate` is only of use for what is in the source. What comes with the change is told here.
    """
    found, _ = _found(sides.after, how)
    if not found:
        return []
    there, accepted = _found(sides.before, how)
    old = frozenset(there)
    new = tuple(d for d in found if d not in old and d.severity is not Severity.INFO)
    return [
        _Group("in the input", "cloison validate", there, accepted),
        _Group("more from the change", "", new, whole=True),
    ]


def _found(
    session: "Session", how: Manner, *, judge: bool = True
) -> tuple[tuple[Diagnostic, ...], int]:
    """Return what there is to say of a session's input, and how much of it is accepted."""
    told = session.accepted(
        [*session.diagnostics, *(_judged(session) if judge and how.text else ())], how.today
    )
    return tuple(each for each in told.kept if each not in how.told), len(told.suppressed)


def _judged(session: "Session") -> tuple[Diagnostic, ...]:
    """Return suspicions: without notes, which are not counted, where no file accepts some."""
    file = session.settings.file
    return session.suspicions if file is not None and file.suppressions else session.warnings


def _costs(diagnostic: Diagnostic) -> bool:
    """Return whether an answer lacks something because of it."""
    serious = diagnostic.severity is Severity.ERROR
    reading = diagnostic.code.startswith(_READING)
    return serious or (diagnostic.severity is Severity.WARNING and reading)


def _called(name: str) -> str:
    return "standard input" if name == "-" else name


def _advice(name: str) -> str:
    return "cloison validate" if name == "-" else f"cloison validate -f {shlex.quote(name)}"
