"""`cloison flows ingest`."""

import functools
import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cloison.base import QuestionError, SourceError
from cloison.cli import run
from cloison.cli.commands import relay
from cloison.cli.commands.flows import Asked, Moment, asked, keeping, mapping, show
from cloison.cli.options import Example, Function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloison.cli.progress import Bar
    from cloison.flows.answers import Ingested
    from cloison.flows.reader import Options
    from cloison.flows.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Told:
    """What a user says about what is read.

    Args:
        reader: Name of the reader; None for whichever suits.
        follow: Whether to go on with a relay's flows.
        tls: How the connection to a relay is encrypted: see `relay.Keys`.
        ca: Likewise.
        cert: Likewise.
        key: Likewise.
        server_name: Likewise.
        cluster: Name of the cluster.
        columns: Our columns for keys of the files, `COLUMN=KEY`.
        layout: Order of the fields.
        sources: Objects whose addresses are taken.
        at: When these were there, in microseconds; None for now.
    """

    reader: str | None
    cluster: str | None
    columns: tuple[str, ...]
    layout: str | None
    sources: tuple[str, ...]
    at: int | None
    follow: bool
    tls: bool
    ca: Path | None
    cert: Path | None
    key: Path | None
    server_name: str | None


_OPTIONS = (
    click.option("--reader", metavar="NAME", help="What reads the files.  [default: what suits]"),
    click.option(
        "--cluster", metavar="NAME", help="The cluster they are of, where they do not say it."
    ),
    click.option(
        "--map",
        "columns",
        multiple=True,
        metavar="COLUMN=KEY",
        help="Our column for a key of theirs, where the format is your own; repeatable.",
    ),
    click.option(
        "--format",
        "layout",
        metavar="FIELDS",
        help="Order of the fields, where nothing else says it.",
    ),
    click.option(
        "-f",
        "--filename",
        "--snapshot",
        "sources",
        multiple=True,
        metavar="SOURCE",
        help="Objects whose addresses are taken: who holds them from --at on; repeatable.",
    ),
    click.option(
        "--at", type=Moment(), metavar="TIME", help="When these were there.  [default: now]"
    ),
    click.option("--follow", is_flag=True, help="Go on with a relay's flows until Ctrl-C."),
    *relay.KEYS,
)


def _told(function: Function) -> Function:
    """Add the options of `Told` and pass them on as such."""

    @functools.wraps(function)
    def call(**given: Any) -> int:
        taken = {name: given.pop(name) for name in Told.__dataclass_fields__}
        code: int = function(told=Told(**taken), **given)
        return code

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


@click.command(
    cls=Example,
    examples=(
        "cloison flows ingest /var/run/cilium/hubble/events.log",
        "cloison flows ingest logs/ --reader aws-vpc --format 'version srcaddr dstaddr ...'",
        "cloison flows ingest relay://localhost:4245 --follow",
        "kubectl logs -n kube-system ds/flow-logger | cloison flows ingest -",
        "cloison flows ingest flows.parquet -f cluster.json --at 2026-11-23T10:00Z",
    ),
)
@click.argument("paths", nargs=-1, metavar="PATH...")
@_told
@keeping[0]
@keeping[1]
@asked()
def ingest(
    said: Asked,
    paths: tuple[str, ...],
    told: Told,
    keep_raw: int | None,
    keep_rollups: int | None,
) -> int:
    """Read flow logs into a store.

    What was read before is left out, whatever the file is called by now: a log that has grown, was
    rotated, renamed or compressed is read from where reading stopped. A run that is killed loses
    nothing that the next one does not read. Directories are read whole, relay://HOST:PORT is
    Hubble Relay, and - is standard input, read to its end first. Exit code 1 when something could
    not be read.
    """
    if not paths and not told.sources:
        msg = "nothing to read"
        raise QuestionError(msg, "name files or directories, or objects with -f")
    from cloison.flows.answers import Run
    from cloison.flows.engines.choose import choose
    from cloison.flows.reader import Options
    from cloison.flows.store.ingest import Wanted
    from cloison.flows.store.ingest import ingest as read
    from cloison.flows.store.keep import expire
    from cloison.flows.store.rolling import refresh
    from cloison.flows.store.writer import writer

    wanted = Wanted(told.reader, Options(told.cluster, mapping(told.columns), told.layout))
    named = tuple(path for path in paths if not path.startswith(relay.SCHEME))
    files = _files(named)
    relays = [path for path in paths if path.startswith(relay.SCHEME)]
    bar = _bar(files)
    advance = bar.advance if bar else _quiet
    with writer(said.store) as held:
        try:
            found = _read(
                held, named, files, lambda path, name: read(held, path, wanted, advance, name)
            )
            found += [_relay(held, address, told, wanted.options) for address in relays]
        finally:
            if bar:
                bar.finish()
        identities = _identities(held, told) if told.sources else 0
        worker = choose(said.engine, said.store)
        try:
            rolled = refresh(held, worker)
        finally:
            worker.close()
        expire(held, keep_raw, keep_rollups)
    show("ingested", Run(str(said.store), tuple(found), identities, rolled), said)
    wrong = any(each.problem or each.new.bad for each in found)
    return run.FOUND if wrong else run.OK


