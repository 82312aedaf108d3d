"""Results as JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import msgspec

from cloison.report import documents
from cloison.report.about import About, Look

if TYPE_CHECKING:
    from cloison.analyses.connectivity import Map
    from cloison.analyses.diff import Diff
    from cloison.analyses.exposure import Exposure


def render(kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return one JSON object, indented; a map, exposure or diff has an edge on each line."""
    if kind in _STREAMED:
        yield from _STREAMED[kind](result, about)
        return
    encoded = msgspec.json.encode(documents.of(kind).document(result, about))
    yield msgspec.json.format(encoded, indent=2).decode()
    yield "\n"


def _map(result: object, about: About) -> Iterator[str]:
    from cloison.report.documents.map import head as published  # noqa: PLC0415 - only for maps
    from cloison.report.documents.streamed import edges  # noqa: PLC0415 - likewise

    known = cast("Map", result)
    encoded = msgspec.json.encode(published(known, about))
    head = msgspec.json.format(encoded, indent=2).decode()
    before = "\n    "
    yield head.removesuffix("]\n}")
    for some in edges(known):
        if some:
            yield before + ",\n    ".join(some)
            before = ",\n    "
    yield "]\n}\n" if before == "\n    " else "\n  ]\n}\n"


def _diff(result: object, about: About) -> Iterator[str]:
    from cloison.analyses.diff import Kind  # noqa: PLC0415 - only for diffs
    from cloison.report.documents.diff import head as published  # noqa: PLC0415 - likewise
    from cloison.report.documents.diff import streamed  # noqa: PLC0415 - likewise

    known = cast("Diff", result)
    encoded = msgspec.json.encode(published(known, about))
    sections = [f'  "{kind}": []' for kind in (Kind.OPENED, Kind.CLOSED, Kind.CHANGED)]
    head = msgspec.json.format(encoded, indent=2).decode()
    yield head.removesuffix(",\n".join(sections) + "\n}")
    for kind, section in zip((Kind.OPENED, Kind.CLOSED, Kind.CHANGED), sections, strict=True):
        before = f"{section[:-1]}\n    "
        for some in streamed(known, kind):
            yield before + ",\n    ".join(some)
            before = ",\n    "
        yield section if before.startswith(" ") else "\n  ]"
        yield "\n}\n" if kind is Kind.CHANGED else ",\n"


def _exposure(result: object, about: About) -> Iterator[str]:
    from cloison.report.documents.exposure import edges  # noqa: PLC0415 - only for exposure
    from cloison.report.documents.exposure import head as published  # noqa: PLC0415 - likewise

    known = cast("Exposure", result)
    encoded = msgspec.json.encode(published(known, about))
    before = "\n    "
    yield msgspec.json.format(encoded, indent=2).decode().removesuffix("]\n}")
    for edge in edges(known):
        yield before + msgspec.json.encode(edge).decode()
        before = ",\n    "
    yield "]\n}\n" if before == "\n    " else "\n  ]\n}\n"


_STREAMED = {"map": _map, "exposure": _exposure, "diff": _diff}
"""Documents that may be too large to be made whole."""
