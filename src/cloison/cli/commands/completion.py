"""`cloison completion`."""

import click

from cloison.cli.options import Example
from cloison.cli.run import OK


@click.command(
    cls=Example,
    examples=(
        "source <(cloison completion bash)        # in ~/.bashrc",
        "source <(cloison completion zsh)         # in ~/.zshrc",
        "cloison completion fish | source         # in config.fish",
    ),
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the script that completes commands in a shell."""
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    found = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}[shell]
    source = found(context.find_root().command, {}, "cloison", "_CLOISON_COMPLETE").source()
    click.echo(source)
    return OK
