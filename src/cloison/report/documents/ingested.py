"""`flows ingest` as published."""

from collections.abc import Iterator, Sequence

from cloison.flows.answers import Ingested, Run
from cloison.flows.store.manifest import Counts
from cloison.report.about import About
from cloison.report.documents import parts
from cloison.report.documents.observed import CountsSaid


class OtherReader(parts.Base, frozen=True):
    """Another reader that a file might be for."""

    reader: str
    sure: float


class SharedSaid(parts.Base, frozen=True):
    """What a file has in common with another one, which was read before.

    Its first `lines` are the same as in the other one at `path`, and are counted once. `unsure` is
    how many lines after these may be the same as well: they are counted again.
    """

    path: str
    lines: int
    unsure: int


class FileSaid(parts.Base, frozen=True):
    """What came of a file.

    `sure`, from 0 to 1, says how sure it is that this is the right reader. `new` was read now;
    `before` had been read before, and was left out. `problem` is null where all is well. `shared`
    is null where it begins like no other file.
    """

    path: str
    reader: str | None
    sure: float
    others: list[OtherReader]
    new: CountsSaid
    before: CountsSaid
    problem: str | None
    shared: SharedSaid | None


class IngestedSaid(parts.Envelope, frozen=True):
    """What was read into a store of flows."""

    store: str
    files: list[FileSaid]
    identities: int
    rolled: int


DOCUMENT = IngestedSaid


def document(result: Run, about: About) -> IngestedSaid:
    """Return what was read as published."""
    return IngestedSaid(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=list(parts.findings(about)),
        store=result.store,
        files=[_file(each) for each in result.files],
        identities=result.identities,
        rolled=result.rolled,
    )


def _file(known: Ingested) -> FileSaid:
    shared = known.shared
    return FileSaid(
        path=known.path,
        reader=known.reader,
        sure=known.sure,
        others=[OtherReader(name, sure) for name, sure in known.others],
        new=_counts(known.new),
        before=_counts(known.before),
        problem=known.problem or None,
        shared=SharedSaid(shared.path, shared.lines, shared.unsure) if shared else None,
    )


def _counts(known: Counts) -> CountsSaid:
    return CountsSaid(known.lines, known.flows, known.others, known.bad, known.skipped)


HEADER = ("path", "reader", "sure", "lines", "flows", "skipped", "bad", "before", "problem")


def rows(result: Run) -> Iterator[Sequence[object]]:
    """Iterate over the files."""
    for each in result.files:
        new = each.new
        yield (
            each.path,
            each.reader or "",
            each.sure,
            new.lines,
            new.flows,
            new.skipped,
            new.bad,
            each.before.lines,
            each.problem,
        )
