"""How every text output for people ends."""

from collections.abc import Iterator

from cloison.report.about import About, Look
from cloison.report.lacking import previews, sentences
from cloison.report.text.layout import profile_line, wrapped


def closing(about: About, look: Look) -> Iterator[str]:
    """Iterate over what an answer takes to be enforced, and lacks, and who is taken to enforce."""
    for sentence in previews(about):
        yield from wrapped(sentence, look, "", "  ")
    for sentence in sentences(about):
        yield from (look.paint(line, "yellow") for line in wrapped(sentence, look, "", "  "))
    yield look.paint(profile_line(about), "dim")
