"""Files of drift: what somebody accepts, and what is remembered of the last run."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Final

import msgspec
import yaml

from cloison.analyses.drift.model import BLANK, Accepted, Known, Memory, State
from cloison.app.ownfile import read_whole
from cloison.base import SourceError
from cloison.resources.documents import Document
from cloison.resources.project import convert
from cloison.sources import read

API_VERSION: Final = "cloison.dev/v1alpha1"
KIND: Final = "DriftBaseline"
LARGEST: Final = 16 << 20
"""Bytes of either file."""
_VERSION: Final = 1
_Hour = Annotated[int, msgspec.Meta(ge=-(1 << 40), le=1 << 40)]
_Text = Annotated[str, msgspec.Meta(max_length=4096)]


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


def baseline(path: Path | None, today: date) -> tuple[tuple[Accepted, ...], tuple[Accepted, ...]]:
    """Return the rows of a baseline that count on a day, and those that have expired.

    Args:
        path: The file; None for no baseline. One that is not there yet holds nothing.
        today: The day.

    Raises:
        SourceError: It cannot be read, or is no baseline.
    """
    if path is None or not path.exists():
        return (), ()
    rows = _rows(path)
    late = tuple(row for row in rows if row.until is not None and row.until < today.isoformat())
    return tuple(row for row in rows if row not in late), late


def accept(path: Path, key: str, owner: str, until: date | None, reason: str = "") -> None:
    """Write a row into a baseline, in place of the one of its key.

    Raises:
        SourceError: The file cannot be read or written, or is no baseline.
    """
    held = _rows(path) if path.exists() else ()
    row = Accepted(key, owner, until.isoformat() if until else None, reason)
    kept = [*(each for each in held if each.key != key), row]
    listed = [
        {
            name: value
            for name in ("key", "owner", "until", "reason")
            if (value := getattr(each, name))
        }
        for each in sorted(kept, key=lambda each: each.key)
    ]
    document = {"apiVersion": API_VERSION, "kind": KIND, "accepted": listed}
    replaced(path, yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000))


def _rows(path: Path) -> tuple[Accepted, ...]:
    shown = path.as_posix()
    documents = [each for each in read([shown], anything=True) if isinstance(each, Document)]
    if len(documents) != 1 or not isinstance(documents[0].root.value, dict):
        msg = f"{shown} is no baseline of drift: it is to hold one document, with `accepted`"
        raise SourceError(msg, "write it with: cloison drift --accept KEY --owner NAME")
    try:
        found = convert(documents[0].root, _Baseline)
        rows = tuple(_checked(row) for row in found.accepted)
    except (msgspec.ValidationError, ValueError) as error:
        msg = f"{shown} is no baseline of drift: {error}"
        raise SourceError(msg, "each row has key, owner, until (2027-01-31) and reason") from None
    if (found.api_version, found.kind) != (API_VERSION, KIND):
        msg = f"{shown} is no baseline of drift: it is {found.kind or 'of no kind'}"
        raise SourceError(msg, f"write apiVersion: {API_VERSION} and kind: {KIND}")
    return rows


def _checked(row: _Row) -> Accepted:
    if not row.owner.strip():
        msg = f"nobody owns the row {row.key!r}"
        raise ValueError(msg)
    until = None if row.until is None else date.fromisoformat(row.until).isoformat()
    return Accepted(row.key, row.owner, until, row.reason)


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
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
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


def swept(path: Path) -> None:
    """Remove what a run left that was killed while it wrote."""
    for each in _left(path):
        with suppress(OSError):
            each.unlink(missing_ok=True)


def _left(path: Path) -> Iterable[Path]:
    return path.parent.glob(f".{path.name}.*") if path.parent.is_dir() else ()
