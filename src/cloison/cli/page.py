"""What the html report needs of a command line: both worlds, and how to ask about them again."""

import shlex
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from cloison.cli import settings
from cloison.cli.options import AdvisedError

if TYPE_CHECKING:
    from cloison.analyses.connectivity import Map
    from cloison.analyses.diff import Diff
    from cloison.app import Session
    from cloison.report.html import Content

_READING = (
    "cni",
    "kubernetes",
    "field_validation",
    "pod_cidrs",
    "node_cidrs",
    "service_cidrs",
    "cilium",
    "dns_names",
    "dns_tables",
)
_RENDERING = ("values", "render", "namespace")
"""Options that change what an answer is; given again, they give it again."""
_SCOPE = ("focus", "sources_", "destinations", "namespace", "port", "pods", "nodes")
"""Options that say what part of the map is asked for."""


def redirected() -> None:
    """Make sure that a page goes into a file.

    Raises:
        UsageError: Standard output is a terminal.
    """
    if sys.stdout.isatty():
        context = click.get_current_context()
        msg = "-o html writes a page for a browser, not for a terminal"
        words = f"{context.command_path} ... -o html > report.html"
        raise AdvisedError(msg, f"redirect it: {words}", context)


def of_map(session: "Session", result: "Map") -> "Content":
    """Return the page of a map."""
    from cloison.analyses.ledger import ledger
    from cloison.report.html import Content, Side

    sources = _given(("sources",))
    flags = _given((*_READING, *_RENDERING, "staged"))
    where = ", ".join(sources[1::2])
    title = "Who may call whom" if result.logical else "Who may talk to whom"
    title += f": {where}" if where else ""
    scope = _joined(_given(_SCOPE))
    if result.logical:
        # Reasons are those of what arrives: cells of calls say what passes, and not why.
        return Content(result, (), title, scope)
    side = Side(ledger(session.engine), _joined([*sources, *flags]))
    return Content(result, (side,), title, scope)


def of_diff(was: "Session", now: "Session", result: "Diff") -> "Content":
    """Return the page of a difference."""
    from cloison.analyses.ledger import ledger
    from cloison.report.html import Content, Side

    flags = _given((*_READING, *_RENDERING))
    given = click.get_current_context().params
    before, after = given.get("before"), given.get("after")
    staged, changed = _given(("staged",)), _given(("apply", "delete"))
    asked: tuple[str, str | None]
    if before is not None and after is not None:
        asked = _joined(["-f", before, *flags, *staged]), _joined(["-f", after, *flags, *staged])
        title = f"What changes from {before} to {after}"
    elif changed:
        # Nobody can ask `why` about a change that is only proposed.
        asked = _joined([*_given(("sources",)), *flags, *staged]), None
        title = f"What would change with {_joined(changed)}"
    else:
        source = ["-f", before] if before is not None else _given(("sources",))
        asked = _joined([*source, *flags]), _joined([*source, *flags, *staged])
        title = "What would change if staged policies were enforced"
    sides = (
        Side(ledger(was.engine), asked[0], "Before"),
        Side(ledger(now.engine), asked[1], "After"),
    )
    return Content(result, sides, title, _joined(_given(_SCOPE)))


def same_cluster(sources: Iterable[str]) -> tuple[str, ...]:
    """Return the options that name the same cluster, read the same way, to another command."""
    named = (text for source in sources for text in ("-f", source))
    return (*named, *_given((*_READING, *_RENDERING)), *_settings_file())


def _settings_file() -> Iterator[str]:
    """Yield the option that names the settings file, where it was given."""
    context = click.get_current_context()
    if context.get_parameter_source("config") is click.core.ParameterSource.COMMANDLINE:
        found = settings.file(context)
        yield from ("--config", settings.NONE[1] if found is None else found.shown)


def _joined(words: Iterable[str]) -> str:
    return " ".join(shlex.quote(word) for word in words)


def _given(names: Iterable[str]) -> list[str]:
    """Return options of the running command as they were given on the command line."""
    context = click.get_current_context()
    options = {p.name: p for p in context.command.params if isinstance(p, click.Option)}
    found: list[str] = []
    for name in names:
        source = context.get_parameter_source(name)
        if name in options and source is click.core.ParameterSource.COMMANDLINE:
            found += _words(options[name].opts[0], context.params.get(name))
    return found


def _words(flag: str, value: object) -> Iterator[str]:
    """Yield a flag as often as it has values."""
    if value is True:
        yield flag
        return
    if isinstance(value, tuple) and all(isinstance(each, int) for each in value):
        value = ".".join(str(each) for each in value)  # a version of Kubernetes
    for each in value if isinstance(value, tuple) else (value,):
        yield from (flag, str(each))
