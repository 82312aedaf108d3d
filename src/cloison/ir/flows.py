"""Sets of traffic and of the requests made on it, together: of what passes, every part of it.

Where no request counts they are sets of traffic with a little around them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeAlias

from cloison import algebra
from cloison.algebra import ANY, NO_TRAFFIC, TrafficSet
from cloison.ir.fidelity import Verdict
from cloison.ir.when import When, union

if TYPE_CHECKING:
    from cloison.algebra import RequestSet

Piece: TypeAlias = "tuple[TrafficSet, RequestSet]"
"""Some traffic, and requests on it."""


@dataclass(frozen=True, slots=True)
class Flows:
    """A set of pairs of traffic and a request, always canonical, so equality is set equality.

    Operations raise `UndecidedError` where sets of requests do.

    Args:
        traffic: Traffic of which it holds every request.
        some: Other traffic with the requests that it holds: some, and never all; each traffic
            and each set of requests once, sorted by traffic.

    >>> from cloison.algebra import L4, RequestSet, StringSet
    >>> read = Flows.of(L4, RequestSet.http(StringSet.of("GET")))
    >>> print(Flows(L4) - read, "|", Flows(TrafficSet.ports("TCP", 80)) & read)
    any TCP, UDP or SCTP when (not GET) (any path) or anything but HTTP | TCP/80 when GET (any path)
    """

    traffic: TrafficSet = NO_TRAFFIC
    some: tuple[Piece, ...] = ()

    @classmethod
    def of(cls, traffic: TrafficSet, requests: "RequestSet") -> "Flows":
        """Return some requests on traffic."""
        return _made([(traffic, requests)])

    @property
    def pieces(self) -> Iterator["tuple[TrafficSet, RequestSet | None]"]:
        """Iterate over traffic with the requests on it, None for all of them."""
        if self.traffic:
            yield self.traffic, None
        yield from self.some

    @property
    def wide(self) -> TrafficSet:
        """All traffic of which it holds any request."""
        return self.traffic | union(traffic for traffic, _ in self.some)

    def within(self, traffic: TrafficSet) -> "Flows":
        """Return that part of it that is in `traffic`."""
        cut = ((each & traffic, requests) for each, requests in self.some)
        return Flows(self.traffic & traffic, tuple(each for each in cut if each[0]))

    def __or__(self, other: "Flows") -> "Flows":
        """Return the union."""
        if not self.some and not other.some:
            return Flows(self.traffic | other.traffic)
        return self._with(other, lambda one, two: one | two)

    def __and__(self, other: "Flows") -> "Flows":
        """Return the intersection."""
        if not self.some and not other.some:
            return Flows(self.traffic & other.traffic)
        return self._with(other, lambda one, two: one & two)

    def __sub__(self, other: "Flows") -> "Flows":
        """Return what is not in `other`."""
        if not self.some and not other.some:
            return Flows(self.traffic - other.traffic)
        return self._with(other, lambda one, two: one - two)

    def __le__(self, other: "Flows") -> bool:
        """Return whether all of it is in `other`."""
        if not self.some and not other.some:
            return self.traffic <= other.traffic
        return not self - other

    def isdisjoint(self, other: "Flows") -> bool:
        """Return whether the two share nothing."""
        if not self.some and not other.some:
            return self.traffic.isdisjoint(other.traffic)
        return not self & other

    def __bool__(self) -> bool:
        """Return whether it holds anything."""
        return bool(self.traffic or self.some)

    def __str__(self) -> str:
        """Render for people."""
        parts = (f"{t}" if r is None else f"{t} when {r}" for t, r in self.pieces)
        return "; ".join(parts) or "none"

    def _with(
        self, other: "Flows", combine: "Callable[[RequestSet, RequestSet], RequestSet]"
    ) -> "Flows":
        about = self.wide | other.wide
        return _made(
            (traffic, combine(mine, theirs))
            for one, mine in self.covering(about)
            for two, theirs in other.covering(about)
            if (traffic := one & two)
        )

    def covering(self, about: TrafficSet) -> Iterator[Piece]:
        """Iterate over all of some traffic, with the requests that are held of it."""
        if self.traffic:
            yield self.traffic, algebra.EVERY_REQUEST
        yield from self.some
        rest = about - self.wide
        if rest:
            yield rest, algebra.NO_REQUESTS


def _made(pieces: Iterable[Piece]) -> Flows:
    """Return the union of pieces whose traffic is disjoint."""
    by_requests: dict[RequestSet, TrafficSet] = {}
    for traffic, requests in pieces:
        known = by_requests.get(requests)
        by_requests[requests] = traffic if known is None else known | traffic
    by_requests.pop(algebra.NO_REQUESTS, None)
    whole = by_requests.pop(algebra.EVERY_REQUEST, NO_TRAFFIC)
    some = sorted(((t, r) for r, t in by_requests.items() if t), key=lambda each: each[0].spans)
    return Flows(whole, tuple(some))


NO_FLOWS = Flows()
"""Nothing."""
EVERY_FLOW = Flows(ANY)
"""All traffic with every request."""


class Passing(Protocol):
    """What is known of what passes: an outcome, or a passage."""

    @property
    def allowed(self) -> TrafficSet:
        """Traffic that passes."""

    @property
    def undetermined(self) -> TrafficSet:
        """Traffic that may pass, besides."""

    @property
    def when(self) -> tuple[When, ...]:
        """That part of it of which it is known with which requests it passes."""


@dataclass(frozen=True)
class Known:
    """What passes and what may, of all traffic and every request on it.

    Args:
        allowed: What passes.
        passing: That, and what may pass besides.
    """

    allowed: Flows
    passing: Flows

    @classmethod
    def of(cls, found: Passing) -> "Known":
        """Return it as sets of flows, of something judged for every request."""
        if not found.when:
            return cls(Flows(found.allowed), Flows(found.allowed | found.undetermined))
        vague = found.undetermined - union(each.traffic for each in found.when)
        sure = [(each.traffic, each.allowed) for each in found.when]
        perhaps = [(each.traffic, each.allowed | each.undetermined) for each in found.when]
        every = algebra.EVERY_REQUEST
        return cls(
            _made([(found.allowed, every), *sure]),
            _made([(found.allowed | vague, every), *perhaps]),
        )

    @cached_property
    def denied(self) -> Flows:
        """What is stopped."""
        return EVERY_FLOW - self.passing

    @cached_property
    def undetermined(self) -> Flows:
        """What may pass, besides what does."""
        return self.passing - self.allowed

    def meet(self, other: "Known") -> "Known":
        """Return what passes both of two enforcement points."""
        return Known(self.allowed & other.allowed, self.passing & other.passing)

    def within(self, traffic: TrafficSet) -> "Known":
        """Return the part of it that is in `traffic`; all else as stopped."""
        return Known(self.allowed.within(traffic), self.passing.within(traffic))

    def verdict(self, asked: Flows) -> Verdict:
        """Return the verdict on all of some flows."""
        if asked <= self.allowed:
            return Verdict.ALLOWED
        if asked.isdisjoint(self.passing):
            return Verdict.DENIED
        if asked <= self.passing and asked.isdisjoint(self.allowed):
            return Verdict.UNDETERMINED
        return Verdict.MIXED
