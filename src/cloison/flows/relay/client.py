"""A stream of flows from Hubble Relay, or from the agent of one node, that goes on when it breaks.

The channel of gRPC keeps the connection and makes it anew, waiting longer each time. How far the
stream was is kept here: see `resume`.
"""

import time as clock
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from threading import Event
from typing import Any, Final, TypeAlias

import grpc
import msgspec
from google.protobuf.message import DecodeError, Message

from cloison.base import SourceError
from cloison.flows.reader import BadRecordError, Decode, Head, Options
from cloison.flows.readers import reader
from cloison.flows.relay.messages import METHOD, REQUEST, RESPONSE, kind, rendered
from cloison.flows.relay.resume import Resume
from cloison.flows.schema import Coverage, Record

Ask: TypeAlias = "grpc.UnaryStreamMultiCallable[Message, bytes]"

_BILLION: Final = 1_000_000_000
_LONGEST_PAUSE: Final = 30.0
_FINAL: Final = frozenset(
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INVALID_ARGUMENT,
    }
)
"""Answers that will be the same when asked again."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Keys of an encrypted connection, each the content of a PEM file.

    Args:
        ca: Who may have signed the server's certificate; `None` for those that gRPC brings.
        cert: Our certificate, where the server wants one.
        key: Its private key.
        server_name: The name to expect in the server's certificate, where it is not the address:
            Cilium's own are for `*.hubble-relay.cilium.io`.
    """

    ca: bytes | None = None
    cert: bytes | None = None
    key: bytes | None = None
    server_name: str | None = None


