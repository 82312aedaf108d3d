"""What a field of a request may hold: texts, or nothing where it may be left out."""

from typing import NamedTuple

from cloison.algebra.budget import Budget
from cloison.algebra.characters import CharSet
from cloison.algebra.strings import NO_STRINGS, StringSet

UNSENT = CharSet.of("\0\r\n")
"""Characters that no field of a request can have. Source: RFC 9110, 5.5."""
ANY_TEXT = StringSet.pattern(r"[^\x00\r\n]*")
"""All texts that a field can have."""


class Values(NamedTuple):
    """What a field may hold, canonical, so equality is set equality.

    Args:
        texts: The texts, which have no character out of `UNSENT`.
        absent: Whether the field may be left out.
    """

    texts: StringSet = NO_STRINGS
    absent: bool = False

    @classmethod
    def of(cls, texts: StringSet, budget: Budget | None = None) -> "Values":
        """Return texts, those that can be sent, of a field that is there."""
        return cls(texts.meet(ANY_TEXT, budget or Budget()))

    def meet(self, other: "Values", budget: Budget) -> "Values":
        """Return what both allow."""
        if self == other:
            return self
        if other.texts == ANY_TEXT:  # it holds every text of any field
            return Values(self.texts, self.absent and other.absent)
        return Values(self.texts.meet(other.texts, budget), self.absent and other.absent)

    def join(self, other: "Values", budget: Budget) -> "Values":
        """Return what either allows."""
        return Values(self.texts.join(other.texts, budget), self.absent or other.absent)

    def within(self, all_of_it: "Values", budget: Budget) -> "Values":
        """Return what is left of everything a field may hold."""
        texts = all_of_it.texts.meet(~self.texts, budget)
        return Values(texts, all_of_it.absent and not self.absent)

    def holds(self, value: str | None) -> bool:
        """Return whether it allows a text, or with None the field's absence."""
        return self.absent if value is None else value in self.texts

    @property
    def some(self) -> bool:
        """Whether it allows anything."""
        return self.absent or bool(self.texts)

    def example(self) -> str | None:
        """Return something it allows: absence where that will do."""
        return None if self.absent else self.texts.example()

    def text(self) -> str:
        """Render its texts as a regular expression, or as `not` and one where that is shorter.

        >>> Values.of(~StringSet.of("GET")).text()
        'not GET'
        """
        plain = self.texts.text(UNSENT)
        if self.texts.plainly(plain):
            return plain
        others = (ANY_TEXT - self.texts).text(UNSENT)
        return f"not {others}" if len(others) + len("not ") < len(plain) else plain


PRESENT = Values(ANY_TEXT)
"""Any text."""
FREE = Values(ANY_TEXT, absent=True)
"""Any text, or nothing."""
ABSENT = Values(absent=True)
"""Nothing: the field is left out."""
