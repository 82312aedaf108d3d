"""A fact that every profile says, and how two of them are compared by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cloison.ir.profile import Profile
from cloison.platform.differences import SAID, Fact, Swap


@dataclass(frozen=True, slots=True)
class Row:
    """A fact of every profile.

    Args:
        id: As of a fact.
        title: As of a fact.
        fields: The fields of a profile that say it.
        said: What a profile says, in words; the value of the first field when not given.
        swap: As of a fact; takes over the fields when not given.
        edges: As of a fact.
        about: As of a fact.
    """

    id: str
    title: str
    fields: tuple[str, ...] = ()
    said: Callable[[Profile], str] | None = None
    swap: Swap | None = None
    edges: bool = True
    about: str = ""

    def compared(self, first: Profile, second: Profile) -> Fact | None:
        """Return the fact, if the two are not of one mind."""
        if self.fields:
            same = all(getattr(first, name) == getattr(second, name) for name in self.fields)
        else:
            same = self.tell(first) == self.tell(second)
        if same:
            return None
        swap = self.swap or taking(self.fields)
        said = self.tell(first), self.tell(second)
        return Fact(self.id, self.title, *said, swap, self.edges, self.about)

    def tell(self, profile: Profile) -> str:
        """Return what a profile says."""
        if self.said is not None:
            return self.said(profile)
        return _word(getattr(profile, self.fields[0]))


def _word(value: object) -> str:
    if value is None or isinstance(value, bool):
        return SAID[value]
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={text}" for key, text in sorted(value.items())) or "none"
    return str(value) if isinstance(value, str) else "of its own" if value else "none"


def taking(names: tuple[str, ...]) -> Swap:
    """Return what takes over fields as they are."""

    def swap(profile: Profile, other: Profile) -> Profile:
        values: dict[str, Any] = {name: getattr(other, name) for name in names}
        return replace(profile, **values)

    return swap
