"""Sources put by as they were read, places included, so that they can be asked again later.

A lab that runs is compared with what it was built from, whatever became of the files since. What
is kept is plain data: reading it runs nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import msgspec

from cloison.app.load import Item, paths, session_of
from cloison.app.overlay import Item as ReadItem
from cloison.app.session import Session
from cloison.app.settings import Settings
from cloison.base import Diagnostic, SourceError
from cloison.resources.documents import Document, Node, PlainObject, RawObject, plain_node
from cloison.sources import read

FORMAT = 1
"""Grows when what is kept changes; what another version kept is not read."""

Kept: TypeAlias = "tuple[Any, int, int, int, int]"
"""A node: its value, line and column, and those of its key. Values are kept alike."""


class KeptDocument(msgspec.Struct, frozen=True, tag="document", array_like=True):
    """An object with its places."""

    file: str
    root: Any


class KeptObject(msgspec.Struct, frozen=True, tag="object", array_like=True):
    """An item of a large list: it stands where it starts, and so does all of it."""

    file: str
    line: int
    column: int
    api_version: str
    kind: str
    data: msgspec.Raw


class KeptSaid(msgspec.Struct, frozen=True, tag="said", array_like=True):
    """What reading had to say."""

    diagnostic: Diagnostic


KeptItem: TypeAlias = KeptDocument | KeptObject | KeptSaid


class KeptSettings(msgspec.Struct, frozen=True):
    """Settings, as far as they say how sources are read and judged."""

    profile: str
    profile_chosen: str
    kubernetes: tuple[int, int]
    field_validation: str
    namespace: str
    pod_cidrs: tuple[str, ...]
    node_cidrs: tuple[str, ...]
    service_cidrs: tuple[str, ...]
    names: dict[str, tuple[str, ...]]
    policy_channel: str
    cilium: dict[str, str] = {}
    cilium_from: dict[str, str] = {}
    dns_tables: tuple[str, ...] = ()
    cluster_domain: str | None = None


class Snapshot(msgspec.Struct, frozen=True):
    """Sources as they were read, and as changes left them since.

    Args:
        settings: How they are read and judged.
        items: Everything that was read, in order.
        now: The same after every change; None where there was none.
        format: What kind of snapshot it is.
    """

    settings: KeptSettings
    items: tuple[KeptItem, ...]
    now: tuple[KeptItem, ...] | None = None
    format: int = FORMAT

    def session(self) -> Session:
        """Return what was read."""
        return session_of(restored(self.items), self.how())

    def current(self) -> Session:
        """Return what was read as changes have left it."""
        return session_of(restored(self.items if self.now is None else self.now), self.how())

    def changed(self, items: Iterable[Item]) -> "Snapshot":
        """Return the snapshot after a change, which left these items."""
        return msgspec.structs.replace(self, now=tuple(kept(items)))

    def how(self) -> Settings:
        """Return the settings."""
        said = msgspec.structs.asdict(self.settings)
        return Settings(**said)


def take(
    names: Sequence[str], settings: Settings, stdin: BinaryIO | None = None
) -> tuple[Session, Snapshot]:
    """Read sources, and return a session together with what there is to put by.

    Args:
        names: As `load` takes them.
        settings: How to read and judge.
        stdin: What `-` reads.

    Raises:
        SourceError: A name does not exist or cannot be read.
        QuestionError: A setting has no such value.
    """
    named = paths(names) or settings.sources or (".",)
    items = list(read(named, stdin=stdin, rendering=settings.rendering()))
    session = session_of(items, settings)
    return session, Snapshot(_settings(session), tuple(kept(items)))


def _settings(session: Session) -> KeptSettings:
    said = session.settings
    return KeptSettings(
        session.profile.name,
        said.profile_chosen,
        said.kubernetes,
        said.field_validation,
        said.namespace,
        said.pod_cidrs,
        said.node_cidrs,
        said.service_cidrs,
        dict(said.names),
        said.policy_channel,
        dict(said.cilium),
        dict(said.cilium_from),
        # They are read again, from wherever somebody stands then.
        tuple(str(Path(table).absolute()) for table in said.dns_tables),
        said.cluster_domain,
    )


def save(snapshot: Snapshot, path: Path) -> None:
    """Write a snapshot, in one step.

    Args:
        snapshot: The snapshot.
        path: A file in a directory that only its owner may look into.

    Raises:
        SourceError: It cannot be written.
    """
    half = path.with_name(f"{path.name}.new")
    try:
        half.write_bytes(msgspec.json.encode(snapshot))
        half.replace(path)
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise SourceError(msg, "without it nothing can be compared with what was built") from None


def restore(path: Path) -> Snapshot:
    """Return a snapshot that was saved.

    Raises:
        SourceError: There is none, or it is not understood.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Snapshot)
    except OSError:
        msg = f"{path} is not there"
        raise SourceError(msg, "it is written when a lab is built by cloison lab up") from None
    except msgspec.DecodeError as error:
        msg = f"{path} is not understood: {error}"
        raise SourceError(msg, "build the lab anew: cloison lab down, cloison lab up") from None
    if found.format != FORMAT:
        msg = f"{path} was written by another version"
        raise SourceError(msg, "build the lab anew: cloison lab down, cloison lab up")
    return found


