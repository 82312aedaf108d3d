"""`cloison contract compile`."""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloison.base import QuestionError
from cloison.cli import run
from cloison.cli.commands.contract import day, named
from cloison.cli.findings import judged, judging
from cloison.cli.options import Common, Example, common

if TYPE_CHECKING:
    from cloison.analyses.contract.compile.model import Result

_TARGETS = ("networkpolicy", "clusternetworkpolicy", "calico", "cilium")


@click.command(
    "compile",
    cls=Example,
    examples=(
        "cloison contract compile -f manifests/ --to networkpolicy",
        "cloison contract compile -f manifests/ --to cilium --out policies/",
        "cloison contract compile -f cluster.json --contract contract.yaml --to calico -n web",
    ),
)
@click.option(
    "--to",
    type=click.Choice(_TARGETS),
    required=True,
    help="The language of the policies.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write DIR/NAMESPACE/WORKLOAD.yaml; files that others wrote are left alone.  [default: "
    "standard output]",
)
@click.option("--force", is_flag=True, help="With --out, also write over files that others wrote.")
@named
@day
@judging
@common()
def compile_(
    asked: Common,
    to: str,
    out: Path | None,
    contracts: tuple[str, ...],
    today: date | None,
    fail_on: str,
    *,
    force: bool,
    show_suppressed: bool,
) -> int:
    """Write the policies that let through what a contract says, and nothing else.

    A file for each workload with its owner and reasons, and a default deny for each namespace.
    What workloads need of the platform is added, and told. What the language has no words for is
    told too, with what is open or shut instead.
    """
    if force and out is None:
        msg = "--force is about files, and none is written"
        raise QuestionError(msg, "name a directory with --out")
    session = run.load(asked, runtime=True)
    from cloison.app.compile import compile_contract
    from cloison.app.compilefiles import write

    spaces = () if asked.namespace is None else (asked.namespace,)
    done = compile_contract(session, to, contracts, today=today or run.today(), namespaces=spaces)
    result = done.result if out is None else write(done.result, out, force=force)
    told, code = judged(
        session, result, result.findings, fail_on, show_suppressed=show_suppressed, today=today
    )
    code = code if done.agreed.whole else run.UNANSWERED
    if out is None and asked.output == "text":
        run.write(_pages(result))
        if not asked.quiet:
            from cloison.report import render

            about = run.about(done.session)
            for piece in render("compiled", told, about, "text", run.look_err(asked)):
                sys.stderr.write(piece)
            run.complain(asked, session)
        return run.UNANSWERED if asked.strict and session.broken else code
    return run.answer(asked, done.session, "compiled", told, code)


def _pages(result: "Result") -> Iterator[str]:
    for number, each in enumerate(result.files):
        yield f"---\n{each.text}" if number else each.text
