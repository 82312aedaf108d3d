"""Fields of requests, and sets over several fields as one canonical diagram.

A diagram asks for one field after another, in a fixed order. At each it divides what the field
may hold, and goes on with one diagram for each part; parts that go on alike are one, and a field
that makes no difference is not asked for. So two diagrams are equal when they say the same.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from cloison.algebra.budget import Budget, TooLargeError
from cloison.algebra.strings import StringSet
from cloison.algebra.values import FREE, PRESENT, Values


class Part(IntEnum):
    """What of a request a field is, in the order in which diagrams ask."""

    KIND = 0
    METHOD = 1
    PATH = 2
    HOST = 3
    HEADER = 4
    SNI = 5
    NAME = 6


class Field(NamedTuple):
    """One field.

    Args:
        part: What it is.
        name: Which one, of headers, in small letters.
    """

    part: Part
    name: str = ""

    @property
    def everything(self) -> Values:
        """What it may hold at all."""
        if self.part is Part.KIND:
            return _KINDS
        return FREE if self.part in _OPTIONAL else PRESENT


HTTP, DNS, OTHER = "http", "dns", "other"
"""Kinds of requests: HTTP, a name that is looked up, and all else."""
_KINDS = Values(StringSet.of(HTTP, DNS, OTHER))
KINDS: dict[tuple[str, ...], Values] = {
    kinds: Values(StringSet.of(*kinds)) for kinds in ((HTTP,), (DNS,), (OTHER,), (HTTP, OTHER))
}
"""Kinds that are asked for together."""
_OPTIONAL = (Part.HEADER, Part.SNI)

KIND = Field(Part.KIND)
METHOD = Field(Part.METHOD)
PATH = Field(Part.PATH)
HOST = Field(Part.HOST)
SNI = Field(Part.SNI)
NAME = Field(Part.NAME)


MOST_FIELDS = 64
"""Fields that one diagram asks for."""
MOST_FORKS = 20_000
"""Places where a diagram asks for a field, counted once for each way that leads there."""


class Fork:
    """Where a diagram asks for a field. Immutable; equal when it says the same.

    Args:
        field: What it asks for.
        arms: Where each part of what the field may hold goes on; the parts are all of it.

    Raises:
        TooLargeError: It is larger than is put up with.
    """

    __slots__ = ("_hash", "arms", "field", "size")

    def __init__(self, field: Field, arms: "tuple[tuple[Values, Diagram], ...]") -> None:
        self.field = field
        self.arms = arms
        # Arms may lead to one and the same diagram; comparing goes every way all the same.
        self.size: int = 1 + sum(rest.size for _, rest in arms if isinstance(rest, Fork))
        if self.size > MOST_FORKS:
            raise TooLargeError(f"it takes more than {MOST_FORKS} cases")
        self._hash = hash((field, arms))

    def __eq__(self, other: object) -> bool:
        """Return whether both say the same."""
        return self is other or (
            isinstance(other, Fork)
            and self._hash == other._hash
            and self.field == other.field
            and self.arms == other.arms
        )

    def __hash__(self) -> int:
        """Hash by what it says."""
        return self._hash


Diagram: TypeAlias = bool | Fork
"""Whether a request is in the set, or what to ask for first."""


def fork(field: Field, arms: Iterable[tuple[Values, Diagram]], budget: Budget) -> Diagram:
    """Return the diagram that asks for a field first; parts that go on alike are put together."""
    by_rest: dict[Diagram, Values] = {}
    for values, rest in arms:
        if values.some:
            known = by_rest.get(rest)
            by_rest[rest] = values if known is None else known.join(values, budget)
    if len(by_rest) == 1:
        return next(iter(by_rest))
    made = [(values, rest) for rest, values in by_rest.items()]
    return Fork(field, tuple(sorted(made, key=lambda arm: (arm[0].absent, arm[0].texts.order))))


def box(wanted: dict[Field, Values], budget: Budget) -> Diagram:
    """Return the diagram of requests each of whose fields holds what is wanted of it."""
    if len(wanted) > MOST_FIELDS:
        raise TooLargeError(f"more than {MOST_FIELDS} fields")
    found: Diagram = True
    for field in sorted(wanted, reverse=True):
        values = wanted[field].meet(field.everything, budget)
        others = values.within(field.everything, budget)
        found = fork(field, ((values, found), (others, False)), budget)
    return found


def combined(a: Diagram, b: Diagram, keep: Callable[[bool, bool], bool], budget: Budget) -> Diagram:
    """Return the diagram of what `keep` says so of whether it is in each of the two."""
    known: dict[tuple[Diagram, Diagram], Diagram] = {}

    def together(one: Diagram, other: Diagram, depth: int) -> Diagram:
        if isinstance(one, bool) and isinstance(other, bool):
            return keep(one, other)
        if isinstance(one, bool) and keep(one, False) is keep(one, True):
            return keep(one, False)
        if isinstance(other, bool) and keep(False, other) is keep(True, other):
            return keep(False, other)
        if depth > MOST_FIELDS:
            raise TooLargeError(f"more than {MOST_FIELDS} fields")
        if (one, other) not in known:
            known[one, other] = _forked(
                one, other, lambda rest, more: together(rest, more, depth + 1), budget
            )
        return known[one, other]

    return together(a, b, 1)


def _forked(
    one: Diagram, other: Diagram, together: Callable[[Diagram, Diagram], Diagram], budget: Budget
) -> Diagram:
    field = min(each.field for each in (one, other) if isinstance(each, Fork))
    left, right = _arms(one, field), _arms(other, field)
    budget.spend(max(len(each) for each in (left, right) if each is not None))
    arms = []
    if right is None:
        arms = [(values, together(rest, other)) for values, rest in left or ()]
    elif left is None:
        arms = [(values, together(one, more)) for values, more in right]
    else:
        for values, rest in left:
            for others, more in right:
                budget.spend(1)
                both = values.meet(others, budget)
                if both.some:
                    arms.append((both, together(rest, more)))
    return fork(field, arms, budget)


def _arms(diagram: Diagram, field: Field) -> tuple[tuple[Values, Diagram], ...] | None:
    """Return the arms of a diagram that asks for a field first; None for one that does not."""
    return diagram.arms if isinstance(diagram, Fork) and diagram.field == field else None


def opposite(diagram: Diagram) -> Diagram:
    """Return the diagram of all that is not in one."""
    if isinstance(diagram, bool):
        return not diagram
    arms = tuple((values, opposite(rest)) for values, rest in diagram.arms)
    return Fork(diagram.field, arms)


def given(diagram: Diagram, told: Mapping[Field, str | None]) -> Diagram:
    """Return what is left to ask where some fields are told, None for one that is left out.

    The texts only run over automata that are there: how long they are makes no difference.
    """
    known: dict[int, Diagram] = {}

    def left(each: Diagram) -> Diagram:
        if isinstance(each, bool):
            return each
        if id(each) not in known:
            if each.field in told:
                value = told[each.field]
                rests = (rest for values, rest in each.arms if values.holds(value))
                # What no field can hold is in no set.
                known[id(each)] = left(next(rests, False))
            else:
                arms = [(values, left(rest)) for values, rest in each.arms]
                known[id(each)] = fork(each.field, arms, Budget())
        return known[id(each)]

    return left(diagram)


Box: TypeAlias = tuple[tuple[Field, Values], ...]
"""Fields and what each may hold, in order; those not named may hold anything."""


def boxes(diagram: Diagram, budget: Budget) -> list[Box]:
    """Return boxes that together are the set; they may overlap, where that says it shorter."""
    return _Boxes(budget).of(diagram)


class _Boxes:
    """Boxes of diagrams, with those already found."""

    __slots__ = ("_budget", "_known")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._known: dict[Diagram, list[Box]] = {True: [()], False: []}

    def of(self, diagram: Diagram) -> list[Box]:
        if isinstance(diagram, Fork) and diagram not in self._known:
            self._budget.spend(1)
            self._known[diagram] = self._forked(diagram)
        return self._known[diagram]

    def _forked(self, diagram: Fork) -> list[Box]:
        # Of which kind a request is, is always said: what is asked of one kind no other has.
        common: Diagram = diagram.field != KIND
        if any(rest is False for _, rest in diagram.arms):
            common = False
        for _, rest in diagram.arms if common is not False else ():
            common = combined(common, rest, lambda a, b: a and b, self._budget)
        found = list(self.of(common))
        by_rest: dict[tuple[Box, ...], Values] = {}
        for values, rest in diagram.arms:
            left = tuple(self._left(rest, common))
            known = by_rest.get(left)
            by_rest[left] = values if known is None else known.join(values, self._budget)
        for left, values in by_rest.items():
            found += [((diagram.field, values), *each) for each in left]
        return found

    def _left(self, rest: Diagram, common: Diagram) -> list[Box]:
        """Return what is to be said of an arm, besides what all have in common."""
        if common is False:
            return self.of(rest)
        apart = self.of(combined(rest, common, lambda a, b: a and not b, self._budget))
        wide = [each for each in self.of(rest) if not self._within(each, common)]
        return min(apart, wide, key=lambda found: sum(map(len, found)))

    def _within(self, each: Box, diagram: Diagram) -> bool:
        mine = box(dict(each), self._budget)
        return combined(mine, diagram, lambda a, b: a and not b, self._budget) is False
