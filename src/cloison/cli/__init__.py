"""The command line: `cloison`, or `kubectl cloison` as a plugin."""

from cloison.cli.main import main

__all__ = ["main"]
