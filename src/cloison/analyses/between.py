"""Where two enforcers do not make the same of the same policies, and which fact that is owed to.

A fact is responsible for a difference if the difference is gone once one enforcer is of the other's
mind about it. That is tried, not guessed: the policies are evaluated by an enforcer in between.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cloison.algebra import L4, NO_TRAFFIC, TrafficSet, UndecidedError
from cloison.analyses.connectivity import EndRef, pairs_of
from cloison.analyses.diff import ChangeLine, Diff, Reasons, Shift
from cloison.analyses.diff.responsible import Responsible, Side
from cloison.engine import Engine
from cloison.ir.fidelity import Caveat, Verdict
from cloison.ir.flows import Flows, Known
from cloison.ir.profile import OtherProtocols, Profile
from cloison.platform.differences import ISOLATION, REQUESTS, SCTP, SERVICES, Fact

if TYPE_CHECKING:
    from cloison.algebra import RequestSet

Hybrid = Callable[[int, Fact], Engine | None]
"""Returns the engine of the first side (0) or the second (1) with a fact of the other one; None
where the fact could not stand there."""

_EXPLAINED = 400
"""Differences for which each fact is tried on their own ends; later ones share what was found for
one that the same rules decide."""
_ORDER = (Verdict.ALLOWED, Verdict.UNDETERMINED, Verdict.DENIED)


@dataclass(frozen=True, slots=True)
class Difference:
    """Traffic of which two enforcers do not say the same.

    Args:
        sources: Who connects.
        destinations: Who listens; every source with every destination, never with itself, but
            for a workload that stands alone on both sides: its own replicas are meant.
        traffic: The traffic.
        first: What the first enforcer makes of it.
        second: What the second one does.
        reasons: What decides, with the first (`before`) and with the second (`after`).
        facts: What the two do not agree on, and the difference is owed to; any one of them if
            `alone`, else all of them together. None where no fact is known to be responsible.
        alone: Whether each fact brings it about by itself.
        caveats: What the answer of one of them stands on, and that of the other does not.
        joint: The reasons are of one pair or another.
        requests: The requests on the traffic of which all this is said; None for all.
    """

    sources: tuple[EndRef, ...]
    destinations: tuple[EndRef, ...]
    traffic: TrafficSet
    first: Verdict
    second: Verdict
    reasons: Reasons
    facts: tuple[Fact, ...] = ()
    alone: bool = True
    caveats: tuple[Caveat, ...] = ()
    joint: bool = False
    requests: "RequestSet | None" = None

    @property
    def pairs(self) -> int:
        """How many edges it stands for."""
        return pairs_of(self.sources, self.destinations)


@dataclass(frozen=True, slots=True)
class Between:
    """The answer to `portability --between`.

    Args:
        first: One enforcer.
        second: The other.
        differences: Where they do not say the same, sorted.
        facts: What the two do not agree on and differences are owed to.
        aside: What they do not agree on and no edge shows.
        ends: Every end that was compared.
        caveats_first: What the answers of the first stand on.
        caveats_second: And those of the second.
        edges: How many edges there are on which something differs.
        partial: Only a part was asked for.
    """

    first: Profile
    second: Profile
    differences: tuple[Difference, ...] = ()
    facts: tuple[Fact, ...] = ()
    aside: tuple[Fact, ...] = ()
    ends: tuple[EndRef, ...] = ()
    caveats_first: tuple[Caveat, ...] = ()
    caveats_second: tuple[Caveat, ...] = ()
    edges: int = 0
    partial: bool = False

    def __bool__(self) -> bool:
        """Return whether anything differs."""
        return bool(self.differences)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Part of what is different on an edge: traffic of one verdict on each side."""

    traffic: TrafficSet
    requests: "RequestSet | None"
    first: Verdict
    second: Verdict

    @property
    def flows(self) -> Flows:
        """The traffic with its requests."""
        if self.requests is None:
            return Flows(self.traffic)
        return Flows.of(self.traffic, self.requests)

    @property
    def passes_after(self) -> bool:
        """Whether the second side lets more of it through."""
        return _ORDER.index(self.second) < _ORDER.index(self.first)


