"""Results as text for people, a screen at most where that can be."""

from collections.abc import Iterator
from importlib import import_module

from cloison.report.about import About, Look


def render(kind: str, result: object, about: About, look: Look) -> Iterator[str]:
    """Return lines for people, one after the other."""
    module = import_module(f"cloison.report.text.{kind}")
    for line in module.lines(result, about, look):
        yield look.safe(line) + "\n"
