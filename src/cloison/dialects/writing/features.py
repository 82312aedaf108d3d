"""Where an object uses the features of its language's table."""

from collections.abc import Iterator, Mapping

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

LANGUAGES = ("networkpolicy", "clusternetworkpolicy", "calico", "cilium")
"""What policies can be written in, in the order of the texts of `gone`."""


def gone(
    np: str = "", cnp: str = "", calico: str = "", cilium: str = ""
) -> Mapping[str, Elsewhere]:
    """Return what becomes of a feature in each language; see `elsewhere`."""
    return elsewhere(dict(zip(LANGUAGES, (np, cnp, calico, cilium), strict=True)))


def everywhere(text: str, *, but: str) -> Mapping[str, Elsewhere]:
    """Return the same of all languages except the one that has the feature."""
    return elsewhere({each: text for each in LANGUAGES if each != but})


def says(*texts: str) -> Test:
    """Return a test that holds where a field has one of some values."""
    return lambda _key, node: node.value in texts


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
    "LANGUAGES",
    "Elsewhere",
    "Feature",
    "Kept",
    "Reading",
    "Test",
    "Use",
    "elsewhere",
    "everywhere",
    "gone",
    "says",
    "uses",
]
