"""`cloison verify`."""

import click

from cloison.cli import run
from cloison.cli.options import Common, Question, common, staged


@click.command(
    cls=Question,
    examples=(
        "cloison verify -f manifests/",
        "cloison verify -f cluster.json --tests tests.yaml -o json",
        "cloison verify -f manifests/ -o junit > verify.xml",
    ),
)
@click.option(
    "--tests",
    multiple=True,
    metavar="FILE",
    help="A file of tests, or - for standard input; repeatable. Those found in the source when "
    "not given.",
)
@click.option(
    "--on",
    type=click.Choice(("simulate",)),
    default="simulate",
    help="Who answers: simulate, the engine.  [default: simulate]",
)
@staged
@common("junit")
def verify(asked: Common, tests: tuple[str, ...], on: str, *, staged: bool) -> int:
    """Check paths that must be open or closed."""
    session = run.load(asked, staged=staged)
    matrix = session.verify(tests, on=on)
    code = run.OK if matrix.passed else run.FOUND
    return run.answer(asked, session, "verify", matrix, code if matrix.complete else run.UNANSWERED)