def between(
    engines: tuple[Engine, Engine], found: Diff, facts: Sequence[Fact], hybrid: Hybrid
) -> Between:
    """Return where two enforcers differ over the same policies, and because of what.

    Args:
        engines: The same policies and world with each of them.
        found: What is different in connectivity, from the first to the second.
        facts: What the two do not agree on.
        hybrid: Makes an enforcer in between.

    Cost: that of the difference; for a few hundred of its lines, besides, one question to an
    enforcer in between for every fact.
    """
    causes = _Causes(engines, tuple(f for f in facts if f.edges), hybrid)
    differences = tuple(causes.differences(found))
    used = {fact.id for each in differences for fact in each.facts}
    first, second = engines
    there = frozenset(about for engine in engines for about in _subjects(engine))
    return Between(
        first.profile,
        second.profile,
        differences,
        tuple(fact for fact in facts if fact.id in used),
        tuple(
            fact
            for fact in facts
            if fact.about in there and not (fact.id in used if fact.about else fact.edges)
        ),
        found.ends,
        found.caveats_before,
        found.caveats_after,
        sum(found.counts.values()),
        found.partial,
    )


def _subjects(engine: Engine) -> Iterator[str]:
    """Yield what facts may be about that is there; the empty text for those about nothing else."""
    yield ""
    if engine.world.services:
        yield SERVICES
    sctp = TrafficSet.protocol("SCTP")
    for policy in engine.policies.policies:
        yield policy.id.kind
        if policy.isolates:
            yield ISOLATION
        for rule in policy.rules:
            if rule.request is not None:
                yield REQUESTS
            named = any(each.protocol == "SCTP" for each in rule.traffic.named)
            if named or (rule.traffic.must & sctp and not rule.traffic.must >= L4):
                yield SCTP


@dataclass
class _Causes:
    """Tries facts; lives for one call."""

    engines: tuple[Engine, Engine]
    facts: tuple[Fact, ...]
    hybrid: Hybrid
    _tried: int = 0
    _sides: dict[tuple[int, str], Side | None] = field(default_factory=dict)
    _known: dict[object, tuple[tuple[Fact, ...], bool]] = field(default_factory=dict)

    def differences(self, found: Diff) -> Iterator[Difference]:
        """Yield what differs, line by line."""
        responsible = Responsible(*self.engines)
        for line in found.lines:
            src, dst = _pair(line)
            for piece in self._undefined(src, dst, _pieces(line.shift)):
                reasons = line.reasons
                if not line.joint:
                    reasons = responsible.of(
                        src, dst, piece.traffic, passes_after=piece.passes_after
                    )
                facts, alone = self._facts(src, dst, piece, reasons)
                yield Difference(
                    line.sources,
                    line.destinations,
                    piece.traffic,
                    piece.first,
                    piece.second,
                    reasons,
                    facts,
                    alone,
                    _caveats(line.shift, piece),
                    line.joint,
                    piece.requests,
                )

    def _undefined(self, src: EndRef, dst: EndRef, pieces: Iterable[_Piece]) -> Iterator[_Piece]:
        """Yield pieces, undetermined where a side only seems to deny what nobody has defined.

        Maps leave out protocols of which their policies do not say what becomes.
        """
        for piece in pieces:
            beyond = piece.traffic - L4
            denied = tuple(each is Verdict.DENIED for each in (piece.first, piece.second))
            open_ = NO_TRAFFIC
            for side, engine in zip(denied, self.engines, strict=True):
                undefined = engine.profile.other_protocols is OtherProtocols.UNDEFINED
                if side and beyond and undefined and piece.requests is None:
                    open_ = Side(engine).passage(src, dst, beyond).undetermined & beyond
            if piece.traffic - open_:
                yield replace(piece, traffic=piece.traffic - open_)
            first, second = (
                Verdict.UNDETERMINED if side else verdict
                for side, verdict in zip(denied, (piece.first, piece.second), strict=True)
            )
            if open_ and first is not second:
                yield replace(piece, traffic=open_, first=first, second=second)

    def _facts(
        self, src: EndRef, dst: EndRef, piece: _Piece, reasons: Reasons
    ) -> tuple[tuple[Fact, ...], bool]:
        key = (src.kind, dst.kind, piece, reasons)
        if self._tried < _EXPLAINED:
            self._tried += 1
        elif key in self._known:
            return self._known[key]
        found = self._known[key] = self._try(src, dst, piece)
        return found

    def _try(self, src: EndRef, dst: EndRef, piece: _Piece) -> tuple[tuple[Fact, ...], bool]:
        touched: list[Fact] = []
        for side, was, wanted in (
            (0, piece.first, piece.second),
            (1, piece.second, piece.first),
        ):
            held = [(f, self._verdict(side, f, src, dst, piece.flows)) for f in self.facts]
            sure = tuple(fact for fact, verdict in held if verdict is wanted)
            if sure:
                return sure, True
            touched += [f for f, verdict in held if verdict not in (None, was) and f not in touched]
        return tuple(touched), len(touched) == 1

    def _verdict(
        self, side: int, fact: Fact, src: EndRef, dst: EndRef, asked: Flows
    ) -> Verdict | None:
        """Return what an enforcer in between makes of some flows; None where there is none."""
        key = (side, fact.id)
        if key not in self._sides:
            engine = self.hybrid(side, fact)
            self._sides[key] = None if engine is None else Side(engine)
        held = self._sides[key]
        if held is None:
            return None
        try:
            return Known.of(held.passage(src, dst, asked.wide)).verdict(asked)
        except UndecidedError:
            return Verdict.UNDETERMINED