@dataclass(frozen=True, slots=True)
class Relay:
    """Where flows are told.

    Args:
        address: `host:port`, or `unix:///path` for the agent of a node.
        tls: `None` for a connection that is not encrypted, as over `kubectl port-forward`.
        patience: Seconds to go on trying when nobody answers any more. Who never answered is not
            tried again.
    """

    address: str
    tls: Tls | None = None
    patience: float = 600.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which flows to tell.

    Args:
        since: The first, in microseconds since 1970; takes precedence over `last`.
        until: The last, likewise.
        last: How many of the newest, where no time is given; Relay means: of each node.
        follow: Whether to go on with those that happen from now on, until somebody stops it.
    """

    since: int | None = None
    until: int | None = None
    last: int | None = None
    follow: bool = False


@dataclass(slots=True)
class Line:
    """A stream as another thread sees it: whether somebody answers, and how to end it.

    Args:
        heard: Whether anything was told at all.
        away: Since when nobody answers, in seconds since 1970, and why; None while somebody does.
    """

    heard: bool = False
    away: tuple[float, str] | None = None
    _ended: Event = field(default_factory=Event)
    _call: grpc.Call | None = None

    def end(self) -> None:
        """End the stream, whatever it waits for."""
        self._ended.set()
        call = self._call
        if call is not None:
            call.cancel()

    @property
    def ended(self) -> bool:
        """Whether it is to end."""
        return self._ended.is_set()

    def hold(self, call: grpc.Call) -> bool:
        """Remember a call that is to be cancelled; return whether there is to be none any more."""
        self._call = call
        return self.ended

    def pause(self, seconds: float) -> None:
        """Wait for some seconds, or until the stream is to end."""
        self._ended.wait(seconds)


def stream(
    relay: Relay,
    wanted: Wanted,
    options: Options | None = None,
    pause: Callable[[float], None] = clock.sleep,
    line: Line | None = None,
    resume: Resume | None = None,
) -> Generator[Sequence[Record], None, None]:
    """Yield what each message of a stream says, in the order they come.

    A stream that breaks is asked for again since what it told last. What cannot be known then, and
    what the server says it lost, comes as `Coverage`; so does a message that nobody can read.

    Args:
        relay: Where to ask.
        wanted: What to ask for.
        options: What a user says about the source beyond what it says itself.
        pause: Waits for some seconds; between streams that ended before they told anything.
        line: Shows others how it stands, and lets them end it.
        resume: How far an earlier stream was.

    Raises:
        SourceError: nobody answers, or the server refuses.
    """
    decode = reader("hubble").open(Head("relay", b"", ()), options or Options())
    line = line or Line()
    resume, waiting = resume or Resume(), _Waiting(relay, pause, line)
    with _channel(relay) as channel:
        ask: Ask = channel.unary_stream(METHOD, _written, _as_it_is)
        since = None if wanted.since is None else wanted.since * 1000
        while True:
            call = ask(_request(wanted, since))
            if line.hold(call):
                call.cancel()
                return
            try:
                for data in call:
                    waiting.answered()
                    if records := _read(data, decode, resume):
                        yield records
                    if resume.back is not None:
                        break
            except grpc.RpcError:
                if line.ended:
                    return
                waiting.failed(call)
            else:
                if line.ended or not (wanted.follow or resume.back is not None):
                    return
                waiting.ended()
            finally:
                call.cancel()
            again = resume.broken()
            since = since if again is None else again


@dataclass(slots=True)
class _Waiting:
    """How long to wait between streams.

    Args:
        relay: Who is asked.
        pause: Waits for some seconds.
        line: Shows others how it stands.
        ever: Whether there was an answer at all.
        idle: Streams since the last answer.
        waited: Seconds since then.
    """

    relay: Relay
    pause: Callable[[float], None]
    line: Line
    ever: bool = False
    idle: int = 0
    waited: float = 0.0

    def answered(self) -> None:
        self.ever, self.idle, self.waited = True, 0, 0.0
        self.line.heard, self.line.away = True, None

    def failed(self, call: grpc.Call) -> None:
        """Wait, unless there is nothing to wait for.

        Raises:
            SourceError: the server refuses, never answered, or has not for too long.
        """
        said = " ".join((call.details() or "").split())
        why = f"{call.code().name}: {said[:300]}"
        if call.code() in _FINAL:
            raise SourceError(
                f"{self.relay.address} refuses to tell its flows: {why}",
                "is it Hubble Relay's address, and is the certificate one that it knows?",
            ) from None
        if not self.ever or self.waited >= self.relay.patience:
            raise SourceError(
                f"{self.relay.address} cannot be reached: {why}",
                "is it Hubble Relay's address, and does it want TLS? `kubectl -n kube-system "
                "port-forward service/hubble-relay 4245:80` brings one here",
            ) from None
        if self.idle and self.line.away is None:
            # The first time it is asked again at once, and most often that is all it takes.
            self.line.away = (clock.time(), why)
        self.ended()

    def ended(self) -> None:
        """Wait, the longer the more streams told nothing; not at all after one that did."""
        if self.idle:
            seconds = min(2.0 ** (self.idle - 1), _LONGEST_PAUSE)
            self.waited += seconds
            self.pause(seconds)
        self.idle += 1


def _written(message: Message) -> bytes:
    return message.SerializeToString()


def _as_it_is(data: bytes) -> bytes:
    return data


def _channel(relay: Relay) -> grpc.Channel:
    options: list[tuple[str, Any]] = [
        ("grpc.initial_reconnect_backoff_ms", 250),
        ("grpc.max_reconnect_backoff_ms", int(_LONGEST_PAUSE * 1000)),
        # Servers in Go take it amiss if they are asked more often (google.golang.org/grpc
        # keepalive.EnforcementPolicy).
        ("grpc.keepalive_time_ms", 310_000),
    ]
    if relay.tls is None:
        return grpc.insecure_channel(relay.address, options)
    if relay.tls.server_name:
        options.append(("grpc.ssl_target_name_override", relay.tls.server_name))
    keys = grpc.ssl_channel_credentials(relay.tls.ca, relay.tls.key, relay.tls.cert)
    return grpc.secure_channel(relay.address, keys, options)


def _request(wanted: Wanted, since: int | None) -> Message:
    message: Any = kind(REQUEST)()
    message.follow = wanted.follow
    if since is not None:
        message.since.seconds, message.since.nanos = divmod(since, _BILLION)
    elif wanted.last is not None:
        message.number = wanted.last
    if wanted.until is not None and not wanted.follow:
        message.until.seconds, message.until.nanos = divmod(wanted.until * 1000, _BILLION)
    asked: Message = message
    return asked


def _read(data: bytes, decode: Decode, resume: Resume) -> Sequence[Record]:
    """Return what a message says that was not told before."""
    message: Any = kind(RESPONSE)()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return _unread(resume, "it is none of Hubble's")
    flow = message.HasField("flow")
    moment = message.flow.time if flow and message.flow.HasField("time") else message.time
    time = moment.seconds * _BILLION + moment.nanos
    key = message.flow.uuid.encode() or blake2b(data, digest_size=16).digest()
    if flow:
        node = message.flow.node_name or message.node_name
        new, gap = resume.flow(node, time, key)
    else:
        new, gap = resume.notice(time, key), None
    if not new:
        return ()
    try:
        found = tuple(decode(msgspec.json.encode(rendered(RESPONSE, message))))
    except (BadRecordError, OverflowError, UnicodeError) as error:
        found = _unread(resume, str(error))
    return found if gap is None else (gap, *found)


def _unread(resume: Resume, why: str) -> tuple[Record, ...]:
    since = max(resume.newest.values(), default=0) // 1000
    return (Coverage(since=since, lost=1, reason=f"a message could not be read: {why}"),)
