"""What an answer lacks because of its input, in sentences that every format uses.

Two things make an answer say less than the input seems to: parts of the input that nobody could
read, and objects that were read and do not count.
"""

from collections.abc import Iterable, Iterator

from cloison.analyses.staged import PREVIEWED
from cloison.base import TREATED_AS_ABSENT, Diagnostic, Severity
from cloison.report.about import About
from cloison.report.text.layout import count, listed
from cloison.resources.faults import DUPLICATE

_READING = "SRC"
"""Family of what has to do with reading."""
_DOCUMENTS = frozenset({"SRC001", "SRC003", "SRC005", "SRC006", "SRC007", "SRC008", "SRC009"})
"""Each of these costs one document."""
_SKIPPED = frozenset({"SRC011", "SRC014", "SRC018", "SRC022", "SRC029"})
"""Warnings that something was not read: what is no object, a link, a chart, a submodule."""
_REPEATED = frozenset({DUPLICATE, "APP001"})
"""Only one of several definitions is used."""
_PLACES = 4
"""Places in a sentence; of more the rest is counted."""
_SIDES = ("", " (before)", " (after)")


def unread(diagnostic: Diagnostic) -> bool:
    """Return whether a part of the input was not read because of it."""
    serious = diagnostic.severity is Severity.ERROR
    return diagnostic.code in _SKIPPED or (serious and diagnostic.code.startswith(_READING))


def left_out(diagnostic: Diagnostic) -> bool:
    """Return whether an object was read, and does not count because of it."""
    if diagnostic.severity is not Severity.ERROR or unread(diagnostic):
        return False
    return diagnostic.code in _REPEATED or TREATED_AS_ABSENT in (diagnostic.effect or "")


def lacking(about: About) -> tuple[Diagnostic, ...]:
    """Return the diagnostics because of which an answer lacks something."""
    return tuple(d for d in about.diagnostics if unread(d) or left_out(d))


def sentences(about: About) -> tuple[str, ...]:
    """Return in at most two sentences a side what an answer lacks; none if it lacks nothing.

    They hold names from the input as they are: each format writes them in its own safe way.
    """
    sides: dict[str, list[Diagnostic]] = {}
    for each in lacking(about):
        sides.setdefault(_side(each, about), []).append(each)
    return tuple(line for side in _SIDES if side in sides for line in _told(sides[side], side))


def previewed(about: About) -> tuple[Diagnostic, ...]:
    """Return what is said of staged policies that are shown as if they were enforced."""
    return tuple(d for d in about.diagnostics if d.code == PREVIEWED)


def previews(about: About) -> tuple[str, ...]:
    """Return the same in sentences; none where an answer shows what is enforced."""
    found = previewed(about)
    told = [f"{d.message}{_side(d, about)} ({_place(d)})" if d.span else d.message for d in found]
    more = len(told) - _PLACES
    known = dict.fromkeys(d.effect.removesuffix(".") for d in found if d.effect is not None)
    rest = (f"and {count(more, 'other staged policy')}",) if more > 0 else ()
    return (*told[:_PLACES], *rest, *known)


def _side(diagnostic: Diagnostic, about: About) -> str:
    """Return which side of a difference a diagnostic is about, where it is about one only."""
    if about.sides is None:
        return ""
    before, after = (diagnostic in side for side in about.sides)
    return _SIDES[0 if before == after else 1 if before else 2]


def _told(found: Iterable[Diagnostic], side: str) -> Iterator[str]:
    known = list(found)
    gone = [d for d in known if unread(d)]
    if gone:
        places = list(dict.fromkeys(_place(d) or d.message for d in gone))
        noun = count(len(gone), "document")
        said = f"{noun} could not be read"
        if any(d.code not in _DOCUMENTS for d in gone):
            parts = "1 part" if len(gone) == 1 else f"{len(gone)} parts"
            said = f"{parts} of the input {'was' if len(gone) == 1 else 'were'} not read"
        yield f"{said}{side}: {listed(places, _PLACES)}; the answer lacks {_them(gone)}"
    objects: dict[object, str] = {}
    for each in known:
        if not unread(each):
            objects.setdefault(_key(each), _object(each))
    if objects:
        verb = "is" if len(objects) == 1 else "are"
        names = listed(list(objects.values()), _PLACES)
        yield f"{count(len(objects), 'object')} {verb} left out{side}: {names}"


def _key(diagnostic: Diagnostic) -> object:
    """Return what tells objects apart: several things may be wrong with one."""
    span = diagnostic.span
    if diagnostic.object is None or span is None or diagnostic.code in _REPEATED:
        return span, diagnostic.object, diagnostic.message
    return span.file, diagnostic.object


def _object(diagnostic: Diagnostic) -> str:
    place = _place(diagnostic)
    if diagnostic.object is None:
        return place or diagnostic.message
    return f"{diagnostic.object} ({place})" if place else diagnostic.object


def _place(diagnostic: Diagnostic) -> str:
    return diagnostic.span.place if diagnostic.span else ""


def _them(found: list[Diagnostic]) -> str:
    return "it" if len(found) == 1 else "them"
