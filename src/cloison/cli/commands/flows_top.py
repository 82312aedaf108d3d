"""`cloison flows top`."""

import click

from cloison.cli import run
from cloison.cli.commands.flows import Asked, asked, show
from cloison.cli.options import Example

BY = ("edge", "source", "destination", "pair", "port", "verdict")
VERDICTS = ("allowed", "denied", "audited", "error", "unknown")


@click.command(
    cls=Example,
    examples=(
        "cloison flows top",
        "cloison flows top --verdict denied --since 24h",
        "cloison flows top --by destination -n 5 -o json",
    ),
)
@click.option("--by", type=click.Choice(BY), default="edge", help="What a line is about.")
@click.option(
    "-n", "number", type=click.IntRange(0), default=20, help="How many; 0 for all.  [default: 20]"
)
@click.option("--verdict", type=click.Choice(VERDICTS), multiple=True, help="Only these.")
@asked(times=True)
def top(said: Asked, by: str, number: int, verdict: tuple[str, ...]) -> int:
    """What was seen most: who talked to whom, to what, and what became of it.

    Counts connections, whole hours at a time. A `?` says that nobody knows who opened them.
    """
    from cloison.flows.edges import edges
    from cloison.flows.engines.choose import choose
    from cloison.flows.top import top as ranked

    worker = choose(said.engine, said.store)
    try:
        found = edges(said.store, said.since, said.until, engine=worker)
    finally:
        worker.close()
    show("ranked", ranked(found, by, number or None, verdict), said)
    return run.OK
