"""With which requests traffic passes: layers evaluated once more, over sets of requests.

That is done only for traffic on which a rule that asks for a request leaves the outcome open.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
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
    from cloison.algebra import RequestSet

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


class Conditions:
    """What rules ask of requests, as sets, each worked out once.

    Args:
        asked: The requests in question; None for all there are.
    """

    def __init__(self, asked: "RequestSet | None" = None) -> None:
        self._asked = asked
        self._known: dict[RequestCondition, _Sets] = {}
        self._held: dict[object, Held] = {}

    @property
    def asked(self) -> "RequestSet":
        """The requests in question."""
        return algebra.EVERY_REQUEST if self._asked is None else self._asked

    def held(self, requests: "RequestSet") -> Held:
        """Return a set that remembers what others of these conditions come to with it."""
        return Held(requests, self._held)

    def of(self, condition: RequestCondition | None) -> _Sets:
        """Return what is asked for, of the requests in question."""
        if condition is None:
            return self._as_sets(self.asked, self.asked)
        found = self._known.get(condition)
        if found is None:
            found = self._known[condition] = self._sets(condition)
        return found

    def _sets(self, condition: RequestCondition) -> _Sets:
        try:
            sets = condition.requests()
            must = sets.must & self.asked
            if sets.may is None:
                return self._as_sets(must, must)
            passing = must | (sets.may & self.asked)
        except algebra.UndecidedError:
            why = condition.doubt or REQUESTS_TOO_LARGE
            return self._as_sets(algebra.NO_REQUESTS, self.asked, why)
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
    """

    piece: TrafficSet
    conditions: Conditions
    whole: Held
    nothing: Held

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
        asks = rule.rule.condition is not None or rule.rule.sources is not None
        return (sets.must if certain and sure and not asks else self.nothing), sets.passing


Evaluate: TypeAlias = Callable[[Matched, RequestParts], Answer]
"""Returns what becomes of requests, by the rules that match."""


class Refiner:
    """Finds with which requests traffic passes, and remembers it.

    Args:
        asked: The requests in question; None for all there are.
    """

    def __init__(self, asked: "RequestSet | None" = None) -> None:
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
            if rule.rule.request is not None:
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
        asked = self._conditions.asked
        doubts = frozenset[Caveat]().union(*(self._conditions.of(c).doubts for c in asking))
        every, nothing = map(self._conditions.held, (asked, algebra.NO_REQUESTS))
        parts = RequestParts(traffic, self._conditions, every, nothing)
        try:
            if len(asking) > MOST_CONDITIONS:
                raise algebra.TooLargeError("too many conditions")
            allowed, undetermined = (each.requests for each in evaluate(matched, parts))
        except algebra.UndecidedError:
            return When(traffic, algebra.NO_REQUESTS, asked, asked, doubts | {REQUESTS_TOO_LARGE})
        return When(traffic, allowed, undetermined, asked, doubts if undetermined else frozenset())
