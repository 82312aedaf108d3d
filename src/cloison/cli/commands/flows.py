"""`cloison flows`: the group, and what its commands share."""

import functools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cloison.base import QuestionError, SourceError
from cloison.cli import options, run, settings
from cloison.cli.group import Group
from cloison.cli.options import FORMATS, AdvisedError, Function, colored

if TYPE_CHECKING:
    from cloison.report import About

STORE = ".cloison/flows"
"""Where the store is that nobody named."""

_COMMANDS = {
    "ingest": "cloison.cli.commands.flows_ingest:ingest",
    "status": "cloison.cli.commands.flows_status:status",
    "top": "cloison.cli.commands.flows_top:top",
    "query": "cloison.cli.commands.flows_query:query",
    "compact": "cloison.cli.commands.flows_compact:compact",
    "generate": "cloison.cli.commands.flows_generate:generate",
}


_PLAIN = ("generate",)
"""Those that need no extra."""


@click.group(cls=Group, table=_COMMANDS, invoke_without_command=True)
@click.pass_context
def flows(context: click.Context) -> None:
    """What was seen: flow logs of any source, read into a store and asked about.

    Needs the extra `flows`: pip install 'cloison[flows]'.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        return
    if context.invoked_subcommand in _PLAIN:
        return
    try:
        for name in ("duckdb", "ibis", "pyarrow"):
            import_module(name)
    except ImportError as error:
        msg = f"flows need {error.name}, which is not installed"
        raise SourceError(msg, "pip install 'cloison[flows]'") from None


store = click.option(
    "--store",
    type=click.Path(path_type=Path),
    default=STORE,
    envvar="CLOISON_FLOWS_STORE",
    metavar="DIR",
    help=f"Where the store is.  [default: flows.store of cloison.yaml, else {STORE}]",
)
"""Option of every command about a store."""

keeping = (
    click.option(
        "--keep-raw",
        metavar="DAYS",
        type=click.IntRange(1),
        help="Remove flows that are older; the sums of their hours stay.",
    ),
    click.option(
        "--keep-rollups",
        metavar="DAYS",
        type=click.IntRange(1),
        help="Remove these too when they are older.",
    ),
)
"""Options of commands that remove what is old."""

engine = click.option(
    "--engine",
    default="duckdb",
    envvar="CLOISON_FLOWS_ENGINE",
    metavar="ENGINE",
    help="What works it out: duckdb, spark, clickhouse (chDB, in this process), or the address of "
    "a ClickHouse server, clickhouse://..., or of Spark Connect, sc://...  [default: duckdb]",
)
"""Option of commands that work something out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What commands about a store are asked with.

    Args:
        store: Where the store is.
        engine: What works it out.
        output: The output format.
        color: `auto`, `always` or `never`.
        since: Time in microseconds from which on; None for everything.
        until: Time before which.
    """

    store: Path
    engine: str
    output: str
    color: str
    since: int | None = None
    until: int | None = None


def asked(*extra: str, times: bool = False) -> Callable[[Function], Function]:
    """Return a decorator that adds the options of `Asked` and passes them on as such.

    Args:
        extra: Output formats besides the usual ones.
        times: Whether a span of time can be asked for.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(**given: Any) -> int:
            taken = {name: given.pop(name) for name in Asked.__dataclass_fields__ if name in given}
            ordered(taken.get("since"), taken.get("until"))
            code: int = function(Asked(**taken), **given)
            return code

        added = [
            *(_TIMES if times else ()),
            store,
            engine,
            options.output((*FORMATS, *extra)),
            options.color,
            settings.option(),
            options.debug,
        ]
        for option in reversed(added):
            call = option(call)
        return call

    return decorate


def show(kind: str, result: object, said: Asked) -> None:
    """Print an answer.

    Args:
        kind: Which result it is, in the report's words.
        result: The result.
        said: What the command was asked with.
    """
    from cloison.report import Look, render

    columns = shutil.get_terminal_size((100, 40)).columns
    look = Look(colored(said.color), columns, simple=os.environ.get("TERM") == "dumb")
    run.write(render(kind, result, about(), said.output, look))


def about() -> "About":
    """Return what surrounds an answer about flows: nobody enforces anything in it."""
    from cloison.base.version import VERSION
    from cloison.platform import profile
    from cloison.report import About

    return About(VERSION, profile("generic"), "default")


class Moment(click.ParamType[int]):
    """A time, or how long ago: `2026-11-23T10:00`, `2026-11-23`, `36h`, `7d`."""

    name = "time"

    def convert(
        self, value: object, _param: click.Parameter | None, _ctx: click.Context | None
    ) -> int:
        """Return it in microseconds since 1970."""
        from datetime import UTC, datetime, timedelta

        if isinstance(value, int):
            return value
        text = str(value)
        units = {"m": "minutes", "h": "hours", "d": "days"}
        if text[:-1].isdecimal() and text[-1] in units and len(text) < _LONG:
            found = datetime.now(UTC) - timedelta(**{units[text[-1]]: int(text[:-1])})
        else:
            try:
                found = datetime.fromisoformat(text)
            except ValueError:
                self.fail(f"{text!r} is no time; write 2026-11-23T10:00Z, or 36h for so long ago")
        return int(found.replace(tzinfo=found.tzinfo or UTC).timestamp()) * 1_000_000


_LONG = 8

_TIMES = (
    click.option("--since", type=Moment(), metavar="TIME", help="From this time on, UTC."),
    click.option("--until", type=Moment(), metavar="TIME", help="Before this time, UTC."),
)


def span(function: Function) -> Function:
    """Add the options `--since` and `--until`, in microseconds."""
    for option in reversed(_TIMES):
        function = option(function)
    return function


def ordered(since: int | None, until: int | None) -> None:
    """Check that a span begins before it ends.

    Raises:
        AdvisedError: it does not.
    """
    if since is not None and until is not None and since >= until:
        msg = "--since is not before --until"
        raise AdvisedError(msg, "no flow is of such a time: swap the two")


def mapping(texts: tuple[str, ...]) -> dict[str, str]:
    """Return what `--map` options say.

    Raises:
        QuestionError: one is not `COLUMN=KEY`.
    """
    found = {}
    for text in texts:
        column, equals, key = text.partition("=")
        if not (column and equals and key):
            msg = f"--map takes COLUMN=KEY, and not {text!r}"
            raise QuestionError(msg, "name a column of ours, then one of the file: src_ip=client")
        found[column] = key
    return found
