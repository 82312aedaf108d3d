"""Pictures as SVG: one file that needs nothing else, by day and by night, on screen and paper.

Kinds differ by dashes, words and shapes; colours only help. They are those of Okabe and Ito,
"Color Universal Design" (2008), darkened or lightened to stand out from the ground. Names come
from files that anybody may have written: everything is escaped, and there is no script.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from textwrap import wrap

from cloison.report.picture.graph import Bundle, Picture, known_by
from cloison.report.picture.placed import (
    Box,
    Line,
    Placed,
    PlacedBundle,
    PlacedGroup,
    PlacedNode,
    Point,
)
from cloison.report.text.layout import listed
from cloison.report.xml import legal

_MARGIN = 24.0
_LINE = 18.0
_FOUR, _CURVE = 4, 2
"""Points of a line come in fours, and a curve leads to the third."""
_HUES = 6
"""Colours of allowed traffic, so that lines side by side can be told apart: the same traffic has
the same one. The label says which traffic it is."""

_MEANING = {
    "allowed": "allowed; the same traffic has the same colour",
    "undetermined": "undetermined: nobody can say",
    "opened": "opened: passes now, did not before",
    "changed": "changed: other traffic than before",
    "closed": "closed: passed before, does not now",
}

_LIGHT = {
    "ground": "#ffffff", "ink": "#1b1f24", "soft": "#57606a", "frame": "#f3f5f8",
    "edge": "#8c96a3", "node": "#ffffff", "outside": "#eef1f4",
    "undetermined": "#8a5a00", "opened": "#b34700", "closed": "#005b94", "changed": "#8f3d75",
    "hue0": "#005b94", "hue1": "#b34700", "hue2": "#00745a", "hue3": "#8f3d75", "hue4": "#7a5c00",
    "hue5": "#3f4a57",
}  # fmt: skip
_DARK = {
    "ground": "#14181d", "ink": "#e8ecf1", "soft": "#a3adb9", "frame": "#1e242c",
    "edge": "#6b7785", "node": "#14181d", "outside": "#262d36",
    "undetermined": "#f0b429", "opened": "#ff9a52", "closed": "#6cbcec", "changed": "#e39bc8",
    "hue0": "#6cbcec", "hue1": "#ff9a52", "hue2": "#3fcf9f", "hue3": "#e39bc8", "hue4": "#f0e06a",
    "hue5": "#b6c2cf",
}  # fmt: skip

_RULES = """
.cloison-picture { background: var(--ground); }
.cloison-picture text {
  font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  fill: var(--ink);
}
.cloison-picture .heading,
.cloison-picture .said {
  font-family: system-ui, "DejaVu Sans", Helvetica, Arial, sans-serif;
}
.cloison-picture .heading { font-size: 17px; font-weight: 600; }
.cloison-picture .said { font-size: 12px; fill: var(--soft); }
.cloison-picture .frame rect { fill: var(--frame); stroke: var(--edge); stroke-width: 1; }
.cloison-picture .frame text { font-size: 12px; font-weight: 600; }
.cloison-picture .frame .note,
.cloison-picture .node .note {
  font-size: 10px;
  font-weight: 400;
  fill: var(--soft);
}
.cloison-picture .node rect { fill: var(--node); stroke: var(--ink); stroke-width: 1.2; }
.cloison-picture .node text { font-size: 12px; text-anchor: middle; }
.cloison-picture .ip rect,
.cloison-picture .outside rect {
  fill: var(--outside);
  stroke-dasharray: 4 3;
}
.cloison-picture .namespace rect, .cloison-picture .others rect { stroke-width: 2.4; }
.cloison-picture .line { fill: none; stroke: var(--kind); stroke-width: 1.4; }
.cloison-picture .tip { fill: var(--kind); stroke: none; }
.cloison-picture .bundle rect { fill: var(--ground); stroke: var(--kind); stroke-width: 1.2; }
.cloison-picture .bundle text { font-size: 11px; text-anchor: middle; }
.cloison-picture .allowed { --kind: var(--hue0); }
.cloison-picture .undetermined { --kind: var(--undetermined); }
.cloison-picture .undetermined .line,
.cloison-picture .undetermined rect {
  stroke-dasharray: 2 3;
}
.cloison-picture .opened { --kind: var(--opened); }
.cloison-picture .opened .line { stroke-width: 2.6; }
.cloison-picture .opened rect { stroke-width: 2.2; }
.cloison-picture .closed { --kind: var(--closed); }
.cloison-picture .closed .line, .cloison-picture .closed rect { stroke-dasharray: 7 4; }
.cloison-picture .changed { --kind: var(--changed); }
.cloison-picture .changed .line, .cloison-picture .changed rect { stroke-dasharray: 10 3 2 3; }
"""


def style(theme: str = "auto") -> str:
    """Return the style sheet of pictures, whose rules all begin with `.cloison-picture`.

    Args:
        theme: `light`, `dark`, or `auto` for what the reader's system prefers. Paper is light.
    """
    light, dark = (_variables(each) for each in (_LIGHT, _DARK))
    night = f"{light}\n@media screen and (prefers-color-scheme: dark) {{ {dark} }}"
    head = {"light": light, "dark": dark}.get(theme, night)
    hues = "".join(f".cloison-picture .hue{n} {{ --kind: var(--hue{n}); }}\n" for n in range(_HUES))
    return head + _RULES + hues


def _variables(colors: dict[str, str]) -> str:
    said = " ".join(f"--{name}: {value};" for name, value in colors.items())
    return f".cloison-picture {{ {said} }}"


def draw(placed: Placed, theme: str = "auto", *, alone: bool = True) -> str:
    """Return a picture as SVG.

    Nodes have the attributes `id` and `data-id`, with `data-name` as questions name them where
    they stand for one end; labels of bundles `data-bundle`, and `data-src` and `data-dst` with ids
    of nodes separated by spaces; lines `data-bundle`, and `data-src` or `data-dst` where they
    begin or end at a node.

    Args:
        placed: The picture with coordinates.
        theme: As for `style`.
        alone: Whether it is a document of its own, with heading, legend, notes and style; without,
            it is for a page that has these.
    """
    top = list(_heading(placed)) if alone else []
    wide = max(placed.width, 560.0 if alone else 0.0) + 2 * _MARGIN
    head = _LINE * len(top) + 20 if top else 0.0
    high = placed.height + head + 2 * _MARGIN
    title, described = _clean(placed.picture.title), _clean(_description(placed))
    size = f'width="{_n(wide)}" height="{_n(high)}" viewBox="0 0 {_n(wide)} {_n(high)}"'
    pieces = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cloison-picture" role="img" {size}',
        'aria-labelledby="cloison-title cloison-desc">',
        f'<title id="cloison-title">{title}</title>',
        f'<desc id="cloison-desc">{described}</desc>',
    ]
    if alone:
        pieces.append(f"<style>{style(theme)}</style>")
        pieces.append('<rect width="100%" height="100%" style="fill: var(--ground)"/>')
        pieces += top
    pieces.append(f'<g transform="translate({_n(_MARGIN)} {_n(_MARGIN + head)})">')
    pieces += [_frame(each) for each in placed.groups]
    hues = _hues(placed.picture.bundles)
    kinds = {b.id: _kind(b, hues) for b in placed.picture.bundles}
    pieces += [_line(line, kinds[line.bundle]) for line in placed.lines]
    pieces += [_node(each) for each in placed.nodes]
    pieces += [_label(each, kinds[each.bundle.id]) for each in placed.bundles]
    pieces += ["</g>", "</svg>"]
    return "\n".join(pieces) + "\n"


def key(picture: Picture) -> Iterator[tuple[str, str]]:
    """Iterate over the kinds of lines in a picture, and what they mean."""
    kinds = {bundle.kind for bundle in picture.bundles}
    yield from ((kind, meaning) for kind, meaning in _MEANING.items() if kind in kinds)


def sample(kind: str, x: float, y: float) -> str:
    """Return a short line of a kind that begins at a point, for a legend."""
    return (
        f'<g class="{kind}"><path class="line" d="M{_n(x)} {_n(y)}h36"/>'
        f'<path class="tip" d="M{_n(x + 44)} {_n(y)}l-9 -4v8z"/></g>'
    )


def _heading(placed: Placed) -> Iterator[str]:
    picture = placed.picture
    y = _MARGIN + 6
    yield _text(_MARGIN, y, picture.title, "heading")
    letters = max(60, int(max(placed.width, 560.0) / 6.6))
    said = [line for note in picture.notes for line in wrap(note, letters)]
    for kind, meaning in key(picture):
        y += _LINE + (4 if y < _MARGIN + 10 else 0)
        yield sample(kind, _MARGIN, y - 4)
        yield _text(_MARGIN + 54, y, meaning, "said")
    for line in said:
        y += _LINE
        yield _text(_MARGIN, y, line, "said")


def _description(placed: Placed) -> str:
    picture = placed.picture
    labels = {
        node.id: node.names[0] if node.size == 1 and node.names else node.label
        for node in picture.nodes
    }
    told = [
        f"{', '.join(labels[s] for s in b.sources)} to "
        f"{', '.join(labels[d] for d in b.destinations)}: {b.kind}, {b.title}"
        for b in picture.bundles
    ]
    return ". ".join([*picture.notes, *told])[:20000]


def _hues(bundles: Sequence[Bundle]) -> dict[str, int]:
    """Return the colour of each traffic.

    A name has its favourite, so that it keeps it from picture to picture; what has the most lines
    chooses first, and takes another where that is gone.
    """
    lines: Counter[str] = Counter()
    for bundle in bundles:
        lines[bundle.title] += len(bundle.sources) + len(bundle.destinations)
    found: dict[str, int] = {}
    free: list[int] = []
    for title in sorted(lines, key=lambda t: (-lines[t], t)):
        free = free or list(range(_HUES))
        favourite = int(known_by(title), 16) % _HUES
        found[title] = min(free, key=lambda hue: ((hue - favourite) % _HUES, hue))
        free.remove(found[title])
    return found


def _kind(bundle: Bundle, hues: Mapping[str, int]) -> str:
    """Return the classes of a bundle and its lines."""
    return f"allowed hue{hues[bundle.title]}" if bundle.kind == "allowed" else bundle.kind


def _frame(each: PlacedGroup) -> str:
    group, box = each.group, each.box
    name = _clean(group.label)
    lines = "".join(
        _text(box.x + 10, box.y + 30 + 14 * number, note, "note")
        for number, note in enumerate(each.notes)
    )
    return (
        f'<g class="frame" id="{group.id}" data-namespace="{name}">'
        f"<title>namespace {name}</title>{_rect(box, 6)}"
        f"{_text(box.x + 10, box.y + 16, each.text)}{lines}</g>"
    )


_CORNERS = {"ip": 0, "outside": 0, "gateway": 0, "service": 16}
"""How round the corners of a node are that is no plain one."""


def _node(each: PlacedNode) -> str:
    node, box = each.node, each.box
    middle = box.x + box.width / 2
    names = listed(node.names)
    name = f' data-name="{_clean(node.names[0])}"' if len(node.names) == 1 == node.size else ""
    return (
        f'<g class="node {node.kind}" id="{node.id}" data-id="{node.id}"{name}>'
        f"<title>{_clean(f'{names} ({node.note})')}</title>"
        f"{_rect(box, _CORNERS.get(node.kind, 5))}"
        f"{_text(middle, box.y + 17, each.text)}{_text(middle, box.y + 30, each.note, 'note')}</g>"
    )


def _label(each: PlacedBundle, kind: str) -> str:
    bundle, box = each.bundle, each.box
    pairs = f" ({bundle.pairs} pairs)" if bundle.pairs > 1 else ""
    return (
        f'<g class="bundle {kind}" id="{bundle.id}" data-bundle="{bundle.id}" '
        f'data-src="{" ".join(bundle.sources)}" data-dst="{" ".join(bundle.destinations)}">'
        f"<title>{_clean(f'{bundle.kind}: {bundle.title}{pairs}')}</title>"
        f"{_rect(box, 10)}"
        f"{_text(box.x + box.width / 2, box.y + 14, each.text)}</g>"
    )


def _line(line: Line, kind: str) -> str:
    ends = f' data-src="{line.src}"' if line.src else ""
    ends += f' data-dst="{line.dst}"' if line.dst else ""
    tips = ""
    if line.head:
        tips += _tip(line.points[-1], line.points[-2])
    if line.tail:
        tips += _tip(line.points[0], line.points[1])
    return (
        f'<g class="{kind}" data-bundle="{line.bundle}"{ends}>'
        f'<path class="line" d="{_path(line.points)}"/>{tips}</g>'
    )


def _tip(at: Point, before: Point) -> str:
    size = -8.0 if at[0] >= before[0] else 8.0
    return f'<path class="tip" d="M{_n(at[0])} {_n(at[1])}l{_n(size)} -4v8z"/>'


def _path(points: Sequence[Point]) -> str:
    """Return a path through points in fours: straight, curved, straight."""
    said = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for number, (x, y) in enumerate(points[1:], 1):
        before = points[number - 1]
        if (x, y) == before:
            continue
        if number % _FOUR == _CURVE:
            half = (before[0] + x) / 2
            said.append(f"C{_n(half)} {_n(before[1])} {_n(half)} {_n(y)} {_n(x)} {_n(y)}")
        else:
            said.append(f"L{_n(x)} {_n(y)}")
    return "".join(said)


def _rect(box: Box, corner: int) -> str:
    turned = f' rx="{corner}"' if corner else ""
    at = f'x="{_n(box.x)}" y="{_n(box.y)}"'
    return f'<rect {at} width="{_n(box.width)}" height="{_n(box.height)}"{turned}/>'


def _text(x: float, y: float, said: str, name: str = "") -> str:
    known = f' class="{name}"' if name else ""
    return f'<text{known} x="{_n(x)}" y="{_n(y)}">{_clean(said)}</text>'


def _n(number: float) -> str:
    """Return a number in few characters."""
    return f"{number:.1f}".removesuffix(".0")


def _clean(text: str) -> str:
    """Return text that is safe inside an element or a quoted attribute."""
    return escape(legal(text))
