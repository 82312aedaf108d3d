"""Options of answers with findings, and what those come to."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cloison.cli import run

if TYPE_CHECKING:
    from datetime import date

    from cloison.app import Session
    from cloison.base import Diagnostic
    from cloison.report import Judged

T = TypeVar("T")
Function = Callable[..., Any]


def judging(function: Function) -> Function:
    """Add the options `--fail-on` and `--show-suppressed`."""
    show = click.option(
        "--show-suppressed",
        is_flag=True,
        help="Also what the settings file accepts, with its reasons.",
    )
    fail = click.option(
        "--fail-on",
        type=click.Choice(("error", "warning", "info", "never")),
        default="error",
        envvar="CLOISON_FAIL_ON",
        help="Exit with 1 from this severity on.  [default: error]",
    )
    return fail(show(function))


def judged(
    session: "Session",
    answer: T,
    findings: "tuple[Diagnostic, ...]",
    fail_on: str,
    *,
    show_suppressed: bool,
    today: "date | None" = None,
) -> "tuple[Judged[T], int]":
    """Return an answer with the findings of it that count, and the exit code.

    Args:
        session: Whose settings file accepts findings.
        answer: The answer.
        findings: All its findings, in order.
        fail_on: The severity from which on one makes the run fail; `never` for none.
        show_suppressed: Whether text prints what is accepted.
        today: The day it is; the real one where nobody says another.
    """
    from cloison.base import Severity
    from cloison.report import Accepted, Judged

    told = session.accepted(findings, today or run.today())
    left = frozenset(told.kept)
    kept = tuple(each for each in findings if each in left)
    accepted = tuple(Accepted(d, s.reason, s.expires) for d, s in told.suppressed)
    worst = max((each.severity.rank for each in kept), default=-1)
    failed = fail_on != "never" and worst >= Severity(fail_on).rank
    result = Judged(answer, kept, accepted, show_suppressed=show_suppressed)
    return result, run.FOUND if failed else run.OK
