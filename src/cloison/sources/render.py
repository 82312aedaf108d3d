"""Directories that have to be rendered, by the user's own kustomize, kubectl or helm.

The tools run without a shell, without input, with bounded time and output, and in an environment of
a few harmless variables in which nothing can be fetched. Neither is asked to run plugins.
"""

import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from cloison.base import Diagnostic, SourceError, Span
from cloison.sources import faults, tools
from cloison.sources.charts import link_out
from cloison.sources.inputs import Input

KUSTOMIZE: Final = "kustomize"
HELM: Final = "helm"
_KEPT: Final = (
    "HOME",
    "LANG",
    "PATH",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "USER",
    "USERPROFILE",
)
_KEPT_PREFIXES: Final = ("ASDF_", "MISE_", "XDG_")
"""What programs, and the shims of version managers, need to find themselves."""
_NOWHERE: Final = "http://127.0.0.1:0"
_OFFLINE: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
    "HELM_NO_PLUGINS": "1",
    "HTTP_PROXY": _NOWHERE,
    "HTTPS_PROXY": _NOWHERE,
    "NO_PROXY": "",
    "http_proxy": _NOWHERE,
    "https_proxy": _NOWHERE,
    "no_proxy": "",
}
_SOURCE: Final = b"# Source: "
_ERROR: Final = "Error: "
_NO_HELP: Final = "Use --debug flag"
"""What Helm advises and nobody can follow here."""
WHAT: Final = {KUSTOMIZE: "a kustomization", HELM: "a Helm chart"}


@dataclass(frozen=True, slots=True)
class Render:
    """A directory to render.

    Args:
        how: `kustomize` or `helm`.
        shown: The directory, as people are to see it.
        program: Path of the tool.
        arguments: What it is called with before the directory.
        directory: Where the directory is on disk, or is to be put below a temporary one.
        named: Whether the user named it.
        extract: Puts the files below a temporary directory, where they are on no disk.
        root: The directory the user named, resolved, where it is on disk.
    """

    how: str
    shown: str
    program: str
    arguments: tuple[str, ...]
    directory: str
    named: bool
    extract: Callable[[Path], None] | None = None
    root: Path | None = None

    @property
    def charted(self) -> bool:
        """Whether it is a chart."""
        return self.how == HELM

    def inputs(self, stack: ExitStack) -> Iterator[Input | Diagnostic]:
        """Yield what it renders to, and what the tool said.

        Raises:
            SourceError: the user named it, and it cannot be rendered.
        """
        directory = Path(self.directory)
        top = None
        if self.extract is not None:
            from tempfile import TemporaryDirectory  # noqa: PLC0415 - imports much

            top = Path(stack.enter_context(TemporaryDirectory(prefix="cloison-"))).resolve()
            try:
                self.extract(top)
            except OSError as error:
                why = f"its files cannot be put on disk: {error.strerror or error}"
                yield self._failed(why, "make room, or check the revision out and name that")
                return
            directory = top / self.directory
        if self.how == HELM:
            why = self._led_out(directory)
            if why:
                yield self._failed(why, "put a copy of what the link leads to into the chart")
                return
        command = (self.program, *self.arguments, str(directory.resolve()))
        given = environment(os.environ)
        ran = tools.run(command, stack, environment=given, memory=tools.MEMORY)
        said = self._readable(ran.said, directory, top)
        if ran.failure:
            reason = _reason(said) or ran.failure
            why = f"{Path(self.program).stem} cannot render it: {reason}"
            yield self._failed(why, _advice(self.how, reason))
            return
        for line in tools.lines(said):
            yield faults.renderer_said(Span(self.shown, 1), Path(self.program).stem, line)
        if self.how == KUSTOMIZE:
            shown = f"{self.shown} ({KUSTOMIZE})"
            yield Input(shown, None, named=False, content=partial(_same, ran.out))
            return
        for path, content in _templates(ran.out):
            shown = _below(self.shown, path)
            yield Input(f"{shown} ({HELM})", None, named=False, content=partial(_same, content))

    def _led_out(self, directory: Path) -> str:
        """Return why Helm must not see a chart; nothing when it may."""
        try:
            link = link_out(directory, self.root)
        except (OSError, RuntimeError) as error:  # before Python 3.13 the latter, for circles
            said = error.strerror if isinstance(error, OSError) else "links lead back to themselves"
            return f"it cannot be looked through: {said or error}"
        if link is None:
            return ""
        shown = link.encode("utf-8", "backslashreplace").decode("utf-8")
        return f"Helm would follow its link {shown} to what lies outside the repository"

    def _failed(self, why: str, advice: str) -> Diagnostic:
        """Return the diagnostic for a failure.

        Raises:
            SourceError: the user named the directory.
        """
        fault = faults.not_rendered(Span(self.shown, 1), WHAT[self.how], why, advice)
        return insist(fault, named=self.named)

    def _readable(self, said: str, directory: Path, top: Path | None) -> str:
        """Return what a tool said with the names of directories as the user knows them."""
        if top is not None:
            at = self.shown.removesuffix(self.directory).rstrip(":")
            said = said.replace(f"{top}/", f"{at}:").replace(str(top), at)
        said = said.replace(str(directory.resolve()), self.shown)
        return said.replace(f"{Path.cwd()}/", "")


