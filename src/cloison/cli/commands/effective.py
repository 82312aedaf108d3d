"""`cloison effective`."""

import click

from cloison.cli import run
from cloison.cli.options import Common, Question, common, is_path, path_given


@click.command(cls=Question)
@click.argument("workload", required=False, metavar="[WORKLOAD]")
@click.option(
    "--policy", metavar="NAMESPACE/NAME", help="Explain one policy in words instead of a workload."
)
@common()
def effective(asked: Common, workload: str | None, policy: str | None) -> int:
    """Everything that governs one workload, or one policy in words.

    \b
    cloison effective evidence/api -f manifests/
    cloison effective --policy evidence/default-deny
    """
    context = click.get_current_context()
    if (workload is None) == (policy is None):
        msg = "name a workload, or a policy with --policy" + (", not both" if workload else "")
        raise click.UsageError(msg, context)
    if workload is not None and is_path(workload) and "/" not in workload.strip("./"):
        raise path_given(workload, context)
    session = run.load(asked)
    if policy is not None:
        name = policy if "/" in policy or not asked.namespace else f"{asked.namespace}/{policy}"
        return run.answer(asked, session, "policy", session.describe_policy(name))
    from cloison.base import UnknownEndpointError

    assert workload is not None
    try:
        result = session.effective(workload, namespace=asked.namespace)
    except UnknownEndpointError:
        if is_path(workload):
            raise path_given(workload, context) from None
        raise
    return run.answer(asked, session, "effective", result)
