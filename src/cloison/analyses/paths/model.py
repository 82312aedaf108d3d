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
    NODE = "node"
    """The packet arrives at a node, and is judged there before it is led to a pod."""
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

    The verdict is about the call's own packets. Whether the client gets an address for the name is
    told beside it (`lookup`): names are cached, and an address may come from elsewhere.

    Args:
        hops: Its connections, in order.
        stop: Why it ends early, where it does, though no policy is to blame; or what the input
            lacks to tell.
        copy: Whether it is that of a copy, on which nothing depends.
        notes: What else there is to know about it.
    """

    hops: tuple[Hop, ...]
    stop: Stop | None = None
    copy: bool = False
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What becomes of the call on this way."""
        # A hop that nobody could be asked about leaves it open.
        own = [h.verdict for h in self.hops if h.role is not HopRole.LOOKUP]
        if self.stop is not None:
            # Nothing arrives, but for what the input may only lack.
            own.append(Verdict.DENIED if self.stop.caveat is None else Verdict.UNDETERMINED)
        return way_verdict(own)

    @property
    def lookup(self) -> Verdict | None:
        """What becomes of looking the name up; None where nobody does, or nothing was judged."""
        found = [hop.verdict for hop in self.asked if hop.role is HopRole.LOOKUP]
        return way_verdict(found) if found else None

    @property
    def asked(self) -> tuple[Hop, ...]:
        """The hops that enforcement points were asked about."""
        return tuple(hop for hop in self.hops if hop.answer is not None)

    @property
    def first(self) -> Hop | None:
        """The first hop that keeps the call from passing; None where every one lets it through."""
        own = (hop for hop in self.asked if hop.role is not HopRole.LOOKUP)
        open_ = [hop for hop in own if hop.verdict is not Verdict.ALLOWED]
        whole = self.verdict
        return next((hop for hop in open_ if hop.verdict is whole), open_[0] if open_ else None)


def way_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """Return what becomes of a call whose hops have some verdicts: all must let it pass."""
    found = set(verdicts)
    for worst in (Verdict.DENIED, Verdict.MIXED, Verdict.UNDETERMINED):
        if worst in found:
            return worst
    return Verdict.ALLOWED
