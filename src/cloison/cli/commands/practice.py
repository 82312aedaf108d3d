"""`cloison lab practice`."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from cloison.cli import options, run
from cloison.cli.commands.lab import waiting
from cloison.cli.options import AdvisedError, Example, colored

if TYPE_CHECKING:
    from cloison.analyses.practice import Exercise
    from cloison.app.practice import Desk
    from cloison.report import Look

DIRECTORY = "cloison-practice"
"""Where a learner's files go who names no directory."""


def _complete(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    return [
        CompletionItem(str(each.number), help=each.sheet.title)
        for each in _exercises()
        if str(each.number).startswith(incomplete)
    ]


@click.command(
    cls=Example,
    examples=(
        "cloison lab practice",
        "cloison lab practice 3",
        "cloison lab practice 3 --check",
        "cloison lab practice 3 --solution",
    ),
)
@click.argument("exercise", metavar="[N]", required=False, shell_complete=_complete)
@click.option("--check", is_flag=True, help="Apply your files to the lab, and send packets.")
@click.option("--list", "listed", is_flag=True, help="List the exercises, and what is done.")
@click.option("--solution", is_flag=True, help="Show a solution.")
@click.option(
    "--dir",
    "directory",
    default=DIRECTORY,
    envvar="CLOISON_PRACTICE",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Where your files go, in a directory for each exercise.  [default: {DIRECTORY}]",
)
@options.color
@options.debug
def practice(
    exercise: str | None,
    directory: Path,
    color: str,
    *,
    check: bool,
    listed: bool,
    solution: bool,
) -> int:
    """Learn the craft in exercises, each a small cluster whose policies you write.

    With a number, sets the exercise up: writes its files, starts its lab and says what to do.
    Files that are there stay as they are.

    Exit code of --check: 0 all holds, 1 something does not, 2 your files could not be read.
    """
    look = _look(color)
    if exercise is None or listed:
        if check or solution:
            said = "--check" if check else "--solution"
            msg = f"{said} is about one exercise"
            raise AdvisedError(msg, f"say which: cloison lab practice 1 {said}")
        return _list(directory, look)
    if check and solution:
        msg = "--check and --solution are two questions"
        raise AdvisedError(msg, "ask one of them")
    from cloison.app.practice import Desk, find

    known = _exercises()
    desk = Desk.of(find(known, exercise), directory)
    if solution:
        return _show(desk.exercise, look)
    if check:
        return _check(desk, known, look)
    return _set_up(desk, look)


def _exercises() -> "tuple[Exercise, ...]":
    from cloison.app.practice import exercises
    from cloison.examples import practice as shelf

    return exercises(shelf())


def _look(color: str) -> "Look":
    from cloison.report import Look

    simple = os.environ.get("TERM") == "dumb"
    return Look(colored(color), shutil.get_terminal_size((100, 40)).columns, simple=simple)


def _print(lines: Iterable[str], look: "Look") -> None:
    run.write(look.safe(line) + "\n" for line in lines)


def _list(directory: Path, look: "Look") -> int:
    from cloison.app.practice import Desk
    from cloison.report.text.practice import listing

    found = [(each, Desk.of(each, directory).done) for each in _exercises()]
    _print(listing(found, str(directory), look), look)
    return run.OK


def _set_up(desk: "Desk", look: "Look") -> int:
    from cloison.app.practice import NAME, bench, read
    from cloison.probe.lab.seen import seen
    from cloison.report.text.practice import laid_out, page

    exercise = desk.exercise
    files = desk.lay_out()
    _print(page(exercise, desk.text(), look), look)
    named = ((str(desk.directory / name), written) for name, written in files.items())
    _print(["", *laid_out(named, look), ""], look)
    found = bench(desk, *read(desk))
    up = "is up" if found.fresh else "runs already"
    said = [
        f"the lab {NAME} {up}; `cloison lab down {NAME}` ends it",
        f"when you are ready: cloison lab practice {exercise.number} --check",
    ]
    if not seen(found.lab).answering:
        said.insert(0, "nobody answers for names here: pip install 'cloison[lab]'")
    _print(said, look)
    return run.OK


def _check(desk: "Desk", known: "tuple[Exercise, ...]", look: "Look") -> int:
    from cloison.app.practice import check
    from cloison.report.text.practice import lines

    result = check(desk, waiting=waiting)
    following = next((e for e in known if e.number > desk.exercise.number), None)
    if result.done:
        desk.mark()
    _print(lines(result, following, str(desk.directory), look), look)
    if result.refused:
        return run.UNANSWERED
    return run.OK if result.done else run.FOUND


def _show(exercise: "Exercise", look: "Look") -> int:
    from cloison.report.text.practice import solution

    files = sorted((exercise.directory / "solution").iterdir())
    texts = ((file.name, file.read_text(encoding="utf-8")) for file in files)
    _print(solution(exercise, texts, look), look)
    return run.OK
