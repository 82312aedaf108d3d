"""Run the command line as a person would: a plain terminal, in this process or one of its own."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from cloison.cli import main

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

_ENTRY = "import sys; sys.argv[0] = 'cloison'; from cloison.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run left behind."""

    exit: int
    out: str
    err: str


def plain_environment() -> dict[str, str]:
    """Return an environment in which output does not depend on who runs the tests."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("CLOISON_", "PYTEST_", "COV_"))
    }
    return kept | {
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONUTF8": "1",
        "TERM": "dumb",
        "TZ": "UTC",
    }


def run_cloison(*args: str, cwd: Path = ROOT, stdin: str = "") -> Ran:
    """Run `cloison` with `args` in `cwd` and return what it printed.

    It runs in this process, which spares the tests a start of Python for each; see
    `run_process` for what is about the process itself.
    """
    return run_here(args, cwd, plain_environment(), stdin)


def run_here(
    args: tuple[str, ...],
    cwd: Path,
    environment: Mapping[str, str],
    stdin: str = "",
    into: Path | None = None,
) -> Ran:
    """Run `cloison` in this process.

    Args:
        args: Its arguments.
        cwd: Where it runs.
        environment: All variables that it sees.
        stdin: What it reads.
        into: The file that its standard output goes to; `None` to return it.
    """
    given, out, err = (
        io.TextIOWrapper(io.BytesIO(text), encoding="utf-8") for text in (stdin.encode(), b"", b"")
    )
    shown = nullcontext(out) if into is None else into.open("w", encoding="utf-8")
    with (
        shown as printed,
        chdir(cwd),
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "stdin", given),
        mock.patch.object(sys, "argv", ["cloison", *args]),
        redirect_stdout(printed),
        redirect_stderr(err),
    ):
        code = main(list(args))
    return Ran(code, *(_written(stream) for stream in (out, err)))


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def run_process(*args: str, cwd: Path = ROOT, stdin: str = "", timeout: float = 120) -> Ran:
    """Run `cloison` in a process of its own.

    Raises:
        subprocess.TimeoutExpired: it hangs.
    """
    done = subprocess.run(
        [sys.executable, "-c", _ENTRY, *args],
        cwd=cwd,
        env=plain_environment(),
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def write_command(directory: Path) -> Path:
    """Put an executable named `cloison` in `directory`, for shell lines, and return its path."""
    path = directory / "cloison"
    path.write_text(f"#!{sys.executable}\n{_ENTRY}\n", encoding="utf-8")
    path.chmod(0o755)
    return path
