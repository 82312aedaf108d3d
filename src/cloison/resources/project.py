"""Cut a located tree down to the fields a msgspec type models."""

from functools import cache
from typing import TypeAlias, TypeVar

import msgspec
from msgspec import inspect

from cloison.resources.documents import Node

T = TypeVar("T", bound=msgspec.Struct)

Cut: TypeAlias = "dict[str, Cut] | tuple[Cut] | None"
"""A struct by field, a list of something, or None for a value taken whole."""


def convert(node: Node, into: type[T]) -> T:
    """Return `node` as the struct `into`, as if its JSON had been decoded.

    Nulls become absent fields, and whole numbers written as `1.0` become integers, which is
    how `kubectl` hands them on.

    Raises:
        msgspec.ValidationError: A modelled field holds a value of another type.
    """
    return msgspec.convert(_project(node, _cut(into)), into)


def _project(node: Node, cut: Cut) -> object:
    value = node.value
    if cut is None:
        if type(value) is float and value.is_integer():
            return int(value)
        return value if not isinstance(value, list | dict) else node.plain()
    if isinstance(cut, dict):
        if not isinstance(value, dict):
            return value
        return {
            key: _project(value[key], inner)
            for key, inner in cut.items()
            if key in value and value[key].value is not None
        }
    if not isinstance(value, list):
        return value
    return [_project(item, cut[0]) for item in value]


@cache
def _cut(into: type[msgspec.Struct]) -> Cut:
    return _cut_of(inspect.type_info(into))


def _cut_of(kind: inspect.Type) -> Cut:
    if isinstance(kind, inspect.UnionType):
        cuts = [cut for cut in map(_cut_of, kind.types) if cut is not None]
        return cuts[0] if cuts else None
    if isinstance(kind, inspect.StructType):
        return {field.encode_name: _cut_of(field.type) for field in kind.fields}
    if isinstance(kind, inspect.ListType):
        return (_cut_of(kind.item_type),)
    return None
