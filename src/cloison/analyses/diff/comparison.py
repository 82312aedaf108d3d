"""Comparing two maps into a `Diff`, row by row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from cloison.algebra import NO_ADDRESSES, NO_TRAFFIC, AddressSet
from cloison.algebra.bitmaps import BitMap, FrozenBitMap, union
from cloison.analyses.connectivity import EndRef, Map, Passage, Row
from cloison.analyses.diff.answer import Diff
from cloison.analyses.diff.policies import PolicyChange
from cloison.analyses.diff.shifts import Explainer, Outer, Seen, Shift, unexplained
from cloison.analyses.diff.shifts import Row as ChangedRow

NOTHING = Passage(NO_TRAFFIC)
"""What passes where nothing does."""

S = TypeVar("S", BitMap, AddressSet)


def compare(
    before: Map,
    after: Map,
    policies: tuple[PolicyChange, ...] = (),
    explain: Explainer = unexplained,
) -> Diff:
    """Return what is different in `after`.

    Args:
        before: Everything permitted on one side, traffic among replicas included.
        after: The same of the other side.
        policies: Policies that are not the same.
        explain: Names the policies responsible for an edge.

    Cost: for each source, the outcomes that its destinations have on one side times those on
    the other; never a pair of ends.
    """
    return _Comparison(before, after).diff(policies, explain)


class _Comparison:
    """Two maps whose ends have been given common places; lives for one call."""

    def __init__(self, before: Map, after: Map) -> None:
        refs = sorted({*before.ends, *after.ends}, key=lambda ref: ref.sort_key)
        self.ends: tuple[EndRef, ...] = tuple(refs)
        place = {ref: number for number, ref in enumerate(refs)}
        self.before = _Placed.of(before, place)
        self.after = _Placed.of(after, place)
        self.only_before = self.before.present - self.after.present
        self.only_after = self.after.present - self.before.present
        self.keys = _Keys()
        self.shifts: dict[Shift, Shift] = {}

    def diff(self, policies: tuple[PolicyChange, ...], explain: Explainer) -> Diff:
        return Diff(
            self.ends,
            self._rows(),
            self._outer(self.before.outward, self.after.outward),
            self._outer(self.before.inward, self.after.inward, into=True),
            self._itself(),
            self.only_before,
            self.only_after,
            policies,
            self.before.map.caveats,
            self.after.map.caveats,
            self.before.map.partial or self.after.map.partial,
            explain,
        )

    def _seen(self, place: int) -> Seen:
        if place in self.only_after:
            return Seen.AFTER
        return Seen.BEFORE if place in self.only_before else Seen.BOTH

    def _rows(self) -> dict[int, ChangedRow]:
        found: dict[int, ChangedRow] = {}
        for source in sorted({*self.before.rows, *self.after.rows}):
            was, now = self.before.row(source), self.after.row(source)
            src = self._seen(source)
            row: ChangedRow = {}
            gone, come = union(was.values()), union(now.values())
            for old, new, members in self._cells(was, now, gone, come):
                for dst, part in self._split(members):
                    shift = Shift(old, new, src, dst)
                    row[self.shifts.setdefault(shift, shift)] = part
            if row:
                found[source] = row
        return found

    def _split(self, members: BitMap) -> Iterator[tuple[Seen, BitMap]]:
        """Split destinations by the sides on which they exist."""
        parts = (
            (Seen.BEFORE, members & self.only_before),
            (Seen.AFTER, members & self.only_after),
            (Seen.BOTH, members - self.only_before - self.only_after),
        )
        yield from ((seen, part) for seen, part in parts if part)

    def _cells(
        self, before: Mapping[Passage, S], after: Mapping[Passage, S], was: S, now: S
    ) -> Iterator[tuple[Passage, Passage, S]]:
        """Iterate over (before, after, members) where the two differ in traffic."""
        old = [(self.keys[p], p, m) for p, m in before.items()]
        new = [(self.keys[p], p, m) for p, m in after.items()]
        for one, passed, members in old:
            left = members
            for other, _, held in new:
                if one == other:
                    left = left - held
            if not left:
                continue
            for other, passes, held in new:
                both = left & held
                if one != other and both:
                    yield passed, passes, both
            gone = left - now
            if gone:
                yield passed, NOTHING, gone
        for _, passes, members in new:
            come = members - was
            if come:
                yield NOTHING, passes, come

    def _outer(
        self,
        before: dict[int, dict[Passage, AddressSet]],
        after: dict[int, dict[Passage, AddressSet]],
        *,
        into: bool = False,
    ) -> dict[int, Outer]:
        found: dict[int, Outer] = {}
        for place in sorted({*before, *after}):
            was, now = before.get(place, {}), after.get(place, {})
            seen = self._seen(place)
            ends = (Seen.BOTH, seen) if into else (seen, Seen.BOTH)
            held: Outer = {}
            for old, new, addresses in self._cells(was, now, _all(was), _all(now)):
                held[Shift(old, new, *ends)] = addresses
            if held:
                found[place] = held
        return found

    def _itself(self) -> dict[int, Shift]:
        found: dict[int, Shift] = {}
        for place in sorted({*self.before.itself, *self.after.itself}):
            was = self.before.itself.get(place, NOTHING)
            now = self.after.itself.get(place, NOTHING)
            if self.keys[was] != self.keys[now]:
                seen = self._seen(place)
                found[place] = Shift(was, now, seen, seen)
        return found


class _Keys(dict[Passage, int]):
    """Numbers for passages; those that let the same traffic pass have the same number."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[tuple[object, ...], int] = {}

    def __missing__(self, passage: Passage) -> int:
        requests = tuple((w.traffic, w.allowed, w.undetermined) for w in passage.when)
        traffic = (passage.allowed, passage.undetermined, requests)
        number = self[passage] = self._numbers.setdefault(traffic, len(self._numbers))
        return number


