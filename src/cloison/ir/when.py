"""Traffic that passes with some requests and not with others: what sets of pairs come to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cloison import algebra
from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.ir.caveats import REQUESTS_TOO_LARGE
from cloison.ir.fidelity import Caveat

if TYPE_CHECKING:
    from cloison.algebra import RequestSet


@dataclass(frozen=True, slots=True)
class When:
    """Traffic, and the requests with which it passes.

    Args:
        traffic: The traffic.
        allowed: Requests with which it passes.
        undetermined: Requests of which nobody can say; all else that is asked about is stopped.
        asked: The requests in question.
        doubts: Why nobody can say.
        given: Of what those that are undetermined hang on, where it is known and no part of a
            question: with it they pass, and without it they do not. Empty where it is not known.
    """

    traffic: TrafficSet
    allowed: "RequestSet"
    undetermined: "RequestSet"
    asked: "RequestSet"
    doubts: frozenset[Caveat] = frozenset()
    given: str = ""

    @classmethod
    def always(cls, traffic: TrafficSet) -> "When":
        """Return traffic that passes with every request."""
        every = algebra.EVERY_REQUEST
        return cls(traffic, every, algebra.NO_REQUESTS, every)

    @classmethod
    def only(cls, traffic: TrafficSet, requests: "RequestSet") -> "When":
        """Return traffic that passes with some requests, and with no other."""
        return cls(traffic, requests, algebra.NO_REQUESTS, algebra.EVERY_REQUEST)

    @classmethod
    def open(cls, traffic: TrafficSet, *doubts: Caveat) -> "When":
        """Return traffic of which nobody can say with which requests it passes."""
        every = algebra.EVERY_REQUEST
        return cls(traffic, algebra.NO_REQUESTS, every, every, frozenset(doubts))

    @classmethod
    def never(cls, traffic: TrafficSet) -> "When":
        """Return traffic that passes with no request."""
        nothing = algebra.NO_REQUESTS
        return cls(traffic, nothing, nothing, algebra.EVERY_REQUEST)

    @property
    def denied(self) -> "RequestSet":
        """Requests with which it is stopped."""
        return self.asked - self.allowed - self.undetermined

    @property
    def mixed(self) -> bool:
        """Whether it is known what decides: not where nobody can say of any request."""
        return bool(self.allowed) or self.undetermined != self.asked or bool(self.given)

    def _same(self, other: "When", left: "RequestSet") -> str:
        """Return what `left` hangs on, of two that come together."""
        said = {each.given for each in (self, other) if each.undetermined}
        return said.pop() if left and len(said) == 1 else ""

    def meet(self, other: "When") -> "When":
        """Return what passes both of two enforcement points."""
        traffic, doubts = self.traffic & other.traffic, self.doubts | other.doubts
        try:
            asked = self.asked & other.asked
            allowed = self.allowed & other.allowed
            passing = (self.allowed | self.undetermined) & (other.allowed | other.undetermined)
            open_ = passing - allowed
            given = self._same(other, open_)
            return When(traffic, allowed, open_, asked, doubts if passing else _NONE, given)
        except algebra.UndecidedError:
            return When.open(traffic, *doubts, REQUESTS_TOO_LARGE)

    def join(self, other: "When") -> "When":
        """Return what passes one of two ways."""
        traffic, doubts = self.traffic & other.traffic, self.doubts | other.doubts
        try:
            asked = self.asked | other.asked
            allowed = self.allowed | other.allowed
            undetermined = (self.undetermined | other.undetermined) - allowed
            doubts, given = doubts if undetermined else _NONE, self._same(other, undetermined)
            return When(traffic, allowed, undetermined, asked, doubts, given)
        except algebra.UndecidedError:
            return When.open(traffic, *doubts, REQUESTS_TOO_LARGE)

    def either(self, other: "When") -> "When":
        """Return what is certain where nobody knows which of two holds."""
        traffic, doubts = self.traffic & other.traffic, self.doubts | other.doubts
        try:
            asked = self.asked | other.asked
            allowed = self.allowed & other.allowed
            passing = self.allowed | self.undetermined | other.allowed | other.undetermined
            undetermined = passing - allowed
            alike = replace(self, traffic=traffic) == replace(other, traffic=traffic)
            doubts, given = doubts if undetermined else _NONE, self.given if alike else ""
            return When(traffic, allowed, undetermined, asked, doubts, given)
        except algebra.UndecidedError:
            return When.open(traffic, *doubts, REQUESTS_TOO_LARGE)


_NONE: frozenset[Caveat] = frozenset()
Split = tuple[TrafficSet, TrafficSet, tuple[When, ...]]
"""Traffic that passes, traffic that may, and that part of it of which requests decide."""


def within(when: Iterable[When], traffic: TrafficSet) -> tuple[When, ...]:
    """Return as much of some pieces as is in `traffic`."""
    return tuple(
        replace(each, traffic=each.traffic & traffic)
        for each in when
        if not each.traffic.isdisjoint(traffic)
    )


def met(one: Split, other: Split) -> Split:
    """Return what passes both of two enforcement points."""
    return _split(
        a.meet(b) for a in _parts(one) for b in _parts(other) if not a.traffic.isdisjoint(b.traffic)
    )


def joined(one: Split, other: Split) -> Split:
    """Return what passes one of two ways."""
    return _split(a.join(b) for _, a, b in aligned(one, other))


def either(one: Split, other: Split) -> Split:
    """Return what is certain where nobody knows which of two holds."""
    return _split(a.either(b) for _, a, b in aligned(one, other))


def aligned(one: Split, other: Split) -> Iterator[tuple[TrafficSet, When, When]]:
    """Iterate over pieces of all that passes or may pass one way or the other, with both."""
    ours, theirs = (known[0] | known[1] for known in (one, other))
    mine = [*_parts(one), When.never(theirs - ours)]
    for a in mine:
        for b in (*_parts(other), When.never(ours - theirs)):
            traffic = a.traffic & b.traffic
            if traffic:
                yield traffic, replace(a, traffic=traffic), replace(b, traffic=traffic)


@dataclass(frozen=True, slots=True)
class Moved:
    """Requests with which some traffic has come to pass, or no longer does.

    Args:
        traffic: The traffic.
        gained: Whether more is known to pass, or may; otherwise less.
        requests: The requests.
        mark: What is not known of them: `?` where they only may pass, `? before` where they
            may have passed, `? after` where they still may; empty for what is certain.
    """

    traffic: TrafficSet
    gained: bool
    requests: "RequestSet"
    mark: str = ""


def moved(before: Split, after: Split) -> tuple[Moved, ...]:
    """Return what has moved of traffic of which requests decide, before or after.

    Where it is too much work to tell, everything may have.
    """
    about = union(each.traffic for each in (*before[2], *after[2]))
    one, other = (_cut(known, about) for known in (before, after))
    found = (each for piece in aligned(one, other) for each in _moved(*piece))
    return tuple(sorted(found, key=lambda each: (not each.gained, each.traffic.spans, each.mark)))


def _moved(traffic: TrafficSet, was: When, now: When) -> Iterator[Moved]:
    sets: tuple[tuple[bool, RequestSet, str], ...]
    try:
        passed, passes = was.allowed | was.undetermined, now.allowed | now.undetermined
        sets = (
            (True, now.allowed - passed, ""),
            (True, now.undetermined - passed, "?"),
            (True, now.allowed & was.undetermined, "? before"),
            (False, was.allowed - passes, ""),
            (False, was.undetermined - passes, "?"),
            (False, was.allowed & now.undetermined, "? after"),
        )
    except algebra.UndecidedError:
        every = algebra.EVERY_REQUEST
        sets = ((True, every, "?"), (False, every, "?"))
    for gained, requests, mark in sets:
        if requests:
            yield Moved(traffic, gained, requests, mark)


def _cut(known: Split, traffic: TrafficSet) -> Split:
    return known[0] & traffic, known[1] & traffic, within(known[2], traffic)


def union(sets: Iterable[TrafficSet]) -> TrafficSet:
    """Return the union of sets of traffic."""
    found = NO_TRAFFIC
    for each in sets:
        found |= each
    return found


def split(allowed: TrafficSet, undetermined: TrafficSet, when: Iterable[When]) -> Split:
    """Return what passes, with what is known of some pieces of what may pass."""
    known = tuple(when)
    for each in known:
        undetermined -= each.traffic
    sure, maybe, pieces_ = _split(known)
    return allowed | sure, undetermined | maybe, pieces_


def pieces(when: Iterable[When]) -> tuple[When, ...]:
    """Return pieces of which those that say the same are one, sorted by traffic."""
    by_sets: dict[object, When] = {}
    for each in when:
        key = (each.allowed, each.undetermined, each.asked, each.doubts, each.given)
        known = by_sets.get(key)
        traffic = each.traffic if known is None else known.traffic | each.traffic
        by_sets[key] = replace(each, traffic=traffic)
    return tuple(sorted(by_sets.values(), key=lambda each: each.traffic.spans))


def _parts(split: Split) -> Iterator[When]:
    """Iterate over all that passes or may pass, as pieces."""
    allowed, undetermined, when = split
    for each in when:
        undetermined -= each.traffic
    if allowed:
        yield When.always(allowed)
    if undetermined:
        yield When.open(undetermined)
    yield from when


def _split(parts: Iterable[When]) -> Split:
    allowed, undetermined = NO_TRAFFIC, NO_TRAFFIC
    found = []
    for each in parts:
        if each.allowed == each.asked:
            allowed |= each.traffic
        elif each.allowed or each.undetermined:
            undetermined |= each.traffic
            if each.mixed or each.doubts:
                found.append(each)
    return allowed, undetermined, pieces(found)
