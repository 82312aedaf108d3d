"""The one place that knows everybody: load, compile, bind, ask."""

from cloison.app.load import alike, load, load_objects, load_texts
from cloison.app.session import Session
from cloison.app.settings import Settings

__all__ = [
    "Session",
    "Settings",
    "alike",
    "load",
    "load_objects",
    "load_texts",
]
