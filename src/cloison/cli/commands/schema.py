"""`cloison schema`."""

import click

from cloison.cli.run import OK

NAMES = (
    "why",
    "map",
    "grouped",
    "exposure",
    "tally",
    "diff",
    "relate",
    "portability",
    "between",
    "effective",
    "policy",
    "verify",
    "measured",
    "trace",
    "applied",
    "lab",
    "validate",
    "doctor",
    "cni",
    "egress",
    "checked",
    "reconciled",
    "recommended",
    "shadowed",
    "drifted",
    "drafted",
    "compiled",
    "ingested",
    "observed",
    "ranked",
    "recorded",
    "config",
    "tests",
    "contract",
)
"""Every schema that is shipped; named here so that help need not look for files."""


@click.command()
@click.argument("name", type=click.Choice(NAMES))
def schema(name: str) -> int:
    """Print the JSON Schema of an output, of a tests file or of a contract."""
    from pkgutil import get_data  # importlib.resources imports ten times as much

    text = get_data("cloison.report", f"schemas/{name}.json") or b""
    click.echo(text.decode(), nl=False)
    return OK
