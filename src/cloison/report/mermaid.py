"""Maps and differences as Mermaid flowcharts, which GitHub, GitLab and many wikis draw.

Namespaces are subgraphs. What many send alike meets in a round node that says what it is.
"""

import re
from collections.abc import Iterator, Sequence
from textwrap import wrap

from cloison.report.about import About, Look
from cloison.report.lacking import previews, sentences
from cloison.report.picture.depict import of
from cloison.report.picture.graph import Bundle, Node
from cloison.report.picture.letters import fitted

_LINES = 480
"""Mermaid draws no more than 500 edges, unless the page it stands in allows it."""
_LABEL = 48
_PLAIN = re.compile(r"[^A-Za-z0-9 ./,:_()+*-]")

_SHAPE = {"service": ("(", ")"), "gateway": ("{{", "}}")}
"""What stands around the name of a node that is no plain one."""
_ARROW = {
    "allowed": ("---", "-->"),
    "undetermined": ("-.-", "-.->"),
    "opened": ("===", "==>"),
    "closed": ("-.-", "-.->"),
    "changed": ("---", "-->"),
}
_LOOK = {
    "opened": "stroke:#d55e00,stroke-width:3px",
    "closed": "stroke:#0072b2,stroke-dasharray:6 4",
    "changed": "stroke:#b5579c,stroke-dasharray:9 3 2 3",
    "undetermined": "stroke:#a06a00,stroke-dasharray:2 3",
    "outside": "stroke-dasharray:4 3",
    "folded": "stroke-width:3px",
    "note": "fill:none,stroke:none",
}
"""Colours of Okabe and Ito, told by day and by night; lines differ without them."""


def render(kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return a flowchart in Mermaid's language."""
    lacks = (*previews(about), *sentences(about))
    picture = of(kind, result, _LINES, lacks)
    yield "---\n"
    yield f"title: {_title(picture.title)}\n"
    yield "---\nflowchart LR\n"
    yield from (f"  %% {_title(line.replace(';', ','))}\n" for line in lacks)
    if picture.notes:
        told = [line for note in picture.notes for line in wrap(note, _LABEL)]
        yield f"  notes[{_quoted(told)}]:::note\n"
    for group in picture.groups:
        yield f"  subgraph {_id(group.id)}[{_quoted([group.label, *group.notes])}]\n"
        yield from (f"  {_node(node)}" for node in picture.nodes if node.group == group.id)
        yield "  end\n"
    yield from (_node(node) for node in picture.nodes if node.group is None)
    number = 0
    styled: dict[str, list[int]] = {}
    for bundle in picture.bundles:
        for line, counts in _edges(bundle):
            yield f"  {line}\n"
            if counts:
                styled.setdefault(bundle.kind, []).append(number)
                number += 1
    kinds = {_class(node) for node in picture.nodes} | {b.kind for b in picture.bundles}
    if picture.notes:
        kinds.add("note")
    yield from (f"  classDef {name} {look}\n" for name, look in _LOOK.items() if name in kinds)
    for name, numbers in styled.items():
        if name in _LOOK:
            yield f"  linkStyle {','.join(map(str, numbers))} {_LOOK[name]}\n"


def _node(node: Node) -> str:
    name = _class(node)
    extra = f":::{name}" if name in _LOOK else ""
    left, right = _SHAPE.get(node.kind, ("[", "]"))
    return f"  {_id(node.id)}{left}{_quoted([node.label, node.note])}{right}{extra}\n"


def _class(node: Node) -> str:
    if node.kind in ("ip", "outside"):
        return "outside"
    return "folded" if node.size > 1 else "plain"


def _edges(bundle: Bundle) -> Iterator[tuple[str, bool]]:
    """Iterate over lines, each with whether it is an edge."""
    line, arrow = _ARROW[bundle.kind]
    label = _quoted([bundle.label])
    if len(bundle.sources) == 1 == len(bundle.destinations):
        yield f"{_id(bundle.sources[0])} {arrow}|{label}| {_id(bundle.destinations[0])}", True
        return
    extra = f":::{bundle.kind}" if bundle.kind in _LOOK else ""
    middle = _id(bundle.id)
    yield f"{middle}([{label}]){extra}", False
    if bundle.mutual:
        yield from ((f"{_id(src)} <{arrow} {middle}", True) for src in bundle.sources)
        return
    yield from ((f"{_id(src)} {line} {middle}", True) for src in bundle.sources)
    yield from ((f"{middle} {arrow} {_id(dst)}", True) for dst in bundle.destinations)


def _id(ident: str) -> str:
    return ident.replace("-", "_")


def _quoted(lines: Sequence[str]) -> str:
    """Return a quoted label; whatever Mermaid, Markdown or HTML might read becomes a number.

    >>> _quoted(['a"b<i>', "two"])
    '"a#34;b#60;i#62;<br>two"'
    """
    told = [_PLAIN.sub(_number, fitted(line, _LABEL)) for line in lines if line]
    return '"' + ("<br>".join(told) or " ") + '"'


def _number(match: re.Match[str]) -> str:
    return f"#{ord(match[0]) if match[0].isprintable() else 0xFFFD};"


def _title(text: str) -> str:
    return _PLAIN.sub(" ", text)
