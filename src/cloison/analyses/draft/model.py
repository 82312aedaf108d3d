"""What speaks for an edge, and the draft that is made of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

from cloison.base import Span
from cloison.intent import Contract, Dependency
from cloison.resources.world import WorkloadId

WORLD = "zone:world"
"""Everything outside the cluster, as contracts write it."""


class Sure(IntEnum):
    """How sure a piece of evidence is."""

    LOW = 1
    """It could be so: a convention of names, settings that others have as well."""
    MEDIUM = 2
    """It probably is so."""
    HIGH = 3
    """Somebody wrote it down, or it was seen."""

    def __str__(self) -> str:
        """Render as a word."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Outside:
    """A service outside the cluster.

    Args:
        host: Its DNS name, or its block of addresses.
        block: Whether it is a block.
    """

    host: str
    block: bool = False

    @property
    def name(self) -> str:
        """What a contract calls it.

        >>> Outside("api.example.com").name, Outside("203.0.113.0/24", True).name
        ('api-example-com', 'block-203-0-113-0-24')
        """
        said = self.host.replace("*", "any")
        plain = "-".join(filter(None, "".join(c if c.isalnum() else "-" for c in said).split("-")))
        return f"block-{plain}" if self.block else plain


Party: TypeAlias = WorkloadId | Outside | str
"""Who calls or is called: a workload, a service outside, or an end as contracts write it."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One call, as enforcement points at the destination see it.

    Args:
        source: Who calls.
        destination: Who is called: the pods, never their Service.
        protocol: `TCP`, `UDP` or `SCTP`.
        port: The pods' own port; None where nothing says it.
        name: The port's name instead, where it is another number on each destination.
    """

    source: Party
    destination: Party
    protocol: str = "TCP"
    port: int | None = None
    name: str | None = None

    @property
    def key(self) -> tuple[str, str, str, int, str]:
        """What edges are sorted by."""
        ends = (str(self.source), str(self.destination))
        return (*ends, self.protocol, self.port or 0, self.name or "")

    @property
    def open(self) -> bool:
        """Whether nothing says its port."""
        return self.port is None and self.name is None

    @property
    def number(self) -> str:
        """The port for people."""
        port = self.name or ("no known port" if self.port is None else str(self.port))
        return port if self.protocol == "TCP" else f"{port}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class Hint:
    """One piece of evidence for an edge.

    Args:
        edge: The edge.
        text: What says so.
        span: Where that is written.
        sure: How sure it is.
        ask: Whether somebody has to confirm it before it counts.
        door: Whether it leads in from outside: who is called faces the public.
    """

    edge: Edge
    text: str
    span: Span | None = None
    sure: Sure = Sure.HIGH
    ask: bool = False
    door: bool = False

    @property
    def said(self) -> str:
        """The evidence as a line."""
        return f"{self.text} ({self.span.place})" if self.span is not None else self.text


@dataclass(frozen=True, slots=True)
class Need:
    """Something of the platform that workloads depend on.

    Args:
        id: A component's id, or what it does.
        text: What says so.
        span: Where that is written.
    """

    id: str
    text: str
    span: Span | None = None

    @property
    def said(self) -> str:
        """The evidence as a line."""
        return f"{self.text} ({self.span.place})" if self.span is not None else self.text


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the draft leaves out, and somebody should look at.

    Args:
        text: What it is.
        span: Where that is written.
    """

    text: str
    span: Span | None = None

    @property
    def said(self) -> str:
        """The doubt as a line."""
        return f"{self.text} ({self.span.place})" if self.span is not None else self.text


Found: TypeAlias = Hint | Need | Doubt
"""What a source of evidence gives."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A dependency with what speaks for it.

    Args:
        entry: The dependency.
        source: Who calls.
        destination: Who is called.
        hints: What speaks for it, the surest first.
    """

    entry: Dependency
    source: Party
    destination: Party
    hints: tuple[Hint, ...]

    @property
    def sure(self) -> Sure:
        """How sure it is: as its best evidence."""
        return max(each.sure for each in self.hints)


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted contract.

    Args:
        contract: What counts.
        suggested: Dependencies that count once somebody confirms them.
        remarks: Comments by section and name of an entry.
        accepted: Dependencies that count.
        unclassified: Workloads that nothing places.
        doubts: What was left out, and somebody should look at.
        crossings: Directions between zones that only suggestions need.
    """

    contract: Contract
    suggested: tuple[Drafted, ...] = ()
    remarks: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    accepted: tuple[Drafted, ...] = ()
    unclassified: tuple[WorkloadId, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    crossings: tuple[tuple[str, str], ...] = ()

    @property
    def dependencies(self) -> Iterator[Drafted]:
        """All dependencies, those that count first."""
        yield from (*self.accepted, *self.suggested)


def callers(hints: Iterable[Hint]) -> frozenset[Party]:
    """Return who is known to be called by some workload, entry or client."""
    return frozenset(
        each.edge.destination for each in hints if each.edge.source != each.edge.destination
    )
