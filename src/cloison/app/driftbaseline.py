"""The baseline of drift: what somebody accepts, and until when."""

import re
from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatchcase
from io import BytesIO
from pathlib import Path
from typing import Annotated, Final

import msgspec
import yaml

from cloison.analyses.drift.model import Accepted, Code
from cloison.app.driftfiles import LARGEST, replaced
from cloison.app.driftrow import Fields, NotPlainError, edited, extended
from cloison.app.ownfile import read_whole
from cloison.base import Diagnostic, QuestionError, SourceError
from cloison.resources.documents import Node
from cloison.resources.project import convert
from cloison.sources.yaml import documents

API_VERSION: Final = "cloison.dev/v1alpha1"
KIND: Final = "DriftBaseline"
LIST: Final = "accepted"
_TOP: Final = ("apiVersion", "kind", "metadata", LIST)
_FIELDS: Final = ("key", "owner", "until", "reason")
_FORM: Final = re.compile(r"[D*0-9]+\|[^\x00-\x1f]+|[D0-9]*\*")
_KEYS: Final = (
    "take it from a finding, as 'D4|web/Deployment/portal|egress'; * stands for any text, and "
    "an owner has to be named"
)
_ROWS: Final = "each row has key, owner, until (2027-01-31) and reason"
_BEGIN: Final = "write it with: cloison drift --accept KEY --owner NAME"
_LONGEST: Final = 4096
_Text = Annotated[str, msgspec.Meta(max_length=_LONGEST)]


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: _Text
    owner: _Text
    until: str | None = None
    reason: str = ""


def baseline(path: Path | None, today: date) -> tuple[tuple[Accepted, ...], tuple[Accepted, ...]]:
    """Return the rows of a baseline that count on a day, and those that have expired.

    Args:
        path: The file; None for no baseline.
        today: The day.

    Raises:
        SourceError: It is not there, cannot be read, or is no baseline; with the file and line.
    """
    if path is None:
        return (), ()
    if not path.exists():
        msg = f"there is no baseline {path.as_posix()}"
        raise SourceError(msg, "begin one with: cloison drift --accept KEY --owner NAME")
    rows = _rows(_read(path), path.as_posix())
    late = tuple(row for row in rows if row.until is not None and row.until < today.isoformat())
    return tuple(row for row in rows if row not in late), late


def accept(path: Path, key: str, owner: str, until: date | None, reason: str = "") -> None:
    """Write a row into a baseline, in place of the one of its key.

    In a file with comments all else stays as it is; one without is written anew, sorted by key.

    Raises:
        SourceError: The file cannot be read or written, or is no baseline; or it has comments, and
            is written so that they could get lost.
        QuestionError: No finding can have such a key, or nobody answers for it.
    """
    try:
        row = _checked(_Row(key, owner, until.isoformat() if until else None, reason))
    except ValueError as error:
        raise QuestionError(str(error), _KEYS) from None
    data = _read(path) if path.exists() else b""
    held = _rows(data, path.as_posix()) if path.exists() else ()
    text = data.decode("utf-8")
    if "#" in text:
        replaced(path, _beside(text, path.as_posix(), held, row))
        return
    kept = sorted((*(e for e in held if e.key != key), row), key=lambda each: each.key)
    replaced(path, _whole(kept))


def _beside(text: str, shown: str, held: Sequence[Accepted], row: Accepted) -> str:
    """Return a text with a row more, or another one of its key, and all else as it was.

    Raises:
        SourceError: It is written so that comments could get lost.
    """
    try:
        if any(each.key == row.key for each in held):
            changed = edited(text, LIST, row.key, _written(row))
            wanted = [row if each.key == row.key else each for each in held]
        else:
            changed = extended(text, LIST, _written(row))
            wanted = [*held, row]
        _same(changed, shown, wanted)
    except NotPlainError as error:
        msg = f"{shown}:{error.line}: {error.why}, and rewriting it would lose comments"
        raise SourceError(msg, f"write there by hand: {_one_line(row)}") from None
    return changed


def _same(text: str, shown: str, wanted: Sequence[Accepted]) -> None:
    """Refuse a text that does not hold what it is to hold, when it is read back.

    Raises:
        NotPlainError: It does not.
    """
    try:
        found: Sequence[Accepted] | None = _rows(text.encode("utf-8"), shown)
    except SourceError:
        found = None
    if found is None or list(found) != list(wanted):
        raise NotPlainError(1, "the file is not written plainly")


def _written(row: Accepted) -> Fields:
    return {name: value for name in _FIELDS if (value := getattr(row, name))}


