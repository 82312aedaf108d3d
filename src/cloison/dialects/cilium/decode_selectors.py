"""Selectors of labels: from nodes to the model."""

from collections.abc import Mapping

from cloison.dialects.cilium.model_rules import Requirement, Selector
from cloison.dialects.cilium.reader import Reader
from cloison.dialects.cilium.say import API, CRD
from cloison.dialects.cilium.values import ANY_SOURCE, LabelKey, parse_key
from cloison.resources.documents import Node
from cloison.resources.names import is_label_key, is_label_value, shown

OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_WITH_VALUES = ("In", "NotIn")
_SELECTOR = f"{API}/selector.go"


def read_selector(
    reader: Reader, node: Node | None, path: str, *, plain: bool = False
) -> Selector | None:
    """Return a selector, None when absent or null; what is wrong with it is noted.

    Args:
        reader: Where it is noted.
        node: Where the selector is written.
        path: Its path.
        plain: Whether its keys are labels of an object as Kubernetes has them, without a source.
    """
    if node is None or node.value is None:
        return None
    found = reader.mapping(node, path)
    return Selector(
        (
            *_pairs(reader, found, path, plain=plain),
            *_expressions(reader, found.get("matchExpressions"), path, plain=plain),
        ),
        reader.span(node),
    )


def selectors(reader: Reader, node: Node | None, path: str) -> tuple[Selector, ...] | None:
    """Return a list of selectors, None when absent or null."""
    return reader.items(
        node, path, lambda item, at: read_selector(reader, item, at) or Selector((), None)
    )


def _pairs(
    reader: Reader, found: Mapping[str, Node], path: str, *, plain: bool
) -> list[Requirement]:
    path = f"{path}.matchLabels"
    pairs = []
    for text, node in reader.mapping(found.get("matchLabels"), path).items():
        value = reader.text(node, f"{path}.{text}") or ""
        key = _key(reader, text, node, path, plain=plain)
        if not is_label_value(value):
            _bad_value(reader, node, f"{path}.{text}", value, CRD)
        span = reader.key_span(node)
        pairs.append(Requirement(key.source, key.key, "In", (value,), pair=True, span=span))
    return pairs


def _expressions(reader: Reader, node: Node | None, path: str, *, plain: bool) -> list[Requirement]:
    path = f"{path}.matchExpressions"
    found = reader.items(node, path, lambda item, at: _expression(reader, item, at, plain=plain))
    return list(found or ())


def _expression(reader: Reader, node: Node, path: str, *, plain: bool) -> Requirement:
    found = reader.mapping(node, path)
    text = reader.text(found.get("key"), f"{path}.key") or ""
    key = _key(reader, text, found.get("key") or node, f"{path}.key", plain=plain)
    written = found.get("operator")
    operator = reader.word("CIL010", written, f"{path}.operator", OPERATORS)
    if operator is None and (written is None or not written.value):
        help_ = f"write one of {', '.join(OPERATORS)}"
        reader.refuse("CIL010", node, f"`{path}` has no operator", help_, source=CRD)
    values = reader.texts(found.get("values"), f"{path}.values") or ()
    if operator in _WITH_VALUES and not values:
        message = f"`{path}` says {operator} and has no values"
        reader.refuse("CIL010", node, message, "add `values`", source=_SELECTOR)
    elif operator is not None and operator not in _WITH_VALUES and values:
        message = f"`{path}` says {operator} and has values"
        reader.refuse("CIL010", node, message, "remove `values`", source=_SELECTOR)
    for i, value in enumerate(values):
        if not is_label_value(value):
            _bad_value(reader, node, f"{path}.values[{i}]", value, _SELECTOR)
    return Requirement(key.source, key.key, operator or "In", values, span=reader.span(node))


def _key(reader: Reader, text: str, node: Node, path: str, *, plain: bool) -> LabelKey:
    """Return a key; Cilium judges it with its source before it, and a dot between."""
    key = LabelKey(ANY_SOURCE, text) if plain else parse_key(text)
    if not is_label_key(key.key if plain else f"{key.source}.{key.key}"):
        reader.refuse(
            "CIL010",
            node,
            f"`{shown(text)}` in `{shown(path)}` cannot be a label's key"
            if text
            else f"`{shown(path)}` is empty",
            "write a label's key, perhaps with its source before it: `k8s:app`",
            source=_SELECTOR,
        )
    return key


def _bad_value(reader: Reader, node: Node, path: str, value: str, source: str) -> None:
    reader.refuse(
        "CIL010",
        node,
        f"`{shown(path)}` is `{shown(value)}`, which cannot be a label's value",
        "use at most 63 of a-z, A-Z, 0-9, `-`, `_`, `.`, and begin and end with a letter or digit",
        source=source,
    )
