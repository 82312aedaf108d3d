"""What has drifted in the cluster of a session, against what was and what is meant."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cloison.analyses.drift.checks import CHECKS
from cloison.analyses.drift.examine import Wanted, examine
from cloison.analyses.drift.model import Code, Drift, Known, Memory, State
from cloison.analyses.drift.newflows import learned
from cloison.analyses.drift.scene import Scene
from cloison.analyses.past.course import HOUR
from cloison.app.driftbaseline import baseline
from cloison.app.driftfiles import remember, remembered, swept
from cloison.app.driftscene import EXEMPT, Asked, Past, from_now, read_past, scene_of
from cloison.base import QuestionError, Severity, SourceError, unhurried
from cloison.base.words import few
from cloison.resources.names import printable

if TYPE_CHECKING:
    from cloison.app.session import Session

__all__ = ["EXEMPT", "Asked", "Past", "drift", "drifted", "every_document"]

_READING: Final = "SRC"
"""Family of the codes of what has to do with reading."""


def every_document(session: "Session") -> None:
    """Refuse a session of which a document could not be read.

    Raises:
        SourceError: One could not; with its place.
    """
    lost = _unread(session)
    if lost:
        msg = f"{few(lost, 4)} cannot be read, so what is declared there is not known"
        raise SourceError(msg, "mend it, or leave it out: `cloison validate` says what is wrong")


def _unread(session: "Session") -> tuple[str, ...]:
    """Return the places of documents that could not be read.

    Objects that were read and that nobody enforces are none of these: that they are absent is
    known.
    """
    return tuple(
        dict.fromkeys(
            each.span.place if each.span is not None else each.message
            for each in session.diagnostics
            if each.severity is Severity.ERROR and each.code.startswith(_READING)
        )
    )


def drift(
    session: "Session", asked: Asked, before: "Session | None" = None, against: str | None = None
) -> tuple[Drift, bool]:
    """Return what has drifted, and whether all of the contract could be read.

    Where a state file is named, what is found is remembered in it, unless a document of the session
    could not be read: then it stays as it was.

    Args:
        session: A session that was read with `runtime`.
        asked: What is asked about.
        before: The cluster as it was, read likewise; None where nobody says.
        against: What that is called.

    Raises:
        SourceError: A contract, the store, the baseline or the state cannot be read.
        QuestionError: There is no such check, or no contract in a file that was named.
    """
    accepted, late = baseline(asked.baseline, asked.today)
    if asked.state is not None:
        swept(asked.state)
    memory = remembered(asked.state)
    found, after, whole = drifted(
        session,
        replace(asked, accepted=accepted, late=late),
        read_past(asked.store, asked.until),
        memory,
        before,
    )
    if asked.state is not None and not _unread(session):
        remember(asked.state, after)
    told = against if before is not None else "the last run" if memory.ran else None
    store = None if asked.store is None else str(asked.store)
    return replace(found, store=store, against=told), whole


def drifted(
    session: "Session",
    asked: Asked,
    known: Past,
    memory: Memory,
    before: "Session | None" = None,
) -> tuple[Drift, Memory, bool]:
    """Return what has drifted, what to remember, and whether all of the contract could be read.

    Args:
        session: A session that was read with `runtime`.
        asked: What is asked about; no file of it is read but contracts.
        known: What was seen.
        memory: What is remembered of the last run.
        before: The cluster as it was, read likewise; None where nobody says.

    Raises:
        SourceError: A contract cannot be read.
        QuestionError: There is no such check, or no contract in a file that was named.
    """
    _there(session, asked, before)
    wanted = Wanted(
        _checks(asked.checks),
        frozenset(asked.namespaces),
        asked.accepted,
        None if asked.since is None else asked.since // HOUR,
        asked.late,
        _unread(session),
    )
    with unhurried():
        scene, whole = scene_of(session, asked, known, memory, before)
        found, held = examine(scene, wanted)
    first = from_now(asked, known.watch) if not memory.ran else scene.memory.since
    return found, _memory(scene, memory, found, held, first), whole


def _there(session: "Session", asked: Asked, before: "Session | None") -> None:
    """Refuse namespaces that nobody knows: about them nothing would ever be found."""
    known = {*session.world.namespaces, *(before.world.namespaces if before is not None else ())}
    for name in asked.namespaces:
        if name not in known:
            msg = f"there is no namespace {printable(name)!r}"
            raise QuestionError(msg, f"there are: {few(sorted(known), 8)}")


def _checks(names: Sequence[str]) -> tuple[Code, ...]:
    found: list[Code] = []
    for name in names:
        try:
            found.append(Code(name.upper()))
        except ValueError:
            msg = f"there is no check {name!r}"
            raise QuestionError(msg, f"known: {', '.join(CHECKS)}") from None
    return tuple(found)


def _memory(
    scene: Scene, before: Memory, found: Drift, known: Mapping[str, Known], since: int | None
) -> Memory:
    """Return what to remember of a run.

    What changed and nobody accepted is remembered as it was: it stays a finding.
    """
    world = scene.engine.world
    labels = {name: dict(sorted(each.labels.items())) for name, each in world.namespaces.items()}
    every_label = True
    if before.ran and Code.LABELS not in found.checks:
        # What this run did not look at is still to be held against what was.
        labels = {name: dict(held) for name, held in before.labels.items()}
        every_label = before.every_label
    ranges = {name: tuple(a.blocks()) for name, a in scene.published.items()}
    for key, state in known.items():
        code, _, rest = key.partition("|")
        if state.state is not State.CONFIRMED:
            continue
        subject, _, rest = rest.partition("|")
        if code == Code.LABELS and subject in labels:
            label = rest.partition("|")[0]
            was = before.labels.get(subject, {}).get(label)
            labels[subject].pop(label, None)
            if was is not None:
                labels[subject][label] = was
        external = subject.removeprefix("external:")
        if code == Code.RANGES and external in before.ranges:
            ranges[external] = before.ranges[external]
    return Memory(
        scene.began,
        found.last if found.last is not None else before.until,
        known,
        labels,
        ranges,
        scene.memory.policies,
        since,
        learned(scene),
        ran=True,
        every_label=every_label,
    )