def kept(items: Iterable[Item]) -> Iterator[KeptItem]:
    """Yield items as they are put by."""
    for item in items:
        match item:
            case Document():
                yield KeptDocument(item.file, _kept(item.root))
            case RawObject():
                data = msgspec.Raw(bytes(item.data))
                place = (item.file, item.line, item.column)
                yield KeptObject(*place, item.api_version, item.kind, data)
            case PlainObject():
                found = item.locate()
                yield KeptDocument(found.file, _kept(found.root))
            case _:
                yield KeptSaid(item)


def restored(items: Iterable[KeptItem]) -> Iterator[ReadItem]:
    """Yield items that were put by."""
    for item in items:
        match item:
            case KeptDocument():
                yield Document(item.file, _node(item.root))
            case KeptObject():
                yield _raw(item)
            case KeptSaid():
                yield item.diagnostic


def _raw(item: KeptObject) -> RawObject:
    data = memoryview(bytes(item.data))

    def locate() -> Document:
        return Document(item.file, plain_node(msgspec.json.decode(data), item.line))

    place = (item.file, item.line, item.column)
    return RawObject(*place, item.api_version, item.kind, data, locate)


def _kept(node: Node) -> Kept:
    value: Any = node.value
    if isinstance(value, dict):
        value = {key: _kept(each) for key, each in value.items()}
    elif isinstance(value, list):
        value = [_kept(each) for each in value]
    return value, node.line, node.column, node.key_line, node.key_column


def _node(said: object) -> Node:
    """Return a node that was put by.

    Raises:
        SourceError: It is none.
    """
    match said:
        case [value, int(line), int(column), int(key_line), int(key_column)]:
            place = (line, column, key_line, key_column)
            if isinstance(value, dict):
                return Node({key: _node(each) for key, each in value.items()}, *place)
            if isinstance(value, list):
                return Node([_node(each) for each in value], *place)
            if value is None or isinstance(value, str | int | float):
                return Node(value, *place)
    msg = "what was put by is not understood"
    raise SourceError(msg, "build the lab anew: cloison lab down, cloison lab up")


def proposed(names: Sequence[str], how: Settings, stdin: BinaryIO | None = None) -> list[ReadItem]:
    """Return what sources of a change hold.

    Raises:
        SourceError: One of them holds no object.
    """
    found: list[ReadItem] = []
    for name in names:
        items = list(read([name], stdin=stdin, rendering=how.rendering()))
        if all(isinstance(item, Diagnostic) for item in items):
            said = next((d.message for d in items if isinstance(d, Diagnostic)), "it is empty")
            msg = f"{'standard input' if name == '-' else name} holds no object: {said}"
            raise SourceError(msg, "name a file of policies")
        found += items
    return found
