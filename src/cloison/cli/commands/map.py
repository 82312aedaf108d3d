"""`cloison map`."""

from collections.abc import Mapping
from dataclasses import replace

import click

from cloison.cli import page, run
from cloison.cli.filters import Filters, filters
from cloison.cli.options import PICTURES, AdvisedError, Common, Question, common, staged


@click.command(
    "map",
    cls=Question,
    examples=(
        "cloison map -f manifests/",
        "cloison map --focus web/portal --port 8080",
        "cloison map --logical",
        "cloison map --grouped -o json",
        "cloison map --exposure -n web",
        "cloison map --matrix",
        "cloison map --tiers",
        "cloison map -f manifests/ -o svg > map.svg",
    ),
)
@filters
@click.option(
    "--wire",
    is_flag=True,
    help="Pods and their own ports, as the enforcer sees them (the default).",
)
@click.option(
    "--logical",
    is_flag=True,
    help="Instead: who calls whom through Services, gateways and names.",
)
@click.option("--self", "self_", is_flag=True, help="Also a workload's traffic with itself.")
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
@click.option(
    "--tiers",
    is_flag=True,
    help="Instead: which tier decides about how many pairs, and what it leaves to the next.",
)
@staged
@common("jsonl", *PICTURES)
def map_(
    asked: Common,
    *,
    only: Filters,
    self_: bool,
    grouped: bool,
    matrix: bool,
    staged: bool,
    **view: bool,
) -> int:
    """Everything permitted, inside and with the outside."""
    exposure, tiers, logical = view["exposure"], view["tiers"], view["logical"]
    if grouped and asked.output not in ("json", "yaml"):
        msg = f"--grouped has no {asked.output} output"
        raise AdvisedError(msg, "say -o json or -o yaml; -o text is grouped by itself")
    if matrix and asked.output != "text":
        msg = f"--matrix has no {asked.output} output"
        raise AdvisedError(msg, "-o html has a matrix of its own")
    instead = "--exposure" if exposure else "--tiers" if tiers else None
    if instead is not None:
        _alone(
            instead,
            {
                "--tiers": exposure and tiers,
                "--wire": view["wire"],
                "--logical": logical,
                "--grouped": grouped,
                "--matrix": matrix,
                "--self": self_,
                "--nodes": only.nodes,
            },
        )
    if logical:
        _alone("--logical", {"--wire": view["wire"], "--self": self_, "--nodes": only.nodes})
    if tiers and asked.output in ("jsonl", *PICTURES):
        msg = f"--tiers has no {asked.output} output"
        raise AdvisedError(msg, "say -o json, -o yaml or -o csv")
    if asked.output == "html":
        page.redirected()
    session = run.load(asked, staged=staged, runtime=True)
    options = replace(only.options(asked, self_edges=self_), logical=logical)
    if exposure:
        return run.answer(asked, session, "exposure", session.exposure(options))
    if tiers:
        return run.answer(asked, session, "tally", session.tiers(options))
    found = session.map(options)
    if asked.output == "html":
        return run.answer(asked, session, "map", page.of_map(session, found))
    form = "grouped" if grouped else "matrix" if matrix else "map"
    return run.answer(asked, session, form, found)


def _alone(flag: str, others: Mapping[str, bool]) -> None:
    """Refuse flags that do not go with one that is given."""
    for other, given in others.items():
        if given:
            msg = f"{flag} does not go with {other}"
            raise click.UsageError(msg)
