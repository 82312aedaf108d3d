"""What a language says that not everybody understands: the shape of a table, and where it is used.

Each dialect has such a table. It is about words: whether a single object can be said in another
language also depends on what stands around it, which only writing it shows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cloison.base import Span
from cloison.dialects.writing.places import Path, shown_path
from cloison.ir.profile import Profile
from cloison.resources.documents import Document, Node

Test = Callable[[str, Node], bool]
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


def uses(document: Document, features: tuple[Feature, ...]) -> Iterator[Use]:
    """Yield the features an object uses, in the order of the table.

    Args:
        document: The object.
        features: The table of its language.
    """
    for feature in features:
        found = list(_places(document.root, feature))
        if found:
            path, node = found[0]
            yield Use(feature, shown_path(path), node.key_span(document.file), len(found))


def _places(root: Node, feature: Feature) -> Iterator[tuple[Path, Node]]:
    for path in feature.paths:
        for key, place, node in _at(root, path.split("."), ()):
            if feature.test is None or feature.test(key, node):
                yield place, node


def _at(node: Node, steps: list[str], path: Path) -> Iterator[tuple[str, Path, Node]]:
    """Yield what a path leads to: the last key, the place, and what is there."""
    if not steps:
        yield next((str(step) for step in reversed(path) if isinstance(step, str)), ""), path, node
        return
    if not isinstance(node.value, dict):
        return
    for choice in steps[0].split("|"):
        wanted = choice.removesuffix("[]")
        for key, held in node.value.items():
            if wanted not in (key, "*"):
                continue
            if choice == wanted:
                yield from _at(held, steps[1:], (*path, key))
            elif isinstance(held.value, list):
                for number, item in enumerate(held.value):
                    yield from _at(item, steps[1:], (*path, key, number))
