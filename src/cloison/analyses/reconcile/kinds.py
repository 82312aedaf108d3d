"""Cells of the cube: what traffic between two ends is, by what three relations say of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from cloison.algebra import TrafficSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.reconcile.seen import Seen
from cloison.base import Span

if TYPE_CHECKING:
    from cloison.algebra import Request


class Kind(StrEnum):
    """What a cell of the cube means; the worst first."""

    CONTRADICTED = "contradicted"
    """What happened is not what policies say: not enforced, other policies, or our mistake."""
    BROKEN = "broken"
    """Intended and not permitted: an outage, now or at the next connection."""
    ATTEMPTED = "attempted"
    """Observed and denied, and nobody means it: lateral movement, or a missing entry."""
    UNDOCUMENTED = "undocumented"
    """Permitted and observed, and nobody owns the reason."""
    UNDETERMINED = "undetermined"
    """Intended or observed, and nobody can say whether it is permitted."""
    UNUSED = "unused"
    """Intended and permitted, and not observed."""
    UNOBSERVED = "unobserved"
    """Intended and permitted, and no flow tells of either end: nobody watched."""
    HEALTHY = "healthy"
    """Intended, permitted, observed."""


class State(StrEnum):
    """Whether traffic between two ends is permitted."""

    YES = "yes"
    PARTLY = "partly"
    """For some of their pods or addresses."""
    UNCLEAR = "unclear"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What flows say of a cell.

    Args:
        allowed: Connections that got through.
        denied: Connections that policy stopped.
        audited: Connections that policy would have stopped, had it been enforced.
        other: Connections of which nobody says, or that were lost otherwise.
        ambiguous: Connections besides, with an address that several held at that time.
        first: When the first of them was seen; microseconds since 1970.
        last: When the last was seen.
        adapters: Which sources tell of them.
        closed: Whether all that got through did so before the first that was stopped.
        address: One of the addresses outside that they were seen with.
    """

    allowed: int = 0
    denied: int = 0
    audited: int = 0
    other: int = 0
    ambiguous: int = 0
    first: int | None = None
    last: int | None = None
    adapters: tuple[str, ...] = ()
    closed: bool = False
    address: str | None = None

    def __bool__(self) -> bool:
        """Return whether anything was seen."""
        return bool(self.allowed or self.denied or self.audited or self.other)

    @property
    def through(self) -> bool:
        """Whether the last word of flows is that it gets through."""
        return bool(self.allowed) and not self.closed

    @property
    def stopped(self) -> bool:
        """Whether the last word of flows is that policy stops it."""
        return bool(self.denied) and (not self.allowed or self.closed)

    @classmethod
    def of(cls, seen: Iterable[Seen]) -> "Evidence":
        """Return what some observed edges say together."""
        rows = tuple(seen)
        if not rows:
            return NOTHING
        counts = {"allowed": 0, "denied": 0, "audited": 0, "other": 0}
        for each in rows:
            counts[each.became if each.became in counts else "other"] += each.sure
        through = [each.last for each in rows if each.became == "allowed"]
        stopped = [each.first for each in rows if each.became == "denied"]
        times = [t for t in (*through, *stopped) if t is not None]
        told = len(times) == len(through) + len(stopped)
        firsts = [each.first for each in rows if each.first is not None]
        lasts = [each.last for each in rows if each.last is not None]
        outside = sorted({end.ip for each in rows for end in each.ends if end.ip is not None})
        return cls(
            **counts,
            ambiguous=sum(each.count - each.sure for each in rows),
            first=min(firsts, default=None),
            last=max(lasts, default=None),
            adapters=tuple(sorted({name for each in rows for name in each.adapters})),
            closed=bool(through and stopped)
            and told
            and max(t for t in through if t is not None) < min(t for t in stopped if t is not None),
            address=outside[0] if outside else None,
        )


NOTHING = Evidence()
"""Nothing was seen."""


@dataclass(frozen=True, slots=True)
class Because:
    """Why traffic is meant.

    Args:
        name: The contract's entry, or the part of the platform that needs it.
        owner: Who answers for it; None where nobody is named.
        span: Where it is written.
        implied: Whether the contract does not say it: the cluster does it by itself.
    """

    name: str
    owner: str | None = None
    span: Span | None = field(default=None, compare=False)
    implied: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """Traffic between two ends of which the three relations say the same.

    Args:
        kind: What that means.
        source: Who calls.
        destination: Who is called.
        traffic: With what.
        state: Whether it is permitted.
        intended: Who means it, by name.
        evidence: What flows say of it.
        conditional: Whether it hangs on the request.
        names: What to call the ends, where they are many addresses: `external:postgres`.
        requests: The requests that are meant, where some are.
    """

    kind: Kind
    source: EndRef
    destination: EndRef
    traffic: TrafficSet
    state: State
    intended: tuple[Because, ...] = ()
    evidence: Evidence = NOTHING
    conditional: bool = False
    names: tuple[str, str] = field(default=("", ""), compare=False)
    requests: "tuple[Request, ...]" = field(default=(), compare=False)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """By ends, then traffic."""
        return (self.source.sort_key, self.destination.sort_key, str(self.traffic), self.kind)


def kind_of(
    state: State,
    evidence: Evidence,
    *,
    intended: bool,
    watched: bool = True,
    conditional: bool = False,
) -> Kind:
    """Return what traffic is that somebody means, or that was seen.

    Args:
        state: Whether it is permitted.
        evidence: What flows say of it.
        intended: Whether somebody owns the reason for it.
        watched: Whether flows would tell of it.
        conditional: Whether it is permitted with some requests only.
    """
    match state:
        case State.UNCLEAR:
            return Kind.UNDETERMINED
        # Flows tell no requests: that others pass at this port contradicts nothing.
        case State.NO if evidence.through and not conditional:
            return Kind.CONTRADICTED
        case State.NO | State.PARTLY if intended:
            return Kind.BROKEN
        case State.NO:
            return Kind.ATTEMPTED
        case State.YES if evidence.stopped and not conditional:
            return Kind.CONTRADICTED
    if evidence.stopped:
        # Of what is meant, it may have been a request that is not to pass.
        return Kind.UNDETERMINED if intended else Kind.ATTEMPTED
    return _open(evidence, intended=intended, watched=watched)


def _open(evidence: Evidence, *, intended: bool, watched: bool) -> Kind:
    """Return what traffic is that passes."""
    if not intended:
        return Kind.UNDOCUMENTED
    if evidence:
        return Kind.HEALTHY
    return Kind.UNUSED if watched else Kind.UNOBSERVED