def insist(fault: Diagnostic, *, named: bool) -> Diagnostic:
    """Return a fault that costs a whole directory.

    Raises:
        SourceError: the user named the directory, so there is no going on without it.
    """
    if named:
        raise SourceError(fault.message, fault.help)
    return fault


def environment(whole: Mapping[str, str]) -> dict[str, str]:
    """Return the environment tools run in: enough to find themselves, nothing to fetch with.

    Args:
        whole: The environment of this process. Kustomize can put variables into objects, so no
            others are handed on.
    """
    kept = {k: v for k, v in whole.items() if k in _KEPT or k.startswith(_KEPT_PREFIXES)}
    return kept | _OFFLINE


def _advice(how: str, reason: str) -> str:
    if how == HELM:
        if "helm dependency" in reason or "missing in charts/" in reason:
            return "fetch what it depends on with `helm dependency build`: nothing is fetched here"
        return "`helm template` shows the same; values files are given with --values"
    if "must build at directory" in reason or "new root" in reason:
        return "check the directories it refers to"
    return "`kustomize build` or `kubectl kustomize` shows the same"


def _reason(said: str) -> str:
    """Return why a tool failed, in its words: the lines from its error on, if it says which."""
    if "runtime: out of memory" in said:
        return f"it takes more than {tools.MEMORY >> 30} GiB of memory"
    begin = said.find(_ERROR) if said.startswith(_ERROR) else said.find(f"\n{_ERROR}") + 1
    kept = tools.lines(said[begin:].removeprefix(_ERROR))
    return "; ".join(line for line in kept if not line.startswith(_NO_HELP))


def _same(content: BinaryIO, _stack: ExitStack) -> BinaryIO:
    return content


def _below(shown: str, path: str) -> str:
    """Return the name of a template, which Helm writes below the chart's name, or the chart's."""
    inside = posixpath.normpath(path.partition("/")[2])
    if not inside.isprintable() or inside.startswith(("..", "/")) or inside == ".":
        return shown
    return f"{shown.rstrip('/')}/{inside}"


def _templates(out: BinaryIO) -> Iterator[tuple[str, BinaryIO]]:
    """Yield the templates that gave something, each with all it gave.

    Helm sorts objects by kind, so those of one template may lie apart; put together they are what
    `helm template --show-only` prints of it.
    """
    places: dict[str, list[tuple[int, int]]] = {}
    name, begin, offset = "", 0, 0
    previous = 0
    separated = False
    for line in out:
        if separated and line.startswith(_SOURCE):
            places.setdefault(name, []).append((begin, previous))
            name = line[len(_SOURCE) :].decode("utf-8", "replace").strip()
            begin = previous
        separated = line.rstrip() == b"---"
        previous, offset = offset, offset + len(line)
    places.setdefault(name, []).append((begin, offset))
    for path in sorted(places):
        pieces = []
        for start, end in places[path]:
            out.seek(start)
            pieces.append(out.read(end - start))
        if any(piece.strip() for piece in pieces):
            yield path, BytesIO(b"".join(pieces))
