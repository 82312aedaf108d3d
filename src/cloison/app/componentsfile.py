"""Where known components of a platform are, as a settings file says it."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from cloison.base import QuestionError, Span
from cloison.platform.component import Placed
from cloison.platform.components import component
from cloison.resources.documents import Node

_EXAMPLE: Final = "write false for one that is nowhere, or {namespace: dns, podLabels: {app: dns}}"


class ComponentSetting(
    Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """Where a known component is."""

    namespace: Annotated[
        str | None, Meta(description="Its namespace; any, where it is left out.")
    ] = None
    pod_labels: Annotated[
        dict[str, str],
        Meta(description="Labels of its pods; those that it has anyway, where they are left out."),
    ] = {}


ComponentSettings = dict[
    str, ComponentSetting | Annotated[bool, Meta(extra_json_schema={"const": False})]
]
"""By the component's id; `false` for one that is nowhere."""

_KEYS: Final = tuple(each.encode_name for each in msgspec.structs.fields(ComponentSetting))

Fault = tuple[Span, str, str | None]
"""Where something is wrong, what, and what to write instead."""


def faults(given: Node, shown: str) -> Iterator[Fault]:
    """Yield what has no meaning in what a settings file says of components.

    Args:
        given: The value of `components`.
        shown: The file's path as people are to see it.
    """
    if not isinstance(given.value, dict):
        yield given.span(shown), "`components` is a mapping by id", _EXAMPLE
        return
    for name, node in given.value.items():
        try:
            component(name)
        except QuestionError as error:
            yield node.key_span(shown), error.message, error.help
        yield from _entry(name, node, shown)


def _entry(name: str, node: Node, shown: str) -> Iterator[Fault]:
    if node.value is False:
        return
    if not isinstance(node.value, dict):
        yield node.span(shown), f"`components.{name}` does not say where it is", _EXAMPLE
        return
    for key, value in node.value.items():
        if key not in _KEYS:
            near = get_close_matches(key.lower(), {k.lower(): k for k in _KEYS}, 1, 0.5)
            keys = {k.lower(): k for k in _KEYS}
            advice = f"did you mean `{keys[near[0]]}`?" if near else f"keys are {', '.join(_KEYS)}"
            yield value.key_span(shown), f"a component has no key `{key}`", advice
    namespace, labels = node.get("namespace"), node.get("podLabels")
    if namespace is not None and not (isinstance(namespace.value, str) and namespace.value):
        yield namespace.span(shown), "`namespace` is a name", "leave it out for any namespace"
    if labels is None:
        return
    pairs = labels.value.values() if isinstance(labels.value, dict) else None
    if pairs is None or not all(isinstance(each.value, str) for each in pairs):
        advice = 'write {app: dns}, and values such as "true" in quotes'
        yield labels.span(shown), "`podLabels` are texts by key", advice


def placed(
    said: Mapping[str, ComponentSetting | bool], given: Node | None, shown: str
) -> dict[str, Placed | None]:
    """Return where components are, by id; None for one that is nowhere.

    Args:
        said: What the settings file says.
        given: The same, located.
        shown: The file's path as people are to see it.
    """
    found: dict[str, Placed | None] = {}
    for name, where in said.items():
        node = given.get(name) if given is not None else None
        span = node.key_span(shown) if node is not None else None
        found[name] = (
            None if isinstance(where, bool) else Placed(where.namespace, where.pod_labels, span)
        )
    return found
