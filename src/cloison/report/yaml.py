"""Results as YAML: the same structure as JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import msgspec
import yaml

from cloison.report import documents
from cloison.report.about import About, Look

if TYPE_CHECKING:
    from cloison.analyses.connectivity import Map

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def render(kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return one YAML document; the ends and traffic of a map's edges are in flow style."""
    if kind == "map":
        yield from _map(cast("Map", result), about)
        return
    yield _dump(documents.of(kind).document(result, about))


def _map(result: "Map", about: About) -> Iterator[str]:
    from cloison.report.documents.map import head  # noqa: PLC0415 - only for maps
    from cloison.report.documents.streamed import Spelling, edges  # noqa: PLC0415 - likewise

    spelling = Spelling(
        lambda value: _dump(value, flow=True).removesuffix("\n"),
        "- src: ",
        "\n  dst: ",
        lambda traffic, verdict, when, caveats: (
            f"\n  traffic: {traffic}\n  verdict: {verdict}\n  when: {when}\n  caveats: {caveats}"
        ),
    )
    yield _dump(head(result, about)).removesuffix(" []\n")
    nothing = True
    for some in edges(result, spelling):
        if some:
            yield "\n" + "\n".join(some)
            nothing = False
    yield " []\n" if nothing else "\n"


def _dump(value: object, *, flow: bool = False) -> str:
    text: str = yaml.dump(
        msgspec.to_builtins(value),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=flow,
        width=1 << 30,
    )
    return text
