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
    "config",
)
"""Every schema that is shipped; named here so that help need not look for files."""


@click.command()
@click.argument("name", type=click.Choice(NAMES))
def schema(name: str) -> int:
    """Print the JSON Schema of an output."""
    from importlib.resources import files

    text = (files("cloison.report") / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    click.echo(text, nl=False)
    return OK
