"""What every question does around its answer: load, say what was wrong, print."""

import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cloison.cli.options import Common, colored

if TYPE_CHECKING:
    from cloison.app import Session
    from cloison.base import Diagnostic
    from cloison.report import About, Look

OK, FOUND, UNANSWERED = 0, 1, 2
"""Exit codes: nothing wrong; something found; not answered as asked."""


def load(common: Common) -> "Session":
    """Read the sources.

    Raises:
        SourceError: A source cannot be read at all.
        QuestionError: A setting has no such value.
    """
    from cloison.app import Settings
    from cloison.app import load as read
    from cloison.cli.progress import Bar
    from cloison.platform import profile

    settings = Settings(
        profile=profile(common.cni) if common.cni else "generic",
        profile_chosen="--cni" if common.cni else "default",
        kubernetes=common.kubernetes,
        field_validation=common.field_validation,
        pod_cidrs=common.pod_cidrs,
        node_cidrs=common.node_cidrs,
        service_cidrs=common.service_cidrs,
    )
    settings.networks()
    bar = Bar(sys.stderr) if sys.stderr.isatty() and not common.quiet else None
    return read(*common.sources, settings=settings, progress=bar)


def files(common: Common) -> int:
    """Return how many files the sources come to."""
    from cloison.base import Diagnostic
    from cloison.sources.walk import inputs

    found = inputs(common.sources or (".",))
    return sum(not isinstance(each, Diagnostic) for each in found)


def about(session: "Session") -> "About":
    """Return what surrounds every answer of a session."""
    from cloison.base.version import VERSION
    from cloison.report import About

    return About(VERSION, session.profile, session.settings.profile_chosen, session.diagnostics)


def look(common: Common) -> "Look":
    """Return how text is laid out here."""
    from cloison.report import Look

    return Look(colored(common.color), shutil.get_terminal_size((100, 40)).columns)


def answer(common: Common, session: "Session", kind: str, result: object, code: int = OK) -> int:
    """Print a result, say on standard error what it lacks, and return the exit code.

    Args:
        common: The common options.
        session: What was asked.
        kind: Which result it is, in the report's words.
        result: The result.
        code: The exit code if nothing else is wrong.
    """
    from cloison.report import render

    write(render(kind, result, about(session), common.output, look(common)))
    if kind != "validate" and not common.quiet:
        complain(common, session)
    return UNANSWERED if common.strict and session.broken else code


def write(pieces: Iterable[str]) -> None:
    """Write text to standard output as UTF-8, whatever the locale."""
    out = sys.stdout.buffer
    for piece in pieces:
        out.write(piece.encode("utf-8", "backslashreplace"))
    out.flush()


def complain(common: Common, session: "Session") -> None:
    """Say on standard error what was wrong with the input.

    What makes an answer incomplete is printed whole, the rest is counted.
    """
    from cloison.base import Severity
    from cloison.report import Look
    from cloison.report.text.layout import count
    from cloison.report.text.validate import Quotes, message

    said = [*session.diagnostics, *session.suspicions]
    errors: list[Diagnostic] = [d for d in said if d.severity is Severity.ERROR]
    warnings = sum(d.severity is Severity.WARNING for d in said)
    plain = Look(common.color == "always", shutil.get_terminal_size((100, 40)).columns)
    quotes = Quotes()
    lines: list[str] = []
    for each in errors[:_TOLD]:
        lines += [*message(each, plain, quotes), ""]
    sums = []
    if errors:
        sums.append(count(len(errors), "error"))
    if warnings:
        sums.append(count(warnings, "warning"))
    if sums:
        lines.append(f"{' and '.join(sums)} in the input; see cloison validate")
    for line in lines:
        sys.stderr.write(plain.safe(line) + "\n")


_TOLD = 5
"""Errors that are printed whole before an answer's reader is sent to `validate`."""
