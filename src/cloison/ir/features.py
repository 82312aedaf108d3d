"""What a policy says that not every language says, or not every enforcer reads alike.

Each dialect has a table of such features. It is about words: whether a single object can be said in
another language also depends on what stands around it, which only writing it shows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cloison.base import Span
from cloison.ir.profile import Profile

Test = Callable[[str, Any], bool]
"""Whether a field is meant, by its key (or that of the list that it is in) and what it holds."""


class Kept(StrEnum):
    """What becomes of a feature in another language."""

    KEPT = "kept"
    PARTLY = "partly"
    """Kept where other words will do; otherwise it is refused."""
    TODAY = "today"
    """Kept as it is today only, and so refused unless that will do."""
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What becomes of a feature in another language.

    Args:
        kept: In one word.
        text: What is lost, or what it becomes.
    """

    kept: Kept
    text: str = ""


KEPT = Elsewhere(Kept.KEPT)
_MARKS = {"~": Kept.PARTLY, "=": Kept.TODAY}


def elsewhere(said: Mapping[str, str]) -> Mapping[str, Elsewhere]:
    """Return what becomes of a feature in other languages, by what is said of each.

    Args:
        said: Texts by language: nothing where it is kept, `~` before what is kept in part, `=`
            before what is kept as it is today, and what is lost elsewhere.

    >>> [(name, found.text) for name, found in elsewhere({"a": "~in parts", "b": ""}).items()]
    [('a', 'in parts')]
    """
    return {
        name: Elsewhere(_MARKS.get(text[0], Kept.LOST), text.lstrip("~="))
        for name, text in said.items()
        if text
    }


@dataclass(frozen=True, slots=True)
class Reading:
    """What some enforcers make of a feature that others read otherwise.

    Args:
        text: What they make of it.
        by: Whether a profile is one of them.
    """

    text: str
    by: Callable[[Profile], bool]


@dataclass(frozen=True, slots=True)
class Feature:
    """Something a language says.

    Args:
        id: Stable name, `http`.
        title: For people, a few words.
        paths: Fields that say it: keys set apart by dots, `[]` behind those that hold lists, `|`
            between alternatives, `*` for any key.
        elsewhere: What becomes of it in languages that do not simply have it, by their names.
        readings: What some enforcers make of it.
        test: Which of the fields are meant; all of them when not given.
        source: Who says so.
    """

    id: str
    title: str
    paths: tuple[str, ...]
    elsewhere: Mapping[str, Elsewhere] = field(default_factory=dict, hash=False)
    readings: tuple[Reading, ...] = ()
    test: Test | None = None
    source: str = ""

    def in_language(self, name: str) -> Elsewhere:
        """Return what becomes of it in another language."""
        return self.elsewhere.get(name, KEPT)


@dataclass(frozen=True, slots=True)
class Use:
    """A feature an object uses.

    Args:
        feature: The feature.
        path: Where, as people write it; the first place.
        span: Where that stands.
        times: How many places there are.
    """

    feature: Feature
    path: str
    span: Span
    times: int = 1
