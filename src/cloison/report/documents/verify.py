"""`verify` as published."""

from collections.abc import Iterator, Sequence

import msgspec

from cloison.analyses.matrix import Expect, Matrix, RowResult, Status
from cloison.ir.fidelity import Verdict
from cloison.report.about import About
from cloison.report.documents import parts
from cloison.report.documents.why import DecidedBy, Witness, decided_by, witness


class Asked(parts.Base, frozen=True):
    """One expectation about one path, and what is so."""

    name: str
    from_: str = msgspec.field(name="from")
    to: str
    port: str | None
    protocol: str
    expected: Expect | None
    verdict: Verdict | None


class Result(Asked, frozen=True):
    """What came of one expectation.

    `status` is passed, failed, undetermined or error; an error is a row that could not be asked,
    and has no verdict.
    """

    passed: bool
    status: Status
    decided_by: list[DecidedBy]
    caveats: list[parts.CaveatSaid]
    witnesses: list[Witness]
    notes: list[str]
    why: str | None
    error: str | None
    help: str | None
    file: str | None
    line: int | None


class Summary(parts.Base, frozen=True):
    """How many rows came to what; the first four add up to the total."""

    passed: int
    failed: int
    undetermined: int
    errors: int
    total: int


class Verification(parts.Envelope, frozen=True):
    """A matrix of paths that must be open or closed, and what came of it."""

    runner: str
    results: list[Result]
    summary: Summary


DOCUMENT = Verification


def document(result: Matrix, about: About) -> Verification:
    """Return a matrix as published; what is wrong with the tests is among the diagnostics."""
    said = [*parts.findings(about), *(parts.finding(d) for d in result.diagnostics)]
    summary = result.summary
    return Verification(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=said,
        runner=result.runner,
        results=[_result(r) for r in result],
        summary=Summary(
            passed=summary.passed,
            failed=summary.failed,
            undetermined=summary.undetermined,
            errors=summary.errors,
            total=summary.total,
        ),
    )


def _result(known: RowResult) -> Result:
    row = known.row
    return Result(
        name=row.name,
        from_=row.source,
        to=row.destination,
        port=row.port,
        protocol=row.protocol,
        expected=row.expect,
        verdict=known.verdict,
        passed=known.passed,
        status=known.status,
        decided_by=[decided_by(d) for d in known.decided_by],
        caveats=parts.caveats(known.caveats),
        witnesses=[witness(each) for each in known.witnesses],
        notes=list(known.notes),
        why=row.why,
        error=known.error,
        help=known.help,
        file=row.span.file if row.span else None,
        line=row.span.line if row.span else None,
    )


HEADER = (
    "name",
    "from",
    "to",
    "port",
    "protocol",
    "expected",
    "verdict",
    "status",
    "decidedBy",
    "caveats",
    "why",
    "error",
)


def rows(result: Matrix) -> Iterator[Sequence[object]]:
    """Iterate over the rows of the matrix."""
    for known in result:
        row = known.row
        yield (
            row.name,
            row.source,
            row.destination,
            row.port or "",
            row.protocol,
            str(row.expect or ""),
            str(known.verdict or ""),
            str(known.status),
            "; ".join(d.text for d in known.decided_by),
            " ".join(parts.caveat_ids(known.caveats)),
            row.why or "",
            known.error or "",
        )
