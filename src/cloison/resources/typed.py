"""The field table as msgspec types: the check of `check.py` at the speed of bulk decoding.

It only says yes or no. An item that fails is located, and `check.py` says what and where.
"""

from functools import cache
from keyword import iskeyword
from typing import Annotated, Any

import msgspec
from msgspec import inspect

from cloison.resources.check import QUANTITY
from cloison.resources.documents import PlainObject, RawObject
from cloison.resources.schema import FieldType, Shape, StructType, schema

_SCALARS: dict[str, Any] = {
    "s": str,
    "i": int,
    "b": bool,
    "f": float,
    "q": Annotated[str, msgspec.Meta(pattern=f"^{QUANTITY.pattern}$")] | int | float,
    "x": int | str,
    "*": object,
}


NOT_SO = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for JSON of another type, for bytes that are no text, for a deep nest."""


def read(item: RawObject | PlainObject, type_name: str) -> "msgspec.Struct | None":
    """Return an object that follows the field table, None where it does not.

    Fields that the table does not know are let through only in what a server printed.

    Args:
        item: The object.
        type_name: Its type in the table.
    """
    known = read_strictly(item, type_name)
    if known is not None:
        return known
    # Most probably it holds a fault; it may also come from a newer server.
    try:
        found: Any = item.decode(_lenient(type_name))
    except NOT_SO:
        return None
    printed = found.metadata is not None and found.metadata.uid
    return found if printed else None


def read_strictly(item: RawObject | PlainObject, type_name: str) -> "msgspec.Struct | None":
    """Return an object that has nothing but what the field table knows; None for any other.

    Args:
        item: The object.
        type_name: Its type in the table.
    """
    try:
        return item.decode(_strict(type_name))
    except NOT_SO:
        return None


@cache
def covers(type_name: str, wire: type[msgspec.Struct]) -> bool:
    """Return whether a type of the table has all that another one models, as attributes."""
    return _has(inspect.type_info(_strict(type_name)), inspect.type_info(wire))


def _has(whole: inspect.Type, part: inspect.Type) -> bool:
    if isinstance(part, inspect.UnionType):
        return _has(whole, _only(part))
    if isinstance(whole, inspect.UnionType):
        return _has(_only(whole), part)
    if isinstance(part, inspect.ListType):
        return isinstance(whole, inspect.ListType) and _has(whole.item_type, part.item_type)
    if not isinstance(part, inspect.StructType):
        return True
    if not isinstance(whole, inspect.StructType):
        return False
    fields = {field.name: field.type for field in whole.fields}
    return all(f.name in fields and _has(fields[f.name], f.type) for f in part.fields)


def _only(kind: inspect.UnionType) -> inspect.Type:
    """Return what a value is that is not null; of several scalars, any."""
    return next(each for each in kind.types if not isinstance(each, inspect.NoneType))


@cache
def _strict(type_name: str) -> type[msgspec.Struct]:
    return _struct(schema().types[type_name], {}, forbid=True)


@cache
def _lenient(type_name: str) -> type[msgspec.Struct]:
    """Return the type with room for fields that the table does not know."""
    return _struct(schema().types[type_name], {}, forbid=False)


def _struct(
    struct: StructType, made: dict[str, type[msgspec.Struct]], *, forbid: bool
) -> type[msgspec.Struct]:
    """Return a table type as a msgspec type.

    Fields are attributes of their own names, but for those Python has no use for.
    """
    if struct.name not in made:
        names = {
            name if name.isidentifier() and not iskeyword(name) else f"f{index}": name
            for index, name in enumerate(struct.fields)
        }
        fields = [
            (attribute, _field(field, made, forbid=forbid), None)
            for attribute, field in zip(names, struct.fields.values(), strict=True)
        ]
        made[struct.name] = msgspec.defstruct(
            struct.name, fields, rename=names, forbid_unknown_fields=forbid, gc=False
        )
    return made[struct.name]


def _field(field: FieldType, made: dict[str, type[msgspec.Struct]], *, forbid: bool) -> Any:  # noqa: ANN401 - a type made at run time
    inner: Any = _SCALARS.get(field.code)
    if field.struct is not None:
        inner = _struct(field.struct, made, forbid=forbid)
    if field.shape is Shape.LIST:
        return list[inner | None] | None
    if field.shape is Shape.MAP:
        return dict[str, inner | None] | None
    return inner | None
