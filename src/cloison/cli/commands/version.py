"""`cloison version`."""

import click

from cloison.cli.run import OK


@click.command()
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", help="Format.")
def version(output: str) -> int:
    """Print the version."""
    from cloison.base.version import VERSION

    click.echo(f'{{"name": "cloison", "version": "{VERSION}"}}' if output == "json" else VERSION)
    return OK
