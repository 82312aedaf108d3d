"""Make documents from text without the reader under `cloison.sources`."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from cloison.algebra import parse_address
from cloison.base import Diagnostic
from cloison.resources.decode import Decoded, decode, decode_raw
from cloison.resources.documents import Document, Node, RawObject, Value
from cloison.resources.inventory import Built, Inventory
from cloison.resources.options import ReadOptions
from cloison.resources.pool import Pool

OPTIONS = ReadOptions()


def to_node(node: yaml.Node, key: yaml.Node | None = None) -> Node:
    """Return a composed YAML node as ours."""
    value: Value
    if isinstance(node, yaml.MappingNode):
        value = {k.value: to_node(v, k) for k, v in node.value}
    elif isinstance(node, yaml.SequenceNode):
        value = [to_node(item) for item in node.value]
    elif node.tag == "tag:yaml.org,2002:timestamp":
        value = node.value
    else:
        value = yaml.SafeLoader("").construct_object(node)
    mark = node.start_mark
    if key is None:
        return Node(value, mark.line + 1, mark.column + 1)
    at = key.start_mark
    return Node(value, mark.line + 1, mark.column + 1, at.line + 1, at.column + 1)


def documents(text: str, file: str = "in.yaml") -> list[Document]:
    """Return the documents of YAML text, Lists taken apart."""
    found: list[Document] = []
    for composed in filter(None, yaml.compose_all(text, yaml.SafeLoader)):
        root = to_node(composed)
        items = root.get("items")
        if items is not None and isinstance(items.value, list):
            found += [Document(file, item) for item in items.value]
        else:
            found.append(Document(file, root))
    return found


def read(text: str, options: ReadOptions = OPTIONS, file: str = "in.yaml") -> Decoded:
    """Decode the only document of YAML text."""
    (document,) = documents(text, file)
    return decode(document, options)


def codes(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """Return the codes, in order."""
    return [d.code for d in diagnostics]


def raw_of(item: Mapping[str, object], file: str = "in.json", line: int = 1) -> RawObject:
    """Return an item of a List, as bytes; it is located as the YAML that JSON is."""
    text = json.dumps(item)

    def locate() -> Document:
        (document,) = documents("\n" * (line - 1) + text, file)
        return document

    return RawObject(
        file,
        line,
        1,
        str(item.get("apiVersion", "")),
        str(item.get("kind", "")),
        memoryview(text.encode()),
        locate,
    )


def read_raw(item: Mapping[str, object], options: ReadOptions = OPTIONS) -> Decoded:
    """Decode one item in bulk."""
    return decode_raw(raw_of(item), options)


def world(*texts: str, options: ReadOptions = OPTIONS) -> Built:
    """Return the World of some files, named a.yaml, b.yaml, and so on."""
    pool, inventory = Pool(), Inventory()
    for index, text in enumerate(texts):
        for document in documents(text, f"{chr(97 + index)}.yaml"):
            inventory.take(decode(document, options, pool))
    return inventory.build()


def shared(part: str) -> Path:
    """Return a path of the material kept beside the checkout; it may not be there."""
    return Path(__file__).parents[3].parent / "shared" / part


def points(*texts: str) -> tuple[int, ...]:
    """Return addresses as points of the axis."""
    return tuple(map(parse_address, texts))


def both(item: dict[str, Any], options: ReadOptions = OPTIONS) -> Any:
    """Decode in bulk and by document, require equal objects, return the resource."""
    raw = raw_of(item)
    located = decode(raw.locate(), options)
    bulk = decode_raw(raw, options)
    assert bulk.resource == located.resource
    assert (bulk.api_version, bulk.kind, bulk.span) == (
        located.api_version,
        located.kind,
        located.span,
    )
    assert bulk.understood == located.understood
    # The one allowed difference: fields newer than the table, in what a server printed.
    printed = isinstance(item["metadata"], dict) and bool(item["metadata"].get("uid"))
    left_out = "OBJ002" if printed else ""
    assert [d for d in bulk.diagnostics if d.code != left_out] == [
        d for d in located.diagnostics if d.code != left_out
    ]
    return bulk.resource
