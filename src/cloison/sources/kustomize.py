"""What a kustomization refers to, read without running anything."""

import io
import posixpath
import re
from collections import deque
from collections.abc import Iterator, ValuesView
from dataclasses import dataclass, replace
from typing import Final

from cloison.base import Diagnostic, Severity, Span
from cloison.resources.documents import Node
from cloison.sources import yaml
from cloison.sources.inputs import Files

NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""File names that kustomize looks for, in its order."""
_GROUP: Final = "kustomize.config.k8s.io/"
_PATHS: Final = (
    "bases",
    "components",
    "configurations",
    "crds",
    "generators",
    "patchesStrategicMerge",
    "resources",
    "transformers",
    "validators",
)
"""Fields that list paths."""
_ENTRIES: Final = (
    ("patches", ("path",)),
    ("patchesJson6902", ("path",)),
    ("replacements", ("path",)),
    ("configMapGenerator", ("files", "env", "envs")),
    ("secretGenerator", ("files", "env", "envs")),
)
"""Fields that list mappings, and which of their fields hold paths; files may be `key=path`."""
_CHARTS: Final = ("helmCharts", "helmChartInflationGenerator")
_REMOTE: Final = re.compile(
    r"^[A-Za-z][\w+.-]*://|^git::|^gh:|^(?:www\.)?(?:github|gitlab)\.com[:/]|^[\w.-]+@[\w.-]+:"
)
_THIS_MACHINE: Final = re.compile(r"(?i)(?:[^=]*=)?\s*https?:/+(?:[^/]*@)?(?:localhost|127\.|\[)")
"""Servers that no proxy can keep a Go program from asking."""
_PLUGINS: Final = ("generators", "transformers", "validators")
"""Fields whose files say what else to read."""
_HOST: Final = re.compile(r"^[\w-]+(?:\.[\w-]+)+[:/]")
_MOST: Final = 1000
"""Kustomizations that are followed from one another."""


@dataclass(frozen=True, slots=True)
class Kustomization:
    """What one kustomization says.

    Args:
        directory: Where it is.
        file: Its path.
        component: Whether it is a component, which cannot be built by itself.
        paths: What it refers to, from where `directory` is written from.
        remote: What it would fetch, each with its place.
        unread: Why nothing can be said of it; empty when it could be read.
        charts: Where it asks for Helm charts, if it does.
        renames: The namespace, name prefix and suffix it sets.
    """

    directory: str
    file: str
    component: bool = False
    paths: tuple[str, ...] = ()
    remote: tuple[tuple[str, Span], ...] = ()
    unread: str = ""
    charts: Span | None = None
    renames: tuple[str, str, str] = ("", "", "")


class Kustomizations:
    """The kustomizations among some files, each read once.

    Args:
        files: What they are among.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._known: dict[str, Kustomization | None] = {}
        self._built: dict[str, tuple[Kustomization, ...]] = {}

    def at(self, directory: str) -> Kustomization | None:
        """Return the kustomization of a directory, None where there is none."""
        place = self._files.identity(directory)
        if place not in self._known:
            self._known[place] = kustomization(self._files, directory)
        return self._known[place]

    def closure(self, start: Kustomization) -> tuple[Kustomization, ...]:
        """Return a kustomization and every one it builds on, near or far."""
        place = self._files.identity(start.directory)
        if place not in self._built:
            self._built[place] = tuple(self._closure(start))
        return self._built[place]

    def _closure(self, start: Kustomization) -> Iterator[Kustomization]:
        seen = {self._files.identity(start.directory)}
        pending = deque([start])
        while pending:
            one = pending.popleft()
            if len(seen) > _MOST:
                why = f"it builds on more than {_MOST} directories"
                yield replace(one, unread=why)
                return
            yield one
            for path in one.paths:
                place = self._files.identity(path)
                if place in seen or not self._files.is_directory(path):
                    continue
                seen.add(place)
                found = self.at(path)
                if found is not None:
                    pending.append(found)


