"""A second reading of what an html report embeds: slow, plain, and sharing nothing with its page.

`docs/design/html-report.md` describes the tables; nothing else is looked at here.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from cloison.algebra import ANY, L4, TrafficSet

Pair = tuple[TrafficSet, TrafficSet]
"""Allowed, undetermined."""
Some = tuple[TrafficSet, int, int]
"""Traffic of which requests decide, and the numbers of those that pass, and that may pass."""
NONE, EVERY = 0, 1
WAYS = ("egress", "ingress")


def embedded(page: str) -> dict[str, Any]:
    """Return the data of a page."""
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert len(found) == 1
    data: dict[str, Any] = json.loads(found[0])
    return data


def holds(runs: Sequence[int], member: int) -> bool:
    """Return whether a number is in a set given as first and last of each run."""
    return any(low <= member <= high for low, high in zip(runs[::2], runs[1::2], strict=True))


def verdict(passes: Pair, some: Sequence[Some], asked: TrafficSet) -> str:
    """Return the verdict on all of `asked`."""
    allowed, undetermined = passes
    if asked <= allowed:
        return "allowed"
    if any(not traffic.isdisjoint(asked) for traffic, _, _ in some):
        return "mixed"
    if asked.isdisjoint(allowed) and asked.isdisjoint(undetermined):
        return "denied"
    return "undetermined" if asked <= undetermined else "mixed"


@dataclass(frozen=True)
class Page:
    """What a page says, cell by cell.

    Args:
        data: Its data.
        side: Which of its worlds is asked.
    """

    data: Mapping[str, Any]
    side: int = 0

    @cached_property
    def world(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.data["sides"][self.side]
        return found

    @cached_property
    def traffics(self) -> list[TrafficSet]:
        return [
            TrafficSet(zip(spans[::2], spans[1::2], strict=True)) for spans in self.data["traffic"]
        ]

    @cached_property
    def names(self) -> list[str]:
        """What each end is called in a question."""
        return [asked for _, _, _, asked, _ in self.data["ends"]]

    def kind(self, end: int) -> str:
        kind: str = self.data["ends"][end][2]
        return kind

    def state(self, src: int, dst: int) -> list[Any] | None:
        """Return what the matrix says of a cell."""
        if src == dst:
            number = self.data["itself"].get(str(src))
            return None if number is None else self.data["states"][number]
        found = [
            state
            for state, members in self.data["rowKinds"][self.data["rows"][src]]
            if holds(self.data["sets"][members], dst)
        ]
        assert len(found) <= 1
        return self.data["states"][found[0]] if found else None

    def passage(self, number: int) -> Pair:
        allowed, undetermined, *_ = self.data["passages"][number]
        return self.traffics[allowed], self.traffics[undetermined]

    def some(self, rows: Sequence[Sequence[int]] | int) -> list[Some]:
        """Return what is said of traffic of which requests decide."""
        if isinstance(rows, int):
            return []
        return [(self.traffics[traffic], allowed, passing) for traffic, allowed, passing in rows]

    def conditions(self, src: int, dst: int) -> list[Some]:
        """Return what the matrix of a map says passes with some requests."""
        state = self.state(src, dst)
        return [] if state is None else self.some(self.data["passages"][state[0]][3])

    def both(self, out: Sequence[Some], into: Sequence[Some]) -> list[Some]:
        """Return what requests decide of traffic that passes two points."""
        found: dict[tuple[int, int], TrafficSet] = {}
        for ours, one, other in out:
            for theirs, two, another in into:
                if ours.isdisjoint(theirs):
                    continue
                sure, passing = self._shared(one, two), self._shared(other, another)
                if passing != NONE and (sure, passing) not in ((NONE, EVERY), (EVERY, EVERY)):
                    known = found.get((sure, passing), TrafficSet())
                    found[sure, passing] = known | (ours & theirs & L4)
        return [(traffic, *key) for key, traffic in found.items() if traffic]

    def _shared(self, one: int, other: int) -> int:
        """Return the requests of two sets; what the page could not look up is an error here."""
        low, high = sorted((one, other))
        if low in (NONE, high):
            return low
        if low == EVERY:
            return high
        pairs = {(a, b): found for a, b, found in self.data["met"]}
        return int(pairs[low, high])

    def cell(self, src: int, dst: int) -> Pair:
        """Return what the matrix of a map says passes."""
        state = self.state(src, dst)
        return (TrafficSet(), TrafficSet()) if state is None else self.passage(state[0])

    def point(
        self, way: str, unit: int, peer: int, relation: str = "", family: int = 0
    ) -> tuple[Pair, list[Any] | None, list[Any] | None]:
        """Return what an enforcement point lets pass, its decision and its reason."""
        number = self.world[way][unit]
        if number < 0:
            return (ANY, TrafficSet()), None, None
        decision = self.world["decisions"][number]
        assert WAYS[decision[0]] == way
        parts = decision[3]
        if family and decision[4] and not self.world["families"][peer]:
            parts = [*decision[4].get(str(family), ()), *parts]
        found = [p for p in parts if p[0] < 0 or holds(self.world["sets"][p[0]], peer)]
        _, plain, related = found[0]
        reason = self.world["reasons"][(related or {}).get(relation, plain)]
        return (self.traffics[reason[0]], self.traffics[reason[1]]), decision, reason

    def cases(self, src: int, dst: int) -> Iterator[tuple[int, int, str, int]]:
        """Yield units, relation and family of every case of a question."""
        ours, theirs = self.world["ends"][src], self.world["ends"][dst]
        single = src == dst and self.kind(src) == "pod"
        pairs = [(a, b) for a, b in product(ours, theirs) if len(self._families(a, b)) <= 1]
        if not single and not {self.kind(src), self.kind(dst)} & {"node", "addresses"}:
            pairs = [(a, b) for a, b in pairs if a[1] < 0 or a[1] != b[1]] or pairs
        for a, b in pairs or list(product(ours, theirs)):
            families = self._families(a, b)
            family = next(iter(families)) if len(families) == 1 and not single else 0
            for relation in ["self"] if single else sorted(self._relations(a, b)):
                yield a[0], b[0], relation, family

    def why(self, src: int, dst: int) -> tuple[str, TrafficSet]:
        """Return the verdict on everything, and what passes in every case."""
        verdicts = set()
        allowed = L4
        for a, b, relation, family in self.cases(src, dst):
            passes, some = self._case(a, b, relation, family)
            verdicts.add(verdict(passes, some, L4))
            allowed &= passes[0]
        return (verdicts.pop() if len(verdicts) == 1 else "mixed"), allowed

    def asking(self, src: int, dst: int) -> list[list[Some]]:
        """Return for each case of a question what passes with some requests."""
        return [self._case(*case)[1] for case in self.cases(src, dst)]

    def _case(self, a: int, b: int, relation: str, family: int) -> tuple[Pair, list[Some]]:
        points = [
            self.point("egress", a, b, relation, family),
            self.point("ingress", b, a, relation, family),
        ]
        parts: list[list[Some]] = []
        for (allowed, undetermined), _, reason in points:
            asked = self.some(reason[7]) if reason else []
            parts.append([(allowed, EVERY, EVERY), (undetermined, NONE, EVERY), *asked])
        return self._sum(parts), self.both(*parts)

    def _sum(self, parts: list[list[Some]]) -> Pair:
        allowed, undetermined = TrafficSet(), TrafficSet()
        for ours, one, other in parts[0]:
            for theirs, two, another in parts[1]:
                if ours.isdisjoint(theirs):
                    continue
                found = self._shared(one, two), self._shared(other, another)
                if found == (EVERY, EVERY):
                    allowed |= ours & theirs
                if found == (NONE, EVERY):
                    undetermined |= ours & theirs
        return allowed, undetermined & L4

    def passes(self, src: int, dst: int) -> Pair:
        """Return what passes for some pair of pods, whatever nodes they are on."""
        allowed, undetermined = TrafficSet(), TrafficSet()
        inside = max(src, dst) < self.data["inside"]
        for a, b in product(self.world["ends"][src], self.world["ends"][dst]):
            if inside and len(self._families(a, b)) > 1:
                continue
            found = _meet(self.point("egress", a[0], b[0])[0], self.point("ingress", b[0], a[0])[0])
            allowed, undetermined = allowed | found[0], undetermined | found[1]
        return allowed, undetermined - allowed

    def meet(self, src: int, dst: int) -> bool:
        """Return whether two ends have an address family in common, or may have."""
        pairs = product(self.world["ends"][src], self.world["ends"][dst])
        return any(len(self._families(a, b)) <= 1 for a, b in pairs)

    def _families(self, a: Sequence[Any], b: Sequence[Any]) -> set[int]:
        return {self.world["families"][a[0]], self.world["families"][b[0]]} - {0}

    def _relations(self, a: Sequence[Any], b: Sequence[Any]) -> set[str]:
        if (a[0] in self.world["hosted"]) == (b[0] in self.world["hosted"]):
            return {""}
        sides = [
            [self.world["nodes"][n] for n in each[2]] if each[2] else [None] for each in (a, b)
        ]
        return {
            "unknown" if None in pair else "own" if pair[0] == pair[1] else "other"
            for pair in product(*sides)
        }


def _meet(one: Pair, other: Pair) -> Pair:
    allowed = one[0] & other[0]
    passing = (one[0] | one[1]) & (other[0] | other[1])
    return allowed, (passing - allowed) & L4
