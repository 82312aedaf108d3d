"""`cloison diff`."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cloison.cli import page, run
from cloison.cli.filters import Filters, filters
from cloison.cli.options import PICTURES, AdvisedError, Common, Example, common, staged

if TYPE_CHECKING:
    from cloison.analyses.diff import Diff
    from cloison.app import Session


@click.command(
    cls=Example,
    examples=(
        "cloison diff before/ after/",
        "cloison diff cluster.json manifests/ --fail-on opened",
        "cloison diff -f manifests/ --what-if proposed.yaml",
        "cloison diff -f manifests/ --what-if - --delete networkpolicy/web/allow-all",
        "cloison diff manifests/ --staged",
    ),
)
@click.argument("before", required=False, metavar="[BEFORE")
@click.argument("after", required=False, metavar="AFTER]")
@click.option(
    "--what-if",
    "apply",
    multiple=True,
    metavar="FILE",
    help="Compare the source with itself and these objects, which replace those of their kind, "
    "namespace and name; a file, a directory or - for standard input; repeatable.",
)
@click.option(
    "--delete",
    multiple=True,
    metavar="KIND/NS/NAME",
    help="Compare the source with itself without this object; KIND/NAME where it lives in no "
    "namespace; repeatable.",
)
@click.option(
    "--fail-on",
    type=click.Choice(("any", "opened", "closed", "changed", "never")),
    default="any",
    envvar="CLOISON_DIFF_FAIL_ON",
    help="What makes the exit code 1: any difference, traffic that was opened, or closed, on new "
    "edges or old ones, edges that carry other traffic, or nothing.  [default: any]",
)
@staged
@filters
@common("jsonl", *PICTURES)
def diff(
    asked: Common,
    before: str | None,
    after: str | None,
    apply: tuple[str, ...],
    delete: tuple[str, ...],
    *,
    only: Filters,
    fail_on: str,
    staged: bool,
) -> int:
    """Connectivity opened, closed and changed between two sources.

    With --staged and one source, between what is enforced and what would be if its staged policies
    were; with two sources, or a change of one, both are taken with their staged policies enforced.
    """
    from cloison.cli.complaint import Sides

    if asked.output == "html":
        page.redirected()
    if staged and after is None and not (apply or delete):
        was, now = _ahead(asked, before)
    else:
        was, now = _sides(asked, before, after, apply, delete)
        if staged:
            was, now = run.as_staged(asked, was, now)
    result = was.diff(now, only.options(asked))
    code = run.FOUND if _fails(result, fail_on) else run.OK
    if result.policies and not result.ends:
        code = run.UNANSWERED  # policies differ, and there is nobody to say what that does to
    shown = page.of_diff(was, now, result) if asked.output == "html" else result
    names = None if before is None or after is None else (before, after)
    return run.answer(asked, run.both(was, now), "diff", shown, code, Sides(was, now, names))


def _ahead(asked: Common, source: str | None) -> "tuple[Session, Session]":
    """Return a source as it is, and as if its staged policies were enforced.

    Raises:
        UsageError: It is named twice.
    """
    if source is not None and asked.sources:
        raise _usage(
            "--staged compares one source, named as an argument or with -f, or two arguments",
            f"cloison diff {source} --staged",
        )
    was = run.load(replace(asked, sources=(source,)) if source is not None else asked)
    (now,) = run.as_staged(asked, was)
    return was, now


def _sides(
    asked: Common,
    before: str | None,
    after: str | None,
    apply: tuple[str, ...],
    delete: tuple[str, ...],
) -> "tuple[Session, Session]":
    """Return the two snapshots to compare.

    Raises:
        UsageError: The arguments name less or more than two.
    """
    if before is None and (apply or delete):
        return run.what_if(asked, apply, delete)
    if apply or delete:
        raise _usage(
            "--what-if and --delete change one source, and it is named with -f",
            f"did you mean -f {before}?",
        )
    if before is None or after is None:
        raise _usage(
            "name two sources to compare, or a change with --what-if, --delete or --staged",
            "cloison diff BEFORE AFTER, or cloison diff -f SOURCE --what-if FILE",
        )
    if asked.sources:
        raise _usage(
            "-f names the source of --what-if and --delete; two sources are arguments",
            f"cloison diff {before} {after}",
        )
    if before == after == "-":
        raise _usage("standard input can be read once", "name a file for one of the two")
    from cloison.app import alike

    return alike(*(run.load(replace(asked, sources=(name,))) for name in (before, after)))


def _usage(message: str, help_: str) -> click.UsageError:
    return AdvisedError(message, help_, click.get_current_context())


def _fails(result: "Diff", fail_on: str) -> bool:
    """Return whether a diff holds what the caller does not want."""
    from cloison.analyses.diff import Kind

    match fail_on:
        case "opened":
            return result.opens
        case "closed":
            return result.closes
        case "changed":
            return bool(result.counts[Kind.CHANGED])
        case "any":
            return bool(result)
        case _:
            return False
