"""`diff`: connectivity opened, closed and changed between two snapshots.

Rows, not pairs, as in a map: for each source the sets of destinations of which the same is to
be said. Pairs are spelled out only when somebody iterates over the changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat

from cloison.algebra.bitmaps import BitMap
from cloison.analyses.connectivity import EndRef
from cloison.analyses.diff.lines import ChangeLine, lines
from cloison.analyses.diff.policies import PolicyChange
from cloison.analyses.diff.shifts import (
    Change,
    Explainer,
    Kind,
    Outer,
    Reasons,
    Row,
    Run,
    Shift,
    reasons_of,
    unexplained,
)
from cloison.ir.fidelity import Caveat


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
                    ends = tuple(self.ends[place] for place in members)
                    why = self.explain(src, ends, shift)
                    found.update(zip(members, zip(ends, repeat(shift), why), strict=True))
            run = [found[place] for place in sorted(found)]
            for ip, shift in _outside(self.outward.get(source, {})):
                if shift.kind in kinds:
                    run.append((ip, shift, reasons_of(self.explain, src, ip, shift)))
            if run:
                yield src, run
        into = [
            (ip, self.ends[place], shift)
            for place, held in self.inward.items()
            for ip, shift in _outside(held)
            if shift.kind in kinds
        ]
        for src, dst, shift in sorted(into, key=lambda each: (each[0].sort_key, each[1].sort_key)):
            yield src, [(dst, shift, reasons_of(self.explain, src, dst, shift))]

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
        return lines(self)

    def _row(self, source: int) -> Row:
        """Return what became of the edges from an end, those among its replicas included."""
        row = self.rows.get(source, {})
        if source not in self.itself:
            return row
        shift = self.itself[source]
        return {**row, shift: row.get(shift, BitMap()) | BitMap([source])}


def _outside(found: Outer) -> list[tuple[EndRef, Shift]]:
    ends = [(EndRef("ip", addresses=addresses), shift) for shift, addresses in found.items()]
    return sorted(ends, key=lambda item: item[0].sort_key)
