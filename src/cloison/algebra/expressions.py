"""Boolean expressions over label requirements, for languages that have `and`, `or` and `not`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeAlias

from cloison.algebra.selectors import LabelSelector, Operator, Requirement

Conjunction: TypeAlias = tuple[Requirement, ...]
"""Requirements that must all hold, sorted and without repeats; empty holds always."""

Disjunction: TypeAlias = tuple[Conjunction, ...]
"""Conjunctions of which one must hold, sorted and without repeats; empty holds never."""

_ALWAYS: Disjunction = ((),)
_NEVER: Disjunction = ()


class TooManyError(Exception):
    """An expression has more disjuncts than asked for."""


class Expression(ABC):
    """What labels may satisfy. Immutable; equal when built alike, which is not equivalence."""

    __slots__ = ()

    @abstractmethod
    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether `labels` satisfy it."""

    @abstractmethod
    def requirements(self) -> Iterable[Requirement]:
        """Return the requirements it is made of, in order, repeats and all."""

    @abstractmethod
    def mapped(self, change: Callable[[Requirement], "Expression"]) -> "Expression":
        """Return it with an expression in the place of each requirement."""

    @abstractmethod
    def normal(self, limit: int, *, holds: bool) -> Disjunction:
        """Return the disjunctive normal form of it, or of its opposite where it must not hold.

        Raises:
            TooManyError: It is larger than the limit.
        """

    @property
    def keys(self) -> frozenset[str]:
        """The label keys it looks at."""
        return frozenset(each.key for each in self.requirements())

    def with_keys(self, rename: Callable[[str], str]) -> "Expression":
        """Return it about other keys."""
        return self.mapped(lambda each: Test(replace(each, key=rename(each.key))))

    def disjuncts(self, limit: int) -> Disjunction | None:
        """Return the conjunctions that it is the disjunction of, none of them contradictory.

        Negation is pushed into the operators. A conjunction that includes another one is left
        out, so that `a || a && b` is `a`.

        Args:
            limit: How many conjunctions, and how many requirements in each, are put up with
                on the way.

        Returns:
            The conjunctions in order; None when there are more.

        >>> from cloison.algebra import Operator, Requirement
        >>> a, b = (Test(Requirement(k, Operator.EXISTS)) for k in "ab")
        >>> [[str(r) for r in each] for each in Not(And((a, b))).disjuncts(8)]
        [['!a'], ['!b']]
        """
        try:
            return self.normal(limit, holds=True)
        except TooManyError:
            return None

    def selectors(self, limit: int) -> tuple[LabelSelector, ...] | None:
        """Return `disjuncts` as selectors."""
        found = self.disjuncts(limit)
        return None if found is None else tuple(LabelSelector(each) for each in found)


@dataclass(frozen=True, slots=True)
class Const(Expression):
    """Always, or never."""

    value: bool

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether it holds, whatever the labels."""
        del labels
        return self.value

    def requirements(self) -> Iterable[Requirement]:
        """Return none."""
        return ()

    def mapped(self, change: Callable[[Requirement], Expression]) -> Expression:
        """Return it unchanged."""
        del change
        return self

    def normal(self, limit: int, *, holds: bool) -> Disjunction:
        """Return its normal form, or that of its opposite."""
        del limit
        return _ALWAYS if self.value is holds else _NEVER

    def __str__(self) -> str:
        """Render for people."""
        return "everything" if self.value else "nothing"


@dataclass(frozen=True, slots=True)
class Test(Expression):
    """One requirement."""

    __test__ = False  # pytest would take it for a test

    requirement: Requirement

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether the requirement is met."""
        return self.requirement.matches(labels)

    def requirements(self) -> Iterable[Requirement]:
        """Return the one."""
        return (self.requirement,)

    def mapped(self, change: Callable[[Requirement], Expression]) -> Expression:
        """Return what the requirement changes into."""
        return change(self.requirement)

    def normal(self, limit: int, *, holds: bool) -> Disjunction:
        """Return its normal form, or that of its opposite."""
        del limit
        said = self.requirement
        met = _plain(said if holds else replace(said, operator=said.operator.opposite))
        if met.operator is Operator.NOT_IN and not met.values:
            return _ALWAYS
        return ((met,),) if LabelSelector((met,)).satisfiable() else _NEVER

    def __str__(self) -> str:
        """Render for people."""
        return str(self.requirement)


