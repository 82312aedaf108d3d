"""Compiled policies as files: nothing that somebody else wrote is lost, nothing half written."""

import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cloison.analyses.contract.compile.model import LEFT, SOURCE, File, Result, State
from cloison.app.compile import COMPILER, mark
from cloison.base import Diagnostic, Severity, SourceError, sort_diagnostics
from cloison.base.words import few
from cloison.resources.names import printable


def write(result: Result, directory: Path, *, force: bool = False, by: str = COMPILER) -> Result:
    """Write the files of a compiled contract, each whole or not at all; say what became of each.

    Nothing is written where a file is in the way that was not written by this command. Files of
    the same namespaces that were written before, and are not any more, are left and told.

    Args:
        result: The compiled contract.
        directory: Where its files go, one directory for each namespace.
        force: Whether files are written over that others wrote.
        by: The command that writes them, as their first line says.

    Raises:
        SourceError: A file is in the way, a link leads elsewhere, or nothing can be written.
    """
    try:
        states = [_state(directory, each, by, force=force) for each in result.files]
        foreign = [each.path for each, state in zip(result.files, states, strict=True) if not state]
        if foreign:
            msg = f"{few(foreign)} in {directory} was not written by {by}"
            raise SourceError(msg, "name another directory, or say --force to write over it")
        done = []
        for each, state in zip(result.files, states, strict=True):
            if state is not State.SAME:
                _written(directory / each.path, each.text)
            done.append(replace(each, state=state or State.CHANGED))
        left = tuple(_left(result, directory, by))
    except OSError as error:
        msg = f"{error.filename} cannot be written: {error.strerror}"
        raise SourceError(msg, "name a directory that can be written to") from None
    said = [*result.findings, *(_told(directory, each) for each in left)]
    return replace(
        result,
        files=tuple(done),
        directory=str(directory),
        left=left,
        findings=sort_diagnostics(said),
    )


def _state(directory: Path, file: File, by: str, *, force: bool) -> State | None:
    """Return what would become of a file; None where it is somebody else's.

    Raises:
        SourceError: It would be written elsewhere.
    """
    path = directory / file.path
    for each in (path.parent, path):
        if each.is_symlink():
            msg = f"{each} is a link, and leads elsewhere"
            raise SourceError(msg, "take it away, or name another directory")
    if path.parent.exists() and not path.parent.is_dir():
        msg = f"{path.parent} is no directory"
        raise SourceError(msg, "take it away, or name another directory")
    if not path.exists():
        return State.NEW
    if not path.is_file():
        msg = f"{path} is no file"
        raise SourceError(msg, "take it away, or name another directory")
    if not _ours(path, by):
        return State.CHANGED if force else None
    wanted = file.text.encode()
    same = path.stat().st_size == len(wanted) and path.read_bytes() == wanted
    return State.SAME if same else State.CHANGED


def _ours(path: Path, by: str) -> bool:
    """Return whether a file says in its first line that this command wrote it."""
    wanted = mark(by).encode()
    with path.open("rb") as handle:
        return handle.read(len(wanted)) == wanted


def _written(path: Path, text: str) -> None:
    """Write a file beside its place first, so that there is never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".cloison-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(text.encode())
            out.flush()
            os.fsync(out.fileno())
        Path(beside).chmod(_mode())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _mode() -> int:
    """Return the mode that new files get here."""
    mask = os.umask(0)
    os.umask(mask)
    return (stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP) & ~mask


def _left(result: Result, directory: Path, by: str) -> Iterator[str]:
    """Yield files of the namespaces in question that were written before, and are not any more."""
    ours = {each.path for each in result.files}
    for home in sorted({each.path.partition("/")[0] for each in result.files}):
        for path in sorted((directory / home).glob("*.yaml")):
            name = f"{home}/{path.name}"
            if name not in ours and path.is_file() and not path.is_symlink() and _ours(path, by):
                yield name


def _told(directory: Path, name: str) -> Diagnostic:
    return Diagnostic(
        LEFT,
        Severity.WARNING,
        printable(f"{directory / name} was written before, and the contract has no more of it"),
        None,
        None,
        "what is in it still counts where it is applied",
        "take the file away, and its policies out of the cluster",
        SOURCE,
    )
