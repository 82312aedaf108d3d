"""Files of drift: what somebody accepts, and what is remembered of the last run."""

import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import NamedTemporaryFile
from textwrap import indent
from typing import Annotated, Final

import msgspec
import yaml

from cloison.analyses.drift.model import BLANK, Accepted, Code, Known, Memory, State
from cloison.app.ownfile import read_whole
from cloison.base import QuestionError, SourceError
from cloison.resources.documents import Document
from cloison.resources.project import convert
from cloison.sources import read

API_VERSION: Final = "cloison.dev/v1alpha1"
KIND: Final = "DriftBaseline"
LARGEST: Final = 16 << 20
"""Bytes of either file."""
_VERSION: Final = 1
_OURS: Final = "cloison-drift"
"""What names of files have in them that are half written."""
_OLD: Final = 3600
"""Seconds after which nobody writes to such a file any more."""
_TOP: Final = ("apiVersion", "kind", "metadata", "accepted")
_FORM: Final = re.compile(r"[D*0-9]+\|[^\x00-\x1f]+|[D0-9]*\*")
_KEYS: Final = (
    "take it from a finding, as 'D4|web/Deployment/portal|egress'; * stands for any text, and "
    "an owner has to be named"
)
_Hour = Annotated[int, msgspec.Meta(ge=-(1 << 40), le=1 << 40)]
_LONGEST: Final = 4096
_Text = Annotated[str, msgspec.Meta(max_length=_LONGEST)]


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: _Text
    owner: _Text
    until: str | None = None
    reason: str = ""


class _Baseline(msgspec.Struct, frozen=True, rename="camel"):
    accepted: tuple[_Row, ...] = ()
    api_version: str = ""
    kind: str = ""


class _Known(msgspec.Struct, frozen=True, omit_defaults=True):
    state: State
    first: _Hour | None = None
    last: _Hour | None = None
    confirmed: _Hour | None = None
    resolved: _Hour | None = None


class _State(msgspec.Struct, frozen=True, omit_defaults=True):
    version: int
    began: _Hour | None = None
    until: _Hour | None = None
    findings: dict[str, _Known] = {}
    labels: dict[str, dict[str, str]] = {}
    ranges: dict[str, tuple[str, ...]] = {}
    policies: str = ""
    since: _Hour | None = None
    learned: tuple[str, ...] = ()
    every_label: bool = False


def baseline(path: Path | None, today: date) -> tuple[tuple[Accepted, ...], tuple[Accepted, ...]]:
    """Return the rows of a baseline that count on a day, and those that have expired.

    Args:
        path: The file; None for no baseline.
        today: The day.

    Raises:
        SourceError: It is not there, cannot be read, or is no baseline.
    """
    if path is None:
        return (), ()
    if not path.exists():
        msg = f"there is no baseline {path.as_posix()}"
        raise SourceError(msg, "begin one with: cloison drift --accept KEY --owner NAME")
    rows = _rows(path)
    late = tuple(row for row in rows if row.until is not None and row.until < today.isoformat())
    return tuple(row for row in rows if row not in late), late


def accept(path: Path, key: str, owner: str, until: date | None, reason: str = "") -> None:
    """Write a row into a baseline, in place of the one of its key.

    A file with comments keeps them: the row comes at its end, unless its key is there already.

    Raises:
        SourceError: The file cannot be read or written, or is no baseline.
        QuestionError: No finding can have such a key, or nobody answers for it.
    """
    try:
        row = _checked(_Row(key, owner, until.isoformat() if until else None, reason))
    except ValueError as error:
        raise QuestionError(str(error), _KEYS) from None
    held = _rows(path) if path.exists() else ()
    text = _longer(path, held, row) if held else None
    if text is None:
        kept = sorted((*(e for e in held if e.key != key), row), key=lambda each: each.key)
        rows = [_written(each) for each in kept]
        text = _yaml({"apiVersion": API_VERSION, "kind": KIND, "accepted": rows})
    replaced(path, text)


def _written(row: Accepted) -> dict[str, str]:
    names = ("key", "owner", "until", "reason")
    return {name: value for name in names if (value := getattr(row, name))}


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)


def _longer(path: Path, held: Sequence[Accepted], row: Accepted) -> str | None:
    """Return a file with comments and a row more; None where it is better written anew."""
    text = path.read_text("utf-8")
    if "#" not in text or row.key in {each.key for each in held}:
        return None
    last = re.search(r"^( *)- [^\n]*(?:\n(?!\1- )[^\n]*)*\Z", text, re.MULTILINE)
    if last is None:
        return None
    longer = text.rstrip("\n") + "\n" + indent(_yaml([_written(row)]), last[1])
    try:
        found = yaml.safe_load(longer)["accepted"]
    except (yaml.YAMLError, TypeError, KeyError):
        return None
    # Only what is surely the same list with one row more.
    same = [str(each.get("key")) for each in found] == [*(e.key for e in held), row.key]
    return longer if same and found[-1] == _written(row) else None


