"""With which requests traffic passes: layers evaluated once more, over sets of requests.

That is done only for traffic on which a rule that asks for a request leaves the outcome open.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from cloison import algebra
from cloison.algebra import NO_TRAFFIC, TrafficSet
from cloison.engine.spectrum import Spectrum
from cloison.ir.caveats import REQUESTS_TOO_LARGE
from cloison.ir.fidelity import Caveat
from cloison.ir.requests import RequestCondition
from cloison.ir.ruleset import BoundRule
from cloison.ir.when import When

if TYPE_CHECKING:
    from cloison.algebra import Request, RequestSet

MOST_CONDITIONS = 128
"""Conditions of rules on the same traffic that are put together; of more nobody is told."""

Matched: TypeAlias = tuple[tuple[BoundRule, bool], ...]
"""Rules, each with whether it certainly matches the peer."""


class Held:
    """A set of requests that remembers what it came to together with others.

    Most of what layers ask is trivial: a set met with itself, or with what it leaves.

    Args:
        requests: The set.
        known: What operations came to, shared by all sets that meet.
    """

    __slots__ = ("_known", "requests")

    def __init__(self, requests: "RequestSet", known: "dict[object, Held]") -> None:
        self.requests = requests
        self._known = known

    def __and__(self, other: "Held") -> "Held":
        """Return the intersection."""
        one, two = self.requests, other.requests
        key = ("and", one, two)
        if key not in self._known:
            alone = one if one == two else algebra.NO_REQUESTS if self._leaves(two) else None
            self._keep(key, one & two if alone is None else alone)
        return self._known[key]

    def __or__(self, other: "Held") -> "Held":
        """Return the union."""
        one, two = self.requests, other.requests
        key = ("or", one, two)
        if key not in self._known:
            alone = one if one == two else algebra.EVERY_REQUEST if self._leaves(two) else None
            self._keep(key, one | two if alone is None else alone)
        return self._known[key]

    def __invert__(self) -> "Held":
        """Return all other requests."""
        key = ("not", self.requests)
        if key not in self._known:
            others = ~self.requests
            self._keep(key, others)
            self._keep(("not", others), self.requests)
        return self._known[key]

    def _leaves(self, requests: "RequestSet") -> bool:
        """Return whether some requests are known to be just those that are not in this set."""
        found = self._known.get(("not", self.requests))
        return found is not None and found.requests == requests

    def _keep(self, key: object, requests: "RequestSet") -> None:
        self._known[key] = Held(requests, self._known)

    def __bool__(self) -> bool:
        """Return whether it holds any request."""
        return bool(self.requests)


Answer: TypeAlias = tuple[Held, Held]
"""Requests with which traffic passes, and those with which it may besides."""


@dataclass(frozen=True, slots=True)
class _Sets:
    """A condition as sets.

    Args:
        must: Requests that certainly meet it.
        passing: Those, and all that may meet it.
        doubts: Why it is not known whether some do.
    """

    must: Held
    passing: Held
    doubts: frozenset[Caveat] = frozenset()


LONGEST = 1_000
"""Characters of a request that answers repeat."""


class Conditions:
    """What rules ask of requests, as sets, each worked out once.

    What is told of a request is decided by running over it, and the sets are about the rest: no
    set holds the texts of the request, which may be as long as they like.

    Args:
        request: The request in question, as far as it is told; None for all there are.
    """

    def __init__(self, request: "Request | None" = None) -> None:
        self._request = request
        self._known: dict[RequestCondition, _Sets] = {}
        self._held: dict[object, Held] = {}

    @cached_property
    def open(self) -> "RequestSet":
        """The requests in question, by what is not told of them."""
        if self._request is None:
            return algebra.EVERY_REQUEST
        return algebra.RequestSet.of(algebra.Request(self._request.kind)).given(self._request)

    @cached_property
    def asked(self) -> "RequestSet":
        """The requests in question, with what is told of them where that is not long."""
        if self._request is None:
            return algebra.EVERY_REQUEST
        long = any(len(value or "") > LONGEST for _, value in self._request.fields())
        return self.open if long else algebra.RequestSet.of(self._request)

    def held(self, requests: "RequestSet") -> Held:
        """Return a set that remembers what others of these conditions come to with it."""
        return Held(requests, self._held)

    def of(self, condition: RequestCondition | None) -> _Sets:
        """Return what is asked for, of the requests in question."""
        if condition is None:
            return self._as_sets(self.open, self.open)
        found = self._known.get(condition)
        if found is None:
            found = self._known[condition] = self._sets(condition)
        return found

    def _sets(self, condition: RequestCondition) -> _Sets:
        try:
            told = self._request
            sets = condition.requests() if told is None else condition.given(told)
            must = sets.must & self.open
            if sets.may is None:
                return self._as_sets(must, must)
            passing = must | (sets.may & self.open)
        except algebra.UndecidedError:
            return self._as_sets(algebra.NO_REQUESTS, self.open, REQUESTS_TOO_LARGE)
        return self._as_sets(must, passing, None if passing == must else sets.doubt)

    def _as_sets(
        self, must: "RequestSet", passing: "RequestSet", doubt: Caveat | None = None
    ) -> _Sets:
        doubts = frozenset(() if doubt is None else {doubt})
        return _Sets(self.held(must), self.held(passing), doubts)


@dataclass(frozen=True, slots=True)
class RequestParts:
    """All requests made on some traffic, which no rule splits further.

    Args:
        piece: The traffic.
        conditions: What rules ask.
        whole: The requests in question.
        nothing: No requests.
        given: The circumstance that is taken to hold; None while none is.
    """

    piece: TrafficSet
    conditions: Conditions
    whole: Held
    nothing: Held
    given: str | None = None

    def mask(self, traffic: TrafficSet) -> Held:
        """Return all requests where `traffic` holds the piece, else none."""
        return self.whole if self.piece <= traffic else self.nothing

    def traffic(self, mask: Held) -> TrafficSet:
        """Return the traffic of some requests."""
        return self.piece if mask else NO_TRAFFIC

    def reach(self, rule: BoundRule, *, sure: bool) -> tuple[Held, Held]:
        """Return the requests a rule certainly and possibly matches from a peer it matches."""
        certain = self.piece <= rule.traffic
        if not certain and not self.piece <= rule.may_traffic:
            return self.nothing, self.nothing
        sets = self.conditions.of(rule.rule.request)
        given, asks = rule.rule.given, rule.rule.condition is not None
        if given is not None and given.text == self.given:
            if not given.holds:
                return self.nothing, self.nothing
            asks = False
        asks = asks or rule.rule.sources is not None
        return (sets.must if certain and sure and not asks else self.nothing), sets.passing


Evaluate: TypeAlias = Callable[[Matched, RequestParts], Answer]
"""Returns what becomes of requests, by the rules that match."""


class Refiner:
    """Finds with which requests traffic passes, and remembers it.

    Args:
        asked: The request in question, as far as it is told; None for all there are.
    """

    def __init__(self, asked: "Request | None" = None) -> None:
        self._conditions = Conditions(asked)
        self._known: dict[object, When] = {}

    def when(
        self,
        matched: Matched,
        spectrum: Spectrum,
        undetermined: int,
        layers: Iterable[TrafficSet],
        evaluate: Evaluate,
        key: Callable[[Matched], object] | None = None,
    ) -> Iterator[When]:
        """Iterate over pieces of traffic that is undetermined as long as no request is known.

        Args:
            matched: The rules that match the peer.
            spectrum: Cuts traffic wherever a rule or a layer does.
            undetermined: The traffic, as one of its masks.
            layers: What the layers say of traffic.
            evaluate: Evaluates layers.
            key: Returns what rules come to, with all else that counts; None to forget.
        """
        masks = [spectrum.every(rule) for rule, _ in matched]
        asking = 0
        for (rule, _), mask in zip(matched, masks, strict=True):
            if rule.rule.request is not None or rule.rule.given is not None:
                asking |= mask
        said = {traffic for r, _ in matched for traffic in (r.traffic, r.may_traffic)}
        for piece in spectrum.cut(undetermined & asking, said.union(layers)):
            here = tuple(each for each, mask in zip(matched, masks, strict=True) if mask & piece)
            traffic = spectrum.traffic(piece)
            if not traffic:
                continue
            about = None if key is None else (key(here), traffic)
            found = self._known.get(about)
            if found is None:
                found = self._evaluated(here, traffic, evaluate)
                if about is not None:
                    self._known[about] = found
            yield found

    def _evaluated(self, matched: Matched, traffic: TrafficSet, evaluate: Evaluate) -> When:
        asking = {rule.rule.request for rule, _ in matched}
        asked, left = self._conditions.asked, self._conditions.open
        doubts = frozenset[Caveat]().union(*(self._conditions.of(c).doubts for c in asking))
        every, nothing = map(self._conditions.held, (left, algebra.NO_REQUESTS))
        parts = RequestParts(traffic, self._conditions, every, nothing)
        try:
            if len(asking) > MOST_CONDITIONS:
                raise algebra.TooLargeError("too many conditions")
            allowed, undetermined = (each.requests & asked for each in evaluate(matched, parts))
            given = self._given(matched, parts, evaluate, (allowed, undetermined), asked)
        except algebra.UndecidedError:
            return When(traffic, algebra.NO_REQUESTS, asked, asked, doubts | {REQUESTS_TOO_LARGE})
        doubts = doubts if undetermined else frozenset()
        return When(traffic, allowed, undetermined, asked, doubts, given)

    @staticmethod
    def _given(
        matched: Matched,
        parts: RequestParts,
        evaluate: Evaluate,
        known: tuple["RequestSet", "RequestSet"],
        asked: "RequestSet",
    ) -> str:
        """Return the one circumstance that what is undetermined hangs on; empty for none.

        Rules that hang on nothing, and let something through, may count with it or without.
        """
        texts = {rule.rule.given.text for rule, _ in matched if rule.rule.given is not None}
        if len(texts) != 1 or known[0]:
            return ""
        text = texts.pop()
        others = tuple(each for each in matched if each[0].rule.given is None)
        if any(each.requests & asked for each in evaluate(others, parts)):
            return ""
        allowed, undetermined = evaluate(matched, replace(parts, given=text))
        sure = not undetermined.requests & asked and allowed.requests & asked == known[1]
        return text if sure else ""
