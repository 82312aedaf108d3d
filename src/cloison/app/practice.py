"""Exercises laid out for a learner, and checked by packets in a lab that stays between checks."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from msgspec.structs import replace as with_changes

from cloison.analyses.matrix import Row
from cloison.analyses.practice import (
    Exercise,
    Finding,
    MustCount,
    Practised,
    Sheet,
    believed,
    judged,
)
from cloison.app.answers import connectivity_tests
from cloison.app.lab import Blueprint, blueprint
from cloison.app.session import Session
from cloison.app.settings import Settings
from cloison.app.snapshot import KeptDocument, Snapshot, restore, save, take
from cloison.base import Diagnostic, QuestionError, Severity, SourceError
from cloison.probe.lab.client import Lab
from cloison.probe.lab.measure import run
from cloison.probe.lab.plan import Plan
from cloison.probe.lab.state import find as place_of
from cloison.probe.lab.stations import outside_addresses
from cloison.probe.lab.trace import trace

NAME = "practice"
"""What the lab of the exercises is called."""

CLUSTER, TESTS, TEXT, SHEET = "cluster.yaml", "tests.yaml", "README.md", "exercise.yaml"
"""Files of an exercise that a learner reads. What is to be changed stands in `start`."""

USUAL = "cloison-practice"
"""Where a learner's files go who names no directory, and where the exercises' texts look."""

_DONE = ".done"
_READ = (".yaml", ".yml", ".json")
_MOST_BYTES = 1 << 20


def exercises(shelf: Path) -> tuple[Exercise, ...]:
    """Return the exercises of a directory, in order.

    Args:
        shelf: A directory with one directory `NN-name` for each exercise.
    """
    found = []
    for directory in sorted(shelf.iterdir()):
        if (directory / SHEET).is_file():
            text = (directory / SHEET).read_bytes()
            found.append(Exercise(directory, msgspec.yaml.decode(text, type=Sheet)))
    return tuple(found)


def find(known: Sequence[Exercise], said: str) -> Exercise:
    """Return an exercise by its number, or its name with or without the number.

    Raises:
        QuestionError: There is none.
    """
    for each in known:
        if said in (each.name, each.name.partition("-")[2]):
            return each
        if said.isdecimal() and int(said) == each.number:
            return each
    msg = f"there is no exercise {said!r}"
    raise QuestionError(
        msg, f"say a number from 1 to {len(known)}; `cloison lab practice` lists them"
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """A learner's directory for one exercise.

    Args:
        exercise: Which.
        directory: Where.
    """

    exercise: Exercise
    directory: Path

    @classmethod
    def of(cls, exercise: Exercise, below: Path) -> "Desk":
        """Return the place of an exercise below the directory of all of them."""
        return cls(exercise, below / exercise.name)

    @property
    def done(self) -> bool:
        """Whether it has been done here."""
        return (self.directory / _DONE).is_file()

    def mark(self) -> None:
        """Put down that it has been done.

        Raises:
            SourceError: That cannot be written.
        """
        if not self.done:
            _write(self.directory / _DONE, b"")

    def lay_out(self) -> dict[str, bool]:
        """Write the files of the exercise that are not there yet; nothing is overwritten.

        Returns:
            The files by name, and whether each was written.

        Raises:
            SourceError: They cannot be written.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.directory, error) from None
        return {
            file.name: _write(self.directory / file.name, self._content(file))
            for file in self.given()
        }

    def text(self) -> str:
        """Return what the exercise says, with this directory in its commands."""
        said = (self.exercise.directory / TEXT).read_text(encoding="utf-8")
        return said.replace(f"{USUAL}/{self.exercise.name}", shlex.quote(str(self.directory)))

    def _content(self, file: Path) -> bytes:
        return self.text().encode() if file.name == TEXT else file.read_bytes()

    def given(self) -> list[Path]:
        """Return the files that the exercise gives: first those to change."""
        own, sheet = self.exercise.directory, self.exercise.sheet
        # Where the learner is to find out what is so, the answers are not given away.
        shown = (CLUSTER, TEXT) if sheet.beliefs else (CLUSTER, TESTS, TEXT)
        return [*sorted((own / "start").iterdir()), *(own / name for name in shown)]

    def policies(self) -> list[str]:
        """Return the learner's files of policies.

        Raises:
            SourceError: The directory cannot be read.
        """
        given = {CLUSTER, TESTS, self.exercise.sheet.beliefs}
        try:
            files = sorted(self.directory.iterdir())
        except OSError as error:
            msg = f"{self.directory} cannot be read: {error.strerror}"
            help_ = f"`cloison lab practice {self.exercise.number}` sets the exercise up"
            raise SourceError(msg, help_) from None
        return [str(f) for f in files if f.suffix in _READ and f.is_file() and f.name not in given]

    def altered(self) -> Iterator[str]:
        """Yield the files for reading that are no longer as they were given."""
        for name in (CLUSTER, TESTS):
            here, given = self.directory / name, self.exercise.directory / name
            if not here.is_file() or here.stat().st_size > _MOST_BYTES:
                continue
            if here.read_bytes() != given.read_bytes():
                yield name


