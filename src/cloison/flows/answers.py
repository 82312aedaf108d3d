"""What commands about flows answer, for whoever prints it. Needs no extra."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cloison.flows.store.manifest import Counts

_NONE: Final = Counts()


@dataclass(frozen=True, slots=True)
class Shared:
    """What a file has in common with another one, which was read before.

    Args:
        path: The other one.
        lines: First lines that are the same in both; they are counted once.
        unsure: How many lines after these may be the same as well; they are counted again.
    """

    path: str
    lines: int
    unsure: int = 0


@dataclass(frozen=True, slots=True)
class Ingested:
    """What came of a file.

    Args:
        path: The file.
        reader: What read it; `None` where nothing suits.
        sure: How sure it is that this is the right reader, from 0 to 1.
        others: Readers that it could be for as well, with how sure that is.
        new: What was read now.
        before: What had been read before, and was left out.
        problem: Why it was not read, or not to its end; empty where all is well.
        shared: What it has in common with another one; `None` where nothing.
    """

    path: str
    reader: str | None
    sure: float = 1.0
    others: tuple[tuple[str, float], ...] = ()
    new: Counts = _NONE
    before: Counts = _NONE
    problem: str = ""
    shared: Shared | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """One line of a ranking.

    Args:
        src: Who opened; `None` where lines are not about it.
        dst: Who was asked, likewise.
        port: Protocol and port, `TCP/8080`, likewise; `None` also where nobody knows who opened.
        verdict: What became of it, likewise.
        oriented: Whether it is known who opened.
        count: Connections, or events of sources that tell none.
        hours: In how many hours, at most, an edge of it was seen.
        first: When it was seen first.
        last: When it was seen last.
    """

    src: str | None
    dst: str | None
    port: str | None
    verdict: str | None
    oriented: bool
    count: int
    hours: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Top:
    """A ranking.

    Args:
        rows: The first lines, most connections first.
        total: How many lines there are.
        count: Connections of all of them.
        unoriented: Those of which nobody knows who opened.
        halfway: Those that only the source's side is known to have let go.
        ambiguous: Those with an address that several held.
    """

    rows: tuple[Counted, ...]
    total: int
    count: int
    unoriented: int
    halfway: int
    ambiguous: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Hours between others in which a source told of nothing.

    Args:
        since: Start of the first.
        until: End of the last.
    """

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """What is known by one reader.

    Args:
        name: The reader.
        inputs: How many files it has read.
        counts: What it read in them.
        undated: Flows without a time.
        hours: Hours with flows or a roll-up.
        first: Start of the first of them.
        last: End of the last of them.
        gaps: Hours between without any.
        raw: Flows that are still kept one by one.
    """

    name: str
    inputs: int
    counts: Counts
    undated: int
    hours: int
    first: datetime | None
    last: datetime | None
    gaps: tuple[Gap, ...]
    raw: int


@dataclass(frozen=True, slots=True)
class Node:
    """A node that told of flows.

    Args:
        name: Its name.
        flows: How many are kept.
        hours: In how many hours.
        first: The first.
        last: The last.
    """

    name: str
    flows: int
    hours: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Lost:
    """What a source says it did not see.

    Args:
        node: Where; `None` for all of it.
        reason: Why.
        events: How many events.
        sampled: One of this many was recorded.
        since: From when on.
        until: Until when.
    """

    node: str | None
    reason: str
    events: int
    sampled: int
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """The answer to `flows status`.

    Args:
        store: Where the store is.
        size: How many bytes its parts have.
        parts: How many these are.
        sources: What was read.
        nodes: Where flows were seen.
        lost: What is known to be missing.
        workloads: How many workloads and lone pods took part.
        edges: How many edges there are.
        connections: Connections by what became of them.
        initiators: Connections by how it is known who opened.
        halfway: Connections that only the source's side is known to have let go.
        ambiguous: Connections with an address that several held.
        identities: Addresses whose holders are known.
    """

    store: str
    size: int
    parts: int
    sources: tuple[Source, ...]
    nodes: tuple[Node, ...]
    lost: tuple[Lost, ...]
    workloads: int
    edges: int
    connections: dict[str, int]
    initiators: dict[str, int]
    halfway: int
    ambiguous: int
    identities: int


@dataclass(frozen=True, slots=True)
class Run:
    """The answer to `flows ingest`.

    Args:
        store: Where the store is.
        files: What came of each file.
        identities: Addresses whose holders were taken from objects.
        rolled: Hours that were rolled up.
    """

    store: str
    files: tuple[Ingested, ...]
    identities: int = 0
    rolled: int = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer to `flows query`.

    Args:
        columns: Names of the columns.
        rows: Flows, with a value for each column that is told.
        more: Whether there are more of them.
    """

    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]
    more: bool
