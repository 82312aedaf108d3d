"""Real programs that tests run: git repositories that no setting of this machine touches, tools."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

NEUTRAL = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Tester",
    "GIT_AUTHOR_EMAIL": "tester@example.org",
    "GIT_AUTHOR_DATE": "2026-01-31T12:00:00Z",
    "GIT_COMMITTER_NAME": "Tester",
    "GIT_COMMITTER_EMAIL": "tester@example.org",
    "GIT_COMMITTER_DATE": "2026-01-31T12:00:00Z",
}
"""Variables that keep git from the user's configuration and make its objects the same each time."""


def need(*programs: str) -> str:
    """Return the path of the first of some programs that is installed.

    Without any, the test is skipped; where everything must be there, in CI, it fails.
    """
    found = next((path for each in programs if (path := shutil.which(each))), None)
    if found is not None:
        return found
    reason = f"{' or '.join(programs)} is not installed"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI must have it: see .ci/run")
    pytest.skip(reason)


@dataclass(frozen=True)
class Repository:
    """A git repository of a test.

    Args:
        top: Its work tree.
    """

    top: Path

    @classmethod
    def make(cls, top: Path) -> "Repository":
        """Return a new repository in a directory."""
        top.mkdir(parents=True, exist_ok=True)
        made = cls(top)
        made.git("init", "--quiet", "--initial-branch=main", "--template=")
        return made

    def git(self, *arguments: str, stdin: str = "") -> str:
        """Return what git prints."""
        ran = subprocess.run(
            ["git", *arguments],
            cwd=self.top,
            env=os.environ | NEUTRAL,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def write(self, files: dict[str, str]) -> None:
        """Write files into the work tree."""
        write(self.top, files)

    def commit(self, files: dict[str, str]) -> str:
        """Write files, commit everything and return the commit."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=change")
        return self.git("rev-parse", "HEAD")

    def state(self) -> dict[str, bytes | str]:
        """Return everything that reading may not change: git's files, and the work tree's."""
        found: dict[str, bytes | str] = {}
        for path in sorted(self.top.rglob("*")):
            name = str(path.relative_to(self.top))
            if path.is_symlink():
                found[name] = str(path.readlink())
            elif path.is_file():
                found[name] = path.read_bytes() + str(path.stat().st_mtime_ns).encode()
            else:
                found[name] = "directory"
        return found


def write(top: Path, files: dict[str, str]) -> None:
    """Write files below a directory."""
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *programs: str) -> None:
    """Let nothing be found but some programs."""
    place = tmp_path / "only-these"
    place.mkdir()
    for each in programs:
        (place / each).symlink_to(need(each))
    monkeypatch.setenv("PATH", str(place))
