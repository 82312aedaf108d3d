"""`cloison lab trace` and `cloison lab apply`: a lab that runs, asked and changed."""

import sys

import click

from cloison.cli import run
from cloison.cli.commands.lab import named, printed, show, waiting
from cloison.cli.options import AdvisedError, Example, Question


@click.command(
    cls=Question,
    examples=(
        "cloison lab trace web/portal evidence/api:8080",
        "cloison lab trace web/portal svc:kube-system/kube-dns:53/UDP --family 6",
        "cloison lab trace web/portal evidence/api:8080 --http 'GET /v1/cases'",
    ),
)
@click.argument("source", metavar="SRC")
@click.argument("destination", metavar="DST[:PORT[/PROTO]]")
@click.option("--family", type=click.Choice(("4", "6")), help="Send over IPv4 or IPv6.")
@click.option(
    "--http",
    metavar="REQUEST",
    help="Make an HTTP request, as in 'GET /pub/x'. As JSON it may say host and headers, too.",
)
@named
@printed()
def trace(
    source: str,
    destination: str,
    family: str | None,
    http: str | None,
    name: str,
    output: str,
    color: str,
) -> int:
    """Send one connection in a lab, and show which rules it met beside those predicted.

    Exit code 1 says that the kernel did something else than was predicted, 2 that nothing is
    proven.
    """
    from cloison.analyses.application import Application
    from cloison.app.running import Running
    from cloison.probe.lab.client import Lab

    with Lab.find(name).turn(waiting):
        found = Running.find(name)
        asked = Application(http=http)
        result = found.trace(source, destination, int(family) if family else None, asked)
    show("trace", result, found.session, output, color)
    if result.cell.measured is None:
        return run.UNANSWERED
    return run.OK if result.agrees else run.FOUND


@click.command(
    cls=Example,
    examples=(
        "cloison lab apply new-policy.yaml",
        "cloison lab apply --delete netpol/web/portal",
    ),
)
@click.argument("files", metavar="[FILE...]", nargs=-1)
@click.option(
    "--delete",
    multiple=True,
    metavar="OBJECT",
    help="A policy to delete, as KIND/NAMESPACE/NAME; repeatable. Before anything is added.",
)
@named
@printed()
def apply(
    files: tuple[str, ...], delete: tuple[str, ...], name: str, output: str, color: str
) -> int:
    """Change policies in a lab that runs, and try what that opens and closes.

    Each FILE holds policies that replace those of their names, or are new. The packet filter of
    every node is replaced in one step. For what is to be closed a connection is opened before, and
    asked whether it lives afterwards.
    """
    if not files and not delete:
        msg = "there is nothing to apply"
        raise AdvisedError(msg, "name a file of policies, or one to delete with --delete")
    from cloison.app.running import Running
    from cloison.probe.lab.client import Lab

    with Lab.find(name).turn(waiting):
        found = Running.find(name)
        after, result = found.apply(files, delete, sys.stdin.buffer if "-" in files else None)
    show("applied", result, after.session, output, color)
    if result.differs:
        return run.FOUND
    return run.OK if result.agrees else run.UNANSWERED
