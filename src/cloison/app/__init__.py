"""The one place that knows everybody: load, compile, bind, ask."""

from cloison.app.load import alike, diff, load, load_objects, load_texts, what_if
from cloison.app.session import Session
from cloison.app.settings import Settings

__all__ = [
    "Session",
    "Settings",
    "alike",
    "diff",
    "load",
    "load_objects",
    "load_texts",
    "what_if",
]
