"""`cloison drift --watch`: looking again and again, with a live source followed meanwhile."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from cloison.base import QuestionError, SourceError
from cloison.cli import run
from cloison.cli.commands import relay
from cloison.cli.options import Common

if TYPE_CHECKING:
    from cloison.analyses.drift.model import Drift, State
    from cloison.analyses.drift.scene import Live
    from cloison.app import Session
    from cloison.flows.following import Following

Once = Callable[["Live | None"], "tuple[Session, Drift, bool]"]
"""Looks once, and says whether all of the contract could be read."""
_HOUR: Final = 3600
_SETTLED: Final = 10
"""Seconds after the end of an hour in which its last flows come in."""
_HELD: Final = 60
"""Seconds in which a relay tells what nodes still hold: a few thousand flows of each."""
_GLANCE: Final = 0.2
"""Seconds after which one looks how a live source stands."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """How often to look: again and again, how long to wait in between, and how often at most."""

    watch: bool
    interval: float
    rounds: int | None


@dataclass(frozen=True, slots=True)
class Source:
    """A live source that is followed meanwhile, as options say it."""

    relay: str | None
    tls: bool
    ca: Path | None
    cert: Path | None
    key: Path | None
    server_name: str | None
    keep_raw: int | None
    keep_rollups: int | None

    @property
    def address(self) -> str | None:
        """Its address with its scheme; None where none is followed."""
        if self.relay is None:
            return None
        return relay.SCHEME + self.relay.removeprefix(relay.SCHEME)


def watched(asked: Common, once: Once, how: Rounds, source: Source, store: Path | None) -> int:
    """Look again and again, until somebody ends it; return 1 where anything was ever new.

    Args:
        asked: The common options.
        once: Looks once.
        how: How often.
        source: What is followed meanwhile.
        store: Where its flows go; None where none is followed.

    Raises:
        SourceError: The first look fails, or what is followed does not answer from the beginning,
            or refuses.
    """
    watcher = _Watcher(asked, once, how)
    with ExitStack() as stack:
        stack.enter_context(_endable(watcher))
        if store is not None and source.address is not None:
            watcher.following = stack.enter_context(_following(source, store, how))
            watcher.begin()
        watcher.watch()
    if watcher.ending:
        watcher.say("ended; what was read is kept")
    if watcher.following is not None:
        _raised(watcher.following)
    if not watcher.whole or not watcher.looked:
        return run.UNANSWERED
    return run.FOUND if watcher.ever else run.OK


@contextmanager
def _endable(watcher: "_Watcher") -> Iterator[None]:
    """End in order by Ctrl-C, and by the SIGTERM of service managers; at once by a second one.

    An exception out of nowhere would end some library in the middle of what it does.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        if watcher.ending:
            raise KeyboardInterrupt
        watcher.ending = True
        watcher.say("ending when this round is judged; Ctrl-C once more ends it at once")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _following(source: Source, store: Path, how: Rounds) -> "Following":
    relay.needed()
    from cloison.flows.following import Following
    from cloison.flows.relay.client import Line
    from cloison.flows.store.live import PAUSE

    address = source.address or ""
    keys = relay.Keys(source.tls, source.ca, source.cert, source.key, source.server_name)
    line = Line()
    return Following(
        store,
        address,
        lambda held: relay.opened(held, address, keys, line=line, follow=True),
        line,
        keep=(source.keep_raw, source.keep_rollups),
        pause=min(PAUSE, how.interval),
    )


def _raised(following: "Following") -> None:
    """Raise what ended a stream, if anything did.

    Raises:
        SourceError: It was refused, or the store cannot be written.
    """
    if following.problem is not None:
        raise following.problem