def _one_line(row: Accepted) -> str:
    return ", ".join(f"{name}: {value}" for name, value in _written(row).items())


def _whole(rows: Sequence[Accepted]) -> str:
    """Return the text of a baseline of nothing but some rows."""
    written = [_written(each) for each in rows]
    head = {"apiVersion": API_VERSION, "kind": KIND, LIST: written}
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=1000)


def _read(path: Path) -> bytes:
    """Return what is in a baseline.

    Raises:
        SourceError: It cannot be read, or is too large.
    """
    return read_whole(
        path,
        path.as_posix(),
        LARGEST,
        named_by="say --baseline FILE",
        smaller="a baseline is small; check what it is",
    )


def _rows(data: bytes, shown: str) -> tuple[Accepted, ...]:
    """Return the rows of a baseline.

    Raises:
        SourceError: It is none; with the line.
    """
    roots: list[Node] = []
    for each in documents(BytesIO(data), shown):
        if isinstance(each, Diagnostic):
            raise SourceError(f"{each.span or shown}: {each.message}", each.help or _ROWS)
        roots.append(each)
    if not roots:
        raise SourceError(f"{shown} is no baseline of drift: nothing is in it", _BEGIN)
    root = roots[0]
    if len(roots) > 1:
        raise _wrong(roots[1], shown, "a baseline is one document, and here begins another", _BEGIN)
    if not isinstance(root.value, dict):
        raise _wrong(root, shown, f"a baseline of drift is a mapping with `{LIST}`", _BEGIN)
    for name, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
        said = root.value.get(name)
        if said is None or said.value != wanted:
            what = "this does not say so" if said is None else f"this is {said.plain()!r}"
            told = f"a baseline of drift is of {name} {wanted}, and {what}"
            raise _wrong(said or root, shown, told, f"write {name}: {wanted}")
    for name, node in root.value.items():
        if name not in _TOP:
            # What is under it would count for nothing.
            raise _wrong(node, shown, f"a baseline has no {name!r}", _ROWS, key=True)
    listed = root.value.get(LIST)
    if listed is None or listed.value is None:
        return ()
    if not isinstance(listed.value, list):
        raise _wrong(listed, shown, f"`{LIST}` is no list of rows", "begin each row with `- `")
    return tuple(_row(each, shown) for each in listed.value)


def _row(node: Node, shown: str) -> Accepted:
    """Return a row.

    Raises:
        SourceError: It is none; with the line of what is wrong in it.
    """
    if not isinstance(node.value, dict):
        raise _wrong(node, shown, "this is no row", _ROWS)
    for name, value in node.value.items():
        if name not in _FIELDS:
            raise _wrong(value, shown, f"a row has no {name!r}", _ROWS, key=True)
    for name in ("key", "owner"):
        if node.value.get(name) is None or node.value[name].value is None:
            raise _wrong(node, shown, f"the row has no {name}", _ROWS)
    try:
        return _checked(convert(node, _Row))
    except msgspec.ValidationError as error:
        what, _, at = str(error).partition(" - at `$.")
        told = node.value.get(at.rstrip("`"), node)
        raise _wrong(told, shown, what[:1].lower() + what[1:], _ROWS) from None
    except _FieldError as error:
        raise _wrong(node.value.get(error.field, node), shown, str(error), _ROWS) from None


def _wrong(node: Node, shown: str, what: str, advice: str, *, key: bool = False) -> SourceError:
    span = node.key_span(shown) if key else node.span(shown)
    return SourceError(f"{span}: {what}", advice)


class _FieldError(ValueError):
    """A field of a row that has no meaning.

    Args:
        field: Which.
        what: What is wrong with it.
    """

    def __init__(self, field: str, what: str) -> None:
        super().__init__(what)
        self.field = field


def _checked(row: _Row) -> Accepted:
    """Return a row that means something.

    Raises:
        _FieldError: It does not.
    """
    if (
        len(row.key) > _LONGEST
        or _FORM.fullmatch(row.key) is None
        or not _code(row.key.partition("|")[0])
    ):
        raise _FieldError("key", f"no finding can have the key {row.key!r}")
    if not row.owner.strip():
        raise _FieldError("owner", f"nobody owns the row {row.key!r}")
    try:
        until = None if row.until is None else date.fromisoformat(row.until).isoformat()
    except ValueError:
        raise _FieldError("until", f"{row.until!r} is no day, as 2027-01-31 is") from None
    return Accepted(row.key, row.owner, until, row.reason)


def _code(pattern: str) -> bool:
    """Return whether a check has a code like this."""
    return any(fnmatchcase(code, pattern) for code in Code)
