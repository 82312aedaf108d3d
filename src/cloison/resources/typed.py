"""The field table as msgspec types: the check of `check.py` at the speed of bulk decoding.

It only says yes or no. An item that fails is located, and `check.py` says what and where.
"""

from functools import cache
from typing import Annotated, Any

import msgspec

from cloison.resources.check import QUANTITY
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


def conforms(data: memoryview, type_name: str, *, allow_unknown: bool) -> bool:
    """Return whether the JSON of an object follows the field table.

    Args:
        data: The object's JSON.
        type_name: Its type in the table.
        allow_unknown: Whether fields that the table does not know are let through.
    """
    try:
        _decoder(type_name, allow_unknown).decode(data)
    except NOT_SO:
        return False
    return True


@cache
def _decoder(type_name: str, allow_unknown: bool) -> "msgspec.json.Decoder[Any]":  # noqa: FBT001 - private, cached by position
    made: dict[str, type[msgspec.Struct]] = {}
    struct = schema().types[type_name]
    return msgspec.json.Decoder(_struct(struct, made, forbid=not allow_unknown))


def _struct(
    struct: StructType, made: dict[str, type[msgspec.Struct]], *, forbid: bool
) -> type[msgspec.Struct]:
    """Return a table type as a msgspec type; fields get made-up names, as `from` is a keyword."""
    if struct.name not in made:
        fields = [
            (f"f{index}", _field(field, made, forbid=forbid), None)
            for index, field in enumerate(struct.fields.values())
        ]
        names = {f"f{index}": name for index, name in enumerate(struct.fields)}
        made[struct.name] = msgspec.defstruct(
            struct.name, fields, rename=names, forbid_unknown_fields=forbid
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
