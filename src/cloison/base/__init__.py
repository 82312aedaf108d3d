"""Spans, diagnostics and errors: the vocabulary every other package speaks.

Errors are here at once; the rest is imported when first used, so that a command that only
prints help does not pay for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from cloison.base.errors import (
    CloisonError,
    QuestionError,
    SourceError,
    UnknownEndpointError,
)

if TYPE_CHECKING:
    from cloison.base.diagnostics import (
        ENFORCED_ONLY,
        TREATED_AS_ABSENT,
        Diagnostic,
        Severity,
        sort_diagnostics,
        worst,
    )
    from cloison.base.sharing import Sharing
    from cloison.base.spans import Span
    from cloison.base.unhurried import unhurried

_LATER = {
    "Diagnostic": "diagnostics",
    "ENFORCED_ONLY": "diagnostics",
    "Severity": "diagnostics",
    "Sharing": "sharing",
    "Span": "spans",
    "TREATED_AS_ABSENT": "diagnostics",
    "sort_diagnostics": "diagnostics",
    "unhurried": "unhurried",
    "worst": "diagnostics",
}


def __getattr__(name: str) -> object:
    """Import what is first used now."""
    if name not in _LATER:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value


__all__ = [
    "ENFORCED_ONLY",
    "TREATED_AS_ABSENT",
    "CloisonError",
    "Diagnostic",
    "QuestionError",
    "Severity",
    "Sharing",
    "SourceError",
    "Span",
    "UnknownEndpointError",
    "sort_diagnostics",
    "unhurried",
    "worst",
]
