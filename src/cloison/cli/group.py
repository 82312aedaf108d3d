"""Groups of commands that are imported when they are asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class Group(click.Group):
    """A group that lists its own commands first, and then those of a table, each in order.

    A command of the table is imported when it is asked for: a run pays for one of them, and help
    for all.

    Args:
        table: Names of commands, and where each is: `why` at `cloison.cli.commands.why:why`.
        given: What any group takes.
    """

    def __init__(self, *args: Any, table: Mapping[str, str] | None = None, **given: Any) -> None:
        super().__init__(*args, **given)
        self.table = table or {}

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        return [*(name for name in self.commands if name not in self.table), *self.table]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None where there is none of the name."""
        # Where none has the name, click looks for those that nearly have it.
        asked = (cmd_name,) if cmd_name in self.list_commands(ctx) else tuple(self.table)
        for name in asked:
            if name not in self.commands:
                module, _, attribute = self.table[name].partition(":")
                self.add_command(getattr(import_module(module), attribute), name)
        return super().get_command(ctx, cmd_name)
