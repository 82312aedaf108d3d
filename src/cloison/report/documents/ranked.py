"""`flows top` as published."""

from collections.abc import Iterator, Sequence

from cloison.flows.answers import Top
from cloison.report.about import About
from cloison.report.documents import parts
from cloison.report.documents.moments import moment


class Line(parts.Base, frozen=True):
    """One line of a ranking; what lines are not about is null.

    `oriented` says whether it is known who opened: where it is not, `source` and `destination` may
    be either end, and `port` is null. `hours` counts those with any edge of the line.
    """

    source: str | None
    destination: str | None
    port: str | None
    verdict: str | None
    oriented: bool
    count: int
    hours: int
    first: str | None
    last: str | None


class Ranked(parts.Envelope, frozen=True):
    """What was seen most. The counts below `lines` are of everything, and not of these alone."""

    lines: list[Line]
    total: int
    count: int
    unoriented: int
    halfway: int
    ambiguous: int


DOCUMENT = Ranked


def document(result: Top, about: About) -> Ranked:
    """Return a ranking as published."""
    return Ranked(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=list(parts.findings(about)),
        lines=[
            Line(
                source=each.src,
                destination=each.dst,
                port=each.port,
                verdict=each.verdict,
                oriented=each.oriented,
                count=each.count,
                hours=each.hours,
                first=moment(each.first),
                last=moment(each.last),
            )
            for each in result.rows
        ],
        total=result.total,
        count=result.count,
        unoriented=result.unoriented,
        halfway=result.halfway,
        ambiguous=result.ambiguous,
    )


HEADER = ("count", "source", "destination", "port", "verdict", "oriented", "hours", "first", "last")


def rows(result: Top) -> Iterator[Sequence[object]]:
    """Iterate over the lines."""
    for each in result.rows:
        yield (
            each.count,
            each.src,
            each.dst,
            each.port,
            each.verdict,
            each.oriented,
            each.hours,
            moment(each.first),
            moment(each.last),
        )
