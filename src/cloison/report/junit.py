"""`verify` as a JUnit report, which build servers show.

A row that failed, and one nobody can promise, is a failure; a row that could not be asked is an
error. Of what was measured, a flow that came out otherwise than predicted is a failure too, and
what proves nothing is an error. Of a contract each guardrail is a case, and whatever else is wrong
with it an error. There is a suite for each file of tests, and each says what the
answers lack. Nothing in it depends on when or where it was made.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import cast

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite
from junitparser.junitparser import SystemErr

from cloison.analyses.contract.examine import PROOFS, Check
from cloison.analyses.contract.prove import Status as Unproved
from cloison.analyses.matrix import Matrix, RowResult, Status
from cloison.analyses.measured import (
    Agreement,
    Cell,
    MeasuredMatrix,
    MeasuredRow,
    RowStatus,
    wrong,
)
from cloison.base import Diagnostic, Severity, Span
from cloison.ir.fidelity import Verdict
from cloison.report.about import About, Judged, Look
from cloison.report.lacking import previews, sentences
from cloison.report.text import measured
from cloison.report.text.rows import telling
from cloison.report.xml import legal

_DECIDERS = 5
_NOWHERE = "tests"


def render(kind: str, result: object, about: About, _look: Look) -> Iterator[str]:
    """Return a JUnit report."""
    suites: dict[str, TestSuite] = {}
    if kind == "checked":
        report = JUnitXml("cloison contract check")
        _contract(suites, cast("Judged[Check]", result))
    else:
        report = JUnitXml("cloison verify")
        _rows(suites, cast("Matrix | MeasuredMatrix", result))
    lacks = legal("\n".join((*previews(about), *sentences(about))))
    for suite in suites.values():
        if lacks:
            # No case of its own: rows that passed did, and the exit code says so too.
            suite.append(SystemErr(lacks))  # type: ignore[no-untyped-call]  # their method has no types
        report.add_testsuite(suite)
    # Not by `update_statistics`: it counts what is skipped too, which the schema that Jenkins
    # checks against knows on suites only.
    report.tests = sum(suite.tests for suite in suites.values())
    report.failures = sum(suite.failures for suite in suites.values())
    report.errors = sum(suite.errors for suite in suites.values())
    written = BytesIO()
    report.write(written, pretty=True)
    yield written.getvalue().decode()


def _rows(suites: dict[str, TestSuite], known: Matrix | MeasuredMatrix) -> None:
    """Add a case for each row, and for what is wrong with its file."""
    for row in known:
        span = row.row.span
        case = _case(row) if isinstance(row, RowResult) else _measured(row)
        _suite(suites, span.file if span else _NOWHERE).add_testcase(case)
    told = {fault for row in known for fault in row.row.faults}
    for diagnostic in known.diagnostics:
        if diagnostic.severity is Severity.ERROR and diagnostic not in told:
            span = diagnostic.span
            _suite(suites, span.file if span else _NOWHERE).add_testcase(_broken(diagnostic))


def _contract(suites: dict[str, TestSuite], known: "Judged[Check]") -> None:
    """Add a case for each guardrail, and for whatever else is wrong with the contract."""
    said = {d.span: d for d in known.findings if d.code in PROOFS}
    for proof in known.answer.proofs:
        span = proof.guardrail.span
        case = TestCase(legal(proof.guardrail.name), _class(span))
        found = said.get(span)
        if found is not None:
            flows = [
                f"{b.source.text} -> {b.destination.text} on {b.traffic}" for b in proof.breaches
            ]
            by = [f"  decided by: {d.text}" for b in proof.breaches[:1] for d in b.deciders]
            lines = [str(span), *flows[:1], *by, *flows[1:], f"help: {found.help}"]
            failed = Error() if proof.status is Unproved.UNASKED else Failure()
            case.result = [_said(failed, found.message, str(proof.status), lines)]
        _suite(suites, span.file if span else _NOWHERE).add_testcase(case)
    for finding in known.findings:
        if finding.severity is Severity.ERROR and finding.code not in PROOFS:
            file = finding.span.file if finding.span else _NOWHERE
            _suite(suites, file).add_testcase(_broken(finding))


def _suite(suites: dict[str, TestSuite], file: str) -> TestSuite:
    if file not in suites:
        suites[file] = TestSuite(legal(file))
    return suites[file]


def _class(span: Span | None) -> str:
    """Return a file as build servers expect a class: they split it at dots."""
    file = legal(span.file if span else _NOWHERE)
    return re.sub(r"[./\\]+", ".", re.sub(r"\.\w+\Z", "", file)).strip(".")


def _case(known: RowResult) -> TestCase:
    span = known.row.span
    case = TestCase(legal(known.row.name), _class(span))
    if known.status is Status.ERROR:
        case.result = [_said(Error(), known.error or "", "error", _lines(known))]
    elif known.status is not Status.PASSED:
        message = f"expected {_expected(known)}, found {known.verdict}"
        case.result = [_said(Failure(), message, str(known.verdict), _lines(known))]
    return case


def _measured(known: MeasuredRow) -> TestCase:
    case = TestCase(legal(known.row.name), _class(known.row.span))
    expected = known.row.expect
    if known.status is RowStatus.ERROR:
        lines = [f"help: {known.help}"] if known.help else []
        case.result = [_said(Error(), known.error or "", "error", lines)]
    elif known.status is RowStatus.FAILED or known.differs:
        wanted = f"expected {expected.verdict}, " if expected else ""
        message = f"{wanted}predicted {known.predicted}, measured {measured.outcomes(known.cells)}"
        kind = "differs" if known.differs else "failed"
        case.result = [_said(Failure(), message, kind, _flows(known))]
    elif known.status is RowStatus.INCONCLUSIVE:
        message = f"inconclusive: {measured.outcomes(known.cells)}" if known.cells else "no flow"
        case.result = [_said(Error(), message, "inconclusive", _flows(known))]
    return case


def _flows(known: MeasuredRow) -> list[str]:
    row = known.row
    lines = [str(row)]
    if row.span:
        lines.append(f"row: {row.span.place}")
    for cell in known.cells:
        if wrong(cell, row.expect) or cell.agreement is not Agreement.AGREES:
            lines += _flow(cell)
    lines += [f"note: {note}" for note in known.notes]
    lines += [f"why it is expected: {row.why}"] if row.why else []
    return lines


def _flow(cell: Cell) -> list[str]:
    came = "not sent" if cell.arrival is None else str(cell.arrival)
    lines = [f"{measured.named(cell.flow)}: {came}, predicted {cell.predicted}"]
    lines += [f"  {cell.reason}"] if cell.reason else []
    for decider in telling(cell.decided_by)[:_DECIDERS]:
        at = f" ({decider.span.place})" if decider.span else ""
        lines.append(f"  decided by: {decider.text}{at}")
    if cell.control is not None:
        lines.append(f"  control: {measured.named(cell.control.flow)}")
    lines += [f"  counted {each.packets}: {each.decider.text}" for each in cell.counted]
    return lines


def _broken(diagnostic: Diagnostic) -> TestCase:
    """Return a case for what is wrong with a file of tests: it must not go unseen."""
    span = diagnostic.span
    case = TestCase(diagnostic.code, _class(span))
    told = (str(span) if span else "", diagnostic.effect, diagnostic.help)
    lines = [line for line in told if line]
    case.result = [_said(Error(), diagnostic.message, diagnostic.code, lines)]
    return case


def _said(result: Failure | Error, message: str, kind: str, lines: list[str]) -> Failure | Error:
    result.message, result.type = legal(message), kind
    result.text = legal("\n".join(lines))
    return result


def _expected(known: RowResult) -> str:
    verdict = known.row.expect.verdict if known.row.expect else Verdict.ALLOWED
    return str(verdict)


def _lines(known: RowResult) -> list[str]:
    row = known.row
    lines = [str(row)]
    if row.span:
        lines.append(f"row: {row.span.place}")
    lines += [f"help: {known.help}"] if known.help else []
    for decider in telling(known.decided_by)[:_DECIDERS]:
        at = f" ({decider.span.place})" if decider.span else ""
        lines.append(f"decided by: {decider.text}{at}")
    for each in known.witnesses:
        lines.append(f"{each.verdict}: {each.source} -> {each.destination} on {each.traffic}")
    lines += [f"note: {note}" for note in known.notes]
    lines += [f"caveat {caveat.id}: {caveat.text}" for caveat in known.caveats]
    lines += [f"why it is expected: {row.why}"] if row.why else []
    return lines
