"""The command group. Commands import what they need when they run, so that help is quick."""

import sys

import click

from cloison.cli.group import Group
from cloison.cli.options import AdvisedError

_COMMANDS = {
    "why": "cloison.cli.commands.why:why",
    "map": "cloison.cli.commands.map:map_",
    "diff": "cloison.cli.commands.diff:diff",
    "effective": "cloison.cli.commands.effective:effective",
    "relate": "cloison.cli.commands.relate:relate",
    "verify": "cloison.cli.commands.verify:verify",
    "lab": "cloison.cli.commands.lab:lab",
    "convert": "cloison.cli.commands.convert:convert",
    "portability": "cloison.cli.commands.portability:portability",
    "doctor": "cloison.cli.commands.doctor:doctor",
    "cni": "cloison.cli.commands.cni:cni",
    "egress": "cloison.cli.commands.egress:egress",
    "contract": "cloison.cli.commands.contract:contract",
    "flows": "cloison.cli.commands.flows:flows",
    "reconcile": "cloison.cli.commands.reconcile:reconcile",
    "drift": "cloison.cli.commands.drift:drift",
    "recommend": "cloison.cli.commands.recommend:recommend",
    "shadow": "cloison.cli.commands.shadow:shadow",
    "validate": "cloison.cli.commands.validate:validate",
    "demo": "cloison.cli.commands.demo:demo",
    "config": "cloison.cli.commands.config:config",
    "schema": "cloison.cli.commands.schema:schema",
    "completion": "cloison.cli.commands.completion:completion",
    "version": "cloison.cli.commands.version:version",
}
"""Where each command is: questions first."""


def _version(context: click.Context, _param: click.Parameter, asked: object) -> None:
    """Print the version, as the command of that name does, and leave."""
    if asked and not context.resilient_parsing:
        from cloison.cli.commands.version import version

        context.invoke(version)
        context.exit()


@click.group(
    cls=Group,
    table=_COMMANDS,
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
