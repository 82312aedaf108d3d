"""Results as published: typed documents, from which JSON, YAML and CSV are written.

One module per result. Each has `document`, which makes the document; `HEADER` and `rows`, which
make a table of it; and `DOCUMENT`, its type, which the JSON Schema is made from.
"""

from collections.abc import Iterable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol, cast

import msgspec

from cloison.report.about import About


class Kind(Protocol):
    """What a module of this package offers."""

    DOCUMENT: Any
    HEADER: Sequence[str]

    def document(self, result: object, about: About) -> msgspec.Struct:
        """Return the result as published."""

    def rows(self, result: object) -> Iterable[Sequence[object]]:
        """Iterate over the rows of its table."""


def of(kind: str) -> Kind:
    """Return the module for one kind of result."""
    module: ModuleType = import_module(f"cloison.report.documents.{kind}")
    return cast("Kind", module)
