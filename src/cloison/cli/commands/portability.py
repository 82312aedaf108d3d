"""`cloison portability`."""

import click

from cloison.cli import run
from cloison.cli.filters import Filters, filters
from cloison.cli.options import Common, Example, common

_HELP = """Which policies bind the cluster to one CNI, and what each would lose elsewhere.

With --between, where two CNIs do not make the same of the same policies: edge by edge, with what
each of them decides, and the fact that is owed to.

Exit code 1: with --between, something differs; without, a policy is bound to one CNI.
"""


def _profiles(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> "list[click.shell_completion.CompletionItem]":
    """Return the pairs that begin like this."""
    from cloison.platform import profile_names

    first, comma, rest = incomplete.rpartition(",")
    before = f"{first}{comma}"
    found = (name for name in profile_names() if name.startswith(rest) and name != first)
    return [click.shell_completion.CompletionItem(f"{before}{name}") for name in found]


@click.command(
    cls=Example,
    help=_HELP,
    examples=(
        "cloison portability -f policies/",
        "cloison portability -f cluster.json -o json",
        "cloison portability -f cluster.json --between cilium@1.19,calico@3.32",
        "cloison portability -f cluster.json --between cilium,calico -n shop --fail-on never",
    ),
)
@click.option(
    "--between",
    metavar="CNI,CNI",
    shell_complete=_profiles,
    help="Two CNI profiles: say where the same policies come to something else with them.",
)
@click.option(
    "--fail-on",
    type=click.Choice(("any", "bound", "never")),
    envvar="CLOISON_PORTABILITY_FAIL_ON",
    help="What makes the exit code 1: a policy that is bound to one CNI, any that not every CNI "
    "reads alike besides, or nothing; with --between any difference.  [default: bound]",
)
@filters
@common("sarif")
def portability(asked: Common, between: str | None, fail_on: str | None, *, only: Filters) -> int:
    """Answer `cloison portability`."""
    if between is not None:
        return _between(asked, between, fail_on, only)
    _check(only)
    session, found = run.portability(asked, all_namespaces=only.all_namespaces)
    bad = bool(found.bound) or (fail_on == "any" and bool(found.differing))
    code = run.FOUND if bad and fail_on != "never" else run.OK
    return run.answer(asked, session, "portability", found, code)


def _between(asked: Common, text: str, fail_on: str | None, only: Filters) -> int:
    """Compare two enforcers."""
    from cloison.app.between import compare, pair_of, sides

    first, second = pair_of(text)
    session = run.load(asked)
    one, two = sides(session, first, second)
    found = compare(one, two, only.options(asked))
    code = run.FOUND if found and fail_on != "never" else run.OK
    if not found.ends and session.policies.policies:
        code = run.UNANSWERED  # there is nobody to say what it comes to for
    return run.answer(asked, run.both(two, one), "between", found, code)


def _check(only: Filters) -> None:
    """Check that nothing is asked for that only a comparison knows.

    Raises:
        UsageError: Something is.
    """
    from cloison.cli.options import AdvisedError

    said = {
        "--focus": only.focus,
        "--from": only.sources_,
        "--to": only.destinations,
        "--port": only.port,
        "--pods": only.pods,
        "--nodes": only.nodes,
    }
    for name, value in said.items():
        if value:
            msg = f"{name} is about edges, and those are compared with --between"
            raise AdvisedError(
                msg, "add --between cilium,calico, or leave it out", click.get_current_context()
            )
