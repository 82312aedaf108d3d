"""Sets of requests in words that fit a screen."""

from typing import TYPE_CHECKING

from cloison.analyses.request import usual

if TYPE_CHECKING:
    from cloison.algebra import RequestSet

_LONG = 100
"""Characters beyond which nobody reads a set; documents have it whole."""


def words(requests: "RequestSet") -> str:
    """Return a set as text, or where that is long an example of it."""
    text = str(requests)
    return text if len(text) <= _LONG else f"requests such as {usual(requests)}"


def asks(requests: "RequestSet | None", *, example: bool = False, given: str = "") -> str:
    """Return what follows traffic that is meant with some requests only; nothing for all.

    Args:
        requests: The requests; None for all.
        example: Whether to name one of them, where the text is not that itself.
        given: What else has to hold.
    """
    if requests is None:
        return f" when {given}" if given else ""
    said = with_example(requests) if example else words(requests)
    return f" when {said}{f', and {given}' if given else ''}"


def with_example(requests: "RequestSet") -> str:
    """Return a set as text with an example, where the text is not that itself."""
    text, example = words(requests), str(usual(requests))
    return text if example in text else f"{text}, as {example}"
