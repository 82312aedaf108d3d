"""Findings that are known and accepted: told apart, counted, never lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloison.base import Diagnostic, Severity, Span, sort_diagnostics
from cloison.sources.inputs import GIT

if TYPE_CHECKING:
    from cloison.app.settingsdocument import Suppression
    from cloison.app.settingsfile import SettingsFile

_RENDERED: Final = (" (helm)", " (kustomize)")


@dataclass(frozen=True, slots=True)
class Sorted:
    """Findings, and what became of them.

    Args:
        kept: Those that count, and after them remarks on the suppressions themselves.
        suppressed: Those that are accepted, each with what accepts it.
    """

    kept: tuple[Diagnostic, ...]
    suppressed: "tuple[tuple[Diagnostic, Suppression], ...]" = ()


def sort(found: Iterable[Diagnostic], settings: "SettingsFile | None", today: date) -> Sorted:
    """Tell findings that are accepted from those that are not.

    Args:
        found: The findings.
        settings: What accepts them.
        today: The day it is, for suppressions that expire.
    """
    if settings is None or not settings.suppressions:
        return Sorted(tuple(found))
    remarks: list[Diagnostic] = []
    kept: list[Diagnostic] = []
    accepted: list[tuple[Diagnostic, Suppression]] = []
    used: set[Span] = set()
    live: list[tuple[Suppression, Span]] = []
    for suppression, span in settings.suppressions:
        if suppression.expires is not None and suppression.expires < today:
            remarks.append(_expired(suppression, span, suppression.expires))
        else:
            live.append((suppression, span))
    for each in found:
        covering = [one for one in live if _covers(one[0], each, settings.path.parent)]
        used.update(span for _, span in covering)
        if covering:
            accepted.append((each, covering[0][0]))
        else:
            kept.append(each)
    remarks += [_idle(suppression, span) for suppression, span in live if span not in used]
    return Sorted((*kept, *sort_diagnostics(remarks)), tuple(accepted))


def _covers(suppression: "Suppression", each: Diagnostic, directory: Path) -> bool:
    """Return whether a suppression speaks of a finding."""
    if each.code != suppression.code:
        return False
    if suppression.object is not None and not fnmatchcase(each.object or "", suppression.object):
        return False
    if suppression.path is None:
        return True
    return each.span is not None and fnmatchcase(_place(each.span, directory), suppression.path)


def _place(span: Span, directory: Path) -> str:
    """Return a file as suppressions name it: from the settings file's directory.

    In a revision it is the path from the repository's top.
    """
    file = span.file
    for suffix in _RENDERED:
        file = file.removesuffix(suffix)
    if file.startswith(GIT):
        return file.rpartition(":")[2]
    return Path(relpath(file, directory)).as_posix()


def _expired(suppression: "Suppression", span: Span, last: date) -> Diagnostic:
    return Diagnostic(
        "CFG001",
        Severity.WARNING,
        f"this suppression of {suppression.code} expired on {last}",
        span,
        effect="what it covered is reported again",
        help="mend the findings, or renew it with its reason",
    )


def _idle(suppression: "Suppression", span: Span) -> Diagnostic:
    return Diagnostic(
        "CFG002",
        Severity.INFO,
        f"nothing that was read has a finding {suppression.code} that this suppression covers",
        span,
        help="remove it, if it covers nothing in the other sources either",
    )