@dataclass(frozen=True)
class _Placed:
    """One side's map under common places.

    Args:
        map: The map.
        places: The common place of each of its ends; None where they are its own.
        present: Common places of all its ends.
        rows: Its rows, by common place of the source; destinations have the map's own places.
        outward: By common place.
        inward: By common place.
        itself: By common place.
    """

    map: Map
    places: list[int] | None
    present: BitMap
    rows: dict[int, tuple[int, Row]]
    outward: dict[int, dict[Passage, AddressSet]]
    inward: dict[int, dict[Passage, AddressSet]]
    itself: dict[int, Passage]
    _moved: dict[FrozenBitMap, BitMap]

    @classmethod
    def of(cls, known: Map, place: Mapping[EndRef, int]) -> "_Placed":
        """Return a map under the places of `place`."""
        places = [place[ref] for ref in known.ends]
        return cls(
            known,
            None if len(places) == len(place) else places,
            BitMap(places),
            {places[s]: (s, row) for s, row in known.rows.items()},
            {places[e]: found for e, found in known.outward.items()},
            {places[e]: found for e, found in known.inward.items()},
            {places[e]: found for e, found in known.itself.items()},
            {},
        )

    def row(self, source: int) -> Row:
        """Return a source's destinations by what passes, under common places."""
        if source not in self.rows:
            return {}
        own, row = self.rows[source]
        if self.places is None:
            return row
        return {passage: self._move(members, own, source) for passage, members in row.items()}

    def _move(self, members: BitMap, own: int, source: int) -> BitMap:
        """Give destinations their common places.

        Rows of an open cluster differ in nothing but their own source: with it added they are
        few, and each is moved once.
        """
        whole = FrozenBitMap(members | BitMap([own]))
        found = self._moved.get(whole)
        if found is None:
            places = self.places or []
            found = self._moved[whole] = BitMap([places[place] for place in whole])
        return found if own in members else found - BitMap([source])


def _all(held: Mapping[Passage, AddressSet]) -> AddressSet:
    found = NO_ADDRESSES
    for addresses in held.values():
        found |= addresses
    return found