def _rows(path: Path) -> tuple[Accepted, ...]:
    shown = path.as_posix()
    documents = [each for each in read([shown], anything=True) if isinstance(each, Document)]
    if len(documents) != 1 or not isinstance(documents[0].root.value, dict):
        msg = f"{shown} is no baseline of drift: it is to hold one document, with `accepted`"
        raise SourceError(msg, "write it with: cloison drift --accept KEY --owner NAME")
    try:
        found = convert(documents[0].root, _Baseline)
        rows = tuple(_checked(row) for row in found.accepted)
        _spelt(documents[0])
    except (msgspec.ValidationError, ValueError) as error:
        msg = f"{shown} is no baseline of drift: {error}"
        raise SourceError(msg, "each row has key, owner, until (2027-01-31) and reason") from None
    if (found.api_version, found.kind) != (API_VERSION, KIND):
        msg = f"{shown} is no baseline of drift: it is {found.kind or 'of no kind'}"
        raise SourceError(msg, f"write apiVersion: {API_VERSION} and kind: {KIND}")
    return rows


def _spelt(document: Document) -> None:
    """Refuse a key that baselines do not have: what is under it would count for nothing."""
    held = document.root.value
    for name in held if isinstance(held, dict) else ():
        if name not in _TOP:
            msg = f"it has no {name!r}"
            raise ValueError(msg)


def _checked(row: _Row) -> Accepted:
    if (
        len(row.key) > _LONGEST
        or _FORM.fullmatch(row.key) is None
        or not _code(row.key.partition("|")[0])
    ):
        msg = f"no finding can have the key {row.key!r}"
        raise ValueError(msg)
    if not row.owner.strip():
        msg = f"nobody owns the row {row.key!r}"
        raise ValueError(msg)
    until = None if row.until is None else date.fromisoformat(row.until).isoformat()
    return Accepted(row.key, row.owner, until, row.reason)


def _code(pattern: str) -> bool:
    """Return whether a check has a code like this."""
    return any(fnmatchcase(code, pattern) for code in Code)


def remembered(path: Path | None) -> Memory:
    """Return what is remembered of the last run: nothing where there is no such file yet.

    Raises:
        SourceError: It cannot be read, or is no state file of this version.
    """
    if path is None or not path.exists():
        return BLANK
    advice = "name a file that drift wrote, or remove it and begin anew"
    data = read_whole(
        path, path.as_posix(), LARGEST, named_by="say --state FILE", smaller="remove it"
    )
    try:
        found = msgspec.json.decode(data, type=_State)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"{path.as_posix()} is no state of drift: {error}"
        raise SourceError(msg, advice) from None
    if found.version != _VERSION:
        msg = f"{path.as_posix()} is of version {found.version}, and this one reads {_VERSION}"
        raise SourceError(msg, advice)
    return Memory(
        found.began,
        found.until,
        {
            key: Known(e.state, e.first, e.last, e.confirmed, e.resolved)
            for key, e in found.findings.items()
        },
        found.labels,
        found.ranges,
        found.policies,
        found.since,
        frozenset(found.learned),
        ran=True,
        every_label=found.every_label,
    )


def remember(path: Path, memory: Memory) -> None:
    """Write what is to be remembered; whoever is killed meanwhile leaves the old file whole.

    Raises:
        SourceError: It cannot be written.
    """
    found = _State(
        _VERSION,
        memory.began,
        memory.until,
        {
            key: _Known(e.state, e.first, e.last, e.confirmed, e.resolved)
            for key, e in memory.findings.items()
        },
        _plain(memory.labels),
        dict(memory.ranges),
        memory.policies,
        memory.since,
        tuple(sorted(memory.learned)),
        memory.every_label,
    )
    replaced(path, msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n")


def _plain(labels: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {name: dict(held) for name, held in labels.items()}


def replaced(path: Path, text: str) -> None:
    """Put a text in place of a file at once: whoever reads it sees the old one or the new one.

    Raises:
        SourceError: It cannot be written.
    """
    name: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(
            "w",
            encoding="utf-8",
            dir=path.parent,
            prefix=f".{path.name}.{_OURS}-",
            suffix=".tmp",
            delete=False,
        ) as handle:
            name = handle.name
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        Path(name).replace(path)
    except OSError as error:
        if name is not None:
            with suppress(OSError):
                Path(name).unlink(missing_ok=True)
        msg = f"cannot write {path.as_posix()}: {error.strerror}"
        raise SourceError(msg, "name a file in a directory that can be written") from None


def swept(path: Path, older: float = _OLD) -> None:
    """Remove what a run left that was killed while it wrote, and nothing that is not its own.

    Args:
        path: The file that was to be written.
        older: Seconds that it has to be old: what is younger may still be written to.
    """
    ours = re.compile(rf"\.{re.escape(path.name)}\.{_OURS}-\w+\.tmp")
    with suppress(OSError):
        for each in path.parent.iterdir():
            if ours.fullmatch(each.name) and time.time() - each.stat().st_mtime >= older:
                each.unlink(missing_ok=True)
