"""Patterns of DNS names: what a rule writes, with what its language means by it.

Names are compared in small letters, and one dot at the end says nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cloison import algebra

if TYPE_CHECKING:
    from cloison.algebra import StringSet


class Stars(StrEnum):
    """What `*` stands for in a pattern of names."""

    NONE = "none"
    """Nothing: the pattern is one name."""
    LABELS = "labels"
    """`*.` at the start is any number of whole labels, at least one."""
    PARTS = "parts"
    """Any number of letters, digits, `-` and `_` within one label; alone, every name."""
    PARTS_OR_LABELS = "parts-or-labels"
    """The same, but `**.` at the start is any number of whole labels, at least one."""


@dataclass(frozen=True, slots=True, order=True)
class NamePattern:
    """DNS names that a rule means. Make one with a function that says in which language.

    Args:
        text: As written, in lower case without the final dot.
        stars: What `*` stands for in it.
    """

    text: str
    stars: Stars = Stars.NONE

    def __str__(self) -> str:
        """Render as written."""
        return self.text

    @property
    def exact(self) -> bool:
        """Whether it is one name."""
        return self.stars is Stars.NONE

    @property
    def every(self) -> bool:
        """Whether it is every name."""
        return self.stars in _IN_PARTS and not self.text.strip("*")

    @property
    def tail(self) -> str:
        """What stands after the last star: every one of the names ends with that."""
        return self.text if self.exact else self.text.rpartition("*")[2]

    @property
    def strings(self) -> "StringSet":
        """The names, as a set of texts.

        Raises:
            UndecidedError: the set is beyond the bound of such sets.
        """
        match self.stars:
            case Stars.NONE:
                return algebra.StringSet.of(self.text)
            case Stars.LABELS:
                return algebra.StringSet.pattern(".+") + algebra.StringSet.of(self.text[1:])
        return algebra.host_names(self.text, deep=self.stars is Stars.PARTS_OR_LABELS)

    def covers(self, name: str) -> bool:
        """Return whether a name, in lower case without the final dot, is one of these.

        >>> names_within("*.example.com").covers("a.b.example.com")
        False
        >>> names_below("*.example.com").covers("a.b.example.com")
        True
        """
        match self.stars:
            case Stars.NONE:
                return name == self.text
            case Stars.LABELS:
                return name.endswith(self.text[1:]) and len(name) >= len(self.text)
        # Most patterns are of other domains.
        return name.endswith(self.tail) and (self.every or self._covers_parts(name))

    def _covers_parts(self, name: str) -> bool:
        labels, wanted = name.split("."), self.text.split(".")
        if self.stars is Stars.PARTS_OR_LABELS and len(wanted) > 1 and _several(wanted[0]):
            del wanted[0]
            more = len(labels) - len(wanted)
            if more < 1 or not all(label and _LETTERS.issuperset(label) for label in labels[:more]):
                return False
            del labels[:more]
        return len(labels) == len(wanted) and all(map(_label_fits, wanted, labels))

    def holds(self, other: "NamePattern") -> bool | None:
        """Return whether every name of another pattern is one of these; None if nobody can say."""
        if self == other or self.every:
            return True
        if other.exact:
            return self.covers(other.text)
        if self.exact or not other.tail.endswith(self.tail):
            return False
        try:
            return _names(other) <= self.strings
        except algebra.UndecidedError:
            return None

    def meets(self, other: "NamePattern") -> bool | None:
        """Return whether some name is one of both; None where nobody can say."""
        if self == other or self.every or other.every:
            return True
        if other.exact:
            return self.covers(other.text)
        if self.exact:
            return other.covers(self.text)
        if not (self.tail.endswith(other.tail) or other.tail.endswith(self.tail)):
            return False
        try:
            return not _names(other).isdisjoint(self.strings)
        except algebra.UndecidedError:
            return None


def host_name(text: str) -> str:
    """Return a name as it is compared: in lower case, without the final dot."""
    return text.lower().removesuffix(".")


def is_host_name(name: str) -> bool:
    """Return whether a name, in lower case without the final dot, is one that DNS can hold."""
    return len(name) <= _LONGEST and all(
        0 < len(label) <= _LONGEST_LABEL and _LETTERS.issuperset(label) for label in name.split(".")
    )


def exact_name(text: str) -> NamePattern:
    """Return one name, whatever stars may be in it.

    >>> exact_name("API.Example.com.")
    NamePattern(text='api.example.com', stars=<Stars.NONE: 'none'>)
    """
    return NamePattern(host_name(text))


def names_below(text: str) -> NamePattern:
    """Return a name, or with `*.` at the start all below it, however deep.

    So reads the Network Policy API its domain names.
    """
    pattern = host_name(text)
    return NamePattern(pattern, Stars.LABELS if pattern.startswith("*.") else Stars.NONE)


def names_within(text: str, *, deep: bool = True) -> NamePattern:
    """Return the names of a pattern in which `*` is any number of characters of one label.

    `*` or `**` alone is every name; more stars in a row are as two.

    Args:
        text: The pattern.
        deep: Whether `**.` at the start is any number of labels, at least one; otherwise it is
            as `*.`.
    """
    pattern = host_name(text)
    if "*" not in pattern:
        return NamePattern(pattern)
    several = deep and _several(pattern.partition(".")[0])
    return NamePattern(pattern, Stars.PARTS_OR_LABELS if several else Stars.PARTS)


def _names(pattern: NamePattern) -> "StringSet":
    """Return those texts of a pattern that can be names."""
    return pattern.strings & algebra.StringSet.pattern("[-_a-z0-9]+([.][-_a-z0-9]+)*")


def _several(label: str) -> bool:
    """Return whether the first label of a pattern stands for any number of them."""
    return len(label) > 1 and not label.strip("*")


def _label_fits(wanted: str, label: str) -> bool:
    """Return whether a label is one that a pattern of it stands for.

    What is read of the pattern is kept as a set of places in it, so that no pattern takes long.
    """
    if "*" not in wanted:
        return label == wanted
    places = _skipped({0}, wanted)
    for char in label:
        able = char in _LETTERS
        read = {at + 1 for at in places if at < len(wanted) and wanted[at] == char != "*"}
        stay = {at for at in places if able and at < len(wanted) and wanted[at] == "*"}
        places = _skipped(read | stay, wanted)
        if not places:
            return False
    return len(wanted) in places


def _skipped(places: set[int], wanted: str) -> set[int]:
    """Return places, and those after the stars there, which may stand for nothing."""
    found = set(places)
    for first in places:
        at = first
        while at < len(wanted) and wanted[at] == "*":
            at += 1
            found.add(at)
    return found


_LETTERS = frozenset("-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_LONGEST = 253
_LONGEST_LABEL = 63
_IN_PARTS = frozenset({Stars.PARTS, Stars.PARTS_OR_LABELS})
