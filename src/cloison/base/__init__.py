"""Spans, diagnostics and errors: the vocabulary every other package speaks."""

from cloison.base.diagnostics import Diagnostic, Severity, sort_diagnostics, worst
from cloison.base.errors import (
    CloisonError,
    QuestionError,
    SourceError,
    UnknownEndpointError,
)
from cloison.base.sharing import Sharing
from cloison.base.spans import Span

__all__ = [
    "CloisonError",
    "Diagnostic",
    "QuestionError",
    "Severity",
    "Sharing",
    "SourceError",
    "Span",
    "UnknownEndpointError",
    "sort_diagnostics",
    "worst",
]
