"""From a revision and a path in it to what there is to read."""

import os
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from shutil import copyfileobj
from typing import Final

from cloison.base import SourceError, Span
from cloison.sources import faults, git
from cloison.sources.charts import around, only_templates
from cloison.sources.git import Entry, Revision
from cloison.sources.inputs import (
    CHART_PARTS,
    MARKERS,
    SETTINGS_FILE,
    SUFFIXES,
    Input,
    Rendering,
)
from cloison.sources.projects import Found, Project, Walked, project, settle

_MOST_FILES: Final = 20_000
_MOST_BYTES: Final = 256 << 20
"""What is put on disk at most, to be rendered."""
_LONGEST_LINK: Final = 4096


def inputs(revision: Revision, path: str | None, rendering: Rendering) -> list[Found]:
    """Return what there is to read at a path of a revision.

    Args:
        revision: The revision.
        path: As the user wrote it, None for everything.
        rendering: What the user says about rendering.

    Raises:
        SourceError: there is nothing at this path, or what is there cannot be rendered.
    """
    at = revision.locate(path)
    entry = revision.entry(at)
    if entry is None:
        raise _nothing(revision, at)
    if entry.mode in (git.LINK, git.SUBMODULE):
        what = "a symbolic link" if entry.mode == git.LINK else "a submodule"
        msg = f"{revision.shown(at)} is {what}, which is not followed"
        raise SourceError(msg, "name what it leads to")
    if not git.is_directory(entry):
        return [_input(revision, at, entry, named=True)]
    templates_of = around(revision, at)
    if templates_of is not None:
        raise only_templates(revision.shown(at), revision.shown(templates_of))
    files = revision.below(at)
    found = list(settle(list(_walk(revision, at, files)), rendering, partial(_extract, revision)))
    if not found:
        found.append(faults.no_manifests(Span(revision.shown(at), 1), ", ".join(SUFFIXES)))
    return found


def _walk(revision: Revision, top: str, files: dict[str, Entry]) -> Iterator[Walked]:
    """Yield the manifests below a directory, and the directories in it that are rendered."""
    marked = {posixpath.dirname(path) for path in files if posixpath.basename(path) in MARKERS}
    projects: dict[str, Project] = {}
    for directory in sorted(marked):
        if not _hidden(directory, top) and not _part_of_chart(directory, projects):
            found = project(revision, directory, named=directory == top)
            if found is not None:
                projects[directory] = found
    said: set[str] = set()
    for path, entry in files.items():
        directory = posixpath.dirname(path)
        for above in _above(path):
            if above in projects and above not in said:
                said.add(above)
                yield projects[above]
        if _hidden(directory, top) or _part_of_chart(directory, projects):
            continue
        owner = next((projects[a] for a in reversed(_above(path)) if a in projects), None)
        settings = posixpath.basename(path) == SETTINGS_FILE
        manifest = path.lower().endswith(SUFFIXES) and not settings
        if entry.mode == git.SUBMODULE:
            yield faults.submodule(Span(revision.shown(path), 1))
        elif entry.mode == git.LINK:
            if owner is None and (manifest or _leads_to_directory(revision, path, entry)):
                why = "is not followed in a revision"
                yield faults.link_not_followed(Span(revision.shown(path), 1), why)
        elif manifest and owner is not None:
            owner.beside.append((path, _input(revision, path, entry, own=True)))
        elif manifest:
            yield _input(revision, path, entry)


def _above(path: str) -> list[str]:
    """Return the directories around a file, the outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:n]) for n in range(len(parts) + 1)]


def _hidden(directory: str, top: str) -> bool:
    """Return whether a directory, or one around it below `top`, is hidden."""
    below = directory[len(top) :] if top else directory
    return any(part.startswith(".") for part in below.split("/"))


def _part_of_chart(directory: str, projects: dict[str, Project]) -> bool:
    """Return whether a directory holds what only Helm is to read."""
    return any(
        above in projects
        and projects[above].chart is not None
        and directory[len(above) :].lstrip("/").split("/")[0] in CHART_PARTS
        for above in _above(f"{directory}/")
        if above != directory
    )


def _input(
    revision: Revision, path: str, entry: Entry, *, named: bool = False, own: bool = False
) -> Input:
    content = partial(revision.blobs.open, entry.oid)
    return Input(revision.shown(path), None, None, named, content, own)


def _leads_to_directory(revision: Revision, path: str, entry: Entry) -> bool:
    """Return whether a link leads to a directory of the revision that is not around it."""
    try:
        with ExitStack() as stack:
            target = os.fsdecode(revision.blobs.open(entry.oid, stack, _LONGEST_LINK).read())
    except OSError:
        return True
    inside = revision.identity(posixpath.join(posixpath.dirname(path), target))
    return inside in revision.directories and inside not in _above(path)


def _extract(revision: Revision, needed: Sequence[str], top: Path) -> None:
    """Put the files at and below some paths of a revision below a directory that is empty.

    Links are left out, and so is everything whose path might lead elsewhere: trees can be forged.

    Raises:
        OSError: they cannot be written, or are too many.
    """
    wanted = {revision.identity(path) for path in needed}
    files = bytes_ = 0
    for path, entry in revision.everything.items():
        if not (path in wanted or any(above in wanted for above in _above(path))):
            continue
        if not entry.mode.startswith("100") or not _stays(path):
            continue
        target = top.joinpath(*path.split("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack, target.open("xb") as out:
            copyfileobj(revision.blobs.open(entry.oid, stack), out)
            files, bytes_ = files + 1, bytes_ + out.tell()
        if files > _MOST_FILES or bytes_ > _MOST_BYTES:
            limit = f"more than {_MOST_FILES} files or {_MOST_BYTES >> 20} MiB"
            raise OSError(0, f"{limit} would have to be put on disk")


def _stays(path: str) -> bool:
    """Return whether a path stays below the directory it is put into."""
    parts = path.split("/")
    strange = os.sep != "/" and (os.sep in path or ":" in path)
    return not strange and not any(part in ("", ".", "..") for part in parts)


def _nothing(revision: Revision, path: str) -> SourceError:
    """Return the error for a path that is not in a revision, with paths that are close."""
    msg = f"there is no {path} in revision {revision.name}"
    names = {part for each in revision.everything for part in (each, *_above(each)) if part}
    below = f"{revision.here}{path}"
    if revision.here and below in names:
        advice = f"paths are from the repository's top; did you mean {revision.shown(below)}?"
        return SourceError(msg, advice)
    ends = sorted(name for name in names if name.endswith(f"/{posixpath.basename(path)}"))
    close = [*ends, *get_close_matches(path, sorted(names), 3, 0.7)]
    if close:
        shown = [revision.shown(each) for each in dict.fromkeys(close[:3])]
        return SourceError(msg, f"did you mean {' or '.join(shown)}?")
    return SourceError(msg, "paths are from the repository's top, or relative with ./")