class _Watcher:
    """Looks again and again; lives for one command."""

    def __init__(self, asked: Common, once: Once, how: Rounds) -> None:
        self.following: Following | None = None
        self.ever, self.whole, self.looked = False, True, False
        self.ending = False
        self._asked, self._once, self._how = asked, once, how
        self._known: dict[str, State] = {}
        self._told: str | None = None
        self._away: tuple[float, str] | None = None

    def say(self, text: str) -> None:
        """Say to whoever looks on how it goes; to a log it would be noise."""
        if sys.stderr.isatty() and not self._asked.quiet:
            click.echo(f"{_now()}: {text}", err=True)

    def begin(self) -> None:
        """Wait until what the source had at the beginning is in the store, for a while at most.

        Raises:
            SourceError: It does not answer, or refuses.
        """
        following = self.following
        if following is None:
            return
        name = following.address
        self.say(f"following {name} into {following.store}; Ctrl-C ends it")
        until = time.monotonic() + max(self._how.interval, _HELD)
        while not (following.caught_up or self.ending) and time.monotonic() < until:
            if following.over:
                _raised(following)
            time.sleep(_GLANCE)

    def watch(self) -> None:
        """Look again and again.

        Raises:
            SourceError: The first look fails, or the stream ends.
        """
        number = 0
        while not self.ending:
            number += 1
            self._look()
            if self._how.rounds is not None and number >= self._how.rounds:
                return
            self._wait()

    def _look(self) -> None:
        try:
            session, found, self.whole = self._once(self._live())
        except (SourceError, QuestionError) as error:
            if not self.looked:
                raise
            # Files are written while they are read, and a later round reads them whole.
            if self._told != str(error):
                click.echo(f"{_now()}: not judged, and tried again: {error}", err=True)
            self._told = str(error)
            return
        if self._told is not None:
            click.echo(f"{_now()}: judged again", err=True)
        self._told = None
        self.ever = self.ever or bool(found.new)
        self._print(session, found)

    def _print(self, session: "Session", found: "Drift") -> None:
        from cloison.analyses.drift.rounds import moved, states
        from cloison.report.text.driftedrounds import counted, lines

        first, self.looked = not self.looked, True
        was, self._known = self._known, states(found)
        if first or self._asked.output != "text":
            run.answer(self._asked, session, "drifted", found)
            return
        changed = moved(found, was)
        if changed:
            look = run.look(self._asked)
            run.write(f"{look.safe(line)}\n" for line in lines(changed, _now(), look))
        else:
            self.say(counted(changed))

    def _live(self) -> "Live | None":
        from cloison.analyses.drift.scene import Live

        following = self.following
        if following is None:
            return None
        now = int(time.time() * 1_000_000)
        away = following.away
        if away is None:
            return Live(following.address, now)
        return Live(following.address, now, int(away[0] * 1_000_000), away[1])

    def _wait(self) -> None:
        """Wait for the next round: an interval, or until an hour is over and its flows are in.

        Raises:
            SourceError: The stream ends.
        """
        left = _HOUR - time.time() % _HOUR + _SETTLED
        until = time.monotonic() + min(self._how.interval, left)
        while (rest := until - time.monotonic()) > 0 and not self.ending:
            self._glance()
            time.sleep(min(rest, _GLANCE))
        self._glance()

    def _glance(self) -> None:
        """Say where a live source went away, or is back.

        Raises:
            SourceError: It refuses, or the store cannot be written.
        """
        following = self.following
        if following is None:
            return
        if following.over:
            _raised(following)
        away, before = following.away, self._away
        self._away = away
        if away is not None and before is None:
            click.echo(
                f"{_now()}: {following.address} does not answer ({away[1]}); no flows come in, and "
                "what is judged is what was seen before. It is asked again and again: is Hubble "
                "Relay there (kubectl -n kube-system get pods -l k8s-app=hubble-relay), and the "
                "port-forward?",
                err=True,
            )
        elif away is None and before is not None:
            gone = int(time.time() - before[0])
            click.echo(
                f"{_now()}: {following.address} answers again, after {gone} seconds; what nodes "
                "still held of that time was read, and hours of which too much is missing do not "
                "count",
                err=True,
            )


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
