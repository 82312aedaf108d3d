"""Objects that a program hands over as plain values, as `json.loads` gives them.

They stand in no file. What is said of one names its place among them, counted from 1, as the
line of `<objects>`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cloison.base import Diagnostic
from cloison.resources.documents import Document, Node, PlainObject, plain_node
from cloison.sources.lists import flatten, is_list

SHOWN: Final = "<objects>"


def objects(
    values: Iterable[object],
) -> Iterator[PlainObject | Document | Diagnostic]:
    """Yield objects, those of Lists among them one by one.

    Raises:
        TypeError: One holds something that no manifest could.
    """
    for place, value in enumerate(values, 1):
        said: Mapping[str, object] = value if isinstance(value, dict | Mapping) else {}
        version, kind = said.get("apiVersion"), said.get("kind")
        if (
            isinstance(version, str)
            and isinstance(kind, str)
            and version
            and kind
            and not is_list(kind)
        ):
            yield PlainObject(SHOWN, place, version, kind, said)
        else:
            yield from _located(value, place)


def _located(value: object, place: int) -> Iterator[Document | Diagnostic]:
    """Yield what a value that is not plainly one object comes to, as an item of a List does."""
    said = {"apiVersion": "v1", "kind": "List"}
    members = {key: Node(text, place, 1) for key, text in said.items()}
    members["items"] = Node([plain_node(value, place)], place, 1)
    yield from flatten(SHOWN, Node(members, place, 1))
