"""`cloison doctor`."""

import click

from cloison.cli import run
from cloison.cli.findings import judging
from cloison.cli.options import Common, Question, common


@click.command(
    cls=Question,
    examples=(
        "cloison doctor -f cluster.json",
        "cloison doctor -f manifests/ -n payments --fail-on warning",
        "cloison doctor -f manifests/ --check D-DNS -o json",
    ),
)
@click.option(
    "--check",
    "checks",
    multiple=True,
    metavar="CHECK",
    help="Only this check, such as D-DNS; repeatable.",
)
@click.option(
    "-w",
    "--workload",
    "workloads",
    multiple=True,
    metavar="WORKLOAD",
    help="Only what makes this workload suffer; repeatable.",
)
@click.option("-A", "--all-namespaces", is_flag=True, help="Every namespace, whatever -n says.")
@judging
@common("sarif")
def doctor(
    asked: Common,
    checks: tuple[str, ...],
    workloads: tuple[str, ...],
    fail_on: str,
    *,
    all_namespaces: bool,
    show_suppressed: bool,
) -> int:
    """What is broken or about to break, and the narrowest policy that mends it.

    Workload by workload: DNS, gateways, probes, health checks, the API server, metrics, webhooks,
    replicas among themselves, and what is open that should not be.
    """
    session = run.load(asked, runtime=True)
    from cloison.analyses.doctor.examine import CHECKS
    from cloison.app.doctor import about, examined, in_order
    from cloison.base import Severity
    from cloison.report.about import Accepted, Examination

    spaces = () if all_namespaces or asked.namespace is None else (asked.namespace,)
    found = examined(session, spaces, checks)
    if workloads:
        found = about(session, found, workloads, asked.namespace)
    told = session.accepted([each.diagnostic for each in found], run.today())
    kept = in_order(session, [each for each in found if each.diagnostic in told.kept])
    accepted = tuple(Accepted(d, s.reason, s.expires) for d, s in told.suppressed)
    worst = max((each.severity.rank for each in kept), default=-1)
    failed = fail_on != "never" and worst >= Severity(fail_on).rank
    made = tuple(name for name in CHECKS if not checks or name in checks)
    empty = not session.world.workloads
    result = Examination(kept, made, accepted, show_suppressed=show_suppressed, empty=empty)
    said = [each.diagnostic for each in kept]
    code = run.FOUND if failed else run.OK
    return run.answer(asked, session, "doctor", result, code, told=said)