def _pair(line: ChangeLine) -> tuple[EndRef, EndRef]:
    """Return an edge of a line."""
    src = line.sources[0]
    others = (end for end in line.destinations if end != src)
    dst = next(others, None)
    if dst is not None:
        return src, dst
    if len(line.sources) > 1:
        return line.sources[1], line.destinations[0]
    return src, line.destinations[0]


def _pieces(shift: Shift) -> Iterator[_Piece]:
    """Yield what differs on an edge, by what each side makes of it."""
    try:
        found = tuple(_moved(Known.of(shift.before), Known.of(shift.after)))
    except UndecidedError:
        # Traffic of which requests decide is then undetermined.
        plain = (replace(passage, when=()) for passage in (shift.before, shift.after))
        found = tuple(_moved(*map(Known.of, plain)))
    for flows, first, second in found:
        for traffic, requests in flows.pieces:
            yield _Piece(traffic, requests, first, second)


def _moved(before: Known, after: Known) -> Iterator[tuple[Flows, Verdict, Verdict]]:
    """Yield flows, and what is made of them before and after, where that differs."""
    yield before.allowed - after.passing, Verdict.ALLOWED, Verdict.DENIED
    yield after.allowed - before.passing, Verdict.DENIED, Verdict.ALLOWED
    yield before.allowed & after.undetermined, Verdict.ALLOWED, Verdict.UNDETERMINED
    yield before.undetermined & after.allowed, Verdict.UNDETERMINED, Verdict.ALLOWED
    yield before.undetermined - after.passing, Verdict.UNDETERMINED, Verdict.DENIED
    yield after.undetermined - before.passing, Verdict.DENIED, Verdict.UNDETERMINED


def _caveats(shift: Shift, piece: _Piece) -> tuple[Caveat, ...]:
    """Return what only one side stands on, of a side that lets the piece through or may."""
    before, after = set(shift.before.caveats), set(shift.after.caveats)
    found: set[Caveat] = set()
    if piece.first is not Verdict.DENIED:
        found |= before - after
    if piece.second is not Verdict.DENIED:
        found |= after - before
    return tuple(sorted(found))
