"""`cloison validate`."""

import click

from cloison.cli import run
from cloison.cli.findings import judging
from cloison.cli.options import Common, Question, common


@click.command(
    cls=Question,
    examples=(
        "cloison validate -f manifests/ --fail-on warning",
        "cloison validate -f manifests/ -o sarif > validate.sarif",
    ),
)
@judging
@common("sarif")
def validate(asked: Common, fail_on: str, *, show_suppressed: bool) -> int:
    """What is wrong with the manifests themselves."""
    session = run.load(asked)
    from cloison.base import Severity, sort_diagnostics, worst
    from cloison.report import Accepted, Findings

    whole = sort_diagnostics([*session.diagnostics, *session.suspicions])
    told = session.accepted(whole, run.today())
    found = sort_diagnostics(told.kept)
    accepted = tuple(Accepted(d, s.reason, s.expires) for d, s in told.suppressed)
    severity = worst(found)
    failed = severity is not None and fail_on != "never" and severity.rank >= Severity(fail_on).rank
    result = Findings(found, run.files(asked), accepted, show_suppressed=show_suppressed)
    return run.answer(asked, session, "validate", result, run.FOUND if failed else run.OK)