def kustomization(files: Files, directory: str) -> Kustomization | None:
    """Return the kustomization of a directory.

    None also for a file of such a name that holds something else: other tools use the word too.
    One that cannot be read counts: it is not rendered, for it might say anything.
    """
    for name in NAMES:
        file = posixpath.join(directory, name) if directory else name
        if not files.is_file(file):
            continue
        shown = files.shown(file)
        data = files.read(file)
        if data is None:
            return Kustomization(directory, file, unread=f"{shown} is too large or unreadable")
        roots, why = _roots(data, shown)
        root = roots[0] if roots else Node({}, 1, 1)
        if why or len(roots) > 1 or not isinstance(root.value, dict):
            why = why or f"{shown} is not one mapping"
            return Kustomization(directory, file, unread=why)
        version = _said(root, "apiVersion")
        if version and not version.startswith(_GROUP):
            return None
        return _read(files, directory, file, root)
    return None


def _read(files: Files, directory: str, file: str, root: Node) -> Kustomization:
    shown = files.shown(file)
    paths: list[str] = []
    remote: list[tuple[str, Span]] = []
    for node in _references(root):
        text = _text(node)
        path = posixpath.normpath(posixpath.join(directory, text))
        here = files.is_file(path) or files.is_directory(path)
        if _REMOTE.match(text) or (not here and _HOST.match(text)):
            remote.append((text, node.span(shown)))
        else:
            paths.append(path)
    for node in _listed(root, *_PLUGINS):
        path = posixpath.normpath(posixpath.join(directory, _text(node)))
        inline = "\n" in _text(node)
        data = _text(node).encode() if inline else files.read(path) or b""
        for plugin in _roots(data, files.shown(path))[0]:
            remote += [(text, node.span(shown)) for text in _servers(plugin)]
    charts = next((node.key_span(shown) for key in _CHARTS for node in _all(root, key)), None)
    named = [_said(root, key) for key in ("namespace", "namePrefix", "nameSuffix")]
    return Kustomization(
        directory,
        file,
        _said(root, "kind") == "Component",
        tuple(paths),
        tuple(remote),
        charts=charts,
        renames=(named[0], named[1], named[2]),
    )


def _servers(root: Node) -> Iterator[str]:
    """Yield every text that names a server of this machine."""
    pending, seen = [root], {id(root)}  # by identity, for aliases share what they stand for
    while pending:
        node = pending.pop()
        if _THIS_MACHINE.match(_text(node)):
            yield _text(node)
        inner = node.value.values() if isinstance(node.value, dict) else node.value
        for each in inner if isinstance(inner, list | ValuesView) else ():
            if id(each) not in seen:
                seen.add(id(each))
                pending.append(each)


def _all(node: Node, *keys: str) -> Iterator[Node]:
    """Yield what a mapping has for some keys, which kustomize takes in upper and lower case."""
    wanted = {key.casefold() for key in keys}
    for key, value in node.value.items() if isinstance(node.value, dict) else ():
        if key.casefold() in wanted:
            yield value


def _listed(node: Node, *keys: str) -> Iterator[Node]:
    """Yield the items of the lists that a mapping has for some keys."""
    for each in _all(node, *keys):
        yield from each.value if isinstance(each.value, list) else ()


def _said(node: Node, key: str) -> str:
    """Return the last text that a mapping has for a key."""
    return next((_text(each) for each in reversed([*_all(node, key)])), "")


def _references(root: Node) -> Iterator[Node]:
    """Yield every node that holds a path."""
    for each in _all(root, *_PATHS):
        yield from _texts(each)
    for each in _all(root, "openapi"):
        for path in _all(each, "path"):
            yield from _texts(path)
    for key, fields in _ENTRIES:
        for entry in _listed(root, key):
            for field in _all(entry, *fields):
                for node in _texts(field):
                    parts = _text(node).partition("=")
                    yield Node(parts[2] or parts[0], node.line, node.column)


def _texts(node: Node) -> Iterator[Node]:
    """Yield the one-line texts of a list, or the text itself; longer ones are YAML in YAML."""
    for each in node.value if isinstance(node.value, list) else [node]:
        text = _text(each)
        if text and "\n" not in text:
            yield each


def _roots(data: bytes, shown: str) -> tuple[list[Node], str]:
    """Return the documents of a file, and why there are not more of them."""
    roots: list[Node] = []
    for found in yaml.documents(io.BytesIO(data), shown):
        if isinstance(found, Diagnostic):
            if found.severity is Severity.ERROR:
                return roots, f"{found.span or shown}: {found.message}"
        else:
            roots.append(found)
    return roots, ""


def _text(node: Node) -> str:
    return node.value if isinstance(node.value, str) else ""
