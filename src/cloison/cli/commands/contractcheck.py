"""`cloison contract check`."""

from dataclasses import replace
from datetime import date

import click

from cloison.cli import page, run
from cloison.cli.commands.contract import day, named
from cloison.cli.findings import judged, judging
from cloison.cli.options import Common, Example, common


@click.command(
    cls=Example,
    examples=(
        "cloison contract check -f manifests/",
        "cloison contract check -f cluster.json --contract contract.yaml",
        "cloison contract check -f manifests/ -o junit > contract.xml",
    ),
)
@named
@day
@judging
@common("sarif", "junit")
def check(
    asked: Common,
    contracts: tuple[str, ...],
    today: date | None,
    fail_on: str,
    *,
    show_suppressed: bool,
) -> int:
    """Prove the guardrails of a contract for every flow, and list what is wrong with it.

    A guardrail that is broken is shown with a flow that it forbids and the rule that lets it
    through. Besides: dependencies that cross zones, have expired or say too little, externals
    whose review is due, namespaces whose labels are wrong, workloads without a zone.
    """
    session = run.load(asked, runtime=True)
    from cloison.app.contract import check as checked

    when = today or run.today()
    found, whole = checked(session, contracts, when)
    found = replace(found, options=same_cluster(asked))
    result, code = judged(
        session, found, found.findings, fail_on, show_suppressed=show_suppressed, today=when
    )
    return run.answer(asked, session, "checked", result, code if whole else run.UNANSWERED)


def same_cluster(asked: Common) -> tuple[str, ...]:
    """Return the options that name the same cluster to another command."""
    return page.same_cluster(asked.sources)
