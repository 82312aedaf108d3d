"""`cloison contract`: the group, and options that its commands share."""

from datetime import date
from typing import TYPE_CHECKING

import click

from cloison.cli.group import Group

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloison.cli.options import Function

_COMMANDS = {
    "check": "cloison.cli.commands.contractcheck:check",
    "compile": "cloison.cli.commands.contractcompile:compile_",
    "init": "cloison.cli.commands.contractinit:init",
}
"""Where the commands are."""


@click.group(cls=Group, table=_COMMANDS, invoke_without_command=True)
@click.pass_context
def contract(context: click.Context) -> None:
    """Who is meant to call whom, who owns the reason, and what must never be permitted.

    A contract is a file in the source, found by itself, or named with --contract.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


named: "Callable[[Function], Function]" = click.option(
    "--contract",
    "contracts",
    multiple=True,
    metavar="FILE",
    help="A file of contracts besides those found in the source; repeatable.",
)
"""The option of every command that reads a contract."""


def _day(_ctx: click.Context, _param: click.Parameter, value: str | None) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        msg = f"{value!r} is no day of the calendar; write 2027-03-31"
        raise click.BadParameter(msg) from None


day: "Callable[[Function], Function]" = click.option(
    "--today",
    callback=_day,
    envvar="CLOISON_TODAY",
    metavar="DATE",
    help="The day to judge by what expires and what is to be reviewed.  [default: today]",
)
"""The option of what depends on the day."""
