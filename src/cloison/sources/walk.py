"""From the names a user gives to the files behind them."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloison.base import Diagnostic, SourceError, Span
from cloison.sources import faults
from cloison.sources.inputs import (
    CHART_PARTS,
    GIT,
    LARGEST_LOOKED_INTO,
    MARKERS,
    SETTINGS_FILE,
    STDIN,
    STDIN_SHOWN,
    SUFFIXES,
    Deferred,
    Input,
    Rendering,
    printable,
)

if TYPE_CHECKING:
    from cloison.sources.git import Revision
    from cloison.sources.projects import Project, Walked

Found = Input | Diagnostic | Deferred
_DEEPEST: Final = 200
"""Directories in one another. Nobody has so many, but links and archives can be forged."""


@dataclass(slots=True)
class _Walk:
    """The files and directories seen so far: names that overlap are read once.

    `rendered` is whether the name being walked has directories to render.
    """

    files: set[tuple[int, int]] = field(default_factory=set)
    manifests: int = 0
    directories: set[tuple[int, int]] = field(default_factory=set)
    rendered: bool = False


@dataclass(frozen=True, slots=True)
class Sources:
    """What the names of sources stand for.

    Args:
        entries: What to read, in order.
        revisions: The revisions among it.
    """

    entries: tuple[Found, ...]
    revisions: "tuple[Revision, ...]" = ()

    @property
    def files(self) -> int:
        """How many files that comes to; a rendered directory counts as one."""
        return sum(not isinstance(one, Diagnostic) and not _aside(one) for one in self.entries)

    def close(self) -> None:
        """Let go of what reading opened. Reading more opens it again."""
        for each in self.revisions:
            each.blobs.close()


def _may_use_values(one: Found) -> bool:
    """Return whether something found is a chart, or stands for what might be one."""
    if isinstance(one, Diagnostic):
        return one.code in faults.INSTEAD_OF_CHARTS
    return not isinstance(one, Input) and one.charted


def _aside(one: Found) -> bool:
    return isinstance(one, Input) and one.own


def inputs(names: Sequence[str], rendering: Rendering | None = None) -> Sources:
    """Return what the names stand for, each file once, directories in sorted order.

    Raises:
        SourceError: A name does not exist or cannot be looked at.
    """
    rendering = rendering or Rendering()
    _check_values(rendering.values)
    walk = _Walk()
    found: list[Found] = []
    opened: list[Revision] = []
    try:
        for name in names:
            if name == STDIN:
                entry = Input(STDIN_SHOWN, None)
                if entry not in found:
                    found.append(entry)
            elif name.startswith(GIT) and not os.path.exists(name):  # noqa: PTH110 - odd names
                from cloison.sources import git, revisions  # noqa: PLC0415 - most names are paths

                revision, path = git.split(name)
                opened.append(git.resolve(revision))
                found += revisions.inputs(opened[-1], path, rendering)
            else:
                found += _named(name, walk, rendering)
        if rendering.values and rendering.insist and not any(map(_may_use_values, found)):
            listed = (", ".join(map(_shown, given)) for given in (rendering.values, names))
            found.append(faults.values_unused(*listed))
    finally:
        sources = Sources(tuple(found), tuple(opened))
        sources.close()
    return sources


def _check_values(names: Sequence[str]) -> None:
    """Check that values files are files: Helm itself would also fetch them from addresses.

    Raises:
        SourceError: One is not.
    """
    for name in names:
        if not os.path.isfile(name):  # noqa: PTH113 - a path that cannot be one is no error
            msg = f"no such values file: {name}"
            raise SourceError(msg, "--values takes a file; nothing is fetched from the network")


def _named(name: str, walk: _Walk, rendering: Rendering) -> list[Found]:
    """Return what the name of a file or directory stands for."""
    path = Path(name)
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise _unusable(name, error) from None
    if not stat.S_ISDIR(status.st_mode):
        size = status.st_size if stat.S_ISREG(status.st_mode) else None
        return [Input(_shown(name), path, size)] if _new(walk.files, status) else []
    if _identity(status) in walk.directories:
        return []
    _check_templates(name)
    before = walk.manifests
    here = _Place(path, _prefix(name), path.resolve())
    walked = list(_directory(here, walk, first=True))
    found = _settled(walked, rendering) if walk.rendered else _plain(walked)
    walk.rendered = False
    if walk.manifests == before:
        found.append(faults.no_manifests(Span(_shown(name), 1), ", ".join(SUFFIXES)))
    return found


def _check_templates(name: str) -> None:
    """Check that a directory is not part of a chart.

    Raises:
        SourceError: It holds templates.
    """
    path = _shown(os.path.abspath(name))  # noqa: PTH100 - links stay as the user has them
    if "/templates" not in path:
        return
    from cloison.sources.charts import around, only_templates  # noqa: PLC0415 - hardly any name

    found = around(_Disk(), path)
    if found is not None:
        raise only_templates(_shown(name), _shown(os.path.relpath(found)))


def _plain(walked: "Sequence[Walked]") -> list[Found]:
    return [each for each in walked if isinstance(each, Input | Diagnostic)]


def _settled(walked: "Sequence[Walked]", rendering: Rendering) -> list[Found]:
    from cloison.sources.projects import settle  # noqa: PLC0415 - most directories are plain

    return list(settle(walked, rendering))


def _project(place: "_Place", walk: "_Walk", *, named: bool) -> "Project | None":
    """Return what is to be rendered in a directory that holds a file of a telling name."""
    from cloison.sources.projects import project  # noqa: PLC0415 - likewise

    directory = place.prefix.rstrip("/") or os.curdir
    found = project(_Disk(), directory, named=named, root=place.root)
    if found is not None:
        walk.manifests += 1
        walk.rendered = True
    return found


class _Disk:
    """Files on disk, to look into."""

    def read(self, path: str) -> bytes | None:
        """Return a small file's bytes, or None when there is no such file or it is not small."""
        try:
            with Path(path).open("rb") as handle:
                data = handle.read(LARGEST_LOOKED_INTO + 1)
        except (OSError, ValueError):
            return None
        return data if len(data) <= LARGEST_LOOKED_INTO else None

    def is_file(self, path: str) -> bool:
        """Return whether `path` is a regular file."""
        return os.path.isfile(path)  # noqa: PTH113 - a path that cannot be one is no error

    def is_directory(self, path: str) -> bool:
        """Return whether `path` is a directory."""
        return os.path.isdir(path)  # noqa: PTH112 - likewise

    def identity(self, path: str) -> str:
        """Return what is equal for two ways to write the same path."""
        try:
            return os.path.realpath(path or ".")
        except ValueError:  # what a file may say of paths is anything
            return path

    def shown(self, path: str) -> str:
        """Return a path as people are to see it."""
        return _shown(path)


