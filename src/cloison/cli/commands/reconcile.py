"""`cloison reconcile`."""

from dataclasses import replace
from pathlib import Path

import click

from cloison.base import SourceError
from cloison.cli import run
from cloison.cli.commands.contract import named
from cloison.cli.commands.contractcheck import same_cluster
from cloison.cli.commands.flows import STORE, ordered, span
from cloison.cli.options import AdvisedError, Common, Question, common

KINDS = (
    "contradicted",
    "broken",
    "attempted",
    "undocumented",
    "undetermined",
    "unused",
    "unobserved",
    "healthy",
    "excess",
)
FAILING = ("contradicted", "broken", "attempted", "undocumented")
"""Kinds that make the run fail, where nobody says which."""

optional_store = click.option(
    "--store",
    type=click.Path(path_type=Path),
    envvar="CLOISON_FLOWS_STORE",
    metavar="DIR",
    help=f"The store of flows.  [default: {STORE}, if there is one]",
)
"""The option of every command that also works without flows."""


@click.command(
    cls=Question,
    examples=(
        "cloison reconcile -f manifests/",
        "cloison reconcile -f manifests/ --since 7d --kind undocumented --kind attempted",
        "cloison reconcile -f manifests/ --matrix",
        "cloison reconcile -f manifests/ --fail-on contradicted -o json",
        "cloison reconcile -f manifests/ -o md >> pull-request.md",
        "cloison reconcile -f manifests/ -o html > cube.html",
    ),
)
@named
@optional_store
@span
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only these; repeatable."
)
@click.option(
    "--matrix",
    is_flag=True,
    help="Instead of a list, a table in the terminal: a row calls a column.",
)
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice((*KINDS, "never")),
    default=FAILING,
    envvar="CLOISON_RECONCILE_FAIL_ON",
    help=f"Exit with 1 when there is a cell of these; repeatable.  [default: {', '.join(FAILING)}]",
)
@common("md", "html")
def reconcile(
    asked: Common,
    contracts: tuple[str, ...],
    store: Path | None,
    since: int | None,
    until: int | None,
    kinds: tuple[str, ...],
    fail_on: tuple[str, ...],
    *,
    matrix: bool,
) -> int:
    """What is intended, permitted and observed, side by side, and where they disagree.

    Intended is what the contract says, permitted what policies let pass, observed what the store
    of flows holds. Without flows, what is observed is not known, and nothing is called unused.
    """
    if matrix and asked.output != "text":
        msg = f"--matrix has no {asked.output} output"
        raise AdvisedError(msg, "-o html has a matrix of its own")
    ordered(since, until)
    where = store_of(store)
    session = run.load(asked, runtime=True)
    from cloison.app.reconcile import reconcile as reconciled

    found, whole = reconciled(session, contracts, where, (since, until))
    found = replace(found, kinds=kinds, namespace=asked.namespace, options=same_cluster(asked))
    failed = any(found.count(kind) for kind in fail_on if kind != "never")
    code = run.FOUND if failed and "never" not in fail_on else run.OK
    form = "cubed" if matrix else "reconciled"
    return run.answer(asked, session, form, found, code if whole else run.UNANSWERED)


def store_of(named: Path | None) -> Path | None:
    """Return the store to read: the one that is named, or the usual one if it is there.

    Raises:
        SourceError: The one that is named is not there.
    """
    given = click.get_current_context().get_parameter_source("store")
    asked_for = given not in (
        click.core.ParameterSource.DEFAULT,
        click.core.ParameterSource.DEFAULT_MAP,
    )
    if named is None or not asked_for:
        usual = named or Path(STORE)
        return usual if usual.is_dir() else None
    if not named.is_dir():
        msg = f"there is no store of flows at {named}"
        raise SourceError(msg, f"read some first: cloison flows ingest --store {named} FILE")
    return named
