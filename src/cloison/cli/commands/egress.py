"""`cloison egress`."""

import click

from cloison.cli import run
from cloison.cli.findings import judged, judging
from cloison.cli.options import Common, Question, common, is_path, path_given, staged


@click.command(
    cls=Question,
    examples=(
        "cloison egress -f cluster.json",
        "cloison egress payments/payments-api -f manifests/",
        "cloison egress -n payments -f manifests/ --fail-on warning",
        "cloison egress -f manifests/ -o csv > egress.csv",
    ),
)
@click.argument("workloads", nargs=-1, metavar="[WORKLOAD]...")
@click.option("-A", "--all-namespaces", is_flag=True, help="Every namespace, whatever -n says.")
@staged
@judging
@common("sarif")
def egress(
    asked: Common,
    workloads: tuple[str, ...],
    fail_on: str,
    *,
    all_namespaces: bool,
    staged: bool,
    show_suppressed: bool,
) -> int:
    """Where workloads may go outside the cluster, as what, and past whom.

    Workload by workload: addresses and DNS names with ports, the rule and line that opens each,
    the source address that is seen outside, and whose it is. Findings are ways out that are wider
    than they should be, and ways past a proxy or egress gateway.
    """
    context = click.get_current_context()
    for each in workloads:
        if is_path(each) and "/" not in each.strip("./"):
            raise path_given(each, context)
    session = run.load(asked, staged=staged, runtime=True)
    namespace = None if all_namespaces else asked.namespace
    from cloison.base import UnknownEndpointError

    try:
        found = session.egress(workloads, namespace)
    except UnknownEndpointError:
        path = next((each for each in workloads if is_path(each)), None)
        if path is not None:
            raise path_given(path, context) from None
        raise
    result, code = judged(session, found, found.findings, fail_on, show_suppressed=show_suppressed)
    return run.answer(asked, session, "egress", result, code)
