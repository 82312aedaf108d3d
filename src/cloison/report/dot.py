"""Maps and differences as graphs for Graphviz, which lays them out by itself.

Namespaces are clusters. What many send alike meets in a node that says what it is.
"""

import re
from collections.abc import Iterator, Sequence
from textwrap import wrap

from cloison.report.about import About, Look
from cloison.report.lacking import previews, sentences
from cloison.report.picture.depict import of
from cloison.report.picture.graph import Bundle, Node
from cloison.report.picture.letters import fitted

_LABEL = 60
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_UNKNOWN = "\ufffd"

_HEAD = """\
digraph cloison {
  rankdir=LR
  ranksep=0.8
  fontname="Helvetica,Arial,sans-serif"
  node [shape=box, style=rounded, fontname="Helvetica,Arial,sans-serif", fontsize=11]
  edge [fontname="Helvetica,Arial,sans-serif", fontsize=10, arrowsize=0.7]
"""

_EDGE = {
    "allowed": "",
    "undetermined": "style=dotted",
    "opened": 'color="#b34700", penwidth=2.5',
    "closed": 'color="#005b94", style=dashed',
    "changed": 'color="#8f3d75", style="dashed,bold"',
}
"""Colours of Okabe and Ito, darkened; lines differ without them."""

_NODE = {
    "ip": "style=dashed",
    "outside": "style=dashed",
    "namespace": "penwidth=2",
    "service": "shape=ellipse",
    "gateway": "shape=hexagon",
}


def render(kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return a graph in the DOT language."""
    lacks = (*previews(about), *sentences(about))
    picture = of(kind, result, lacks=lacks)
    yield from (f"// {_CONTROL.sub(_UNKNOWN, line)}\n" for line in lacks)
    yield _HEAD
    said = [picture.title, *(line for note in picture.notes for line in wrap(note, _LABEL))]
    yield f"  label={_quoted(said)}\n  labelloc=t\n"
    for group in picture.groups:
        yield f'  subgraph "cluster_{group.id}" {{\n'
        yield f"    label={_quoted([group.label, *group.notes])}\n"
        yield from (f"  {_node(node)}" for node in picture.nodes if node.group == group.id)
        yield "  }\n"
    yield from (_node(node) for node in picture.nodes if node.group is None)
    for bundle in picture.bundles:
        yield from _edges(bundle)
    yield "}\n"


def _node(node: Node) -> str:
    extra = f", {_NODE[node.kind]}" if node.kind in _NODE else ""
    tip = _quoted([node.names[0] if len(node.names) == 1 else node.label])
    return f'  "{node.id}" [label={_quoted([node.label, node.note])}, tooltip={tip}{extra}]\n'


def _edges(bundle: Bundle) -> Iterator[str]:
    look = _EDGE[bundle.kind]
    label = _quoted([bundle.label])
    tip = _quoted([f"{bundle.kind}: {bundle.title}"])
    told = ", ".join(x for x in (f"label={label}, tooltip={tip}", look) if x)
    if len(bundle.sources) == 1 == len(bundle.destinations):
        yield f'  "{bundle.sources[0]}" -> "{bundle.destinations[0]}" [{told}]\n'
        return
    told = told.replace("style=dotted", 'style="rounded,dotted"')
    told = told.replace("style=dashed", 'style="rounded,dashed"')
    yield f'  "{bundle.id}" [fontsize=10, height=0.2, margin="0.08,0.02", {told}]\n'
    for src in bundle.sources:
        head = "none" if not bundle.mutual else "normal, dir=both"
        extra = f", {look}" if look else ""
        yield f'  "{src}" -> "{bundle.id}" [arrowhead={head}{extra}]\n'
    if not bundle.mutual:
        extra = f" [{look}]" if look else ""
        yield from (f'  "{bundle.id}" -> "{dst}"{extra}\n' for dst in bundle.destinations)


def _quoted(lines: Sequence[str]) -> str:
    r"""Return a quoted string of several lines, centred.

    Graphviz reads escapes and HTML entities in labels, so both are kept from it.

    >>> print(_quoted(['a "b" \\N &lt;']))
    "a \"b\" \\N &amp;lt;"
    """
    told = [_CONTROL.sub(_UNKNOWN, fitted(line, _LABEL)) for line in lines if line]
    safe = [t.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for t in told]
    return '"' + "\\n".join(safe) + '"'