_STDIN = "-"
_AGAIN = 3
"""How often a directory is listed anew whose files are renamed while they are read."""


def _read(
    held: "Writer",
    named: tuple[str, ...],
    files: list[Path],
    read: "Callable[[Path, str], Ingested]",
) -> "list[Ingested]":
    """Read files; those of directories that were renamed meanwhile, under their new names."""
    from cloison.flows.store.ingest import GONE

    def one(path: Path) -> "Ingested":
        if str(path) == _STDIN or path.is_fifo():
            with _spooled(held.store, path) as spool:
                return read(spool, str(path))
        return read(path, str(path))

    found = {path: one(path) for path in files}
    listed = [Path(text) for text in named if Path(text).is_dir()]
    for _ in range(_AGAIN):
        gone = {path for path, each in found.items() if each.problem == GONE}
        lost = {path.parent for path in gone if any(top in path.parents for top in listed)}
        if not lost:
            break
        found = {
            path: each
            for path, each in found.items()
            if not (each.problem == GONE and path.parent in lost)
        }
        for path in _files(tuple(map(str, listed))):
            if path.parent in lost:
                again, before = one(path), found.get(path)
                found[path] = (
                    again
                    if before is None
                    else replace(again, new=before.new + again.new, before=before.before)
                )
    return list(found.values())


@contextmanager
def _spooled(store: Path, path: Path) -> "Iterator[Path]":
    """Yield a file that holds all that a pipe told, until its end."""
    from uuid import uuid4

    from cloison.flows.store.place import SCRATCH

    # By its name the next run sweeps it, if this one is killed.
    spool = store / SCRATCH / f"part-00000000-{uuid4().hex[:12]}.spool"
    try:
        with spool.open("wb") as target:
            if str(path) == _STDIN:
                shutil.copyfileobj(sys.stdin.buffer, target)
            else:
                with path.open("rb") as source:
                    shutil.copyfileobj(source, target)
        yield spool
    finally:
        spool.unlink(missing_ok=True)


def _relay(held: "Writer", address: str, told: Told, reading: "Options") -> "Ingested":
    """Read a relay's flows into a store."""
    keys = relay.Keys(told.tls, told.ca, told.cert, told.key, told.server_name)
    records = relay.opened(held, address, keys, reading, follow=told.follow)
    from cloison.flows.store.live import follow

    return follow(held, address, records)


def _quiet(_more: int) -> None:
    """Draw nothing."""


def _files(paths: tuple[str, ...]) -> list[Path]:
    """Return the files that are named, and those below directories.

    Hidden ones are left out, and those of stores: what was read is no log.

    Raises:
        SourceError: one is not there.
    """
    from cloison.flows.store.place import stores_below

    found: list[Path] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            stores = stores_below(path)
            found += sorted(
                each
                for each in path.rglob("*")
                if each.is_file()
                and not any(part.startswith(".") for part in each.relative_to(path).parts)
                and stores.isdisjoint(each.parents)
            )
        elif text == _STDIN or path.is_file() or path.is_fifo():
            found.append(path)
        else:
            msg = f"{text} is no file and no directory"
            raise SourceError(msg, "name files of flow records, or directories of them")
    return found


def _bar(files: list[Path]) -> "Bar | None":
    from cloison.cli.progress import Bar

    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return None
    bar = Bar(sys.stderr)
    # Compressed files have more bytes than one can know before.
    packed = any(
        each.suffix in {".gz", ".bz2", ".xz", ".zst"} or not each.is_file() for each in files
    )
    bar.start(None if packed else sum(each.stat().st_size for each in files))
    return bar


def _identities(held: "Writer", told: Told) -> int:
    """Take the addresses of objects; return how many there are."""
    import time

    from cloison.app import load
    from cloison.flows.snapshot import identities, listeners

    session = load(*told.sources)
    world = session.world
    if session.broken:
        click.echo("some objects cannot be read; see cloison validate -f ...", err=True)
    since = told.at if told.at is not None else time.time_ns() // 1000
    found = list(identities(world, since, told.cluster))
    held.add([*found, *listeners(world, since)], "")
    held.commit()
    return len(found)
