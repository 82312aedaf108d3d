"""What selectors as Kubernetes writes them match."""

from cloison.algebra import EVERYTHING, LabelSelector, Operator, Requirement
from cloison.dialects.networkpolicy import model


def compile_selector(selector: model.LabelSelector | None) -> LabelSelector:
    """Return what a selector matches, where its absence means everything.

    Raises:
        ValueError: an operator is none of the four.
    """
    if selector is None or selector.empty:
        return EVERYTHING
    return LabelSelector.of(
        selector.match_labels,
        [Requirement(e.key, Operator(e.operator), e.values) for e in selector.match_expressions],
    )
