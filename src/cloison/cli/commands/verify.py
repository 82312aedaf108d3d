"""`cloison verify`."""

import click

from cloison.cli import run
from cloison.cli.options import AdvisedError, Common, Question, common, staged


@click.command(
    cls=Question,
    examples=(
        "cloison verify -f manifests/",
        "cloison verify -f cluster.json --tests tests.yaml -o json",
        "cloison verify -f manifests/ -o junit > verify.xml",
        "cloison verify --on lab -f manifests/",
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
    type=click.Choice(("simulate", "lab")),
    default="simulate",
    help="Who answers: simulate, the engine; lab, a kernel on this machine, whose answers are "
    "compared with the engine's.  [default: simulate]",
)
@click.option(
    "--matrix",
    "pairs",
    is_flag=True,
    help="With --on lab: measure every pair of workloads on the ports they declare, too; that is "
    "what is measured where there are no tests.",
)
@click.option(
    "--sendable",
    is_flag=True,
    help="With --on lab: leave out rows that no lab can send, those about names in TLS and DNS.",
)
@staged
@common("junit", "html")
def verify(
    asked: Common,
    tests: tuple[str, ...],
    on: str,
    *,
    pairs: bool,
    sendable: bool,
    staged: bool,
) -> int:
    """Check paths that must be open or closed.

    In a lab each is tried with packets. A path is closed only if something else arrived from the
    same source, or at the same target.
    """
    if on == "lab":
        return _measure(asked, tests, pairs=pairs, sendable=sendable, staged=staged)
    if pairs or sendable or asked.output == "html":
        said = "--matrix" if pairs else "--sendable" if sendable else "-o html"
        msg = f"{said} is for what a lab measures"
        raise AdvisedError(msg, "say --on lab besides")
    session = run.load(asked, staged=staged, runtime=True)
    matrix = session.verify(tests, on=on)
    code = run.OK if matrix.passed else run.FOUND
    return run.answer(asked, session, "verify", matrix, code if matrix.complete else run.UNANSWERED)


def _measure(
    asked: Common, tests: tuple[str, ...], *, pairs: bool, sendable: bool, staged: bool
) -> int:
    """Let a kernel answer."""
    session = run.load(asked, runtime=True)
    if staged:
        session = run.as_staged(asked, session)[0]
    found = session.measure(tests, matrix=pairs, staged=staged, sendable=sendable)
    code = run.OK if found.passed else run.FOUND
    return run.answer(asked, session, "measured", found, code if found.complete else run.UNANSWERED)
