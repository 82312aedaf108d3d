"""Sets of label assignments: selectors with a complement, an intersection and an inclusion.

A selector is a conjunction of requirements on keys. Keys are independent and any text may be a
value, so a conjunction is a box: for each key the values it may have, its absence being one of
them. Each such set of values is finite, or all but finitely many.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, product
from typing import Self

from cloison.algebra.selectors import LabelSelector, Operator, Requirement

Value = str | None
"""What one key has: a value, or None where the key is absent."""


@dataclass(frozen=True, slots=True)
class ValueSet:
    """What one label key may have.

    Args:
        values: These, or all but these.
        complement: Whether it is all but `values`.
    """

    values: frozenset[Value] = frozenset()
    complement: bool = False

    @classmethod
    def of(cls, requirement: Requirement) -> Self:
        """Return what a requirement leaves to its key.

        Operators that look into the value leave what is neither finite nor all but finite: then
        it is a set that holds it, presence or anything.
        """
        match requirement.operator:
            case Operator.IN:
                return cls(frozenset(requirement.values))
            case Operator.NOT_IN:
                return cls(frozenset(requirement.values), complement=True)
            case Operator.EXISTS:
                return cls(frozenset({None}), complement=True)
            case Operator.DOES_NOT_EXIST:
                return cls(frozenset({None}))
        return cls(frozenset() if requirement.matches({}) else frozenset({None}), complement=True)

    def where(self, requirement: Requirement) -> "ValueSet":
        """Return those it allows that meet a requirement, as nearly as `of` can say it."""
        found = self & ValueSet.of(requirement)
        if found.complement or not requirement.operator.textual:
            return found
        held = (v for v in found.values if requirement.matches(_holding(requirement.key, v)))
        return ValueSet(frozenset(held))

    def __and__(self, other: "ValueSet") -> "ValueSet":
        """Return what both allow."""
        if self.complement and other.complement:
            return ValueSet(self.values | other.values, complement=True)
        if self.complement:
            return ValueSet(other.values - self.values)
        if other.complement:
            return ValueSet(self.values - other.values)
        return ValueSet(self.values & other.values)

    def __invert__(self) -> "ValueSet":
        """Return what it does not allow."""
        return ValueSet(self.values, complement=not self.complement)

    def __le__(self, other: "ValueSet") -> bool:
        """Return whether `other` allows all of it."""
        return not self & ~other

    def __contains__(self, value: object) -> bool:
        """Return whether it allows a value, or with None the key's absence."""
        return (value in self.values) is not self.complement

    def __bool__(self) -> bool:
        """Return whether it allows anything."""
        return self.complement or bool(self.values)

    def example(self) -> Value:
        """Return something it allows, absence where that will do.

        Raises:
            ValueError: It allows nothing.
        """
        if None in self:
            return None
        if self.complement:
            return next(text for n in count() if (text := f"other-{n}") in self)
        return min(v for v in self.values if v is not None)

    def requirements(self, key: str) -> Iterator[tuple[Requirement, ...]]:
        """Iterate over conjunctions of requirements that together allow exactly this.

        One will do, save for "absent, or one of these", which no selector can say at once.
        """
        values = tuple(sorted(v for v in self.values if v is not None))
        present = Requirement(key, Operator.EXISTS)
        if not self.complement:
            if values:
                yield (Requirement(key, Operator.IN, values),)
            if None in self.values:
                yield (Requirement(key, Operator.DOES_NOT_EXIST),)
            return
        others = (Requirement(key, Operator.NOT_IN, values),) if values else ()
        yield (present, *others) if None in self.values else others


ANY_VALUE = ValueSet(complement=True)


def _holding(key: str, value: Value) -> dict[str, str]:
    return {} if value is None else {key: value}


@dataclass(frozen=True, slots=True)
class LabelSet:
    """All assignments of labels that give each key something it may have.

    Args:
        keys: What each key may have, sorted by key; a key that may have anything is left out.
    """

    keys: tuple[tuple[str, ValueSet], ...] = ()

    @classmethod
    def of(cls, selector: LabelSelector) -> Self:
        """Return what a selector matches; where `says` denies it, a set that holds that.

        >>> red = LabelSet.of(LabelSelector.of({"team": "red"}))
        >>> [str(s) for part in ALL_LABELS.minus(red) for s in part.selectors()]
        ['team!=red']
        """
        found: dict[str, ValueSet] = {}
        # First the plain ones: what they leave may be few values, which can be looked into.
        for requirement in sorted(selector.requirements, key=lambda r: r.operator.textual):
            before = found.get(requirement.key, ANY_VALUE)
            found[requirement.key] = before.where(requirement)
        if all(found.values()) and not selector.satisfiable():
            found = dict.fromkeys(found, ValueSet())
        return cls._of(found)

    @classmethod
    def says(cls, selector: LabelSelector) -> bool:
        """Return whether `of` says exactly what a selector matches.

        It does but for operators that look into values, where no list of values is given.
        """
        if not selector.satisfiable():
            return True
        found = cls.of(selector)
        return not any(
            r.operator.textual and found[r.key].complement for r in selector.requirements
        )

    @classmethod
    def _of(cls, keys: Mapping[str, ValueSet]) -> Self:
        return cls(tuple(sorted((k, v) for k, v in keys.items() if v != ANY_VALUE)))

    def __getitem__(self, key: str) -> ValueSet:
        """Return what a key may have."""
        return next((v for k, v in self.keys if k == key), ANY_VALUE)

    def where(self, key: str, values: ValueSet) -> Self:
        """Return this set with another say about one key."""
        return self._of({**dict(self.keys), key: values})

    def __and__(self, other: "LabelSet") -> "LabelSet":
        """Return what is in both."""
        if not other.keys:
            return self
        found = dict(self.keys)
        for key, values in other.keys:
            found[key] = found.get(key, ANY_VALUE) & values
        return self._of(found)

    def __le__(self, other: "LabelSet") -> bool:
        """Return whether all of it is in `other`."""
        return all(self[key] <= values for key, values in other.keys) or not self

    def __bool__(self) -> bool:
        """Return whether any assignment of labels is in it."""
        return all(values for _, values in self.keys)

    def meets(self, keys: Mapping[str, ValueSet]) -> bool:
        """Return whether anything of it is in a box, told by key, that is not empty."""
        return all(values & keys.get(key, ANY_VALUE) for key, values in self.keys)

    def minus(self, other: "LabelSet") -> tuple["LabelSet", ...]:
        """Return boxes that together hold what is in this set and not in `other`.

        They may overlap, and are as wide as they can be: one for each key `other` speaks of.
        """
        if not self & other:
            return (self,) if self else ()
        parts = (self.where(k, self[k] & ~values) for k, values in other.keys)
        return tuple(part for part in parts if part)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an assignment is in it."""
        return all(labels.get(key) in values for key, values in self.keys)

    def example(self) -> dict[str, str]:
        """Return an assignment that is in it, with as few labels as will do.

        Raises:
            ValueError: It holds none.
        """
        found = {key: values.example() for key, values in self.keys}
        return {key: value for key, value in found.items() if value is not None}

    def selectors(self) -> Iterator[LabelSelector]:
        """Iterate over selectors that together match exactly this set."""
        for parts in product(*(values.requirements(key) for key, values in self.keys)):
            yield LabelSelector(tuple(sorted(r for part in parts for r in part)))


ALL_LABELS = LabelSet()
"""Every assignment of labels."""
