"""The directory of a store: who may write, who reads, and what no longer belongs there."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Final

from cloison.base import CloisonError, SourceError
from cloison.flows.store.manifest import NAME, Manifest, load

LOCK: Final = "lock"
READERS: Final = "reading"
SCRATCH: Final = "scratch"
"""Where engines spill, and parts are staged."""

TABLES: Final = (
    "flows",
    "rollups",
    "labels",
    "identity",
    "listeners",
    "coverage",
    "changes",
    "bad",
)
"""Directories of a store's parts."""

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
"""What a disk may say that a store is on."""

_PART: Final = re.compile(r"part-\d{8,}-[0-9a-f]{12}\.(parquet|spool)")


def stores_below(directory: Path) -> frozenset[Path]:
    """Return the stores in a directory, and below it."""
    locks = directory.rglob(LOCK)
    return frozenset(
        lock.parent
        for lock in locks
        if (lock.parent / NAME).is_file() or (lock.parent / SCRATCH).is_dir()
    )


@contextmanager
def writing(store: Path) -> Iterator[Manifest]:
    """Hold a store alone for writing; what an earlier run left behind is swept first.

    Raises:
        SourceError: it cannot be made, is something else, or another run holds it; or its disk is
            full while it is held.
    """
    if store.is_dir() and not (store / LOCK).exists() and any(store.iterdir()):
        msg = f"{store} holds other things, and is no store of flows"
        raise SourceError(msg, "name a new directory with --store")
    try:
        (store / SCRATCH).mkdir(parents=True, exist_ok=True)
        handle = (store / LOCK).open("a+b")
    except OSError as error:
        msg = f"the store {store} cannot be written: {error.strerror}"
        raise SourceError(msg, "name another with --store") from None
    with handle:
        if not _lock(handle, alone=True):
            handle.seek(0)
            other = handle.read(32).decode("ascii", "replace").strip() or "unknown"
            msg = f"another run is writing to the store {store} (process {other})"
            raise SourceError(
                msg, "wait for it to end; what it has committed can be read meanwhile"
            )
        handle.truncate(0)
        handle.write(str(os.getpid()).encode())
        handle.flush()
        found = load(store)
        sweep(store, found)
        try:
            with _blaming(store):
                yield found
        except OSError as error:
            if error.errno not in _FULL:
                raise
            msg = f"the store {store} cannot be written: {os.strerror(error.errno or 0)}"
            help_ = "make room and run it again: what was committed stays, and is left out then"
            raise SourceError(msg, help_) from None


@contextmanager
def reading(store: Path) -> Iterator[Manifest]:
    """Hold a store for reading: none of its parts is removed meanwhile.

    Raises:
        SourceError: there is none.
    """
    if not (store / NAME).is_file():
        msg = f"there is no store of flows at {store}"
        raise SourceError(msg, "make one: cloison flows ingest PATH --store DIR")
    try:
        handle = (store / READERS).open("a+b")
    except OSError:
        # A store that one may only read has nobody who would remove parts as this user.
        with _blaming(store):
            yield load(store)
        return
    with handle:
        _lock(handle, alone=False, wait=True)
        with _blaming(store):
            yield load(store)


@contextmanager
def _blaming(store: Path) -> Iterator[None]:
    """Say which part of a store is at fault, where one is: engines each say it in their own way."""
    try:
        yield
    except CloisonError:
        raise
    except Exception:
        check(store, load(store), whole=True)
        raise


def check(store: Path, manifest: Manifest, *, whole: bool = False) -> None:
    """Check that the parts of a store are there, and as long as they were written.

    Args:
        store: The store.
        manifest: What belongs to it.
        whole: Whether to read them, too.

    Raises:
        SourceError: One is not, or cannot be read.
    """
    for part in manifest.parts:
        path = store / part.path
        try:
            size = path.stat().st_size
            problem = "" if size == part.size else f"has {size:,} bytes of {part.size:,}"
            if whole and not problem:
                import_module("pyarrow.parquet").read_table(path, partitioning=None)
        except FileNotFoundError:
            problem = "is missing"
        except (OSError, ValueError) as error:
            problem = f"cannot be read: {str(error).splitlines()[0]}"
        if problem:
            msg = f"{path}, a part of the store, {problem}"
            help_ = "put it back from a copy; without one, remove the store and ingest again"
            raise SourceError(msg, help_)


def sweep(store: Path, manifest: Manifest) -> int:
    """Remove what does not belong to a store, unless somebody reads; return how many files.

    Call it while holding the store for writing only.
    """
    with (store / READERS).open("a+b") as handle:
        if not _lock(handle, alone=True):
            return 0
        kept = {part.path for part in manifest.parts}
        removed = 0
        for table in (*TABLES, SCRATCH):
            removed += _swept(store, store / table, kept)
        return removed


def _swept(store: Path, top: Path, kept: set[str]) -> int:
    """Remove parts below a directory that are not kept; nothing else is ours to remove."""
    removed = 0
    for directory, below, files in os.walk(top, topdown=False):
        here = Path(directory)
        for name in files:
            if _PART.fullmatch(name) and str((here / name).relative_to(store)) not in kept:
                (here / name).unlink(missing_ok=True)
                removed += 1
        if not below and here != top:
            with suppress(OSError):  # something else is in there
                here.rmdir()
    return removed


def _lock(handle: BinaryIO, *, alone: bool, wait: bool = False) -> bool:
    """Return whether a lock was had; where there are none, as on Windows, it always is."""
    try:
        fcntl = import_module("fcntl")
    except ImportError:
        return True
    how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    try:
        fcntl.flock(handle, how if wait else how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
