"""`cloison demo`."""

import click


@click.command()
def demo() -> int:
    """Soon."""
    return 0
