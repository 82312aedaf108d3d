"""From the names a user gives to the files behind them."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cloison.base import Diagnostic, SourceError, Span
from cloison.sources import faults

SUFFIXES: Final = (".yaml", ".yml", ".json")
STDIN: Final = "-"
STDIN_SHOWN: Final = "<stdin>"
GIT: Final = "git:"
"""How a revision is named as a source, once there is a reader for it."""


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to read.

    Args:
        shown: Its name in diagnostics, with forward slashes.
        path: The file, or None for standard input.
        size: Its bytes, or None when that is not known before it is read.
        named: Whether the user named it; otherwise it was found in a directory.
    """

    shown: str
    path: Path | None
    size: int | None = None
    named: bool = True

    @property
    def says_json(self) -> bool:
        """Whether its name ends in `.json`."""
        return self.shown.lower().endswith(".json")


@dataclass(slots=True)
class _Walk:
    """The files and directories seen so far: names that overlap are read once."""

    files: set[tuple[int, int]] = field(default_factory=set)
    manifests: int = 0
    directories: set[tuple[int, int]] = field(default_factory=set)


def inputs(names: Sequence[str]) -> list[Input | Diagnostic]:
    """Return what the names stand for, each file once, directories in sorted order.

    Raises:
        SourceError: A name does not exist or cannot be looked at.
    """
    walk = _Walk()
    found: list[Input | Diagnostic] = []
    for name in names:
        if name == STDIN:
            entry = Input(STDIN_SHOWN, None)
            if entry not in found:
                found.append(entry)
            continue
        path = Path(name)
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            raise _unusable(name, error) from None
        if not stat.S_ISDIR(status.st_mode):
            size = status.st_size if stat.S_ISREG(status.st_mode) else None
            if _new(walk.files, status):
                found.append(Input(_shown(name), path, size))
            continue
        if _identity(status) in walk.directories:
            continue
        before = walk.manifests
        found += _directory(path, _prefix(name), path.resolve(), walk, first=True)
        if walk.manifests == before:
            found.append(faults.no_manifests(Span(_shown(name), 1), ", ".join(SUFFIXES)))
    return found


def _directory(
    path: Path, prefix: str, root: Path, walk: _Walk, *, first: bool = False
) -> Iterator[Input | Diagnostic]:
    """Yield the manifests below a directory.

    Args:
        path: The directory.
        prefix: What stands before the names in it when they are shown.
        root: The directory the user named, resolved: links may not lead out of it.
        walk: What has been seen.
        first: Whether it is the directory the user named.
    """
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        status = path.stat()
    except OSError as error:
        if first:
            raise _unusable(str(path), error) from None
        yield faults.unreadable_file(Span(prefix.rstrip("/"), 1), _reason(error))
        return
    if not _new(walk.directories, status):
        return
    for entry in entries:
        shown = _shown(prefix + entry.name)
        manifest = entry.name.lower().endswith(SUFFIXES)
        try:
            if entry.is_symlink():
                why = _stray_link(Path(entry.path), root)
                if why is not None:
                    if manifest or why != "leads nowhere":
                        yield faults.link_not_followed(Span(shown, 1), why)
                    continue
            if entry.is_dir():
                if not entry.name.startswith("."):
                    yield from _directory(Path(entry.path), f"{shown}/", root, walk)
                continue
            if not manifest:
                continue
            walk.manifests += 1
            status = entry.stat()
        except OSError as error:
            yield faults.unreadable_file(Span(shown, 1), _reason(error))
            continue
        if not stat.S_ISREG(status.st_mode):
            yield faults.unreadable_file(Span(shown, 1), "it is no regular file")
        elif _new(walk.files, status):
            yield Input(shown, Path(entry.path), status.st_size, named=False)


def _stray_link(link: Path, root: Path) -> str | None:
    """Return why a symbolic link is not followed, or None when it may be."""
    try:
        target = link.resolve(strict=True)
    except FileNotFoundError:
        return "leads nowhere"
    except (OSError, RuntimeError):
        # Python before 3.13 raises RuntimeError for links that lead to each other.
        return "leads back to itself"
    if not target.is_relative_to(root):
        return "leads out of the directory"
    if link.parent.resolve().is_relative_to(target):
        return "leads back to a directory around it"
    return None


def _new(seen: set[tuple[int, int]], status: os.stat_result) -> bool:
    """Note a file or directory; False when it was seen before."""
    identity = _identity(status)
    if identity in seen:
        return False
    seen.add(identity)
    return True


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _prefix(name: str) -> str:
    """Return what to show before the names in a directory: nothing for the current one."""
    stem = _shown(name).rstrip("/")
    if stem == ".":
        return ""
    return f"{stem}/"


def _shown(name: str) -> str:
    """Return a path with forward slashes, and printable whatever bytes it holds."""
    printable = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return printable if os.sep == "/" else printable.replace(os.sep, "/")


def _reason(error: OSError | ValueError) -> str:
    """Return the system's words for an error."""
    return (isinstance(error, OSError) and error.strerror) or "the name is not valid"


def _unusable(name: str, error: OSError | ValueError) -> SourceError:
    """Return the error for a name the user gave."""
    if name.startswith(GIT):
        return SourceError(
            f"sources out of git are not supported yet: {name}",
            "check the revision out, with `git worktree add`, and name its directory",
        )
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return SourceError(
            f"no such file or directory: {name}",
            "check the path; `-` reads standard input, and the default is the current directory",
        )
    return SourceError(f"cannot read {name}: {_reason(error)}", "check its permissions")
