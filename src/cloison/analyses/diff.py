"""`diff`: connectivity opened, closed and changed between two snapshots, as values.

Rows, not pairs, as in a map: for each source the sets of destinations of which the same is to
be said. Pairs are spelled out only when somebody iterates over the changes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import chain, islice, repeat, zip_longest

from cloison.algebra import AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.compress import fans, products
from cloison.analyses.connectivity import EndRef, Passage
from cloison.analyses.explain import Decider
from cloison.base import Span
from cloison.ir.fidelity import Caveat
from cloison.ir.policy import PolicyId


class Kind(StrEnum):
    """What became of an edge."""

    OPENED = "opened"
    """Nothing passed before, something passes or may pass after."""
    CLOSED = "closed"
    """The reverse."""
    CHANGED = "changed"
    """Something passes or may pass on both sides, but not the same."""


class Seen(StrEnum):
    """On which sides an end exists."""

    BOTH = "both"
    BEFORE = "before"
    """It is gone after."""
    AFTER = "after"
    """It is new."""


@dataclass(frozen=True, slots=True)
class Shift:
    """What passes between two ends before and after; the two differ in traffic.

    Args:
        before: What passed; empty when nothing did.
        after: What passes now.
        src: Whether the source exists on both sides.
        dst: Whether the destination does.
    """

    before: Passage
    after: Passage
    src: Seen = Seen.BOTH
    dst: Seen = Seen.BOTH

    @property
    def kind(self) -> Kind:
        """What became of the edge."""
        if not self.before:
            return Kind.OPENED
        return Kind.CHANGED if self.after else Kind.CLOSED

    @property
    def gained(self) -> TrafficSet:
        """Traffic that has moved up from denied through undetermined to allowed.

        What may pass now and surely did not counts, and so does what surely passes now and
        might have been stopped: both are opened, to whoever has to be safe.
        """
        return _risen(self.before, self.after)

    @property
    def lost(self) -> TrafficSet:
        """Traffic that has moved down: the mirror of `gained`."""
        return _risen(self.after, self.before)

    @property
    def opens(self) -> bool:
        """Whether traffic was gained, on a new edge or an old one."""
        return bool(self.gained)

    @property
    def closes(self) -> bool:
        """Whether traffic was lost."""
        return bool(self.lost)

    @property
    def mirror(self) -> "Shift":
        """The same change, undone."""
        return Shift(self.after, self.before, _MIRROR[self.src], _MIRROR[self.dst])


_MIRROR = {Seen.BOTH: Seen.BOTH, Seen.BEFORE: Seen.AFTER, Seen.AFTER: Seen.BEFORE}


def _risen(low: Passage, high: Passage) -> TrafficSet:
    passed = low.allowed | low.undetermined
    passes = high.allowed | high.undetermined
    return (high.allowed - low.allowed) | (passes - passed)


@dataclass(frozen=True, slots=True)
class Reasons:
    """What decided on each side, at the enforcement points that answer differently.

    A point that decides the same on both sides is no reason for a change and is left out.

    Args:
        before: Rules that let the traffic pass, or policies that stopped it, before.
        after: The same, after.
    """

    before: tuple[Decider, ...] = ()
    after: tuple[Decider, ...] = ()


def together(reasons: Iterable[Reasons]) -> Reasons:
    """Return everything that decided on one edge or another."""
    known = tuple(dict.fromkeys(reasons))
    return Reasons(
        tuple(dict.fromkeys(each for why in known for each in why.before)),
        tuple(dict.fromkeys(each for why in known for each in why.after)),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """What became of all traffic from `src` to `dst`.

    Args:
        src: Who connects.
        dst: Who listens.
        shift: What passes before and after, and which end exists on one side only.
        reasons: The policies responsible.
    """

    src: EndRef
    dst: EndRef
    shift: Shift
    reasons: Reasons = Reasons()

    @property
    def before(self) -> Passage:
        """What passed; empty when nothing did."""
        return self.shift.before

    @property
    def after(self) -> Passage:
        """What passes now; empty when nothing does."""
        return self.shift.after

    @property
    def kind(self) -> Kind:
        """What became of the edge: `opened`, `closed` or `changed`."""
        return self.shift.kind

    @property
    def gained(self) -> TrafficSet:
        """Traffic that was opened."""
        return self.shift.gained

    @property
    def lost(self) -> TrafficSet:
        """Traffic that was closed."""
        return self.shift.lost


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """The same change of every source to every destination, never to itself.

    As in a map, what a workload's own replicas may send each other has a line of its own, in
    which it stands alone on both sides. Expanding all lines gives exactly the changes.

    Args:
        sources: Who connects.
        destinations: Who listens.
        shift: What passes before and after.
        reasons: The policies responsible, for every pair of the line.
        joint: Its pairs have too many different reasons to say each: these are of one pair or
            another, in a very large diff of some.
    """

    sources: tuple[EndRef, ...]
    destinations: tuple[EndRef, ...]
    shift: Shift
    reasons: Reasons = Reasons()
    joint: bool = False

    @property
    def kind(self) -> Kind:
        """What became of the edges."""
        return self.shift.kind

    @property
    def pairs(self) -> int:
        """How many edges it stands for."""
        if len(self.sources) == 1 == len(self.destinations):
            return 1
        both = len({*self.sources} & {*self.destinations})
        return len(self.sources) * len(self.destinations) - both


class PolicyKind(StrEnum):
    """What became of a policy."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"
    """It says the same under another name."""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A policy that is not the same on both sides, whether or not that changes anything.

    Args:
        id: The policy; its name after, where it has one.
        kind: What became of it.
        before: Where it was written.
        after: Where it is written now.
        was: Its name before, where that is another.
    """

    id: PolicyId
    kind: PolicyKind
    before: Span | None = None
    after: Span | None = None
    was: PolicyId | None = None


Row = dict[Shift, BitMap]
"""Destinations by what became of the edges to them."""
Outer = dict[Shift, AddressSet]
"""Addresses outside by what became of the edges to, or from, them."""
Explainer = Callable[[EndRef, Sequence[EndRef], Shift], Iterable[Reasons]]
"""Names the policies responsible for the same change of edges from one source, edge by edge."""
Run = list[tuple[EndRef, Shift, Reasons]]
"""Changes of one source: destination, what became of the edge, and because of whom."""


def unexplained(_src: EndRef, destinations: Sequence[EndRef], _shift: Shift) -> Iterable[Reasons]:
    """Name nobody."""
    return [Reasons()] * len(destinations)


@dataclass(frozen=True)
class Diff:
    """The answer to `diff`.

    Args:
        ends: Every workload (or pod) and node of either side, sorted; rows refer to them by place.
        rows: For each end that sends, the destinations whose edge has changed.
        outward: For each end, the addresses outside it may send other things to than before.
        inward: For each end, the addresses outside that may send it other things.
        itself: For each end, what became of the traffic between its own replicas.
        only_before: Places of ends that are gone.
        only_after: Places of ends that are new.
        policies: Policies that are not the same, sorted, with or without effect.
        caveats_before: What the answer stands on before.
        caveats_after: And after.
        partial: Only a part was asked for.
        explain: Names the policies responsible for an edge; asked only for what is printed.
    """

    ends: tuple[EndRef, ...]
    rows: dict[int, Row] = field(default_factory=dict)
    outward: dict[int, Outer] = field(default_factory=dict)
    inward: dict[int, Outer] = field(default_factory=dict)
    itself: dict[int, Shift] = field(default_factory=dict)
    only_before: BitMap = field(default_factory=BitMap)
    only_after: BitMap = field(default_factory=BitMap)
    policies: tuple[PolicyChange, ...] = ()
    caveats_before: tuple[Caveat, ...] = ()
    caveats_after: tuple[Caveat, ...] = ()
    partial: bool = False
    explain: Explainer = field(default=unexplained, compare=False, repr=False)

    def __iter__(self) -> Iterator[Change]:
        """Iterate over the changes, sorted by source and destination, outside last."""
        return self.of(*Kind)

    def __bool__(self) -> bool:
        """Return whether connectivity differs."""
        return bool(self.rows or self.outward or self.inward or self.itself)

    def of(self, *kinds: Kind) -> Iterator[Change]:
        """Iterate over the changes of some kinds, in order."""
        for src, run in self.runs(*kinds):
            yield from (Change(src, *each) for each in run)

    def runs(self, *kinds: Kind) -> Iterator[tuple[EndRef, Run]]:
        """Iterate over the changes of some kinds, in order, those of one source at a time.

        There may be millions: what many have in common is one object.
        """
        for source in sorted({*self.rows, *self.outward, *self.itself}):
            src = self.ends[source]
            found: dict[int, tuple[EndRef, Shift, Reasons]] = {}
            for shift, members in self._row(source).items():
                if shift.kind in kinds:
                    ends = self._named(members)
                    why = self.explain(src, ends, shift)
                    found.update(zip(members, zip(ends, repeat(shift), why), strict=True))
            run = [found[place] for place in sorted(found)]
            for ip, shift in _outside(self.outward.get(source, {})):
                if shift.kind in kinds:
                    run.append((ip, shift, self._why(src, ip, shift)))
            if run:
                yield src, run
        into = [
            (ip, self.ends[place], shift)
            for place, held in self.inward.items()
            for ip, shift in _outside(held)
            if shift.kind in kinds
        ]
        for src, dst, shift in sorted(into, key=lambda each: (each[0].sort_key, each[1].sort_key)):
            yield src, [(dst, shift, self._why(src, dst, shift))]

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """All changes at once."""
        return tuple(self)

    @cached_property
    def opened(self) -> tuple[Change, ...]:
        """Edges over which nothing passed before."""
        return tuple(self.of(Kind.OPENED))

    @cached_property
    def closed(self) -> tuple[Change, ...]:
        """Edges over which nothing passes any more."""
        return tuple(self.of(Kind.CLOSED))

    @cached_property
    def changed(self) -> tuple[Change, ...]:
        """Edges over which other traffic passes than before."""
        return tuple(self.of(Kind.CHANGED))

    @cached_property
    def new_ends(self) -> tuple[EndRef, ...]:
        """Ends that exist only after."""
        return tuple(self.ends[i] for i in self.only_after)

    @cached_property
    def removed_ends(self) -> tuple[EndRef, ...]:
        """Ends that exist only before."""
        return tuple(self.ends[i] for i in self.only_before)

    def shifts(self) -> Iterator[tuple[Shift, int]]:
        """Iterate over every shift with a number of edges, without spelling those out."""
        for row in self.rows.values():
            yield from ((shift, len(members)) for shift, members in row.items())
        for table in (self.outward, self.inward):
            for found in table.values():
                yield from ((shift, 1) for shift in found)
        yield from ((shift, 1) for shift in self.itself.values())

    @cached_property
    def counts(self) -> dict[Kind, int]:
        """Number of edges of each kind."""
        found = dict.fromkeys(Kind, 0)
        for shift, number in self.shifts():
            found[shift.kind] += number
        return found

    @cached_property
    def opens(self) -> bool:
        """Whether anything was opened, a new edge or new traffic on an old one."""
        return any(shift.opens for shift, _ in self.shifts())

    @cached_property
    def closes(self) -> bool:
        """Whether anything was closed."""
        return any(shift.closes for shift, _ in self.shifts())

    @cached_property
    def lines(self) -> tuple[ChangeLine, ...]:
        """The changes, compressed to what a person can read: opened, changed, closed."""
        found = sorted(
            self._lines(),
            key=lambda line: (
                _ORDER.index(line.kind),
                [s.sort_key for s in line.sources],
                [d.sort_key for d in line.destinations],
                *(str(t) for p in (line.shift.before, line.shift.after) for t in _traffic(p)),
            ),
        )
        return tuple(found)

    def _lines(self) -> Iterator[ChangeLine]:
        yield from self._inner_lines()
        for table, outward in ((self.outward, True), (self.inward, False)):
            for shift, places, addresses in fans(table):
                outside = EndRef("ip", addresses=addresses)
                yield from self._fan(shift, places, outside, outward=outward)
        alone: dict[Shift, list[EndRef]] = defaultdict(list)
        for place, shift in self.itself.items():
            alone[shift].append(self.ends[place])
        for shift, ends in alone.items():
            whys = [self._why(end, end, shift) for end in ends]
            joint = len({*whys}) > _APART
            whys = [together(whys)] * len(ends) if joint else whys
            for end, why in zip(ends, whys, strict=True):
                yield ChangeLine((end,), (end,), shift, why, joint=joint)

    def _inner_lines(self) -> Iterator[ChangeLine]:
        """Iterate over lines of edges within the cluster."""
        apart: dict[int, dict[tuple[Shift, Reasons], BitMap]] = defaultdict(dict)
        left = _EXPLAINED
        for shift, sources, members in products(self.rows):
            pairs = _chosen(sources, members, left)
            left = max(0, left - len(pairs))
            found = {(s, d): self._why(self.ends[s], self.ends[d], shift) for s, d in pairs}
            different = len({*found.values()})
            whole = len(sources) * len(members) - len(members & BitMap(sources))
            if different <= _APART and len(found) == whole:
                for (src, dst), why in found.items():
                    apart[src].setdefault((shift, why), BitMap()).add(dst)
            else:
                ends = self._named(sources), self._named(members)
                yield ChangeLine(*ends, shift, together(found.values()), joint=different > 1)
        for (shift, why), sources, members in products(apart):
            yield ChangeLine(self._named(sources), self._named(members), shift, why)

    def _fan(
        self, shift: Shift, places: list[int], outside: EndRef, *, outward: bool
    ) -> Iterator[ChangeLine]:
        groups: dict[Reasons, list[int]] = defaultdict(list)
        for place in places:
            end = self.ends[place]
            pair = (end, outside) if outward else (outside, end)
            groups[self._why(*pair, shift)].append(place)
        joint = len(groups) > _APART
        if joint:
            groups = {together(groups): places}
        for why, members in groups.items():
            inside = self._named(members)
            src, dst = (inside, (outside,)) if outward else ((outside,), inside)
            yield ChangeLine(src, dst, shift, why, joint=joint)

    def _named(self, places: Iterable[int]) -> tuple[EndRef, ...]:
        return tuple(self.ends[place] for place in places)

    def _row(self, source: int) -> Row:
        """Return what became of the edges from an end, those among its replicas included."""
        row = self.rows.get(source, {})
        if source not in self.itself:
            return row
        shift = self.itself[source]
        return {**row, shift: row.get(shift, BitMap()) | BitMap([source])}

    def _why(self, src: EndRef, dst: EndRef, shift: Shift) -> Reasons:
        (why,) = self.explain(src, (dst,), shift)
        return why


_ORDER = (Kind.OPENED, Kind.CHANGED, Kind.CLOSED)
"""Lines are told in this order: what was opened matters most to security."""
_EXPLAINED = 5_000
"""Edges between workloads whose reasons are looked up to make lines of them."""
_FEW = 4
"""Edges of a line that are looked at once so many have been."""
_APART = 8
"""Different reasons of one line for which it is told apart; beyond, they are told together."""


def _chosen(sources: Sequence[int], members: BitMap, limit: int) -> list[tuple[int, int]]:
    """Return the pairs of a product whose reasons to look up: all of them, if they are few.

    Else each source with one destination and each destination with one source, since most
    policies are asked because of one end; of those, too, no more than the limit.
    """
    if len(sources) * len(members) <= limit:
        return [(s, d) for s in sources for d in members if s != d]
    first = sources[0]
    leaving = ((s, next(d for d in members if d != s)) for s in sources)
    entering = ((first, d) for d in members if d != first)
    both = chain.from_iterable(zip_longest(leaving, entering))
    return list(islice((pair for pair in both if pair is not None), max(limit, _FEW)))


def _traffic(passage: Passage) -> tuple[TrafficSet, TrafficSet]:
    return passage.allowed, passage.undetermined


def _outside(found: Outer) -> list[tuple[EndRef, Shift]]:
    ends = [(EndRef("ip", addresses=addresses), shift) for shift, addresses in found.items()]
    return sorted(ends, key=lambda item: item[0].sort_key)
