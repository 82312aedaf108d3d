"""`cloison drift`."""

import threading
import time
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cloison.cli import run
from cloison.cli.commands import relay
from cloison.cli.commands.contract import day, named
from cloison.cli.commands.drift_watch import Rounds, Source, watched
from cloison.cli.commands.flows import STORE, keeping, ordered, span
from cloison.cli.commands.reconcile import optional_store, store_of
from cloison.cli.options import AdvisedError, Common, Function, Question, common

if TYPE_CHECKING:
    from cloison.analyses.drift.model import Drift
    from cloison.analyses.drift.scene import Live
    from cloison.app import Session
    from cloison.app.drift import Asked

CHECKS = tuple(f"D{number}" for number in range(1, 13))
_DAY = 24
_STOPPED = 14
"""Covered days without use after which a rule counts as unused that was used before."""


class _Checks(click.ParamType[tuple[str, ...]]):
    """Checks by their codes, several with commas between."""

    name = "checks"

    def convert(
        self, value: object, _param: click.Parameter | None, _ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the codes."""
        if isinstance(value, tuple):
            return value
        found = tuple(each.strip().upper() for each in str(value).split(",") if each.strip())
        for each in found:
            if each not in CHECKS:
                self.fail(f"there is no check {each!r}: they are {CHECKS[0]} to {CHECKS[-1]}")
        return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, as options say it."""

    against: str | None
    contracts: tuple[str, ...]
    store: Path | None
    since: int | None
    until: int | None
    today: date | None
    baseline: Path | None
    state: Path | None
    checks: tuple[tuple[str, ...], ...]
    unused_after: int
    exempt: tuple[str, ...]


_WANTED = (
    click.option(
        "--against",
        metavar="OLD",
        help="The sources as they were: a file, a directory or git:REVISION[:PATH]. Without it, "
        "what the state file remembers.",
    ),
    named,
    optional_store,
    span,
    day,
    click.option(
        "--baseline",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="CLOISON_DRIFT_BASELINE",
        metavar="FILE",
        help="What is accepted, by whom and until when.",
    ),
    click.option(
        "--state",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="CLOISON_DRIFT_STATE",
        metavar="FILE",
        help="What is remembered of the last run; written when this one is done.",
    ),
    click.option(
        "--check",
        "checks",
        multiple=True,
        type=_Checks(),
        metavar="CODES",
        help="Only these checks, such as D3 or D2,D3; repeatable.",
    ),
    click.option(
        "--unused-after",
        type=click.IntRange(1, 3650),
        default=30,
        metavar="DAYS",
        help="Covered days after which a rule counts as unused that was never used; where it was, "
        f"{_STOPPED} are enough.  [default: 30]",
    ),
    click.option(
        "--exempt",
        multiple=True,
        metavar="NAMESPACE",
        help="A namespace that no policy has to cover; repeatable.  [default: kube-system, "
        "kube-public, kube-node-lease]",
    ),
)


def wanting(function: Function) -> Function:
    """Add the options that say what is asked for, and pass them on as `Wanted`."""
    return _gathered(function, Wanted, "wanted", _WANTED)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What is accepted instead of looking, as options say it."""

    accept: str | None
    owner: str | None
    reason: str


_ACCEPTANCE = (
    click.option(
        "--accept",
        metavar="KEY",
        help="Look at nothing, and write a row into the baseline; * stands for any text. --until "
        "says its last day.",
    ),
    click.option("--owner", metavar="NAME", help="Who answers for what is accepted."),
    click.option("--reason", default="", metavar="TEXT", help="Why it is accepted."),
)


_ROUNDS = (
    click.option(
        "--watch",
        is_flag=True,
        help="Look again and again at the sources and the store, at the end of each hour, too, and "
        "print what has changed, until Ctrl-C.",
    ),
    click.option(
        "--interval",
        type=click.FloatRange(min=0),
        default=60.0,
        metavar="SECONDS",
        help="How long to wait in between.  [default: 60]",
    ),
    click.option(
        "--rounds", type=click.IntRange(1), metavar="N", help="Look so often, and then leave."
    ),
)

_SOURCE = (
    click.option(
        "--relay",
        metavar="HOST:PORT",
        help="With --watch: follow Hubble Relay, and read its flows into the store meanwhile.",
    ),
    *relay.KEYS,
    *keeping,
)


def _gathered(
    function: Function, into: type[Any], name: str, options: tuple[Function, ...]
) -> Function:
    """Add options, and pass them on together."""

    @wraps(function)
    def call(*args: Any, **given: Any) -> int:
        taken = {each.name: given.pop(each.name) for each in fields(into)}
        code: int = function(*args, **{name: into(**taken)}, **given)
        return code

    wrapped: Function = call
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


def _accepting(function: Function) -> Function:
    return _gathered(function, Acceptance, "acceptance", _ACCEPTANCE)


def _watching(function: Function) -> Function:
    return _gathered(_gathered(function, Source, "source", _SOURCE), Rounds, "rounds", _ROUNDS)


@click.command(
    cls=Question,
    examples=(
        "cloison drift -f cluster.json",
        "cloison drift -f manifests/ --against git:HEAD~20",
        "cloison drift -f manifests/ --state .cloison/drift.json --baseline drift.yaml",
        "cloison drift --baseline drift.yaml --accept 'D4|sandbox/*' --owner team-a",
        "cloison drift -f manifests/ --watch --state .cloison/drift.json",
        "cloison drift -f cluster.json --watch --relay localhost:4245 --state drift.json",
        "cloison drift -f manifests/ -o prometheus > drift.prom",
    ),
)
@wanting
@_accepting
@_watching
@common("md", "html", "sarif", "prometheus")
def drift(
    asked: Common, wanted: Wanted, acceptance: Acceptance, rounds: Rounds, source: Source
) -> int:
    """What has drifted: policies, flows and labels that are not what they were, or are meant to be.

    Flows of a store are followed hour by hour; what is seen often enough is confirmed, and what is
    seen no more is resolved. Exits with 1 where something is new that nobody accepted; with
    --watch, where anything was in any round, once Ctrl-C, SIGTERM or --rounds ends it.
    """
    if acceptance.accept is not None:
        return _accept(acceptance.accept, acceptance, wanted)
    ordered(wanted.since, wanted.until)
    _sensible(rounds, source)
    live = source.address is not None
    store = (wanted.store or Path(STORE)) if live else store_of(wanted.store)
    said = _asked(asked, wanted, store)
    if not rounds.watch:
        session, found, whole = _once(asked, said, wanted.against)
        code = run.FOUND if found.new else run.UNANSWERED if found.unread else run.OK
        return run.answer(asked, session, "drifted", found, code if whole else run.UNANSWERED)
    if asked.output not in ("text", "prometheus"):
        msg = f"--watch has no {asked.output} output"
        raise AdvisedError(msg, "watch as text, or ask again and again yourself")
    if "-" in asked.sources:
        msg = "--watch cannot read standard input again"
        raise AdvisedError(msg, "name files or directories")

    def once(now: "Live | None") -> "tuple[Session, Drift, bool]":
        day = wanted.today or run.today()
        said_now = replace(said, today=day, live=now, now=_clock(wanted))
        return _once(asked, said_now, wanted.against, again=True)

    return watched(asked, once, rounds, source, store if live else None)


def _sensible(rounds: Rounds, source: Source) -> None:
    """Refuse rounds that nobody can go.

    Raises:
        AdvisedError: They are said without --watch, or no clock has such a time.
    """
    if not rounds.watch and any(getattr(source, each.name) for each in fields(source)):
        msg = "--relay, its keys and --keep-raw are for --watch"
        raise AdvisedError(
            msg, "say --watch, too, or read once: cloison flows ingest relay://HOST:PORT"
        )
    if source.relay is None and any(getattr(source, each.name) for each in fields(source)):
        msg = "keys and --keep-raw are for a relay"
        raise AdvisedError(msg, "say which, with --relay HOST:PORT, or leave them out")
    if rounds.rounds is not None and not rounds.watch:
        msg = "--rounds is for --watch"
        raise AdvisedError(msg, "say --watch, too, or leave it out to look once")
    if not rounds.interval < threading.TIMEOUT_MAX:
        msg = f"--interval {rounds.interval} is no time to wait"
        raise AdvisedError(msg, "say it in seconds, as 60")


def _accept(key: str, acceptance: Acceptance, wanted: Wanted) -> int:
    """Write a row into the baseline.

    Raises:
        AdvisedError: Nobody says which file, or who answers for it.
    """
    owner = (acceptance.owner or "").strip()
    if wanted.baseline is None or not owner:
        msg = "--accept takes --baseline FILE and --owner NAME"
        raise AdvisedError(msg, f"cloison drift --accept '{key}' --baseline drift.yaml --owner me")
    from cloison.app.driftbaseline import accept

    until = None
    if wanted.until is not None:
        until = datetime.fromtimestamp(wanted.until // 1_000_000, UTC).date()
    accept(wanted.baseline, key, owner, until, acceptance.reason)
    return run.OK


def _asked(asked: Common, wanted: Wanted, store: Path | None) -> "Asked":
    from cloison.analyses.drift.scene import Bounds
    from cloison.app.drift import EXEMPT, Asked

    return Asked(
        wanted.today or run.today(),
        wanted.contracts,
        store,
        wanted.since,
        wanted.until,
        tuple(code for some in wanted.checks for code in some),
        () if asked.namespace is None else (asked.namespace,),
        wanted.baseline,
        wanted.state,
        Bounds(
            unused=wanted.unused_after * _DAY,
            stopped=min(wanted.unused_after, _STOPPED) * _DAY,
        ),
        wanted.exempt or EXEMPT,
        now=_clock(wanted),
    )


def _clock(wanted: Wanted) -> int | None:
    """Return the time in microseconds since 1970; None where somebody says another day."""
    return int(time.time() * 1_000_000) if wanted.today is None else None


def _once(
    asked: Common, said: "Asked", against: str | None, *, again: bool = False
) -> "tuple[Session, Drift, bool]":
    """Look once.

    Args:
        asked: The common options.
        said: What is asked about.
        against: The sources as they were.
        again: Whether another look follows, which can read what this one cannot.

    Raises:
        SourceError: Something cannot be read; where another look follows, any document at all.
    """
    from cloison.app import alike
    from cloison.app.drift import drift as found
    from cloison.app.drift import every_document

    session = run.load(asked, runtime=True)
    if again:
        every_document(session)
    before = None
    if against is not None:
        before = run.load(replace(asked, sources=(against,)), runtime=True)
        before, session = alike(before, session)
    return (session, *found(session, said, before, against))
