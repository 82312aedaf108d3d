"""JSON Schemas of published documents, made from their types."""

from typing import Any

import msgspec

from cloison.report import KINDS, documents

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of one kind of document.

    It lets unknown keys be: new ones may appear without a new schema version.
    """
    document = documents.of(kind).DOCUMENT
    (top,), parts = msgspec.json.schema_components([document], ref_template="#/$defs/{name}")
    name = document.__name__
    body = parts.pop(name)
    body["properties"]["schemaVersion"] = {"const": "1"}
    del top
    return {
        "$schema": DIALECT,
        "title": f"cloison {kind}",
        "description": _flat(document.__doc__),
        **{k: v for k, v in body.items() if k not in ("title", "description")},
        "$defs": {key: _described(value) for key, value in sorted(parts.items())},
    }


def schemas() -> dict[str, dict[str, Any]]:
    """Return every schema, by kind."""
    return {kind: schema(kind) for kind in KINDS}


def _described(part: dict[str, Any]) -> dict[str, Any]:
    if "description" in part:
        return part | {"description": _flat(part["description"])}
    return part


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())
