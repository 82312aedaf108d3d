"""What reading starts from: one entry per thing to read, whatever it is kept in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from cloison.base import Diagnostic

SUFFIXES: Final = (".yaml", ".yml", ".json")
OWN_GROUP: Final = "cloison.dev/"
"""API group of Cloison's own kinds."""
SETTINGS_FILE: Final = "cloison.yaml"
"""Name of the file that holds settings; it is passed over where manifests are looked for."""
GIT: Final = "git:"
"""How a revision is named as a source."""
MARKERS: Final = frozenset(
    {"Chart.yaml", "Kustomization", "kustomization.yaml", "kustomization.yml"}
)
"""Files that make a directory one to render."""
CHART_PARTS: Final = ("charts", "crds", "templates")
"""Directories of a chart that are not looked into: what they hold is for Helm."""
STDIN: Final = "-"
STDIN_SHOWN: Final = "<stdin>"

Opener = Callable[[ExitStack], BinaryIO]
"""Gives bytes that can be sought in; the stack lets go of them."""


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to read.

    Args:
        shown: Its name in diagnostics, with forward slashes.
        path: The file, or None where there is none: standard input, or what `content` opens.
        size: Its bytes, or None when that is not known before it is read.
        named: Whether the user named it; otherwise it was found in a directory.
        content: Opens what is in no file.
        own: Whether only Cloison's own kinds count in it: tests that lie beside what a tool
            renders, which leaves them out.
    """

    shown: str
    path: Path | None
    size: int | None = None
    named: bool = True
    content: Opener | None = None
    own: bool = False

    @property
    def says_json(self) -> bool:
        """Whether its name ends in `.json`."""
        return self.shown.lower().endswith(".json")


def printable(name: str) -> str:
    r"""Return the name of a file fit for one line: whatever cannot be printed is escaped.

    >>> print(printable("a\n::b.yaml"))
    a\n::b.yaml
    """
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def repository(directory: Path) -> Path:
    """Return the top of the repository around a directory, resolved; itself where there is none."""
    real = directory.resolve()
    return next((each for each in (real, *real.parents) if (each / ".git").exists()), real)


class Deferred(Protocol):
    """What has to be made before it can be read, one at a time: a directory to render."""

    @property
    def charted(self) -> bool:
        """Whether it is a chart."""

    def inputs(self, stack: ExitStack) -> Iterator[Input | Diagnostic]:
        """Yield what came of it.

        Args:
            stack: Lets go of what was made.

        Raises:
            SourceError: the user named it, and nothing came of it.
        """


class Files(Protocol):
    """Files to look into while deciding what to read: on disk, or of a revision."""

    def read(self, path: str) -> bytes | None:
        """Return a small file's bytes, or None when there is no such file or it is not small."""

    def is_file(self, path: str) -> bool:
        """Return whether `path` is a regular file."""

    def is_directory(self, path: str) -> bool:
        """Return whether `path` is a directory."""

    def identity(self, path: str) -> str:
        """Return what is equal for two ways to write the same path."""

    def shown(self, path: str) -> str:
        """Return a path as people are to see it."""


LARGEST_LOOKED_INTO: Final = 1 << 20
"""Bytes of a file that is read only to decide what else to read."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """What the user says about rendering.

    Args:
        mode: `auto`, or `never` to leave directories alone that would have to be rendered.
        values: Values files for charts, in order.
        insist: Whether the user gave the values files for these sources, and not for all there are.
        namespace: The release's namespace.
        kubernetes: Version of the cluster that charts are rendered for.
    """

    mode: str = "auto"
    values: tuple[str, ...] = ()
    namespace: str = "default"
    kubernetes: tuple[int, int] = (1, 35)
    insist: bool = True
