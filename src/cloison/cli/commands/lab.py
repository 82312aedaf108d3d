"""`cloison lab`."""

import os
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from cloison.base import SourceError
from cloison.cli import options, run
from cloison.cli.group import Group
from cloison.cli.options import FORMATS, AdvisedError, Common, Example, Function, colored, common

if TYPE_CHECKING:
    from cloison.app import Session

NAME = "default"
"""What a lab is called that nobody named."""


def _labs(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the labs that begin like this."""
    from cloison.probe.lab.client import Lab

    names = [each.name for each in Lab.all()]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _stations(
    context: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the ends of a lab that begin like this."""
    from cloison.base import CloisonError
    from cloison.probe.lab.client import Lab

    try:
        plan = Lab.find(context.params.get("name") or NAME).plan
    except CloisonError:
        return []
    names = [*(each.name for each in (*plan.pods, *plan.nodes)), "outside"]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


named = click.option(
    "--name",
    default=NAME,
    envvar="CLOISON_LAB",
    metavar="NAME",
    shell_complete=_labs,
    help=f"Which lab.  [default: {NAME}]",
)
"""The option of every command about one lab."""


def printed() -> Callable[[Function], Function]:
    """Return a decorator that adds the options of how an answer is printed."""

    def decorate(function: Function) -> Function:
        return options.output(FORMATS)(options.color(options.debug(function)))

    return decorate


def show(kind: str, result: object, session: "Session", output: str, color: str) -> None:
    """Print what is known of a lab, or came of it.

    Args:
        kind: Which result it is, in the report's words.
        result: The result.
        session: What the lab enforces.
        output: The format.
        color: `auto`, `always` or `never`.
    """
    from cloison.report import Look, render

    look = Look(colored(color), shutil.get_terminal_size((100, 40)).columns)
    run.write(render(kind, result, run.about(session), output, look))


def waiting(name: str) -> None:
    """Say that another command has a lab to itself."""
    click.echo(f"waiting for another command that uses the lab {name}", err=True)


_COMMANDS = {
    "trace": "cloison.cli.commands.running:trace",
    "apply": "cloison.cli.commands.running:apply",
    "practice": "cloison.cli.commands.practice:practice",
}
"""Where the commands are that this module does not hold."""


@click.group(cls=Group, table=_COMMANDS, invoke_without_command=True)
@click.pass_context
def lab(context: click.Context) -> None:
    """A cluster's network on this machine, to try policies in.

    The kernel enforces them. A lab is made of Linux network namespaces: one for each workload, with
    addresses, listeners, Services, nodes and a DNS server. It needs `ip`, `nft` and either root or
    user namespaces, and leaves nothing behind, however it ends.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@lab.command(
    cls=Example,
    examples=("cloison lab up -f manifests/", "cloison lab up -f cluster.json --name before"),
)
@click.option(
    "--name",
    default=NAME,
    envvar="CLOISON_LAB",
    metavar="NAME",
    help=f"What to call it.  [default: {NAME}]",
)
@common()
def up(asked: Common, name: str) -> int:
    """Build a lab from the sources, and leave it running."""
    from cloison.app.answers import connectivity_tests
    from cloison.app.lab import blueprint
    from cloison.app.snapshot import save
    from cloison.probe.lab.client import Lab
    from cloison.probe.lab.seen import seen
    from cloison.probe.lab.start import command
    from cloison.probe.lab.state import check_free

    check_free(name)
    command()
    session, snapshot = run.snapshot(asked)
    made = blueprint(session, connectivity_tests(session, ())[0])
    with Lab.up(made.plan, name) as running:
        save(snapshot, running.place.snapshot)
        result = seen(running, left_out=made.left_out, whole=False)
        running.stay()
    return run.answer(asked, session, "lab", result)


@lab.command(
    cls=Example,
    examples=(
        "cloison lab status",
        "cloison lab status --name before",
        "cloison lab status --name before -o json",
    ),
)
@click.option(
    "--name",
    envvar="CLOISON_LAB",
    metavar="NAME",
    shell_complete=_labs,
    help=f"Which lab.  [default: all; {NAME} with -o]",
)
@printed()
def status(name: str | None, output: str, color: str) -> int:
    """Show the labs that run, and what they consist of."""
    from cloison.app.snapshot import restore
    from cloison.probe.lab.client import Lab
    from cloison.probe.lab.seen import seen

    labs = Lab.all() if output == "text" and name is None else (Lab.find(name or NAME),)
    if not labs:
        click.echo("no lab runs; start one with `cloison lab up -f ...`")
    for place, each in enumerate(labs):
        click.echo("" if place else None, nl=bool(place))
        show("lab", seen(each), restore(each.place.snapshot).current(), output, color)
    return run.OK


@lab.command(
    "exec",
    cls=Example,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    examples=(
        "cloison lab exec web/case-portal",
        "cloison lab exec web/case-portal -- curl -m 2 http://case-api.case-management/",
        "cloison lab exec node:n1 -- nft list ruleset",
    ),
)
@named
@click.argument("station", metavar="END", shell_complete=_stations)
@click.argument("words", metavar="[COMMAND...]", nargs=-1, type=click.UNPROCESSED)
def exec_(station: str, words: tuple[str, ...], name: str) -> int:
    """Run a program where a pod, a node or the outside is.

    A shell when none is named. It has that end's addresses, routes and DNS server, and this
    machine's files. The exit code is the program's.
    """
    from cloison.probe.lab.client import Lab
    from cloison.probe.lab.start import surroundings

    shell = os.environ.get("SHELL") or "/bin/sh"
    name, program = _program(name, words)
    line = Lab.find(name).inside(station, program or (shell,))
    sys.stdout.flush()
    try:
        os.execvpe(line[0], line, surroundings())  # noqa: S606
    except OSError as error:
        msg = f"{line[0]} cannot be run: {error.strerror}"
        raise SourceError(msg, "install it; Debian's package is util-linux") from None


def _program(name: str, words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return which lab is meant, and the program: the option may also stand between the two.

    Args:
        name: Which lab, as it was said before.
        words: What stands behind the end.

    Raises:
        AdvisedError: It is some other option.
    """
    while words and words[0].startswith("-"):
        first, rest = words[0], words[1:]
        option, equals, value = first.partition("=")
        if first == "--":
            return name, rest
        if option == "--name" and equals:
            name, words = value, rest
        elif option == "--name" and rest:
            name, words = rest[0], rest[1:]
        else:
            msg = f"{first!r} is no program, and no option of `cloison lab exec`"
            raise AdvisedError(msg, "write -- before a program whose name begins so")
    return name, words


@lab.command(
    cls=Example,
    examples=("cloison lab down", "cloison lab down before", "cloison lab down --all"),
)
@click.argument("name", metavar="[NAME]", default=NAME, envvar="CLOISON_LAB", shell_complete=_labs)
@click.option("--all", "everything", is_flag=True, help="End every lab of yours.")
@click.pass_context
def down(context: click.Context, name: str, *, everything: bool) -> int:
    """End a lab; nothing of it stays."""
    from cloison.probe.lab.client import Lab

    if everything and context.get_parameter_source("name") is ParameterSource.COMMANDLINE:
        msg = f"--all ends every lab, and {name!r} names one"
        raise AdvisedError(msg, "give either the name or --all")
    labs = Lab.all() if everything else (Lab.find(name, built=False),)
    for each in labs:
        each.down()
        click.echo(f"lab {each.name} is gone")
    if not labs:
        click.echo("no lab runs")
    return run.OK
