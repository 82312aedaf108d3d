"""The command group. Commands import what they need when they run, so that help is quick."""

import sys

import click

from cloison.cli.commands.completion import completion
from cloison.cli.commands.config import config
from cloison.cli.commands.convert import convert
from cloison.cli.commands.demo import demo
from cloison.cli.commands.diff import diff
from cloison.cli.commands.effective import effective
from cloison.cli.commands.lab import lab
from cloison.cli.commands.map import map_
from cloison.cli.commands.portability import portability
from cloison.cli.commands.practice import practice
from cloison.cli.commands.relate import relate
from cloison.cli.commands.running import apply, trace
from cloison.cli.commands.schema import schema
from cloison.cli.commands.validate import validate
from cloison.cli.commands.verify import verify
from cloison.cli.commands.version import version
from cloison.cli.commands.why import why
from cloison.cli.options import AdvisedError


def _version(context: click.Context, _param: click.Parameter, asked: object) -> None:
    """Print the version, as the command of that name does, and leave."""
    if asked and not context.resilient_parsing:
        context.invoke(version)
        context.exit()


class Ordered(click.Group):
    """A group that lists its commands in the order they were added: questions first."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        return list(self.commands)


@click.group(
    cls=Ordered,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
    epilog="Ends are NAMESPACE/NAME, NAMESPACE/KIND/NAME, an address or block, node:NAME, "
    "svc:NAMESPACE/NAME, any: or any:NAMESPACE. Sources are named with -f.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version.",
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Who can talk to whom in a Kubernetes cluster, exactly, and why.

    Cloison reads manifests, or what `kubectl get -o json` prints, and needs no cluster.
    """
    if sys.stdout is None:
        msg = "standard output is closed"
        raise AdvisedError(msg, "send the answer somewhere: > answer.txt")
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _command in (
    why,
    map_,
    diff,
    effective,
    relate,
    verify,
    lab,
    convert,
    portability,
    validate,
    demo,
    config,
    schema,
    completion,
    version,
):
    cli.add_command(_command)
for _command in (trace, apply, practice):
    lab.add_command(_command)
