"""Revisions of the surrounding repository, read through the user's own git.

Only plumbing that prints objects is run: no hook, filter, text conversion, pager or network comes
into it, nothing is written, and neither the index nor the work tree is looked at.
"""

import os
import posixpath
import re
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from operator import itemgetter
from typing import Any, BinaryIO, Final

from cloison.base import SourceError
from cloison.sources import tools
from cloison.sources.inputs import GIT, LARGEST_LOOKED_INTO, printable

LINK: Final = "120000"
SUBMODULE: Final = "160000"
_DIRECTORY: Final = "040000"
_REV: Final = re.compile(r"(?:[^:{]|\{[^}]*\})*")
"""A revision up to the colon; one inside braces belongs to it (`main@{2026-01-31 12:00}`)."""
_TREE: Final = re.compile(r"[0-9a-f]{40,64}")
_LISTED: Final = 64 << 20
"""Bytes of a list of files: room for more than half a million of them."""
_LONGEST: Final = 4096
_DEEPEST: Final = 256
"""Bytes of a path, and directories around it. Nobody has more, but trees can be forged."""
_PIECE: Final = 1 << 20
_SAFE: Final = ("--no-pager", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a revision.

    Args:
        mode: As git writes it: `100644`, `120000` for a link, `160000` for a submodule.
        oid: Name of the object.
    """

    mode: str
    oid: str


def environment() -> dict[str, str]:
    """Return git's environment: the user's own, without anything that waits or fetches."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_TRACE")}
    return kept | {
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def split(name: str) -> tuple[str, str | None]:
    """Return revision and path of a source name, the path None where none is said.

    Raises:
        SourceError: it names no revision.

    >>> split("git:HEAD~1:deploy/")
    ('HEAD~1', 'deploy/')
    >>> split("git:main@{2026-01-31 12:00}")
    ('main@{2026-01-31 12:00}', None)
    """
    text = name.removeprefix(GIT)
    match = _REV.match(text)
    revision = match[0] if match else ""
    rest = text[len(revision) :]
    if not revision or rest[:1] not in ("", ":"):
        msg = f"{name} names no revision"
        raise SourceError(msg, "write git:REVISION or git:REVISION:PATH, as in git:HEAD~1:deploy")
    if revision.startswith("-") or not revision.isprintable():
        msg = f"{name}: {revision!r} is no revision"
        raise SourceError(msg, "a revision is a branch, a tag, a commit, or HEAD~1 and the like")
    if "\0" in rest or "\n" in rest:
        msg = f"{name!r}: a path holds no line break"
        raise SourceError(msg, "check the name")
    return revision, rest[1:] if rest.startswith(":") else None


class Revision:
    """A revision, and the paths in it. They are written from the repository's top.

    Args:
        git: Path of git.
        name: The revision as the user wrote it.
        tree: Name of its tree object.
        here: The current directory below the repository's top, with a final slash; or nothing.
    """

    def __init__(self, git: str, name: str, tree: str, here: str) -> None:
        self.git = git
        self.name = name
        self.tree = tree
        self.here = here
        self.blobs = Blobs(git)

    def shown(self, path: str) -> str:
        """Return a path as people are to see it: the name under which it can be asked for."""
        at = f"{GIT}{self.name}"
        return f"{at}:{printable(path)}" if path not in ("", ".") else at

    def locate(self, path: str | None) -> str:
        """Return a path from the top for one that may be relative (`./deploy`, `../base`).

        Raises:
            SourceError: it leads out of the repository.
        """
        if not path:
            return ""
        relative = path in (".", "..") or path.startswith(("./", "../"))
        found = posixpath.normpath(posixpath.join(self.here, path) if relative else path)
        found = "" if found == "." else found.lstrip("/")
        if found == ".." or found.startswith("../"):
            msg = f"{self.shown(path)} leads out of the repository"
            raise SourceError(msg, "paths are from the repository's top, or relative with ./")
        return found

    def entry(self, path: str) -> Entry | None:
        """Return what is at a path, a directory with the mode `040000`; None for nothing."""
        if not path:
            return Entry(_DIRECTORY, self.tree)
        found = _ask(self.git, "ls-tree", "-z", "--full-tree", self.tree, "--", path)
        rows = dict(_rows(found))
        return rows.get(path)

    @cached_property
    def everything(self) -> dict[str, Entry]:
        """Every file of the revision, links and submodules too, by path."""
        return self.below("")

    def below(self, path: str) -> dict[str, Entry]:
        """Return every file below a directory, by path from the top, in the order of paths."""
        at = self.entry(path)
        if at is None or not is_directory(at):
            return {}
        found = _ask(self.git, "ls-tree", "-r", "-z", "--full-tree", at.oid)
        prefix = f"{path}/" if path else ""
        return {prefix + name: entry for name, entry in sorted(_rows(found), key=itemgetter(0))}

    @cached_property
    def directories(self) -> frozenset[str]:
        """Every directory of the revision, by path."""
        found = {""}
        for path in self.everything:
            above = posixpath.dirname(path)
            while above not in found:
                found.add(above)
                above = posixpath.dirname(above)
        return frozenset(found)

    def read(self, path: str) -> bytes | None:
        """Return a small file's bytes, or None when there is no such file or it is not small."""
        entry = self.everything.get(posixpath.normpath(path))
        if entry is None or not entry.mode.startswith("100"):
            return None
        try:
            with ExitStack() as stack:
                return self.blobs.open(entry.oid, stack, LARGEST_LOOKED_INTO).read()
        except OSError:
            return None

    def is_file(self, path: str) -> bool:
        """Return whether `path` is a regular file."""
        entry = self.everything.get(posixpath.normpath(path))
        return entry is not None and entry.mode.startswith("100")

    def is_directory(self, path: str) -> bool:
        """Return whether `path` is a directory."""
        return self.identity(path) in self.directories

    def identity(self, path: str) -> str:
        """Return what is equal for two ways to write the same path."""
        normal = posixpath.normpath(path)
        return "" if normal == "." else normal


class Blobs:
    """The contents of objects, out of one git process that is started when the first is asked for.

    Args:
        git: Path of git.
    """

    def __init__(self, git: str) -> None:
        self._git = git
        self._process: Any = None

    def open(self, oid: str, stack: ExitStack, most: int = tools.LARGEST) -> BinaryIO:
        """Return an object's content.

        Args:
            oid: Its name.
            stack: Lets go of it.
            most: Bytes it may have: a small pack can hold what unpacks to any size.

        Raises:
            OSError: the repository does not hold it, or it is larger.
        """
        if self._process is None:
            command = (self._git, *_SAFE, "cat-file", "--batch")
            self._process = tools.start(command, environment(), asked=True)
        self._process.stdin.write(oid.encode("ascii") + b"\n")
        self._process.stdin.flush()
        match self._process.stdout.readline().split():
            case [_name, _type, size] if size.isdigit():
                left = int(size)
            case _:
                self.close()
                msg = "git does not have this object: the clone is partial or damaged"
                raise OSError(0, msg)
        if left > most:
            self.close()
            raise OSError(0, f"the file is larger than {most >> 20} MiB")
        copy = tools.spool(stack)
        while left:
            piece = self._process.stdout.read(min(left, _PIECE))
            if not piece:
                self.close()
                raise OSError(0, "git ended before the object did")
            copy.write(piece)
            left -= len(piece)
        self._process.stdout.read(1)
        copy.seek(0)
        return copy

    def close(self) -> None:
        """End the process. Another is started when there is more to read."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
        process.wait()


def is_directory(entry: Entry) -> bool:
    """Return whether an entry is a directory."""
    return entry.mode == _DIRECTORY


def resolve(name: str) -> Revision:
    """Return the revision a name speaks of.

    Args:
        name: The revision alone.

    Raises:
        SourceError: there is no git, no repository or no such revision.
    """
    git = tools.find("git")
    if git is None:
        msg = f"git is needed to read {GIT}{name}, and is not installed"
        raise SourceError(msg, "install git, or check the revision out and name its directory")
    here = _ask(git, "rev-parse", "--show-prefix").decode("utf-8", "surrogateescape")
    with ExitStack() as stack:
        command = (git, *_SAFE, "rev-parse", "--verify", "--quiet", f"{name}^{{tree}}")
        ran = tools.run(command, stack, environment=environment())
        tree = ran.out.read().decode("ascii", "replace").strip()
    if ran.failure or not _TREE.fullmatch(tree):
        raise _unknown(git, name)
    return Revision(git, name, tree, here.strip("\n"))


def _ask(git: str, *arguments: str) -> bytes:
    """Return what git prints.

    Raises:
        SourceError: git refuses.
    """
    with ExitStack() as stack:
        command = (git, *_SAFE, *arguments)
        ran = tools.run(command, stack, environment=environment(), most=_LISTED)
        if not ran.failure:
            return ran.out.read()
    said = tools.lines(ran.said, 1) or (ran.failure,)
    reason = said[0].removeprefix("fatal: ")
    if "not a git repository" in reason:
        msg = "the current directory is in no git repository, so it has no revisions"
        raise SourceError(msg, "run Cloison inside the repository whose revision you mean")
    if "dubious ownership" in reason:
        msg = f"git refuses to read this repository: {reason}"
        help_ = "it belongs to someone else; if you trust it, add it to git's safe.directory"
        raise SourceError(msg, help_)
    msg = f"git cannot read this repository: {reason}"
    raise SourceError(msg, "`git status` may say more")


def _unknown(git: str, name: str) -> SourceError:
    """Return the error for a revision that does not exist, with names that are close."""
    refs = ("refs/heads", "refs/tags", "refs/remotes")
    listed = _ask(git, "for-each-ref", "--count=20000", "--format=%(refname:short)", *refs)
    known = ["HEAD", *listed.decode("utf-8", "replace").split()]
    base = re.split(r"[~^@]", name, maxsplit=1)[0]
    ends = [ref for ref in known if ref.endswith(f"/{base}")]
    close = list(dict.fromkeys([*ends, *get_close_matches(base, known, 3, 0.6)]))[:3]
    msg = f"there is no revision {name!r} in this repository"
    if base in known and base != name:
        advice = f"{base} exists, but does not go back that far"
    elif close:
        advice = f"did you mean {' or '.join(f'{GIT}{ref}' for ref in close)}?"
    else:
        advice = "`git branch --all` lists the branches, `git tag` the tags"
    if _ask(git, "rev-parse", "--is-shallow-repository").strip() == b"true":
        advice += "; this clone is shallow: `git fetch --unshallow` brings the rest of the history"
    return SourceError(msg, advice)


def _rows(listed: bytes) -> list[tuple[str, Entry]]:
    """Return the paths and entries that `ls-tree -z` printed.

    Raises:
        SourceError: a path is longer than any that is meant.
    """
    rows = []
    for row in listed.split(b"\0"):
        head, tab, path = row.partition(b"\t")
        if len(path) > _LONGEST or path.count(b"/") > _DEEPEST:
            size = f"{len(path)} bytes in {path.count(b'/')} directories"
            msg = f"the revision holds a path that nobody can mean: {size}"
            raise SourceError(msg, "name a part of it: git:REVISION:PATH")
        if tab:
            mode, _, oid = head.decode("ascii").split()
            rows.append((os.fsdecode(path), Entry(mode, oid)))
    return rows
