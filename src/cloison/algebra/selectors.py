"""Label selectors as values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self


class Operator(StrEnum):
    """What a requirement says of its key. The spelling is Kubernetes' own, where it has one."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    CONTAINS = "Contains"
    NOT_CONTAINS = "NotContains"
    STARTS_WITH = "StartsWith"
    NOT_STARTS_WITH = "NotStartsWith"
    ENDS_WITH = "EndsWith"
    NOT_ENDS_WITH = "NotEndsWith"

    @property
    def textual(self) -> bool:
        """Whether it looks into the value. `LabelSelector` objects of Kubernetes cannot."""
        return self in _TEXTUAL

    @property
    def opposite(self) -> "Operator":
        """The operator that holds exactly where this one does not."""
        return _OPPOSITE[self]


_PAIRS = (
    (Operator.IN, Operator.NOT_IN),
    (Operator.EXISTS, Operator.DOES_NOT_EXIST),
    (Operator.CONTAINS, Operator.NOT_CONTAINS),
    (Operator.STARTS_WITH, Operator.NOT_STARTS_WITH),
    (Operator.ENDS_WITH, Operator.NOT_ENDS_WITH),
)
_OPPOSITE = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
_TEXTUAL = frozenset(operator for pair in _PAIRS[2:] for operator in pair)


@dataclass(frozen=True, slots=True, order=True)
class Requirement:
    """One condition on one label key.

    Args:
        key: The label's key.
        operator: What is asked of it.
        values: The values of `In` and `NotIn`, sorted; empty for `Exists` and its opposite; the
            one text that the others look for.
    """

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether `labels` meet this requirement.

        `NotIn`, `DoesNotExist` and the other negative ones are met by labels that lack the key.
        Source: kubernetes/apimachinery pkg/labels/selector.go, Requirement.Matches;
        projectcalico/calico libcalico-go/lib/selector/parser/ast.go.
        """
        value = labels.get(self.key)
        match self.operator:
            case Operator.IN:
                return value is not None and value in self.values
            case Operator.NOT_IN:
                return value is None or value not in self.values
            case Operator.EXISTS:
                return value is not None
            case Operator.DOES_NOT_EXIST:
                return value is None
            case Operator.CONTAINS:
                return value is not None and self.values[0] in value
            case Operator.STARTS_WITH:
                return value is not None and value.startswith(self.values[0])
            case Operator.ENDS_WITH:
                return value is not None and value.endswith(self.values[0])
        return not replace(self, operator=self.operator.opposite).matches(labels)

    def __str__(self) -> str:
        """Render as `kubectl -l` would accept it."""
        match self.operator:
            case Operator.IN if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            case Operator.NOT_IN if len(self.values) == 1:
                return f"{self.key}!={self.values[0]}"
            case Operator.IN | Operator.NOT_IN:
                word = "in" if self.operator is Operator.IN else "notin"
                return f"{self.key} {word} ({','.join(self.values)})"
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"
        return f"{self.key} {_WORDS[self.operator]} {self.values[0]!r}"


_WORDS = {
    Operator.CONTAINS: "contains",
    Operator.NOT_CONTAINS: "does not contain",
    Operator.STARTS_WITH: "starts with",
    Operator.NOT_STARTS_WITH: "does not start with",
    Operator.ENDS_WITH: "ends with",
    Operator.NOT_ENDS_WITH: "does not end with",
}


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """A conjunction of requirements, canonical: sorted, without repeats. Empty matches all.

    >>> str(LabelSelector.of({"app": "web"}))
    'app=web'
    """

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def of(cls, match_labels: Mapping[str, str], expressions: Iterable[Requirement] = ()) -> Self:
        """Build a selector from the two halves of a Kubernetes LabelSelector."""
        found = {Requirement(k, Operator.IN, (v,)) for k, v in match_labels.items()}
        found.update(
            Requirement(r.key, r.operator, tuple(sorted(set(r.values)))) for r in expressions
        )
        return cls(tuple(sorted(found)))

    @property
    def keys(self) -> frozenset[str]:
        """The label keys this selector looks at."""
        return frozenset(r.key for r in self.requirements)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether `labels` meet every requirement."""
        return all(r.matches(labels) for r in self.requirements)

    def unmet(self, labels: Mapping[str, str]) -> tuple[Requirement, ...]:
        """Return the requirements that `labels` do not meet."""
        return tuple(r for r in self.requirements if not r.matches(labels))

    def satisfiable(self) -> bool:
        """Return whether any set of labels could match."""
        by_key: dict[str, list[Requirement]] = {}
        for requirement in self.requirements:
            by_key.setdefault(requirement.key, []).append(requirement)
        return all(_key_satisfiable(group) for group in by_key.values())

    def __bool__(self) -> bool:
        """Return whether the selector demands anything."""
        return bool(self.requirements)

    def __str__(self) -> str:
        """Render as `kubectl -l` would accept it; the empty selector is the empty text."""
        return ",".join(str(r) for r in self.requirements)


def _key_satisfiable(group: list[Requirement]) -> bool:
    if all(r.matches({}) for r in group):
        return True
    included = [set(r.values) for r in group if r.operator is Operator.IN]
    if included:
        possible = set.intersection(*included)
        return any(all(r.matches({r.key: value}) for r in group) for value in possible)
    if any(r.operator is Operator.DOES_NOT_EXIST for r in group):
        return False
    # A value is free to be long: asked for texts, with others between them that nobody forbids.
    starts = _texts(group, Operator.STARTS_WITH)
    ends = _texts(group, Operator.ENDS_WITH)
    start, end = (max(texts, key=len, default="") for texts in (starts, ends))
    inside = [start, *_texts(group, Operator.CONTAINS), end]
    return (
        all(start.startswith(text) for text in starts)
        and all(end.endswith(text) for text in ends)
        and not any(start.startswith(text) for text in _texts(group, Operator.NOT_STARTS_WITH))
        and not any(end.endswith(text) for text in _texts(group, Operator.NOT_ENDS_WITH))
        and not any(t in asked for t in _texts(group, Operator.NOT_CONTAINS) for asked in inside)
    )


def _texts(group: list[Requirement], operator: Operator) -> list[str]:
    return [r.values[0] for r in group if r.operator is operator]


EVERYTHING = LabelSelector()
"""The empty selector, which matches every set of labels."""
