"""One self-contained page: a matrix to search and sort, and the reason behind every cell.

The page is plain HTML, CSS and JavaScript without a framework or a build step: the files beside
this one, put into one. What it knows is a block of JSON, and all that it computes are look-ups
and intersections. It makes no request, and its policy forbids it any.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files

import msgspec

from cloison.analyses.connectivity import Map
from cloison.analyses.diff import Diff
from cloison.analyses.drift.model import Drift
from cloison.analyses.measured import MeasuredMatrix
from cloison.analyses.reconcile.reconciled import Reconciled
from cloison.analyses.shadow.model import Shadow
from cloison.report.about import About, Look
from cloison.report.html import cube, drifted, measured, shadowed
from cloison.report.html.content import Content, Side
from cloison.report.html.pack import pack
from cloison.report.picture import Picture, draw, key, of_diff, of_map, place, sample, style
from cloison.report.xml import legal

__all__ = ["Content", "Side", "render"]

SCRIPTS = ("traffic.js", "model.js", "reason.js", "view.js", "grid.js", "panel.js", "main.js")
"""The page's program, in the order it is read: plain scripts that share one scope."""
STYLES = ("page.css",)
_MARKER = re.compile(r"<!--cloison:(\w+)-->")
_DANGEROUS = re.compile("[<>&\u2028\u2029]")


def render(
    _kind: str,
    result: Content | Map | Diff | MeasuredMatrix | Reconciled | Shadow | Drift,
    about: About,
    _look: Look,
) -> Iterator[str]:
    """Return the page, in pieces.

    Args:
        result: With the reasons for its cells, or a mere map or difference without them; or what
            was measured or reconciled, which have pages of their own.
        about: What surrounds it.
    """
    if isinstance(result, MeasuredMatrix):
        yield from measured.pieces(result, about)
        return
    if isinstance(result, Reconciled):
        yield from cube.pieces(result, about)
        return
    if isinstance(result, Shadow):
        yield from shadowed.pieces(result, about)
        return
    if isinstance(result, Drift):
        yield from drifted.pieces(result, about)
        return
    if not isinstance(result, Content):
        result = Content(result, ())
    scripts = "\n".join(["(() => {", '"use strict";', *map(_part, SCRIPTS), "})();"])
    look = "\n".join([*map(_part, STYLES), _picture_style()])
    data = msgspec.json.encode(pack(result, about)).decode()
    picture = of_map(result.result) if isinstance(result.result, Map) else of_diff(result.result)
    parts = {
        "policy": policy(scripts, look),
        "style": look,
        "script": scripts,
        "data": _DANGEROUS.sub(_escaped, data),
        "key": _key(picture),
        "graph": draw(place(picture), alone=False),
    }
    yield from _filled(_part("page.html"), parts)


def policy(script: str, style: str) -> str:
    """Return what the page may do: run this script, wear this style, and nothing else."""
    rules = {
        "default-src": "'none'",
        "script-src": _digest(script),
        "style-src": _digest(style),
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _key(picture: Picture) -> str:
    """Return what is said above the picture: what lines mean, and what is not drawn by itself."""
    samples = [
        '<span><svg class="cloison-picture" width="48" height="12" aria-hidden="true">'
        f"{sample(kind, 2, 6)}</svg>{escape(meaning)}</span>"
        for kind, meaning in key(picture)
    ]
    return "".join([*samples, *(f"<p>{escape(legal(note))}</p>" for note in picture.notes)])


def _picture_style() -> str:
    """Return the style of the picture under whichever theme the reader chooses."""
    night = style("dark")
    return (
        f"{style('light')}\n"
        f'@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) '
        f"{{ {night} }} }}\n"
        f':root[data-theme="dark"] {{ {night} }}'
    )


def _digest(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _filled(template: str, parts: Mapping[str, str]) -> Iterator[str]:
    """Yield a template with its markers replaced; what replaces them is not looked at again."""
    for number, piece in enumerate(_MARKER.split(template)):
        yield parts[piece] if number % 2 else piece


def _part(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text("utf-8")


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
