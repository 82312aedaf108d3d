"""What has changed from one look of `drift --watch` to the next, for people."""

from collections.abc import Iterator

from cloison.analyses.drift.rounds import Moved
from cloison.report.about import Look
from cloison.report.text.drifted import finding, short
from cloison.report.text.layout import wrapped


def lines(moved: Moved, when: str, look: Look) -> Iterator[str]:
    """Iterate over the lines of what has changed: when, and how much, come first.

    Args:
        moved: What has changed.
        when: The time.
        look: How text is laid out.
    """
    yield look.paint(f"{when}: {counted(moved)}", "bold")
    for each in moved.began:
        if each.counts:
            yield from finding(each, look)
        else:
            yield from short(each, look)
    for each in (*moved.over, *moved.accepted, *moved.suspected):
        yield from short(each, look)
    for key in moved.gone:
        yield from wrapped(f"{key}: it is so no more", look, "gone: ", "  ")
    yield ""


def counted(moved: Moved) -> str:
    """Return in a few words what has changed, and how many findings stand.

    >>> counted(Moved(gone=("D4|x",), standing=2)), counted(Moved())
    ('1 gone; 2 findings stand', 'nothing has changed; no finding stands')
    """
    told = ", ".join(
        f"{len(some)} {word}"
        for word, some in (
            ("new", moved.began),
            ("resolved", moved.over),
            ("accepted", moved.accepted),
            ("suspected", moved.suspected),
            ("gone", moved.gone),
        )
        if some
    )
    stand = {0: "no finding stands", 1: "1 finding stands"}
    standing = stand.get(moved.standing, f"{moved.standing} findings stand")
    return f"{told or 'nothing has changed'}; {standing}"
