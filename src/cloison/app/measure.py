"""Connectivity tests answered by a kernel: a lab is built, asked and gone again."""

from collections.abc import Sequence

from cloison.analyses.matrix import Row
from cloison.analyses.measured import MeasuredMatrix
from cloison.app.answers import connectivity_tests, no_tests, why
from cloison.app.lab import Blueprint, blueprint
from cloison.app.session import Session
from cloison.base import TREATED_AS_ABSENT, Diagnostic, Severity
from cloison.probe.lab.asking import unsendable
from cloison.probe.lab.client import Lab
from cloison.probe.lab.hops import Calls
from cloison.probe.lab.measure import run
from cloison.probe.lab.pairs import pairs


def measure(
    session: Session,
    tests: Sequence[str] = (),
    *,
    matrix: bool = False,
    staged: bool = False,
    sendable: bool = False,
) -> MeasuredMatrix:
    """Measure every row of the connectivity tests; see `Session.measure`."""
    rows, diagnostics = connectivity_tests(session, tests)
    rows, unsent = _sendable(rows) if sendable else (rows, ())
    made = blueprint(session.staged() if staged else session, rows, staged=staged)
    notes = (*_built_as(made), *unsent)
    tested = bool(rows or diagnostics)
    if matrix or not tested:
        more, said = pairs(made.session.engine)
        if not more and not tested:
            where = "in the source, nor workloads between which something could be measured"
            raise no_tests(where + _left_out(session))
        why = "measured besides" if tested else "there are no tests, so this was measured"
        rows, notes = (*rows, *more), (*notes, *(f"{why}: {each}" for each in said))
    return measured(made, rows, diagnostics, notes)


def measured(
    made: Blueprint,
    rows: Sequence[Row],
    diagnostics: tuple[Diagnostic, ...] = (),
    notes: tuple[str, ...] = (),
) -> MeasuredMatrix:
    """Build a lab for as long as it takes to measure rows in it.

    Args:
        made: What to build.
        rows: What is expected.
        diagnostics: What reading the rows brought to light, handed on.
        notes: What there is to know about all of it, handed on.

    Raises:
        SourceError: This machine cannot hold labs.
    """
    with Lab.up(made.plan) as lab:
        return run(
            lab,
            made.session.engine,
            made.plan,
            rows,
            unclear=made.ruleset.unclear,
            diagnostics=diagnostics,
            notes=notes,
            calls=_calls(made.session),
        )


def _calls(session: Session) -> Calls:
    """Return what finds the ways of calls in the world as built."""
    entries = session.site.entries if session.settings.runtime else ()
    return Calls(lambda asked: why(session, asked).ways, entries)


def _sendable(rows: Sequence[Row]) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Return the rows that packets can answer, and a note on the others.

    Rows of which none is sent stay, so that nothing measured is not taken for all is well.
    """
    kept = tuple(row for row in rows if row.faults or unsendable(row.application) is None)
    left = [row.name for row in rows if row not in kept]
    if not left or not kept:
        return tuple(rows), ()
    said = "1 row was" if len(left) == 1 else f"{len(left)} rows were"
    note = f"{said} left out, as asked, for a lab sends no such thing: {', '.join(left)}"
    return kept, (note,)


def _built_as(made: Blueprint) -> tuple[str, ...]:
    """Say what the lab leaves out of the world."""
    if not made.left_out:
        return ()
    pods = "1 pod is" if made.left_out == 1 else f"{made.left_out} pods are"
    return (f"{pods} like another one, as far as policies can tell, and not built",)


def _left_out(session: Session) -> str:
    """Say how many objects of the source do not count, which may be why there is nothing."""
    objects = {
        (each.object, each.span)
        for each in session.read_diagnostics
        if each.severity is Severity.ERROR and TREATED_AS_ABSENT in (each.effect or "")
    }
    if not objects:
        return ""
    number = "1 object" if len(objects) == 1 else f"{len(objects)} objects"
    return f"; {number} in it would be refused by the API server, see cloison validate"
