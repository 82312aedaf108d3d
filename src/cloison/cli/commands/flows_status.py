"""`cloison flows status`."""

import click

from cloison.cli import run
from cloison.cli.commands.flows import Asked, asked, show
from cloison.cli.options import AdvisedError, Example


@click.command(
    cls=Example,
    examples=("cloison flows status", "cloison flows status --bad", "cloison flows status -o json"),
)
@click.option("--bad", is_flag=True, help="Show the first lines that could not be read.")
@asked()
def status(said: Asked, *, bad: bool) -> int:
    """What a store knows, and what it cannot know.

    Which sources, nodes, hours and workloads were seen, and what is said to have been lost. An
    hour, a node or a flow that is not there means nothing where there are gaps.
    """
    if bad:
        if said.output != "text":
            msg = f"--bad prints text, and no {said.output}"
            raise AdvisedError(
                msg, "leave out -o; how many there are is in the answer without --bad"
            )
        from cloison.flows.status import rejected

        run.write(rejected(said.store))
        return run.OK
    from cloison.flows.status import status as known

    show("observed", known(said.store), said)
    return run.OK
