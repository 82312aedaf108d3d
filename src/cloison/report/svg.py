"""Maps and differences as pictures, in one file that any browser shows and any page can hold."""

from collections.abc import Iterator

from cloison.report.about import About, Look


def render(kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return a picture as SVG."""
    # Drawing is only paid for by those who ask for it.
    from cloison.report.lacking import previews, sentences  # noqa: PLC0415 - only for pictures
    from cloison.report.picture import draw, of, place  # noqa: PLC0415 - likewise

    yield draw(place(of(kind, result, lacks=(*previews(about), *sentences(about)))))
