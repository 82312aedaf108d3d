"""Hubble Relay as commands take it: its address, its keys, and where its flows go on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloison.base import SourceError

if TYPE_CHECKING:
    from cloison.flows.reader import Options
    from cloison.flows.relay.client import Line
    from cloison.flows.schema import Record
    from cloison.flows.store.writer import Writer

SCHEME = "relay://"


@dataclass(frozen=True, slots=True)
class Keys:
    """How the connection to a relay is encrypted.

    Args:
        tls: Whether it is at all; so it is where any of the others is given.
        ca: File of who may have signed the relay's certificate.
        cert: File of our certificate.
        key: File of our private key.
        server_name: The name in the relay's certificate.
    """

    tls: bool = False
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    server_name: str | None = None


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
KEYS = (
    click.option("--tls", is_flag=True, help="Encrypt the connection to a relay."),
    click.option("--ca", type=_FILE, help="Who may have signed its certificate (PEM)."),
    click.option("--cert", type=_FILE, help="Our certificate, where it wants one (PEM)."),
    click.option("--key", type=_FILE, help="The private key of that (PEM)."),
    click.option("--server-name", metavar="NAME", help="The name in its certificate."),
)
"""Options of `Keys`."""


def opened(
    held: "Writer",
    address: str,
    keys: Keys,
    reading: "Options | None" = None,
    line: "Line | None" = None,
    *,
    follow: bool,
) -> "Iterable[Sequence[Record]]":
    """Return what a relay tells, from where a store's last run of it ended.

    Args:
        held: The store.
        address: The address, `relay://HOST:PORT`.
        keys: How the connection is encrypted.
        reading: What a user says about the source.
        line: Shows how the stream stands, and ends it. With it nobody gives up where a relay that
            was there does not answer any more.
        follow: Whether to go on with what happens from now on.

    Raises:
        SourceError: The extra is not installed.
    """
    needed()
    from cloison.flows.relay.client import Relay, Tls, Wanted, stream
    from cloison.flows.relay.resume import Resume
    from cloison.flows.store.live import earlier, since

    tls = None
    if keys.tls or keys.ca or keys.cert or keys.key or keys.server_name:
        tls = Tls(_pem(keys.ca), _pem(keys.cert), _pem(keys.key), keys.server_name)
    # Of one that is new, everything it still has.
    start, known = since(held, address) or 0, earlier(held, address)
    host = address.removeprefix(SCHEME)
    wanted = Wanted(since=start, follow=follow)
    resume = Resume(earlier=known, whole=True, since=start * 1000)
    if line is None:
        return stream(Relay(host, tls), wanted, reading, resume=resume)
    relay = Relay(host, tls, patience=float("inf"))
    return stream(relay, wanted, reading, pause=line.pause, line=line, resume=resume)


def needed() -> None:
    """Refuse where the extra is not installed that a relay needs.

    Raises:
        SourceError: It is not.
    """
    try:
        import_module("grpc")
    except ImportError as error:
        msg = f"a relay needs {error.name}, which is not installed"
        raise SourceError(msg, "pip install 'cloison[relay]'") from None


def _pem(path: Path | None) -> bytes | None:
    return None if path is None else path.read_bytes()