@dataclass(frozen=True, slots=True)
class _Place:
    """A directory on a walk.

    Args:
        path: The directory.
        prefix: What the user would write before the names in it.
        root: The directory the user named, resolved: links may not lead out of it.
        owner: The directory around it, or itself, that is rendered.
        depth: How many directories are around it, up to the one the user named.
    """

    path: Path
    prefix: str
    root: Path
    owner: "Project | None" = None
    depth: int = 0

    @property
    def span(self) -> Span:
        """The directory as a place."""
        return Span(_shown(self.prefix.rstrip("/")), 1)

    def below(self, entry: "os.DirEntry[str]", owner: "Project | None") -> "_Place":
        """Return a directory in this one."""
        prefix = f"{self.prefix}{entry.name}/"
        return _Place(Path(entry.path), prefix, self.root, owner, self.depth + 1)


def _directory(place: _Place, walk: _Walk, *, first: bool = False) -> "Iterator[Walked]":
    """Yield the manifests below a directory, and the directories in it that are rendered.

    Args:
        place: The directory.
        walk: What has been seen.
        first: Whether it is the directory the user named.
    """
    try:
        entries = sorted(os.scandir(place.path), key=lambda entry: entry.name)
        status = place.path.stat()
    except OSError as error:
        if first:
            raise _unusable(str(place.path), error) from None
        yield faults.unreadable_file(place.span, _reason(error))
        return
    if place.depth > _DEEPEST:
        yield faults.unreadable_file(place.span, f"it is {place.depth} directories down")
        return
    if not _new(walk.directories, status):
        return
    own = None
    if any(entry.name in MARKERS for entry in entries):
        own = _project(place, walk, named=first)
    if own is not None:
        yield own
    owner = own or place.owner
    for entry in entries:
        shown = _shown(place.prefix + entry.name)
        manifest = entry.name.lower().endswith(SUFFIXES) and entry.name != SETTINGS_FILE
        try:
            why = _stray_link(Path(entry.path), place.root) if entry.is_symlink() else None
            if why is not None:
                if owner is None and (manifest or why != "leads nowhere"):
                    yield faults.link_not_followed(Span(shown, 1), why)
            elif entry.is_dir():
                part = own is not None and own.chart is not None and entry.name in CHART_PARTS
                if not entry.name.startswith(".") and not part:
                    yield from _directory(place.below(entry, owner), walk)
            elif manifest:
                walk.manifests += 1
                yield from _manifest(entry, shown, owner, walk)
        except OSError as error:
            yield faults.unreadable_file(Span(shown, 1), _reason(error))


def _manifest(
    entry: "os.DirEntry[str]", shown: str, owner: "Project | None", walk: _Walk
) -> "Iterator[Walked]":
    """Yield a manifest, or note it where it lies beside what is rendered."""
    status = entry.stat()
    path = Path(entry.path)
    if not stat.S_ISREG(status.st_mode):
        yield faults.unreadable_file(Span(shown, 1), "it is no regular file")
    elif owner is not None:
        one = Input(shown, path, status.st_size, named=False, own=True)
        owner.beside.append((str(path), one))
    elif _new(walk.files, status):
        yield Input(shown, path, status.st_size, named=False)


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
    stem = (name if os.sep == "/" else name.replace(os.sep, "/")).rstrip("/")
    if stem == ".":
        return ""
    return f"{stem}/"


def _shown(name: str) -> str:
    """Return a path with forward slashes, and printable whatever bytes it holds."""
    return printable(name if os.sep == "/" else name.replace(os.sep, "/"))


def _reason(error: OSError | ValueError) -> str:
    """Return the system's words for an error."""
    return (isinstance(error, OSError) and error.strerror) or "the name is not valid"


def _unusable(name: str, error: OSError | ValueError) -> SourceError:
    """Return the error for a name the user gave."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return SourceError(
            f"no such file or directory: {name}",
            "check the path; `-` reads standard input, and the default is the current directory",
        )
    return SourceError(f"cannot read {name}: {_reason(error)}", "check its permissions")
