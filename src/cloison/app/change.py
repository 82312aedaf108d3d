"""What a change would do: two sessions, before and after, and what is different."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from cloison.app.load import Name, Read, alike, detected, finished, load, loader_of, paths
from cloison.app.overlay import Overlay, is_policy
from cloison.app.rollout import rolled_out, templates
from cloison.app.session import Session
from cloison.app.settings import Settings
from cloison.base import Diagnostic, SourceError, unhurried
from cloison.sources import Progress, Rendering, read

if TYPE_CHECKING:
    from cloison.analyses.connectivity import MapOptions
    from cloison.analyses.diff import Diff


def what_if(
    *names: Name,
    apply: Sequence[Name] = (),
    delete: Sequence[str] = (),
    settings: Settings | None = None,
    stdin: BinaryIO | None = None,
    progress: Progress | None = None,
    whole: bool = False,
    **said: Any,
) -> "tuple[Session, Session]":
    """Read sources once, and return them as they are and as a change would leave them.

    An object of the change replaces the one of its kind (whatever version of the API either is
    written in), namespace and name; others are new. One that the API server would refuse
    replaces nothing.

    Args:
        names: As `load` takes them.
        apply: Sources of the objects to replace or add.
        delete: Objects to delete, `KIND/NAMESPACE/NAME`; those of the sources, before anything
            is added.
        settings: How to read and judge both.
        stdin: What `-` reads, among `names` or in `apply`.
        progress: Told how many bytes have been consumed.
        whole: Whether the change holds all policies there will be: none of the sources' is kept.
            What policies refer to is, such as sets of addresses and tiers.
        said: Single settings by name, over `settings`.

    Raises:
        SourceError: A name does not exist or cannot be read.
        QuestionError: A setting has no such value, or something to delete is not there.

    >>> import cloison
    >>> before, after = cloison.what_if(
    ...     "examples/case-management", delete=["netpol/evidence/evidence-api"]
    ... )
    >>> before.diff(after).opens
    False
    """
    chosen = (settings or Settings()).but(**said)
    if "-" in paths(names) and "-" in paths(apply):
        msg = "standard input cannot be both the source and the change"
        raise SourceError(msg, "read one of them from a file")
    with unhurried():
        # Values files are for charts in either, or in both.
        rendering = replace(chosen.rendering(), insist=not apply)
        change = [item for name in paths(apply) for item in _proposed(name, stdin, rendering)]
        overlay = Overlay(change, delete, chosen.namespace, loader_of(chosen).take)
        before, after = loader_of(chosen), loader_of(chosen)
        named = paths(names) or chosen.sources or (".",)
        items = read(named, stdin=stdin, progress=progress, rendering=rendering)
        for item in items:
            before.take(item)
            if overlay.keeps(item) and not (whole and is_policy(item)):
                after.take(item)
        overlay.check()
        for item in overlay.items:
            after.take(item)
        after.diagnostics += overlay.notices()
        new = templates(before.inventory, after.inventory, overlay.objects)
        chosen = detected(chosen, before, after)
        was, now = finished(before, chosen), finished(after, chosen)
        world = rolled_out(now.world, new, overlay.deleted)
        return was, replace(now, world=world, proposed=overlay.proposed)


def _proposed(name: str, stdin: BinaryIO | None, rendering: Rendering) -> list[Read]:
    """Return what a source of proposed objects holds.

    Raises:
        SourceError: It holds none, so that saying what it changes would be an answer to
            another question: a pipe whose first half failed ends here.
    """
    found = list(read([name], stdin=stdin, rendering=rendering))
    if all(isinstance(item, Diagnostic) for item in found):
        where = "standard input" if name == "-" else name
        said = next((str(d.message) for d in found if isinstance(d, Diagnostic)), "it is empty")
        msg = f"{where} holds no object to propose: {said}"
        raise SourceError(msg, "check the command that wrote it, or leave it out")
    return found


def diff(
    before: "Name | Session",
    after: "Name | Session",
    options: "MapOptions | None" = None,
    **said: Any,
) -> "Diff":
    """Return connectivity opened, closed and changed between two sources.

    Args:
        before: A file, a directory, a revision, or a session.
        after: The same.
        options: What part is asked for, as of a map.
        said: Single settings by name, for both sides.

    Raises:
        SourceError: A name does not exist or cannot be read.
        QuestionError: A setting has no such value, or a filter names nothing on either side.

    >>> import cloison
    >>> found = cloison.diff("examples/case-management", "examples/case-management-broken")
    >>> [(str(change.dst.name), str(change.gained)) for change in found.opened]
    [('evidence-api', 'TCP/8080')]
    """
    was, now = alike(
        *(side if isinstance(side, Session) else load(side, **said) for side in (before, after))
    )
    return was.diff(now, options)
