"""What every question does around its answer: load, say what was wrong, print."""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

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
        profile_chosen=_said("cni", "--cni") if common.cni else "default",
        kubernetes=common.kubernetes,
        field_validation=common.field_validation,
        pod_cidrs=common.pod_cidrs,
        node_cidrs=common.node_cidrs,
        service_cidrs=common.service_cidrs,
    )
    settings.networks()
    if not common.quiet:
        _mention_settings_file()
    drawn = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not common.quiet
    bar = Bar(sys.stderr) if drawn else None
    return read(*common.sources, settings=settings, progress=bar)


SETTINGS_FILE = "cloison.yaml"


def _mention_settings_file() -> None:
    """Say of a settings file that it is not read yet: nothing is ignored in silence."""
    try:
        here = Path.cwd()
    except OSError:
        return
    for directory in (here, *here.parents):
        file = directory / SETTINGS_FILE
        if file.is_file():
            sys.stderr.write(
                f"note: {os.path.relpath(file)} is not read yet; "
                "settings are given by flags and CLOISON_* variables\n"
            )
            return


def _said(parameter: str, flag: str) -> str:
    """Return who set a parameter: the flag, or the variable in the environment."""
    context = click.get_current_context()
    if context.get_parameter_source(parameter) is click.core.ParameterSource.ENVIRONMENT:
        return f"CLOISON_{parameter.upper()}"
    return flag


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
    """Write text to standard output as UTF-8, whatever the locale.

    A reader that leaves early has what it wanted; the exit code stays that of the answer.
    """
    sys.stdout.flush()
    out = sys.stdout.buffer
    try:
        for piece in pieces:
            out.write(piece.encode("utf-8", "backslashreplace"))
        out.flush()
    except BrokenPipeError:
        # Python flushes once more at exit, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(common: Common, session: "Session") -> None:
    """Say on standard error what was wrong with the input.

    What makes an answer incomplete is printed whole, the rest is counted.
    """
    from cloison.base import Severity
    from cloison.report import Look
    from cloison.report.text.layout import count
    from cloison.report.text.validate import Quotes, message

    # Judging the input costs as much as a map: a program that asks for one does not pay for it.
    judged = session.suspicions if common.output == "text" else ()
    said = [*session.diagnostics, *judged]
    errors = sum(d.severity is Severity.ERROR for d in said)
    warnings = sum(d.severity is Severity.WARNING for d in said)
    whole: list[Diagnostic] = [d for d in said if _costs(d)]
    plain = Look(common.color == "always", shutil.get_terminal_size((100, 40)).columns)
    quotes = Quotes()
    lines: list[str] = []
    for each in whole[:_TOLD]:
        lines += [*message(each, plain, quotes), ""]
    sums = []
    if errors:
        sums.append(count(errors, "error"))
    if warnings:
        sums.append(count(warnings, "warning"))
    if sums:
        lines.append(f"{' and '.join(sums)} in the input; see cloison validate")
    for line in lines:
        sys.stderr.write(plain.safe(line) + "\n")


_TOLD = 5
"""Messages that are printed whole before an answer's reader is sent to `validate`."""
_READING = "SRC"
"""Family of what has to do with reading: a warning of it may mean that nothing was read."""


def _costs(diagnostic: "Diagnostic") -> bool:
    """Return whether an answer lacks something because of it."""
    serious = diagnostic.severity.value == "error"
    return serious or (diagnostic.severity.value == "warning" and diagnostic.code[:3] == _READING)
