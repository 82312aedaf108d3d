"""`cloison map`."""

import click

from cloison.cli import run
from cloison.cli.options import Common, Question, common


@click.command(
    "map",
    cls=Question,
    examples=(
        "cloison map -f manifests/",
        "cloison map --focus web/portal --port 8080",
        "cloison map --grouped -o json",
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
@common("jsonl")
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
) -> int:
    """Everything permitted, inside and with the outside."""
    from cloison.analyses.connectivity import MapOptions

    if grouped and asked.output not in ("json", "yaml"):
        msg = f"--grouped has no {asked.output} output"
        error = click.UsageError(msg)
        error.help = "say -o json or -o yaml; -o text is grouped by itself"  # type: ignore[attr-defined]
        raise error
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
    return run.answer(asked, session, "grouped" if grouped else "map", session.map(options))
