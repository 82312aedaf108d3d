"""`cloison effective`."""

import click

from cloison.cli import run
from cloison.cli.options import Common, Question, common, is_path, path_given, staged


@click.command(
    cls=Question,
    examples=(
        "cloison effective evidence/api -f manifests/",
        "cloison effective --policy evidence/default-deny",
    ),
)
@click.argument("workload", required=False, metavar="[WORKLOAD]")
@click.option(
    "--policy", metavar="NAMESPACE/NAME", help="Explain one policy in words instead of a workload."
)
@staged
@common()
def effective(asked: Common, workload: str | None, policy: str | None, *, staged: bool) -> int:
    """What governs one workload, or one policy in words."""
    context = click.get_current_context()
    if policy is not None:
        if workload is not None:
            raise click.UsageError("name a workload, or a policy with --policy, not both", context)
        session = run.load(asked, staged=staged)
        described = session.describe_policy(policy, namespace=asked.namespace)
        return run.answer(asked, session, "policy", described)
    if workload is None:
        raise click.UsageError("name a workload, or a policy with --policy", context)
    if is_path(workload) and "/" not in workload.strip("./"):
        raise path_given(workload, context)
    session = run.load(asked, staged=staged)
    from cloison.base import UnknownEndpointError

    try:
        result = session.effective(workload, namespace=asked.namespace)
    except UnknownEndpointError:
        if is_path(workload):
            raise path_given(workload, context) from None
        raise
    return run.answer(asked, session, "effective", result)
