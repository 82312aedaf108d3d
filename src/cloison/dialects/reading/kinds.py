"""Which fields a dialect's kinds have at every depth, for finding those that are dropped.

The notation is that of the field table (`resources.schema`): `s` text, `i` whole number, `*`
anything, else another type; `[` before it a list, `{` a mapping.
"""

from collections.abc import Mapping
from typing import Final

from cloison.resources.schema import StructType, schema

Fields = Mapping[str, str]
"""Fields of a type: what each holds, by name."""

HEAD: Final[Fields] = {"apiVersion": "s", "kind": "s", "metadata": "ObjectMeta"}
"""Fields that every object has."""
NEWER: Final = (
    "a server printed this field, but we do not know it: answers are those of the object without it"
)
"""What becomes of a stored field that nobody here knows."""


def types_of(described: Mapping[str, Fields], *borrowed: str) -> dict[str, StructType]:
    """Return types by name, ours and those of Kubernetes' own that they borrow.

    Args:
        described: Fields of each type; what they hold is another of these types, or is borrowed.
        borrowed: Names of types of Kubernetes' own besides `ObjectMeta`.
    """
    types = {name: schema().types[name] for name in ("ObjectMeta", *borrowed)}
    for name, codes in described.items():
        types[name] = StructType(name, codes, types)
    return types
