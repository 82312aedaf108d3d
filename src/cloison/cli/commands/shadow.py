"""`cloison shadow`."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from cloison.base import unhurried
from cloison.cli import run
from cloison.cli.commands.flows import ordered, span
from cloison.cli.commands.flows import store as store_option
from cloison.cli.options import AdvisedError, Common, Example, common

FAILING = ("denied", "opens", "undetermined", "never")
"""What can make the run fail."""
BY = ("workload", "edge", "namespace", "hour")
"""By what denied connections can be summed up."""


@click.command(
    cls=Example,
    examples=(
        "cloison shadow proposed.yaml -f manifests/",
        "cloison shadow proposed/ -f cluster.json --since 7d --by workload",
        "cloison contract compile -f manifests/ | cloison shadow - --replace -f manifests/",
        "cloison shadow proposed.yaml -f manifests/ --fail-on denied --fail-on opens -o json",
        "cloison shadow proposed.yaml -f manifests/ -o html > shadow.html",
    ),
)
@click.argument("candidates", nargs=-1, required=True, metavar="CANDIDATE...")
@click.option(
    "--replace",
    "whole",
    is_flag=True,
    help="The candidate takes the place of all policies of the source; otherwise it replaces those "
    "of its kind, namespace and name, and adds the others.",
)
@store_option
@span
@click.option(
    "--by",
    type=click.Choice(BY),
    help="Sum up what would be denied: by caller, edge, pair of namespaces, or hour.",
)
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(FAILING),
    default=("denied",),
    envvar="CLOISON_SHADOW_FAIL_ON",
    help="Exit with 1 when connections that got through would be denied, the candidate opens "
    "anything, or nobody can say of some; repeatable.  [default: denied]",
)
@common("md", "html")
def shadow(
    asked: Common,
    candidates: tuple[str, ...],
    store: Path,
    since: int | None,
    until: int | None,
    by: str | None,
    fail_on: tuple[str, ...],
    *,
    whole: bool,
) -> int:
    """What enforcing a candidate would have done to the connections that were recorded.

    CANDIDATE is a file, a directory or - with policies in any language that Cloison reads. It needs
    no cluster: flows of a store are judged as if it had been in force.
    """
    ordered(since, until)
    if asked.output == "html" and sys.stdout.isatty():
        msg = "-o html writes a page for a browser, not for a terminal"
        raise AdvisedError(msg, "redirect it: cloison shadow ... -o html > shadow.html")
    before, after = run.what_if(asked, candidates, (), runtime=True, whole=whole)
    from cloison.app.proposed import check_policies
    from cloison.app.shadow import Wanted
    from cloison.app.shadow import shadow as cast

    check_policies(before, after, candidates)
    wanted = Wanted(candidates, whole, (since, until), asked.namespace)
    told = _told if sys.stderr.isatty() and not asked.quiet else _silent
    found = replace(cast(before, after, store, wanted, told), by=by)
    from cloison.cli.complaint import Sides

    failed = "never" not in fail_on and any(found.found(kind) for kind in fail_on)
    code = run.FOUND if failed else run.OK
    if found.unanswered or (found.unsettled and not failed):
        code = run.UNANSWERED  # a candidate that was not tried, or not all of it, has not passed
    session = run.both(before, after)
    # What stops each edge is found out while it is written.
    with unhurried():
        return run.answer(asked, session, "shadowed", found, code, Sides(before, after))


def _told(text: str) -> None:
    sys.stderr.write(f"{text} ...\n")


def _silent(_text: str) -> None:
    return
