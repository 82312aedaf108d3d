"""What a call comes to: ways it may take, each a list of hops.

A hop is one connection, from whoever opens it to whoever accepts it, and enforcement points judge
hops only. A client that calls a name first asks a resolver; what it then dials may be translated,
or taken in by a gateway that opens a connection of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cloison.base import Span
from cloison.ir.fidelity import Caveat, Verdict
from cloison.platform.routes.model import Stop

if TYPE_CHECKING:
    from cloison.analyses.ask import Explanation, Question

__all__ = ["Hop", "HopRole", "Stop", "Way", "way_verdict"]


class HopRole(StrEnum):
    """What a hop is for."""

    LOOKUP = "lookup"
    """The client asks a resolver for the address of a name."""
    ENTRY = "entry"
    """The client reaches whoever serves a gateway."""
    BACKEND = "backend"
    """Whoever serves a gateway reaches what is behind it."""
    PROXY = "proxy"
    """The client reaches the proxy it is told to use."""
    CALL = "call"
    """The connection that was asked for, or the last stretch of it."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One connection on the way.

    Args:
        role: What it is for.
        question: Who opens it to whom, and on what, as enforcement points see it.
        why: What says that the way goes here, one statement each.
        span: Where that is written.
        assumed: What stands in for something that the input does not hold; None where
            nothing does.
        caveats: What that it goes here stands on.
        answer: What enforcement points make of it; None where nobody was asked.
    """

    role: HopRole
    question: "Question"
    why: tuple[str, ...] = ()
    span: Span | None = None
    assumed: str | None = None
    caveats: tuple[Caveat, ...] = ()
    answer: "Explanation | None" = None

    @property
    def verdict(self) -> Verdict:
        """What becomes of it."""
        return Verdict.UNDETERMINED if self.answer is None else self.answer.verdict


@dataclass(frozen=True, slots=True)
class Way:
    """One way a call may take, from the client to the end.

    Args:
        hops: Its connections, in order.
        stop: Why it ends early, where it does, though no policy is to blame.
    """

    hops: tuple[Hop, ...]
    stop: Stop | None = None

    @property
    def verdict(self) -> Verdict:
        """What becomes of the call on this way."""
        if self.stop is not None:
            return Verdict.DENIED
        return way_verdict(hop.verdict for hop in self.asked)

    @property
    def asked(self) -> tuple[Hop, ...]:
        """The hops that enforcement points were asked about."""
        return tuple(hop for hop in self.hops if hop.answer is not None)

    @property
    def first(self) -> Hop | None:
        """The first hop that does not let all of it through; None where every one does."""
        return next((hop for hop in self.asked if hop.verdict is not Verdict.ALLOWED), None)


def way_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """Return what becomes of a call whose hops have some verdicts: all must let it pass."""
    found = set(verdicts)
    for worst in (Verdict.DENIED, Verdict.MIXED, Verdict.UNDETERMINED):
        if worst in found:
            return worst
    return Verdict.ALLOWED
