"""What a reader of one source is. A new one takes a file and a name in `readers.READERS`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from cloison.flows.schema import Record

Framing = Literal["lines", "whole", "parquet"]
"""How a file is cut: a record for each line; one document; columns of its own."""


@dataclass(frozen=True, slots=True)
class Head:
    """How a file begins: what its format is told by.

    Args:
        name: Its name, without directories.
        data: Its first bytes, decompressed; at most 64 KiB.
        lines: Those of its first lines that are whole and not blank.
    """

    name: str
    data: bytes
    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Options:
    """What a user says about a source beyond what it says itself.

    Args:
        cluster: Name of the cluster it is about; `None` where it says so itself.
        mapping: Our column for a column or key of the source, where the format is the user's own.
        format: Order of the fields, where the format is the user's own and has no header.
    """

    cluster: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    format: str | None = None


class BadRecordError(ValueError):
    """A record that cannot be read; the message says why. The others of its file can be."""


Decode = Callable[[bytes], Iterable[Record]]
"""Reads one record's bytes: to nothing for what is no flow. A bad one raises `BadRecordError`, or
`RecursionError` where it nests deeper than anything is decoded.

What it remembers between records may only make it faster: reading may stop after any of them and go
on in another process.
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """How one source is recognised and read.

    Args:
        name: What it is called in commands and in the column `adapter` of the store.
        title: What people call it.
        suits: How sure one can be that a file with this head is of this source, from 0 to 1. Two
            sources may look alike; the surest wins, and the run says how sure it was.
        open: A decoder for a file with this head.
        framing: How its files are cut into records.
        source: Where the format is described.
    """

    name: str
    title: str
    suits: Callable[[Head], float]
    open: Callable[[Head, Options], Decode]
    source: str
    framing: Framing = "lines"
