"""The state file of drift: what is remembered of the last run, and how files are replaced."""

import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Final

import msgspec

from cloison.analyses.drift.model import BLANK, Known, Memory, State
from cloison.app.ownfile import read_whole
from cloison.base import SourceError

LARGEST: Final = 16 << 20
"""Bytes of either file."""
_VERSION: Final = 1
_OURS: Final = "cloison-drift"
"""What names of files have in them that are half written."""
_OLD: Final = 3600
"""Seconds after which nobody writes to such a file any more."""
_Hour = Annotated[int, msgspec.Meta(ge=-(1 << 40), le=1 << 40)]


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
