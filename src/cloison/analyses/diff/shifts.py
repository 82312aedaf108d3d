"""What became of an edge between two snapshots, as values: shifts, reasons and changes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloison.algebra import AddressSet, TrafficSet
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef, Passage
from cloison.analyses.explain import Decider
from cloison.ir.when import Moved, moved, union


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
        found = _risen(self.before, self.after)
        return found | union(each.traffic for each in self.requests if each.gained)

    @property
    def lost(self) -> TrafficSet:
        """Traffic that has moved down: the mirror of `gained`."""
        found = _risen(self.after, self.before)
        return found | union(each.traffic for each in self.requests if not each.gained)

    @property
    def requests(self) -> tuple[Moved, ...]:
        """What has moved of traffic of which requests decide, before or after."""
        if not self.before.when and not self.after.when:
            return ()
        return moved(self.before.split, self.after.split)

    @property
    def opens(self) -> bool:
        """Whether traffic was gained, on a new edge or an old one."""
        return bool(self.gained)

    @property
    def closes(self) -> bool:
        """Whether traffic was lost."""
        return bool(self.lost)


def _risen(low: Passage, high: Passage) -> TrafficSet:
    passed = low.allowed | low.undetermined
    passes = high.allowed | high.undetermined
    risen = (high.allowed - low.allowed) | (passes - passed)
    # Of some traffic requests decide: that is told apart.
    return risen - union(each.traffic for each in (*low.when, *high.when))


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


NO_REASONS = Reasons()
"""Nobody is known to be responsible."""


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
    reasons: Reasons = NO_REASONS

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
    return [NO_REASONS] * len(destinations)


def reasons_of(explain: Explainer, src: EndRef, dst: EndRef, shift: Shift) -> Reasons:
    """Return the policies responsible for one change."""
    (why,) = explain(src, (dst,), shift)
    return why
