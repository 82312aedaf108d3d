"""What a chart says of itself, read without running anything."""

import io
import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cloison.base import Diagnostic, SourceError
from cloison.resources.documents import Node
from cloison.sources import yaml
from cloison.sources.inputs import Files, repository

NAME: Final = "Chart.yaml"
_VERSIONS: Final = ("v1", "v2")
_RELEASE: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,51}[a-z0-9])?")
_FILE: Final = "file://"
_TEMPLATES: Final = "templates"
_MOST: Final = 10_000
"""Directories of a chart."""


@dataclass(frozen=True, slots=True)
class Chart:
    """What one chart says.

    Args:
        directory: Where it is.
        name: Its name.
        library: Whether it only helps other charts, and renders to nothing.
        paths: Charts it depends on that lie beside it, from where `directory` is written from.
    """

    directory: str
    name: str
    library: bool = False
    paths: tuple[str, ...] = ()

    @property
    def release(self) -> str:
        """The name of the release it is rendered as: its own, where that can be one."""
        return self.name if _RELEASE.fullmatch(self.name) else "release-name"


def chart(files: Files, directory: str) -> Chart | None:
    """Return the chart of a directory, None where its `Chart.yaml` is something else or missing."""
    file = posixpath.join(directory, NAME) if directory else NAME
    if not files.is_file(file):
        return None
    documents = yaml.documents(io.BytesIO(files.read(file) or b""), files.shown(file))
    root = next((each for each in documents if not isinstance(each, Diagnostic)), None)
    if root is None:
        return Chart(directory, "")
    if _text(root, "kind") or _text(root, "apiVersion") not in _VERSIONS:
        return None
    listed = root.get("dependencies")
    entries = listed.value if listed is not None and isinstance(listed.value, list) else []
    beside = [_text(entry, "repository") for entry in entries]
    paths = tuple(
        posixpath.normpath(posixpath.join(directory, each.removeprefix(_FILE)))
        for each in beside
        if each.startswith(_FILE)
    )
    return Chart(directory, _text(root, "name"), _text(root, "type") == "library", paths)


def around(files: Files, directory: str) -> str | None:
    """Return the chart whose templates a directory holds, if it holds any."""
    above, name = posixpath.split(directory)
    while name:
        if name == _TEMPLATES and chart(files, above) is not None:
            return above
        above, name = posixpath.split(above)
    return None


def only_templates(shown: str, chart_shown: str) -> SourceError:
    """Return the error for a directory that is named and holds templates of a chart."""
    msg = f"{shown} holds templates of the Helm chart {chart_shown}, which are no manifests"
    return SourceError(msg, f"name the chart, and it is rendered: -f {chart_shown}")


def link_out(directory: Path, root: Path | None) -> str | None:
    """Return a link in a chart that Helm would follow to files that are none of the chart's.

    Links may lead to anything in the repository around the chart, and in the directory the user
    named: charts share files so.

    Args:
        directory: The chart.
        root: The directory the user named, resolved.

    Raises:
        OSError: the chart cannot be looked at, or holds too much.
    """
    real = directory.resolve()
    allowed = (repository(real), root or real)
    pending, seen = [real], {real}
    for _ in range(_MOST):
        if not pending:
            return None
        with os.scandir(pending.pop()) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                target = Path(entry.path)
                if entry.is_symlink():
                    target = target.resolve()
                    if not any(target.is_relative_to(each) for each in allowed):
                        return os.path.relpath(entry.path, real)
                if target.is_dir() and target not in seen:
                    seen.add(target)
                    pending.append(target)
    raise OSError(0, f"it holds more than {_MOST} directories")


def _text(root: Node, key: str) -> str:
    node = root.get(key)
    return node.value if node is not None and isinstance(node.value, str) else ""
