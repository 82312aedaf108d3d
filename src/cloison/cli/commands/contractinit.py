"""`cloison contract init`."""

import sys
from pathlib import Path
from typing import Any

import click

from cloison.base import QuestionError, SourceError
from cloison.cli import run
from cloison.cli.options import Common, Example, common


@click.command(
    cls=Example,
    examples=(
        "cloison contract init -f manifests/ > contract.yaml",
        "cloison contract init -f manifests/ -f policies/ --output-file contract.yaml",
        "cloison contract init -f cluster.json --flows .cloison/flows",
    ),
)
@click.option(
    "--output-file",
    "to",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the draft to a file, which must not exist.  [default: standard output]",
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@click.option(
    "--flows",
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="A store of flows: what was seen counts as evidence.",
)
@click.option(
    "--suggestions",
    type=click.Choice(("ask", "accept")),
    default="ask",
    help="What only names and the like suggest: left as comments, or accepted.  [default: ask]",
)
@click.option("--name", default="", metavar="NAME", help="What to call the contract.")
@common(usual=("yaml", "json", "csv", "text"))
def init(
    asked: Common,
    to: Path | None,
    flows: Path | None,
    suggestions: str,
    name: str,
    *,
    force: bool,
) -> int:
    """Draft a contract from manifests, policies and flows.

    Every entry carries what speaks for it. What only a name suggests is written as a comment, to
    be confirmed; owners and reasons are yours to give: `cloison contract check` lists them.
    """
    from cloison.resources.names import NameRule, is_name

    if name and not is_name(name, NameRule.SUBDOMAIN):
        msg = f"{name!r} is no name for a contract"
        raise QuestionError(msg, "write small letters, digits and dashes")
    if to is not None and to.exists() and not force:
        msg = f"{to} exists"
        raise SourceError(msg, "name another file, or say --force to write over it")
    session = run.load(asked, runtime=True)
    from cloison.analyses.draft.page import page
    from cloison.app.draft import draft, observed
    from cloison.intent.read import is_contract

    seen = observed(_rows(flows)) if flows is not None else ()
    found = draft(session, seen, accept=suggestions == "accept", name=name)
    if asked.output == "yaml":
        text = page(found)
    else:
        from cloison.report import render

        text = "".join(render("drafted", found, run.about(session), asked.output, run.look(asked)))
    if to is None:
        run.write((text,))
    else:
        try:
            to.write_text(text, "utf-8")
        except OSError as error:
            msg = f"{to} cannot be written: {error.strerror}"
            raise SourceError(msg, "name another file") from None
    if not asked.quiet:
        counts = (
            (len(found.accepted), "dependencies"),
            (len(found.suggested), "to confirm"),
            (len(found.doubts), "questions"),
            (len(found.unclassified), "workloads without a zone"),
        )
        sys.stderr.write(f"drafted: {', '.join(f'{n} {what}' for n, what in counts)}\n")
        if any(map(is_contract, session.own)):
            sys.stderr.write("the source has a contract already; the draft does not know it\n")
        run.complain(asked, session)
    return run.UNANSWERED if asked.strict and session.broken else run.OK


def _rows(store: Path) -> list[dict[str, Any]]:
    """Return the edges that a store has seen.

    Raises:
        SourceError: There is no such store, or what reads it is not installed.
    """
    try:
        from cloison.flows.edges import edges
    except ImportError as error:
        msg = f"flows need {error.name}, which is not installed"
        raise SourceError(msg, "pip install 'cloison[flows]'") from None
    found: list[dict[str, Any]] = edges(store).to_pylist()
    return found
