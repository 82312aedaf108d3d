"""`cloison relate`."""

from dataclasses import replace

import click

from cloison.cli import run
from cloison.cli.options import AdvisedError, Common, Example, common, staged

_TWO = ("equivalent", "contained", "permits", "forbids", "interferes")
_ONE = ("redundant", "empty", "disjoint", "all-captured")

_HELP = """Relations between the policies of two sources, or within one.

\b
equivalent    A and B permit the same
contained     what A permits, B permits
permits       what rules of A name, B permits
forbids       of what rules of A name, B permits nothing
interferes    rules of A name what no rule of B names
redundant     some policy or rule could go, and as much would be permitted
empty         some policy selects nothing, or some rule names no flow
disjoint      no two policies select a common workload
all-captured  every workload is selected by some policy

With --staged, the staged policies of every source are taken to be enforced.

Exit code 0: it holds; 1: it does not; 2: nobody can say.
"""


@click.command(
    cls=Example,
    help=_HELP,
    examples=(
        "cloison relate equivalent before/ after/",
        "cloison relate permits required.yaml manifests/",
        "cloison relate redundant -f manifests/",
    ),
)
@click.argument("relation", type=click.Choice((*_TWO, *_ONE)), metavar="RELATION")
@click.argument("first", required=False, metavar="[A")
@click.argument("second", required=False, metavar="B]")
@staged
@common()
def relate(
    asked: Common, relation: str, first: str | None, second: str | None, *, staged: bool
) -> int:
    """Answer `cloison relate`."""
    from cloison.cli.complaint import Sides

    names = _names(asked, relation, first, second)
    one, *others = (
        run.load(asked if name is None else replace(asked, sources=(name,))) for name in names
    )
    other = others[0] if others else None
    if other is not None:
        from cloison.app import alike

        one, other = alike(one, other)
    if staged and other is not None:
        one, other = run.as_staged(asked, one, other)
    elif staged:
        (one,) = run.as_staged(asked, one)
    result = one.relate(relation, other)
    code = run.UNANSWERED if result.holds is None else run.OK if result.holds else run.FOUND
    if other is None or first is None or second is None:
        return run.answer(asked, one, "relate", result, code)
    sides = Sides(one, other, (first, second))
    return run.answer(asked, run.both(one, other), "relate", result, code, sides)


def _names(
    asked: Common, relation: str, first: str | None, second: str | None
) -> tuple[str | None, ...]:
    """Return the sources to read; None is what -f or the settings name.

    Raises:
        UsageError: There are more or fewer than the relation is about.
    """
    if relation in _ONE:
        if second is not None:
            raise _usage(f"{relation} is about one source", f"cloison relate {relation} {first}")
        if first is not None and asked.sources:
            raise _usage("name the source as an argument or with -f, not both", "leave out one")
        return (first,)
    if first is None or second is None:
        raise _usage(f"{relation} is about two sources", f"cloison relate {relation} A B")
    if asked.sources:
        raise _usage("two sources are arguments", f"cloison relate {relation} {first} {second}")
    if first == second == "-":
        raise _usage("standard input can be read once", "name a file for one of the two")
    return (first, second)


def _usage(message: str, help_: str) -> click.UsageError:
    return AdvisedError(message, help_, click.get_current_context())
