"""`cloison validate`."""

import click

from cloison.cli import run
from cloison.cli.options import Common, Question, common


@click.command(
    cls=Question,
    examples=("cloison validate -f manifests/ --fail-on warning",),
)
@click.option(
    "--fail-on",
    type=click.Choice(("error", "warning", "info", "never")),
    default="error",
    envvar="CLOISON_FAIL_ON",
    help="Exit with 1 from this severity on.  [default: error]",
)
@common()
def validate(asked: Common, fail_on: str) -> int:
    """What is wrong with the manifests themselves."""
    session = run.load(asked)
    from cloison.base import Severity, sort_diagnostics, worst
    from cloison.report import Findings

    found = sort_diagnostics([*session.diagnostics, *session.suspicions])
    severity = worst(found)
    failed = severity is not None and fail_on != "never" and severity.rank >= Severity(fail_on).rank
    result = Findings(found, run.files(asked))
    return run.answer(asked, session, "validate", result, run.FOUND if failed else run.OK)
