"""The entry point: runs a command and turns what goes wrong into words and an exit code."""

import os
import sys
from pathlib import Path

import click

from cloison.base import CloisonError
from cloison.cli.app import cli
from cloison.cli.options import AdvisedError

UNANSWERED = 2
"""Exit code of a question that could not be answered as asked."""


_DEFECT = "this is a defect of Cloison; run again with --debug and report what it prints"


def main(args: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        args: The arguments; those of the process when None.
    """
    given = sys.argv[1:] if args is None else args
    debug = "--debug" in given or bool(os.environ.get("CLOISON_DEBUG"))
    try:
        code = cli.main(
            given, prog_name=program(), complete_var="_CLOISON_COMPLETE", standalone_mode=False
        )
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("error: interrupted\n")
        return 130
    except click.UsageError as error:
        _complain(error.format_message(), _usage_help(error))
        return UNANSWERED
    except click.ClickException as error:
        _complain(error.format_message(), None)
        return UNANSWERED
    except CloisonError as error:
        if debug:
            raise
        from cloison.resources.names import printable

        # Names of files, and of what is in them, stand in messages.
        _complain(printable(error.message), error.help)
        return UNANSWERED
    except RecursionError:
        if debug:
            raise
        _complain("the input nests too deeply", "flatten it, or report this with --debug")
        return UNANSWERED
    except Exception as error:  # the last line before a user; --debug shows all of it
        if debug:
            raise
        _complain(f"internal error: {type(error).__name__}: {error}", _DEFECT)
        return UNANSWERED
    return code if isinstance(code, int) else 0


def program() -> str:
    """Return what the user typed: `cloison`, or `kubectl cloison` when run as its plugin."""
    name = Path(sys.argv[0]).name if sys.argv else ""
    return "kubectl cloison" if name.startswith("kubectl-") else "cloison"


def _complain(message: str, help_: str | None) -> None:
    lines = [f"error: {message}"]
    if help_:
        lines.append(f"help: {help_}")
    sys.stderr.write("\n".join(lines) + "\n")


def _usage_help(error: click.UsageError) -> str:
    if isinstance(error, AdvisedError):
        return error.help
    path = error.ctx.command_path if error.ctx else program()
    return f"{path} --help"
