"""Plants one fault at a time in a copy of the sources and sees whether a test notices."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
TESTS = (
    "tests/conformance",
    "tests/property/test_three_way.py",
    "tests/property/test_ir_random.py",
)
"""What must notice: the tests that say what a policy means."""
NOTICED = 1
"""pytest's exit status when a test failed. Others (nothing collected, a crash) prove nothing."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A small mistake somebody could make.

    Args:
        name: Says what is wrong, for people.
        file: Below `src/cloison`.
        right: Text that occurs in the file exactly once.
        wrong: What to put in its place.
        tests: What must notice it.
    """

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...] = TESTS

    @property
    def path(self) -> Path:
        """The file below `src`."""
        return Path("cloison", self.file)

    def planted(self, text: str) -> str:
        """Return a file's text with the fault in it.

        Raises:
            ValueError: the place is not there, or there is more than one.
        """
        if text.count(self.right) != 1 or self.right == self.wrong:
            msg = (
                f"{self.name}: {self.right!r} occurs {text.count(self.right)} times in {self.file}"
            )
            raise ValueError(msg)
        return text.replace(self.right, self.wrong)


@contextmanager
def planted(fault: Fault | None) -> Iterator[Path]:
    """Give a copy of the sources, with a fault in it; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cloison-fault-") as directory:
        copy = Path(directory, "src")
        shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        if fault is not None:
            file = copy / fault.path
            file.write_text(fault.planted(file.read_text("utf-8")), "utf-8")
        yield copy


def run_tests(source: Path, tests: Sequence[str] = TESTS) -> subprocess.CompletedProcess[str]:
    """Run tests against a copy of the sources, up to the first failure."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    # The copy replaces `src` in the path that the project's settings give.
    command += ["-o", f"pythonpath={ROOT} {source}", "--rootdir", str(ROOT), *tests]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(source),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(source.parent / "hypothesis"),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def imported_from(source: Path) -> Path:
    """Return where `cloison` comes from when tests run against `source`."""
    probe = "import cloison; print(cloison.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", probe],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(found.stdout.strip())
