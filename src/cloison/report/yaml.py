"""Results as YAML: the same structure as JSON."""

from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from cloison.report import documents
from cloison.report.about import About, Look

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def render(kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return one YAML document."""
    value = msgspec.to_builtins(documents.of(kind).document(result, about))
    yield yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=1 << 16,
    )
