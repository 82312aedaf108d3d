"""Objects: one by one and in bulk, up to the world they add up to."""

import io

import msgspec

from cloison.resources.decode import Decoded, decode, decode_raw
from cloison.resources.documents import Document, RawObject
from cloison.resources.inventory import Built, Inventory, unused_kinds
from cloison.resources.options import FieldValidation, ReadOptions
from cloison.resources.pool import Pool
from cloison.sources import read
from tests.fuzz import seeds
from tests.fuzz.target import Target, sampled, sound

STRICT = ReadOptions((1, 15), FieldValidation.STRICT, "elsewhere")


def documents(data: bytes) -> list[Document]:
    """Return the objects of an input; what cannot be read is another target's."""
    return [one for one in read(["-"], stdin=io.BytesIO(data)) if isinstance(one, Document)]


def _built(decoded: list[Decoded]) -> Built:
    inventory = Inventory()
    for one in decoded:
        inventory.take(one)
    built = inventory.build()
    sound(built.diagnostics)
    sound(unused_kinds(inventory.tallies()))
    return built


def _decoded(found: list[Document], options: ReadOptions) -> list[Decoded]:
    pool = Pool()
    decoded = [decode(one, options, pool) for one in found]
    for one in decoded:
        sound(one.diagnostics)
    return decoded


def _objects(data: bytes) -> None:
    found = documents(data)
    decoded = _decoded(found, ReadOptions())
    built = _built(decoded)
    if sampled(data, 4):
        assert repr(_built(decoded[::-1])) == repr(built), "reading order shows"
        _built(_decoded(found, STRICT))
    if sampled(data, 2):
        _in_bulk(data)


def _in_bulk(data: bytes) -> None:
    pool = Pool()
    for one in read(["-"], stdin=io.BytesIO(data), bulk_from=0):
        if not isinstance(one, RawObject):
            continue
        whole = one.locate()
        located = decode(whole, ReadOptions(), pool)
        raw = decode_raw(one, ReadOptions(), pool)
        sound(raw.diagnostics)
        # The documented difference: in what a server printed, unknown fields are passed over.
        assert raw.resource == located.resource or _printed(whole), (raw, located)
        assert _silent(raw) == _silent(located) or _printed(whole)
        assert all(d.span is not None for d in raw.diagnostics)


def _silent(decoded: Decoded) -> Decoded:
    return msgspec.structs.replace(decoded, diagnostics=())


def _printed(document: Document) -> bool:
    uid = document.root.get("metadata", "uid")
    return uid is not None and bool(uid.value)


OBJECTS = Target("objects", _objects, seeds.worlds, ("cloison.resources",))
