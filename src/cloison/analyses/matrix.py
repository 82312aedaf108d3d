"""Connectivity tests as values: what is expected of a path, and what came of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cloison.analyses.application import NOTHING_SAID, Application
from cloison.analyses.ask import Witness
from cloison.analyses.explain import Decider
from cloison.base import Diagnostic, Severity, Span
from cloison.ir.fidelity import Caveat, Verdict


class Expect(StrEnum):
    """What a row says must be so."""

    ALLOW = "allow"
    DENY = "deny"

    @property
    def verdict(self) -> Verdict:
        """The only verdict that meets it: undetermined and mixed never do."""
        return Verdict.ALLOWED if self is Expect.ALLOW else Verdict.DENIED


@dataclass(frozen=True, slots=True)
class Row:
    """One expectation about one path.

    Args:
        name: What the row is called; made of its ends where the file gives no name.
        source: Who connects, as in a question.
        destination: Who listens, without a port.
        expect: What must be so; None when the file does not say it in a way we understand.
        port: Number or name; None asks about every port of the protocol.
        protocol: `TCP` unless said otherwise.
        why: Who needs it, or why it must not be, in the author's words.
        application: The request the path is asked with, as written.
        span: Where the row starts.
        faults: What keeps the row from being asked.
    """

    name: str
    source: str
    destination: str
    expect: Expect | None
    port: str | None = None
    protocol: str = "TCP"
    why: str | None = None
    application: Application = NOTHING_SAID
    span: Span | None = None
    faults: tuple[Diagnostic, ...] = ()

    @property
    def traffic(self) -> str:
        """The traffic asked about, as people write it: `TCP/8080`, or `TCP` for all of it."""
        return f"{self.protocol}/{self.port}" if self.port else self.protocol

    def __str__(self) -> str:
        """Render as a question."""
        return f"{self.source} -> {self.destination} on {self.traffic}"


class Status(StrEnum):
    """What came of a row."""

    PASSED = "passed"
    FAILED = "failed"
    """The answer is the opposite of what is expected, of some of the flows at least."""
    UNDETERMINED = "undetermined"
    """Nobody can promise what is expected."""
    ERROR = "error"
    """The row could not be asked."""


@dataclass(frozen=True, slots=True)
class RowResult:
    """What came of one row.

    Args:
        row: The row.
        verdict: The answer; None when the row could not be asked.
        passed: Whether the answer is the one expected.
        decided_by: What decided, as `why` names it.
        caveats: What the verdict stands on.
        witnesses: For a mixed verdict one flow each way.
        notes: How the row was understood, and what else there is to know.
        error: Why the row could not be asked.
        help: What to do about it.
    """

    row: Row
    verdict: Verdict | None
    passed: bool
    decided_by: tuple[Decider, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None
    help: str | None = None

    @property
    def status(self) -> Status:
        """What came of it, in a word."""
        if self.error is not None or self.verdict is None:
            return Status.ERROR
        if self.passed:
            return Status.PASSED
        if self.verdict is Verdict.UNDETERMINED:
            return Status.UNDETERMINED
        return Status.FAILED


@dataclass(frozen=True, slots=True)
class Summary:
    """How many rows came to what; the four add up to the total."""

    total: int
    passed: int
    failed: int
    undetermined: int
    errors: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """The answer to `verify`.

    Args:
        results: One for each row, in the order of the files.
        summary: How many rows came to what.
        diagnostics: What is wrong with the tests themselves, sorted.
        runner: Who answered: `simulate`.
    """

    results: tuple[RowResult, ...]
    summary: Summary
    diagnostics: tuple[Diagnostic, ...] = ()
    runner: str = "simulate"

    @classmethod
    def of(
        cls,
        results: tuple[RowResult, ...],
        diagnostics: tuple[Diagnostic, ...] = (),
        runner: str = "simulate",
    ) -> "Matrix":
        """Return the matrix of `results`, counted."""
        counts = dict.fromkeys(Status, 0)
        for result in results:
            counts[result.status] += 1
        summary = Summary(
            len(results),
            counts[Status.PASSED],
            counts[Status.FAILED],
            counts[Status.UNDETERMINED],
            counts[Status.ERROR],
        )
        return cls(results, summary, diagnostics, runner)

    def __iter__(self) -> Iterator[RowResult]:
        """Iterate over the results."""
        return iter(self.results)

    @property
    def passed(self) -> bool:
        """Whether every row was asked and passed."""
        return self.complete and self.summary.passed == self.summary.total

    @property
    def complete(self) -> bool:
        """Whether every row could be asked, and every test document be read."""
        broken = any(d.severity is Severity.ERROR for d in self.diagnostics)
        return not self.summary.errors and not broken
