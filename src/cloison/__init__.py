"""Cloison: segment a Kubernetes cluster, and prove it.

>>> import cloison
>>> session = cloison.load("examples/case-management")
>>> print(session.why("web/case-portal", "evidence/evidence-api:8080").verdict)
denied
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloison.algebra import AddressSet, LabelSelector, TrafficSet
    from cloison.analyses.ask import Explanation, Question
    from cloison.analyses.connectivity import Edge, Map, MapOptions
    from cloison.analyses.diff import Diff
    from cloison.analyses.matrix import Matrix
    from cloison.app.change import diff, what_if
    from cloison.app.load import load, load_objects, load_texts
    from cloison.app.session import Session
    from cloison.app.settings import Settings
    from cloison.base import (
        CloisonError,
        Diagnostic,
        QuestionError,
        Severity,
        SourceError,
        Span,
        UnknownEndpointError,
    )
    from cloison.base.version import VERSION as __version__  # noqa: N811 - the word Python expects
    from cloison.ir.fidelity import Caveat, Verdict
    from cloison.ir.profile import Profile
    from cloison.platform import profile, profile_names

_HOMES = {
    "AddressSet": "algebra",
    "Caveat": "ir.fidelity",
    "CloisonError": "base",
    "Diagnostic": "base",
    "Diff": "analyses.diff",
    "Edge": "analyses.connectivity",
    "Explanation": "analyses.ask",
    "LabelSelector": "algebra",
    "Map": "analyses.connectivity",
    "MapOptions": "analyses.connectivity",
    "Matrix": "analyses.matrix",
    "Profile": "ir.profile",
    "Question": "analyses.ask",
    "QuestionError": "base",
    "Session": "app",
    "Settings": "app",
    "Severity": "base",
    "SourceError": "base",
    "Span": "base",
    "TrafficSet": "algebra",
    "UnknownEndpointError": "base",
    "Verdict": "ir.fidelity",
    "diff": "app.change",
    "load": "app",
    "load_objects": "app",
    "load_texts": "app",
    "profile": "platform",
    "profile_names": "platform",
    "what_if": "app.change",
}
"""Where each public name lives; imported when first used, so that `import cloison` is cheap."""

__all__ = [
    "AddressSet",
    "Caveat",
    "CloisonError",
    "Diagnostic",
    "Diff",
    "Edge",
    "Explanation",
    "LabelSelector",
    "Map",
    "MapOptions",
    "Matrix",
    "Profile",
    "Question",
    "QuestionError",
    "Session",
    "Settings",
    "Severity",
    "SourceError",
    "Span",
    "TrafficSet",
    "UnknownEndpointError",
    "Verdict",
    "__version__",
    "diff",
    "load",
    "load_objects",
    "load_texts",
    "profile",
    "profile_names",
    "what_if",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from cloison.base.version import VERSION  # noqa: PLC0415 - on demand, like the rest

        return VERSION
    home = _HOMES.get(name)
    if home is None:
        msg = f"module 'cloison' has no attribute {name!r}"
        raise AttributeError(msg)
    value: object = getattr(import_module(f"cloison.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