@dataclass(frozen=True, slots=True)
class Not(Expression):
    """What does not satisfy another expression."""

    part: Expression

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether the part does not hold."""
        return not self.part.matches(labels)

    def requirements(self) -> Iterable[Requirement]:
        """Return those of the part."""
        return self.part.requirements()

    def mapped(self, change: Callable[[Requirement], Expression]) -> Expression:
        """Return the negation of what the part changes into."""
        return Not(self.part.mapped(change))

    def normal(self, limit: int, *, holds: bool) -> Disjunction:
        """Return its normal form, or that of its opposite."""
        return self.part.normal(limit, holds=not holds)

    def __str__(self) -> str:
        """Render for people."""
        return f"not ({self.part})"


@dataclass(frozen=True, slots=True)
class And(Expression):
    """What satisfies every part; without parts, everything."""

    parts: tuple[Expression, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether every part holds."""
        return all(part.matches(labels) for part in self.parts)

    def requirements(self) -> Iterable[Requirement]:
        """Return those of the parts."""
        return _together(self.parts)

    def mapped(self, change: Callable[[Requirement], Expression]) -> Expression:
        """Return the conjunction of what the parts change into."""
        return And(_changed(self.parts, change))

    def normal(self, limit: int, *, holds: bool) -> Disjunction:
        """Return its normal form, or that of its opposite."""
        return (_all if holds else _any)(self.parts, limit, holds=holds)

    def __str__(self) -> str:
        """Render for people."""
        return _joined(self.parts, "and", "everything")


@dataclass(frozen=True, slots=True)
class Or(Expression):
    """What satisfies some part; without parts, nothing."""

    parts: tuple[Expression, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether some part holds."""
        return any(part.matches(labels) for part in self.parts)

    def requirements(self) -> Iterable[Requirement]:
        """Return those of the parts."""
        return _together(self.parts)

    def mapped(self, change: Callable[[Requirement], Expression]) -> Expression:
        """Return the disjunction of what the parts change into."""
        return Or(_changed(self.parts, change))

    def normal(self, limit: int, *, holds: bool) -> Disjunction:
        """Return its normal form, or that of its opposite."""
        return (_any if holds else _all)(self.parts, limit, holds=holds)

    def __str__(self) -> str:
        """Render for people."""
        return _joined(self.parts, "or", "nothing")


ALWAYS = Const(True)
NEVER = Const(False)


def _together(parts: tuple[Expression, ...]) -> list[Requirement]:
    return [each for part in parts for each in part.requirements()]


def _changed(
    parts: tuple[Expression, ...], change: Callable[[Requirement], Expression]
) -> tuple[Expression, ...]:
    return tuple([part.mapped(change) for part in parts])


def _joined(parts: tuple[Expression, ...], word: str, none: str) -> str:
    texts = []
    for part in parts:
        text = str(part)
        texts.append(f"({text})" if isinstance(part, And | Or) else text)
    return f" {word} ".join(texts) or none


def _plain(requirement: Requirement) -> Requirement:
    """Return a requirement without the detour of looking for the empty text."""
    if not requirement.operator.textual or requirement.values != ("",):
        return requirement
    exists = Requirement(requirement.key, Operator.EXISTS)
    if requirement.matches({requirement.key: ""}):
        return exists
    return replace(exists, operator=exists.operator.opposite)


def _any(parts: Iterable[Expression], limit: int, *, holds: bool) -> Disjunction:
    found: Disjunction = _NEVER
    for part in parts:
        found = _minimal({*found, *part.normal(limit, holds=holds)})
        if len(found) > limit:
            raise TooManyError
    return found


def _all(parts: Iterable[Expression], limit: int, *, holds: bool) -> Disjunction:
    found = _ALWAYS
    for part in parts:
        found = _both(found, part.normal(limit, holds=holds), limit)
    return found


def _both(these: Disjunction, those: Disjunction, limit: int) -> Disjunction:
    """Return the normal form of the conjunction of two."""
    wanted = [(frozenset(each), {r.key for r in each}) for each in those]
    both: set[Conjunction] = set()
    for one in these:
        said = frozenset(one)
        if any(other <= said for other, _ in wanted):
            both.add(one)
            continue
        keys = {each.key for each in one}
        for other, others in wanted:
            joined = tuple(sorted(said | other))
            if keys.isdisjoint(others) or LabelSelector(joined).satisfiable():
                both.add(joined)
        if len(both) > limit * _SLACK:
            raise TooManyError
    found = _minimal(both)
    if len(found) > limit or any(len(each) > limit for each in found):
        raise TooManyError
    return found


_SLACK = 4
"""So many times more conjunctions are put together than may be left of them."""


def _minimal(found: set[Conjunction]) -> Disjunction:
    """Return the conjunctions that include no other one, in order."""
    kept: list[Conjunction] = []
    smaller: list[frozenset[Requirement]] = []
    for _, alike in groupby(sorted(found, key=len), key=len):
        # Of one length, none includes another.
        new = [each for each in alike if not any(map(frozenset(each).issuperset, smaller))]
        kept += new
        smaller += map(frozenset, new)
    return tuple(sorted(kept))
