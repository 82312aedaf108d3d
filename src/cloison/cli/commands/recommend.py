"""`cloison recommend`."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cloison.base import QuestionError
from cloison.cli import run
from cloison.cli.commands.contract import day, named
from cloison.cli.commands.flows import ordered, span
from cloison.cli.commands.reconcile import optional_store, store_of
from cloison.cli.findings import judged
from cloison.cli.options import AdvisedError, Common, Example, Function, common

if TYPE_CHECKING:
    from cloison.analyses.recommend.model import Recommended
    from cloison.report import Judged

TARGETS = ("networkpolicy", "clusternetworkpolicy", "calico", "cilium")
FAILING = ("error", "warning", "questions", "never")
"""What can make the run fail."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, as options say it."""

    to: str | None
    contracts: tuple[str, ...]
    store: Path | None
    since: int | None
    until: int | None
    today: date | None
    flows_only: bool


_WANTED = (
    click.option(
        "--to",
        type=click.Choice(TARGETS),
        help="The language of the policies.  [default: that of the enforcer's own, as --cni says]",
    ),
    click.option(
        "--flows-only", is_flag=True, help="Leave out calls that manifests name and nobody saw."
    ),
    named,
    optional_store,
    span,
    day,
)


def wanting(function: Function) -> Function:
    """Add the options that say what is asked for, and pass them on as `Wanted`."""

    @wraps(function)
    def call(*args: Any, **given: Any) -> int:
        taken = {each.name: given.pop(each.name) for each in fields(Wanted)}
        code: int = function(*args, wanted=Wanted(**taken), **given)
        return code

    wrapped: Function = call
    for option in reversed(_WANTED):
        wrapped = option(wrapped)
    return wrapped


@click.command(
    cls=Example,
    examples=(
        "cloison recommend -f manifests/",
        "cloison recommend -f cluster.json -n web --since 14d",
        "cloison recommend -f manifests/ --to cilium --write policies/",
        "cloison recommend -f manifests/ --policies | kubectl diff -f -",
        "cloison recommend -f manifests/ -o md >> pull-request.md",
    ),
)
@click.option(
    "--write",
    "out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write DIR/NAMESPACE/WORKLOAD.yaml; files that others wrote are left alone.",
)
@click.option("--force", is_flag=True, help="With --write, also over files that others wrote.")
@click.option(
    "--unproved",
    is_flag=True,
    help="With --write, also policies that are not proved; the first line of each file says so.",
)
@click.option(
    "--policies",
    is_flag=True,
    help="Print the policies themselves, and what is to be told of them as diagnostics.",
)
@wanting
@click.option(
    "--fail-on",
    type=click.Choice(FAILING),
    default="error",
    envvar="CLOISON_RECOMMEND_FAIL_ON",
    help="Exit with 1 from this severity on, or where anything is asked.  [default: error]",
)
@click.option(
    "--show-suppressed", is_flag=True, help="Also what the settings file accepts, with its reasons."
)
@common("md")
def recommend(
    asked: Common,
    wanted: Wanted,
    out: Path | None,
    fail_on: str,
    *,
    force: bool,
    unproved: bool,
    policies: bool,
    show_suppressed: bool,
) -> int:
    """Policies that let through what is meant and was seen, and nothing else, proved before told.

    The contract counts, then what manifests say for sure, then what flows show. Calls that were
    denied, or look like a person's or a scan's, are asked about, and stay shut until a contract
    says them. Without a store of flows nothing was seen.
    """
    ordered(wanted.since, wanted.until)
    if force and out is None:
        msg = "--force is about files, and none is written"
        raise QuestionError(msg, "name a directory with --write")
    if unproved and out is None:
        msg = "--unproved is about files, and none is written"
        raise QuestionError(msg, "name a directory with --write")
    if policies and asked.output != "text":
        msg = f"--policies has no {asked.output} output"
        raise AdvisedError(msg, "-o json has them among all else")
    where = store_of(wanted.store)
    session = run.load(asked, runtime=True)
    from cloison.app.recommend import Wish, language, withheld, written
    from cloison.app.recommend import recommend as made
    from cloison.base import Severity

    today = wanted.today or run.today()
    wish = Wish(
        wanted.to or language(session.profile),
        today,
        wanted.contracts,
        where,
        (wanted.since, wanted.until),
        () if asked.namespace is None else (asked.namespace,),
        wanted.flows_only,
    )
    found, about, whole = made(session, wish)
    kept = False
    if out is not None:
        wrong = session.accepted(found.findings, today).kept
        doubtful = any(each.severity is Severity.ERROR for each in wrong)
        kept = doubtful and not unproved
        doing = withheld if kept else written
        found = doing(found, out, force=force, proved=not doubtful)
    severity = "error" if fail_on == "questions" else fail_on
    told, code = judged(
        session, found, found.findings, severity, show_suppressed=show_suppressed, today=today
    )
    if kept or (fail_on == "questions" and found.fused.questions):
        code = run.FOUND
    code = code if whole else run.UNANSWERED
    if not policies:
        return run.answer(asked, about, "recommended", told, code)
    run.write(_pages(told))
    if not asked.quiet:
        from cloison.report import render

        for piece in render("recommended", told, run.about(about), "text", run.look_err(asked)):
            sys.stderr.write(piece)
        run.complain(asked, session)
    return run.UNANSWERED if asked.strict and session.broken else code


def _pages(told: "Judged[Recommended]") -> Iterator[str]:
    found = told.answer
    if not found.proved:
        yield "# NOT PROVED: these policies do not do what they should; see the findings.\n"
    for number, each in enumerate(found.result.files):
        yield f"---\n{each.text}" if number else each.text