def _write(path: Path, content: bytes) -> bool:
    """Write a file unless there is one; return whether it was written."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    except OSError as error:
        raise _unwritable(path, error) from None
    return True


def _unwritable(path: Path, error: OSError) -> SourceError:
    msg = f"{path} cannot be written: {error.strerror}"
    return SourceError(msg, "name another directory with --dir")


@dataclass(frozen=True, slots=True)
class Bench:
    """A lab with a learner's policies in it.

    Args:
        lab: The lab.
        made: What it was built of.
        rows: What the exercise is about.
        fresh: Whether it was built just now.
    """

    lab: Lab
    made: Blueprint
    rows: tuple[Row, ...]
    fresh: bool

    @property
    def session(self) -> Session:
        """The session, as built."""
        return self.made.session


def read(desk: Desk) -> tuple[Session, Snapshot]:
    """Return the exercise's cluster with the learner's policies.

    Raises:
        SourceError: The learner's files cannot be read.
    """
    return take([str(desk.exercise.directory / CLUSTER), *desk.policies()], Settings())


def bench(desk: Desk, session: Session, kept: Snapshot, name: str = NAME) -> Bench:
    """Return a lab with the learner's policies; the one that runs, if it is of the same cluster.

    Args:
        desk: The learner's directory.
        session: What was read there.
        kept: The same, to be put by.
        name: What the lab is called.

    Raises:
        QuestionError: A lab of that name runs that is no exercise's.
        SourceError: This machine cannot hold labs.
    """
    rows, _ = connectivity_tests(session, [str(desk.exercise.directory / TESTS)])
    lab = _running(desk, name)
    if lab is not None:
        made = blueprint(session, rows, like=lab.plan)
        if _serves(lab.plan, made, rows):
            lab.apply(made.plan.rulesets)
            save(kept, lab.place.snapshot)
            plan = with_changes(lab.plan, rulesets=made.plan.rulesets)
            return Bench(lab, replace(made, plan=plan), rows, fresh=False)
        lab.down()
    made = blueprint(session, rows)
    with Lab.up(made.plan, name) as lab:
        save(kept, lab.place.snapshot)
        lab.stay()
    return Bench(lab, made, rows, fresh=True)


def _running(desk: Desk, name: str) -> Lab | None:
    """Return the lab of the exercises, if there is one."""
    if place_of(name) is None:
        return None
    lab = Lab.find(name)
    try:
        items = restore(lab.place.snapshot).items
    except SourceError:
        items = ()
    shelf = desk.exercise.directory.parent
    files = [item.file for item in items if isinstance(item, KeptDocument)]
    if any(Path(file).is_relative_to(shelf) for file in files):
        return lab
    msg = f"a lab called {name!r} runs already, and is of no exercise"
    raise QuestionError(msg, f"end it with `cloison lab down {name}`")


def _serves(there: Plan, made: Blueprint, rows: Sequence[Row]) -> bool:
    """Return whether a lab is what would be built, as far as rows ask.

    For every block that policies name, a lab has a host outside. It need not have those of
    policies that are new.
    """
    wanted = made.plan
    asked = set(outside_addresses(made.session.engine, rows)) & set(wanted.outside)
    return asked <= set(there.outside) and _inside(there) == _inside(wanted)


def _inside(plan: Plan) -> Plan:
    return with_changes(plan, outside=(), rulesets={})


def check(
    desk: Desk, name: str = NAME, waiting: Callable[[str], None] = lambda _: None
) -> Practised:
    """Apply a learner's policies to the lab, and send packets.

    Args:
        desk: The learner's directory.
        name: What the lab is called.
        waiting: Told the lab's name when another command has it, before that is waited for.

    Raises:
        QuestionError: A lab of that name runs that is no exercise's; a file of beliefs holds
            none.
        SourceError: The learner's files cannot be read; this machine cannot hold labs.
    """
    exercise, sheet = desk.exercise, desk.exercise.sheet
    session, kept = read(desk)
    notes = tuple(_notes(desk))
    rows: tuple[Row, ...] = ()
    said: tuple[Diagnostic, ...] = ()
    if sheet.beliefs:
        rows, said = connectivity_tests(session, [str(desk.directory / sheet.beliefs)])
    refused = tuple(d for d in (*session.diagnostics, *said) if d.severity is Severity.ERROR)
    if refused:
        return Practised(exercise, (), refused, notes=notes)
    lab = _running(desk, name)
    with lab.turn(waiting) if lab is not None else nullcontext():
        findings, fresh = _tried(bench(desk, session, kept, name), rows, sheet)
    return Practised(exercise, findings, noticed=session.suspicions, notes=notes, fresh=fresh)


def _tried(found: Bench, rows: Sequence[Row], sheet: Sheet) -> tuple[tuple[Finding, ...], bool]:
    """Send packets; return what came of them, and whether the lab was built for that.

    Args:
        found: The lab.
        rows: What the learner believes; empty where that is not asked.
        sheet: The exercise's.
    """
    matrix = run(
        found.lab,
        found.session.engine,
        found.made.plan,
        rows or found.rows,
        unclear=found.made.ruleset.unclear,
    )
    if sheet.beliefs:
        return believed(sheet, found.rows, matrix), found.fresh
    counted = (_counted(found, each, sheet) for each in sheet.counted)
    return (*judged(sheet, matrix), *counted), found.fresh


def _notes(desk: Desk) -> Iterator[str]:
    for name in desk.altered():
        yield (
            f"{desk.directory / name} is not as it was given, and the exercise goes by its own: "
            "write policies in a file beside it"
        )


def _counted(found: Bench, wanted: MustCount, sheet: Sheet) -> Finding:
    """Send one flow by itself, and see whose rules count it."""
    row = Row(wanted.name, wanted.source, wanted.to, None, str(wanted.port), wanted.protocol)
    hint = sheet.when.get(wanted.name, "")
    try:
        came = trace(
            found.lab,
            found.session.engine,
            found.made.plan,
            row,
            unclear=found.made.ruleset.unclear,
        )
    except QuestionError as error:
        return Finding(row, held=False, hint=error.message, by=wanted.by)
    deciders = [each.decider for met in came.met for each in met.counted]
    held = any(str(d.policy) == wanted.by for d in deciders if d.policy is not None)
    return Finding(row, held, None, hint, wanted.by, tuple(d.text for d in deciders))
