"""Run the command line as a person would: a process of its own, a plain terminal."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

_ENTRY = "import sys; sys.argv[0] = 'cloison'; from cloison.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process left behind."""

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


def run_cloison(*args: str, cwd: Path = ROOT, stdin: str = "", timeout: float = 120) -> Ran:
    """Run `cloison` with `args` in `cwd` and return what it printed.

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
