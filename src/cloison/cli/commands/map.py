"""`cloison map`."""

import click

from cloison.cli import page, run
from cloison.cli.options import PICTURES, Common, Question, common


@click.command(
    "map",
    cls=Question,
    examples=(
        "cloison map -f manifests/",
        "cloison map --focus web/portal --port 8080",
        "cloison map --grouped -o json",
        "cloison map --exposure -n web",
        "cloison map --matrix",
        "cloison map -f manifests/ -o svg > map.svg",
    ),
)
@click.option("--focus", multiple=True, metavar="END", help="Only edges with END; repeatable.")
@click.option("--from", "sources_", multiple=True, metavar="END", help="Only edges from END.")
@click.option("--to", "destinations", multiple=True, metavar="END", help="Only edges to END.")
@click.option(
    "-A", "--all-namespaces", is_flag=True, help="Every namespace, whatever -n or the settings say."
)
@click.option("--port", metavar="PORT[/PROTO]", help="Only traffic of this port.")
@click.option("--pods", is_flag=True, help="Pods instead of workloads.")
@click.option("--self", "self_", is_flag=True, help="Also a workload's traffic with itself.")
@click.option("--nodes", is_flag=True, help="Also nodes.")
@click.option(
    "--grouped",
    is_flag=True,
    help="Edges between groups of ends, for -o json and yaml; text is grouped anyway.",
)
@click.option(
    "--matrix",
    is_flag=True,
    help="Instead of a list, a table in the terminal: a row sends to a column.",
)
@click.option(
    "--exposure",
    is_flag=True,
    help="Instead: what workloads are open to, and may reach, beyond the pods of the input.",
)
@common("jsonl", *PICTURES)
def map_(  # noqa: PLR0913 - one for each option
    asked: Common,
    focus: tuple[str, ...],
    sources_: tuple[str, ...],
    destinations: tuple[str, ...],
    port: str | None,
    *,
    all_namespaces: bool,
    pods: bool,
    self_: bool,
    nodes: bool,
    grouped: bool,
    matrix: bool,
    exposure: bool,
) -> int:
    """Everything permitted, inside and with the outside."""
    from cloison.analyses.connectivity import MapOptions

    if grouped and asked.output not in ("json", "yaml"):
        msg = f"--grouped has no {asked.output} output"
        error = click.UsageError(msg)
        error.help = "say -o json or -o yaml; -o text is grouped by itself"  # type: ignore[attr-defined]
        raise error
    if matrix and asked.output != "text":
        msg = f"--matrix has no {asked.output} output"
        error = click.UsageError(msg)
        error.help = "-o html has a matrix of its own"  # type: ignore[attr-defined]
        raise error
    if exposure:
        for flag, given in (
            ("--grouped", grouped),
            ("--matrix", matrix),
            ("--self", self_),
            ("--nodes", nodes),
        ):
            if given:
                msg = f"--exposure does not go with {flag}"
                raise click.UsageError(msg)
    if asked.output == "html":
        page.redirected()
    session = run.load(asked)
    options = MapOptions(
        focus=focus,
        sources=sources_,
        destinations=destinations,
        namespace=None if all_namespaces else asked.namespace,
        port=port,
        pods=pods,
        self_edges=self_,
        nodes=nodes,
    )
    if exposure:
        return run.answer(asked, session, "exposure", session.exposure(options))
    found = session.map(options)
    if asked.output == "html":
        return run.answer(asked, session, "map", page.of_map(session, found))
    form = "grouped" if grouped else "matrix" if matrix else "map"
    return run.answer(asked, session, form, found)
