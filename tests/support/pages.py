"""Run what console blocks show, in a place of their own."""

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.cli import ROOT, plain_environment, run_here, write_command
from tests.support.consoles import Command, Console

_SHELL = re.compile(r"[|&;<>$`*?~\n]|^(?!cloison )|^cloison lab exec ")
"""What needs a shell: a pipe, a redirection, a variable, or another program first. And what puts
another program in the place of its own process, which would be ours."""
_INTO = re.compile(r"(?P<line>[^>]+) > (?P<file>[\w./-]+)")
"""A line whose standard output goes to a file."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where commands run: a copy of what they may name, so that they may also write.

    Args:
        checkout: The directory they run in.
        environment: The variables they see.
    """

    checkout: Path
    environment: dict[str, str]

    @classmethod
    def under(cls, directory: Path) -> Self:
        """Set one up in an empty directory."""
        checkout = directory / "cloison"
        shutil.copytree(ROOT / "examples", checkout / "examples")
        programs = directory / "bin"
        programs.mkdir()
        write_command(programs)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        runtime = directory / "run"
        runtime.mkdir()
        own = {"PATH": path, "HOME": str(directory), "XDG_RUNTIME_DIR": str(runtime)}
        return cls(checkout, plain_environment() | own)

    def clear(self) -> None:
        """End the labs that commands have left running."""
        if Path(self.environment["XDG_RUNTIME_DIR"], "cloison").exists():
            self._here(["lab", "down", "--all"])

    def lay_out(self, console: Console) -> None:
        """Write the files that the page has shown by the time the block comes."""
        for name, text in console.files:
            path = self.checkout / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def run(self, command: Command) -> tuple[int, str]:
        """Run a command; return its exit code, and standard output followed by standard error.

        A line that is nothing but `cloison` and its arguments, and perhaps a file for what it
        prints, runs in this process, which spares the tests a start of Python for each; every
        other line runs in a shell.
        """
        line = command.line.replace("\\\n", " ")
        into = _INTO.fullmatch(line)
        plain = into["line"] if into else line
        if _SHELL.search(plain):
            return self._shell(line)
        return self._here(shlex.split(plain)[1:], self.checkout / into["file"] if into else None)

    def _here(self, arguments: list[str], into: Path | None = None) -> tuple[int, str]:
        ran = run_here(tuple(arguments), self.checkout, self.environment, into=into)
        return ran.exit, ran.out + ran.err

    def _shell(self, line: str) -> tuple[int, str]:
        ran = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=self.checkout,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return ran.returncode, ran.stdout + ran.stderr
