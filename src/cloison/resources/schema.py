"""The field table: which fields objects have at every depth, and of which type.

The data, `schema.json`, is made by `tools/make_schema.py` from the Python Kubernetes client.
A type is a code: `s` text, `i` whole number, `b` boolean, `f` number, `q` quantity (text or a
number), `x` number or text, `*` anything, else the name of another type; `[` before it means a
list and `{` a mapping of it.
"""

import json
from collections.abc import Mapping
from enum import IntEnum
from functools import cache, cached_property
from pkgutil import get_data  # importlib.resources imports ten times as much
from types import MappingProxyType


class Shape(IntEnum):
    """What stands around the values of a field."""

    ONE = 0
    LIST = 1
    MAP = 2


_SCALARS: dict[str, tuple[frozenset[type], str]] = {
    "s": (frozenset((str,)), "text"),
    "i": (frozenset((int,)), "a whole number"),
    "b": (frozenset((bool,)), "true or false"),
    "f": (frozenset((int, float)), "a number"),
    "q": (frozenset((int, float)), "a quantity"),
    "x": (frozenset((str, int)), "a whole number or text"),
    "*": (frozenset((str, int, float, bool, list, dict)), "anything"),
}
_SHAPES = {"[": Shape.LIST, "{": Shape.MAP}


class StructType:
    """A type with named fields.

    Args:
        name: Its name in the table.
        codes: The codes of those of its fields that a table has.
        types: The table, by name.
    """

    def __init__(
        self,
        name: str,
        codes: Mapping[str, str] = MappingProxyType({}),
        types: "Mapping[str, StructType]" = MappingProxyType({}),
    ) -> None:
        self.name = name
        self._codes = codes
        self._types = types

    @cached_property
    def fields(self) -> "dict[str, FieldType]":
        """Its fields by name; made when first asked for, as most types never turn up."""
        return {
            field: FieldType(code, self._types.get(code.lstrip("[{")))
            for field, code in self._codes.items()
        }


class FieldType:
    """The type of one field.

    Args:
        code: Its code in the table.
        struct: The type with fields it holds, if it holds one.
    """

    __slots__ = ("accepts", "code", "expected", "shape", "struct")

    def __init__(self, code: str, struct: StructType | None) -> None:
        self.shape = _SHAPES.get(code[0], Shape.ONE)
        self.code = code[1:] if self.shape else code
        self.struct = struct
        self.accepts, self.expected = _SCALARS.get(self.code, (frozenset((dict,)), "a mapping"))


class Schema:
    """The whole table, linked.

    Args:
        text: JSON as `tools/make_schema.py` writes it.
    """

    __slots__ = ("client", "types")

    def __init__(self, text: str) -> None:
        data = json.loads(text)
        self.client: str = data["client"]
        """The client library, and its version, that the table was made from."""
        self.types: dict[str, StructType] = {}
        """By name: kinds, and everything nested in them."""
        for name, codes in data["types"].items():
            self.types[name] = StructType(name, codes, self.types)


@cache
def schema() -> Schema:
    """Return the table shipped with the package; read once, never changed."""
    text = get_data("cloison.resources", "schema.json") or b""
    return Schema(text.decode())
