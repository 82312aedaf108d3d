"""What belongs to a store: its parts, its inputs and how far each was read."""

import os
from pathlib import Path
from typing import Final

import msgspec

from cloison.base import SourceError

VERSION: Final = 1
"""Version of the layout; a store of another one is refused."""

NAME: Final = "manifest.json"


class Counts(msgspec.Struct, frozen=True):
    """How much was read.

    Args:
        lines: Lines that were not blank, or records of a document.
        flows: Flows they told of.
        others: Other records: identities, coverage, changes.
        bad: Lines that could not be read.
        skipped: Lines that are right and tell of nothing that is kept.
    """

    lines: int = 0
    flows: int = 0
    others: int = 0
    bad: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Return both together."""
        return Counts(
            self.lines + other.lines,
            self.flows + other.flows,
            self.others + other.others,
            self.bad + other.bad,
            self.skipped + other.skipped,
        )

    def __sub__(self, other: "Counts") -> "Counts":
        """Return what this has more than an earlier count."""
        return Counts(
            self.lines - other.lines,
            self.flows - other.flows,
            self.others - other.others,
            self.bad - other.bad,
            self.skipped - other.skipped,
        )


class Mark(msgspec.Struct, frozen=True):
    """A place up to which an input was read, and what it is found again by.

    Args:
        upto: The place, in decompressed bytes.
        line: Number of the line there.
        counts: What was read up to it.
        head: Digest of the first bytes: as many as there are before `upto`, at most `known.HEAD`.
        last: Digest of the bytes right before it.
        size: How many those are.
        sum: CRC of everything before it; -1 where an earlier version of this program did not tell.
    """

    upto: int
    line: int
    counts: Counts
    head: str
    last: str
    size: int
    sum: int = -1


class Input(msgspec.Struct, frozen=True):
    """A file that was read, under whatever name it went.

    Args:
        id: Its number, from 1.
        path: Where it was last seen.
        reader: What read it.
        marks: Places it was read up to, in order; early ones are kept, so that a copy from then is
            known again.
        open: What its last line told, which had no end yet: counted, and read anew next time.
        disk: Digest of a compressed file that was read to its end, as it is on disk.
        told: What the reader was told of it, as a digest; empty where nothing.
        steps: CRCs of everything up to the ends of lines 1, 2, 4, 8 and so on; see `lines`.
        rest: Of the last line that has no end yet, how many bytes it had, and the CRC after it.
        newest: Of a stream, the time of each node's newest flow, in microseconds.
    """

    id: int
    path: str
    reader: str
    marks: tuple[Mark, ...] = ()
    open: Counts = Counts()
    disk: str = ""
    told: str = ""
    steps: tuple[int, ...] = ()
    rest: tuple[int, int] = (0, 0)
    newest: dict[str, int] = {}

    @property
    def lines(self) -> int:
        """How many whole lines were read of it."""
        return self.marks[-1].line - 1 if self.marks else 0

    @property
    def counts(self) -> Counts:
        """Everything that was read of it."""
        return (self.marks[-1].counts if self.marks else Counts()) + self.open


class Part(msgspec.Struct, frozen=True):
    """A Parquet file of the store.

    Args:
        table: What it holds.
        path: Where it is, below the store.
        rows: How many rows it has.
        size: How many bytes.
        born: The commit that brought what it holds.
        source: Reader of its flows.
        hour: Hours since 1970 of its flows; `None` where they have no time.
        since: First time in it, in microseconds; `None` where nothing in it has one.
        until: Last time in it; `None` if that is open.
        input: Input of which it holds a last line without an end; 0 for every other part.
        kept: Whether it is a roll-up of flows that were removed since.
    """

    table: str
    path: str
    rows: int
    size: int
    born: int
    source: str = ""
    hour: int | None = None
    since: int | None = None
    until: int | None = None
    input: int = 0
    kept: bool = False


class Manifest(msgspec.Struct, frozen=True):
    """What belongs to a store.

    Args:
        version: Version of the layout.
        commit: How many commits there were.
        parts: Its parts.
        inputs: Its inputs.
        dropped: Rows of flows that retention removed, by reader.
    """

    version: int = VERSION
    commit: int = 0
    parts: tuple[Part, ...] = ()
    inputs: tuple[Input, ...] = ()
    dropped: dict[str, int] = {}

    def of(self, table: str) -> tuple[Part, ...]:
        """Return the parts of a table."""
        return tuple(part for part in self.parts if part.table == table)


def load(store: Path) -> Manifest:
    """Return what belongs to a store; nothing if there is none yet.

    Raises:
        SourceError: it cannot be read, or is of another version.
    """
    file = store / NAME
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except (OSError, msgspec.MsgspecError) as error:
        msg = f"{file} cannot be read: {error}"
        raise SourceError(msg, "name another store with --store") from None
    if found.version != VERSION:
        msg = f"{file} is of version {found.version}, and this program knows {VERSION}"
        raise SourceError(msg, "read its inputs again into another store")
    return found


def save(store: Path, manifest: Manifest) -> None:
    """Make a manifest the one that holds, in one step."""
    new = store / f".{NAME}"
    with new.open("wb") as handle:
        handle.write(msgspec.json.encode(manifest))
        handle.flush()
        os.fsync(handle.fileno())
    new.replace(store / NAME)
    settle(store)


def settle(directory: Path) -> None:
    """Make the names in a directory outlive a loss of power."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
