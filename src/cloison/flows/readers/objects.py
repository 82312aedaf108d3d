"""Objects of the API server in a file: JSON, a line each or one over many, or YAML."""

from collections.abc import Iterator
from typing import Final

import msgspec
import yaml

from cloison.flows.reader import BadRecordError

YAML: Final = 1 << 22
"""Bytes that YAML may have: read, it takes up a hundred times as much."""

MAX_DEPTH: Final = 100
"""Levels of nesting in YAML."""

MAX_ALIAS_WEIGHT: Final = 400_000
"""Nodes, and 64-character stretches of text, that all aliases of one document may add."""

_STRETCH: Final = 64


def objects(data: bytes) -> Iterator[bytes]:
    """Yield the objects of a file, each as JSON.

    Raises:
        BadRecordError: It is neither JSON nor YAML, or YAML that takes up too much when it is read.
    """
    if data.lstrip().startswith(b"{"):
        lines = [line for line in data.splitlines() if line.strip()]
        if all(line.startswith(b"{") and line.rstrip().endswith(b"}") for line in lines):
            yield from lines
            return
        try:
            msgspec.json.decode(data, type=msgspec.Raw)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            pass
        else:
            yield data
            return
    if len(data) > YAML:
        msg = f"YAML of more than {YAML >> 20} MiB: write it as JSON, or in several files"
        raise BadRecordError(msg)
    try:
        _measure(data)
        for document in yaml.load_all(data, yaml.CSafeLoader):
            yield msgspec.json.encode(document)
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, BadRecordError):
            raise
        raise BadRecordError(f"neither JSON nor YAML: {str(error)[:200]}") from None


def _measure(data: bytes) -> None:
    """Check what YAML comes to before it is read: how deep it nests, and what its aliases add.

    Raises:
        BadRecordError: It is too much.
    """
    anchors: dict[str, int] = {}
    # Of each collection that is open, what it weighs so far, and its name.
    above: list[tuple[int, str | None]] = []
    added = weight = 0
    for event in yaml.parse(data, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            above.append((weight, event.anchor))
            weight = 1
            if len(above) > MAX_DEPTH:
                raise BadRecordError("it nests too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            before, anchor = above.pop()
            if anchor:
                anchors[anchor] = weight
            weight += before
        elif isinstance(event, yaml.ScalarEvent):
            own = 1 + len(event.value) // _STRETCH
            if event.anchor:
                anchors[event.anchor] = own
            weight += own
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                raise BadRecordError("an alias has no anchor before it, or stands inside its own")
            added += anchors[event.anchor]
            weight += anchors[event.anchor]
            if added > MAX_ALIAS_WEIGHT:
                raise BadRecordError("its aliases expand too far")
        elif isinstance(event, yaml.DocumentStartEvent):
            anchors, added, weight = {}, 0, 0
