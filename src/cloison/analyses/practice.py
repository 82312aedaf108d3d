"""Exercises for people who learn the craft: what one consists of, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cloison.analyses.matrix import Row
from cloison.analyses.measured import MeasuredRow, RowStatus
from cloison.base import Diagnostic


class MustCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A path, and the policy whose rule must be the one that counts its packets.

    Args:
        name: What the expectation is called.
        source: Who connects.
        to: Who listens.
        port: The port.
        by: The policy, `namespace/name`.
        protocol: `TCP` or another.
    """

    name: str
    source: str = msgspec.field(name="from")
    to: str
    port: int
    by: str
    protocol: str = "TCP"


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an exercise says beside its files: `exercise.yaml`.

    Args:
        title: What it is called.
        learned: What whoever has done it knows.
        minutes: How long it takes.
        when: By the name of a row: what to say when it does not hold.
        counted: Whose rules must count.
        beliefs: The file, if there is one, in which the learner says what is so; its rows are
            measured then instead of the exercise's, which are the paths it has to speak of.
    """

    title: str
    learned: str
    minutes: int = 10
    when: dict[str, str] = {}
    counted: tuple[MustCount, ...] = ()
    beliefs: str = ""


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise: a directory.

    Args:
        directory: Where its files are. Its name is `NN-name`.
        sheet: What it says.
    """

    directory: Path
    sheet: Sheet

    @property
    def name(self) -> str:
        """Its name: `03-one-caller`."""
        return self.directory.name

    @property
    def number(self) -> int:
        """Its number."""
        return int(self.name.partition("-")[0])


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must hold, and what packets say.

    Args:
        row: The path, and what must become of it.
        held: Whether packets say so.
        measured: What they say; None where nothing was sent.
        hint: What may be missing.
        by: The policy whose rule must count, where one must.
        counted: What counted them then.
    """

    row: Row
    held: bool
    measured: MeasuredRow | None = None
    hint: str = ""
    by: str = ""
    counted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Practised:
    """What came of an exercise.

    Args:
        exercise: Which.
        findings: Everything that must hold, in the exercise's order.
        refused: Errors in the learner's files. Nothing was measured then.
        noticed: What else was found in them.
        notes: What there is to know about all of it.
        fresh: Whether the lab was built for this.
    """

    exercise: Exercise
    findings: tuple[Finding, ...]
    refused: tuple[Diagnostic, ...] = ()
    noticed: tuple[Diagnostic, ...] = ()
    notes: tuple[str, ...] = ()
    fresh: bool = False

    @property
    def done(self) -> bool:
        """Whether all of it holds."""
        return bool(self.findings) and not self.refused and all(f.held for f in self.findings)


def judged(sheet: Sheet, results: Iterable[MeasuredRow]) -> tuple[Finding, ...]:
    """Return what packets say about rows that must hold."""
    return tuple(
        Finding(r.row, r.status is RowStatus.PASSED, r, sheet.when.get(r.row.name, ""))
        for r in results
    )


def believed(
    sheet: Sheet, paths: Iterable[Row], results: Iterable[MeasuredRow]
) -> tuple[Finding, ...]:
    """Return what packets say about a learner's beliefs.

    Args:
        sheet: The exercise.
        paths: What there must be a belief about.
        results: The beliefs, measured.
    """
    said = {path(r.row): r for r in results}
    found: list[Finding] = []
    for row in paths:
        known = said.pop(path(row), None)
        if known is None:
            found.append(Finding(row, held=False, hint=f"{sheet.beliefs} says nothing about it"))
            continue
        held = known.status is RowStatus.PASSED
        found.append(Finding(known.row, held, known, sheet.when.get(row.name, "")))
    more = (Finding(r.row, r.status is RowStatus.PASSED, r) for r in said.values())
    return (*found, *more)


def path(row: Row) -> tuple[str, str, str]:
    """Return what tells the paths of rows apart."""
    return row.source, row.destination, row.traffic
