"""`cloison cni`."""

import click

from cloison.cli import run
from cloison.cli.findings import judged, judging
from cloison.cli.options import Common, Question, common


@click.command(
    cls=Question,
    examples=(
        "cloison cni -f cluster.json",
        "cloison cni -f manifests/ --cni calico@3.32",
        "cloison cni -f cluster.json -o json",
    ),
)
@judging
@common("sarif")
def cni(asked: Common, fail_on: str, *, show_suppressed: bool) -> int:
    """Who enforces policies here, and what to know before relying on them.

    What is installed, what the profile was chosen from, which policies nobody enforces, and what
    the network plugin does where it has the choice: at start-up, while its agent is down, to
    connections that are open, to traffic of nodes.
    """
    session = run.load(asked, runtime=True)
    found = session.cni()
    result, code = judged(session, found, found.findings, fail_on, show_suppressed=show_suppressed)
    return run.answer(asked, session, "cni", result, code)
