"""Selectors as Kubernetes writes them, and where two of them meet."""

from collections.abc import Iterable, Mapping

from cloison.algebra import LabelSelector, LabelSet, Operator, Requirement
from cloison.dialects.writing.errors import UnsayableError
from cloison.dialects.writing.statement import WriteContext
from cloison.dialects.writing.tree import Tree
from cloison.ir.peers import PodsMatch
from cloison.resources.objects import NAMESPACE_NAME_LABEL
from cloison.resources.world import World


def selector_tree(selector: LabelSelector) -> Mapping[str, Tree]:
    """Return a selector as a LabelSelector; each key's only value stands under `matchLabels`.

    Raises:
        ValueError: It looks into values, which a LabelSelector cannot.
    """
    for each in selector.requirements:
        if each.operator.textual:
            msg = f"`{each}`"
            raise ValueError(msg)
    return requirements_tree(selector.requirements)


def requirements_tree(requirements: Iterable[Requirement]) -> Mapping[str, Tree]:
    """Return requirements as a LabelSelector; see `selector_tree`."""
    labels: dict[str, Tree] = {}
    expressions: list[Tree] = []
    for each in requirements:
        if each.operator is Operator.IN and len(each.values) == 1 and each.key not in labels:
            labels[each.key] = each.values[0]
        else:
            found: dict[str, Tree] = {"key": each.key, "operator": str(each.operator)}
            if each.values:
                found["values"] = list(each.values)
            expressions.append(found)
    tree: dict[str, Tree] = {}
    if labels:
        tree["matchLabels"] = labels
    if expressions:
        tree["matchExpressions"] = expressions
    return tree


def named_namespace(name: str) -> LabelSelector:
    """Return a selector of one namespace by its name."""
    return LabelSelector.of({NAMESPACE_NAME_LABEL: name})


def only_namespaces(selector: LabelSelector) -> tuple[str, ...] | None:
    """Return the namespaces a selector names by their names, None where it asks for more."""
    if len(selector.requirements) != 1:
        return None
    (only,) = selector.requirements
    named = only.key == NAMESPACE_NAME_LABEL and only.operator is Operator.IN
    return only.values if named else None


def spelled_out(selector: LabelSelector, values: Iterable[Mapping[str, str]]) -> LabelSelector:
    """Return a selector that matches the same of some labels, without looking into values.

    Args:
        selector: The selector.
        values: Every set of labels there is today.
    """
    known = list(values)
    found = []
    for each in selector.requirements:
        if not each.operator.textual:
            found.append(each)
            continue
        negative = each.matches({})
        text = Requirement(each.key, each.operator.opposite, each.values) if negative else each
        held = tuple(sorted({m[each.key] for m in known if each.key in m and text.matches(m)}))
        if negative and held:
            found.append(Requirement(each.key, Operator.NOT_IN, held))
        elif not negative:
            found.append(Requirement(each.key, Operator.IN, held))
    return LabelSelector.of({}, found)


def plain_selector(
    selector: LabelSelector, context: WriteContext, *, namespaces: bool = False
) -> LabelSelector | None:
    """Return a selector that does not look into values; None where it finds nobody, today.

    Args:
        selector: The selector.
        context: What is around; the labels of today are those of its world.
        namespaces: Whether it is about namespaces, and not about pods.

    Raises:
        UnsayableError: It looks into values, and may not be copied for today.
    """
    if not any(each.operator.textual for each in selector.requirements):
        return selector
    if not context.snapshot:
        raise UnsayableError(
            "labels cannot be asked what their value contains, begins or ends with",
            "selector",
            "namespaceSelector",
            "notSelector",
            choose=True,
        )
    world = context.world
    known = (
        (each.labels for each in world.namespaces.values())
        if namespaces
        else (each.labels for w in world.workloads.values() for each in w.endpoints)
    )
    found = spelled_out(selector, known)
    nobody = any(r.operator is Operator.IN and not r.values for r in found.requirements)
    return None if nobody else found


def meet(a: PodsMatch, b: PodsMatch, world: World) -> bool:
    """Return whether some pod could be matched by both, existing or not."""
    if a.namespace is not None and b.namespace is not None and a.namespace != b.namespace:
        return False
    for one, other in ((a, b), (b, a)):
        if one.namespace is not None and other.namespace is None:
            known = world.namespaces.get(one.namespace)
            labels = known.labels if known is not None else None
            if labels is not None and not other.namespaces.matches(labels):
                return False
    where = LabelSet.of(a.namespaces) & LabelSet.of(b.namespaces)
    return bool(LabelSet.of(a.pods) & LabelSet.of(b.pods)) and bool(where)
