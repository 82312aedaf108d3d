"""Where an object uses the features of its language's table."""

from collections.abc import Iterator

from cloison.dialects.writing.places import Path, shown_path
from cloison.ir.features import (
    KEPT,
    Elsewhere,
    Feature,
    Kept,
    Reading,
    Test,
    Use,
    elsewhere,
)
from cloison.resources.documents import Document, Node


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


__all__ = [
    "KEPT",
    "Elsewhere",
    "Feature",
    "Kept",
    "Reading",
    "Test",
    "Use",
    "elsewhere",
    "uses",
]
