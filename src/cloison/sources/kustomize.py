"""What a kustomization refers to, read without running anything."""

import io
import posixpath
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cloison.base import Diagnostic, Span
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
        charts: Where it asks for Helm charts, if it does.
        renames: The namespace, name prefix and suffix it sets.
    """

    directory: str
    file: str
    component: bool = False
    paths: tuple[str, ...] = ()
    remote: tuple[tuple[str, Span], ...] = ()
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
        while pending and len(seen) <= _MOST:
            one = pending.popleft()
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
    One that does not parse counts, for kustomize to complain of.
    """
    for name in NAMES:
        file = posixpath.join(directory, name) if directory else name
        if not files.is_file(file):
            continue
        root = _root(files.read(file) or b"", files.shown(file))
        if root is None:
            return Kustomization(directory, file)
        version = _text(root.get("apiVersion"))
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
    charts = next((n.key_span(shown) for key in _CHARTS if (n := root.get(key))), None)
    named = [_text(root.get(key)) for key in ("namespace", "namePrefix", "nameSuffix")]
    return Kustomization(
        directory,
        file,
        _text(root.get("kind")) == "Component",
        tuple(paths),
        tuple(remote),
        charts,
        (named[0], named[1], named[2]),
    )


def _references(root: Node) -> Iterator[Node]:
    """Yield every node that holds a path."""
    for key in _PATHS:
        yield from _texts(root.get(key))
    yield from _texts(root.get("openapi", "path"))
    for key, fields in _ENTRIES:
        entries = root.get(key)
        for entry in entries.value if entries and isinstance(entries.value, list) else ():
            for name in fields:
                for node in _texts(entry.get(name)):
                    path = _text(node).partition("=")
                    yield Node(path[2] or path[0], node.line, node.column)


def _texts(node: Node | None) -> Iterator[Node]:
    """Yield the one-line texts of a list, or the text itself; longer ones are YAML in YAML."""
    if node is None:
        return
    for each in node.value if isinstance(node.value, list) else [node]:
        text = _text(each)
        if text and "\n" not in text:
            yield each


def _root(data: bytes, shown: str) -> Node | None:
    """Return the first document of a file, None when it does not parse."""
    for found in yaml.documents(io.BytesIO(data), shown):
        if not isinstance(found, Diagnostic):
            return found if isinstance(found.value, dict) else None
    return None


def _text(node: Node | None) -> str:
    return node.value if node is not None and isinstance(node.value, str) else ""
