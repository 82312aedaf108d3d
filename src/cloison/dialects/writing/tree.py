"""Documents to be written: plain values whose parts know which part of the source they say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from cloison.base import Span
from cloison.resources.documents import Document, Node

Tree: TypeAlias = "At | Mapping[str, Tree] | Sequence[Tree] | str | int | float | bool | None"
"""A value to be written."""

DROPPED: Final = frozenset({"kubectl.kubernetes.io/last-applied-configuration"})
"""Annotations that hold the object as it was, which a converted one is not."""


@dataclass(frozen=True, slots=True)
class At:
    """A value that says what stands at a place of the source.

    Args:
        value: The value.
        span: The place; None where it has none.
    """

    value: Tree
    span: Span | None


def metadata(document: Document, name: str, namespace: str | None = None) -> Mapping[str, Tree]:
    """Return an object's metadata under a name: labels and annotations as the source has them.

    Args:
        document: The source.
        name: The name to write.
        namespace: The namespace to write; None for what lives in none.
    """
    found: dict[str, Tree] = {"name": _at(document, name, "metadata", "name")}
    if namespace is not None:
        found["namespace"] = _at(document, namespace, "metadata", "namespace")
    for key in ("labels", "annotations"):
        node = document.root.get("metadata", key)
        kept = _texts(document, node)
        if node is not None and kept:
            found[key] = At(kept, node.key_span(document.file))
    return found


def header(api_version: str, kind: str, document: Document) -> Mapping[str, Tree]:
    """Return the first two fields of an object."""
    return {
        "apiVersion": _at(document, api_version, "apiVersion"),
        "kind": _at(document, kind, "kind"),
    }


def _at(document: Document, value: Tree, *path: str) -> Tree:
    node = document.root.get(*path)
    return value if node is None else At(value, node.key_span(document.file))


def _texts(document: Document, node: Node | None) -> Mapping[str, Tree]:
    """Return the pairs of a mapping of texts, in the order of their keys."""
    if node is None or not isinstance(node.value, dict):
        return {}
    return {
        key: At(each.value, each.key_span(document.file))
        for key, each in sorted(node.value.items())
        if isinstance(each.value, str) and key not in DROPPED
    }
