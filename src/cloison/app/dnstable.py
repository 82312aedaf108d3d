"""DNS tables: files that say which addresses names stand for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from os.path import relpath
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from cloison.algebra import AddressSet
from cloison.algebra.addresses import meant
from cloison.app.ownfile import read_whole
from cloison.base import Diagnostic, SourceError, Span
from cloison.ir.names import host_name, is_host_name
from cloison.resources.documents import Node
from cloison.sources.yaml import documents

LARGEST: Final = 16 << 20
"""Bytes of a DNS table."""
KIND: Final = "DnsTable"
_HELP: Final = "write `api.example.com: [203.0.113.10, 2001:db8::10]`"
_OWN: Final = frozenset({"apiVersion", "kind", "complete", "names"})


class DnsTableDocument(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Which addresses DNS names stand for. A file may also hold the mapping of `names` alone."""

    names: Annotated[
        dict[str, list[str] | str],
        Meta(description="Addresses, or blocks of them, by name; none for a name without any."),
    ]
    api_version: Annotated[
        Literal["cloison.dev/v1alpha1"] | None, Meta(description="May be left out.")
    ] = None
    kind: Annotated[Literal["DnsTable"] | None, Meta(description="May be left out.")] = None
    complete: Annotated[
        bool,
        Meta(
            description="Whether no other names have addresses. Without that, an address that is "
            "not listed may have any name that is not listed either."
        ),
    ] = True


@dataclass(frozen=True, slots=True)
class DnsTable:
    """What names stand for.

    Args:
        names: Addresses, or blocks of them, by name, in lower case without the final dot.
        complete: Whether no other names have addresses.
        masked: Blocks with bits beyond their prefix, each with its place.
    """

    names: Mapping[str, tuple[str, ...]]
    complete: bool = True
    masked: tuple[tuple[str, Span], ...] = ()

    def join(self, other: "DnsTable") -> "DnsTable":
        """Return what both tables say; it is complete where either is."""
        names = dict(self.names)
        for name, texts in other.names.items():
            names[name] = tuple(dict.fromkeys((*names.get(name, ()), *texts)))
        return DnsTable(names, self.complete or other.complete, (*self.masked, *other.masked))


def read(path: Path) -> DnsTable:
    """Return what a DNS table says, YAML or JSON.

    Args:
        path: The file.

    Raises:
        SourceError: it cannot be read, or is no DNS table.
    """
    shown = relpath(path)
    data = read_whole(
        path,
        shown,
        LARGEST,
        named_by="--dns-table names a file",
        smaller="leave out names that no policy is about",
    )
    root = _root(shown, documents(BytesIO(data), shown))
    plain = root.plain()
    given: dict[str, Any] = plain if isinstance(plain, dict) else {}
    whole = bool(_OWN & given.keys()) and not isinstance(given.get("names"), list | str)
    try:
        document = msgspec.convert(given if whole else {"names": given}, DnsTableDocument)
    except msgspec.ValidationError as error:
        raise _wrong(root.span(shown), str(error)) from None
    listed = root.get("names") if whole else root
    names: dict[str, tuple[str, ...]] = {}
    masked: list[tuple[str, Span]] = []
    for name, said in document.names.items():
        node = listed.get(name) if listed is not None else None
        span = (node or root).span(shown)
        own = host_name(name)
        if not is_host_name(own):
            pattern = "*" in name
            what = "is a pattern; addresses belong to a name" if pattern else "is not a DNS name"
            raise _wrong(span, f"{name!r} {what}")
        texts = (said,) if isinstance(said, str) else tuple(said)
        for text in texts:
            _check(text, span)
            masked += [(text, span)] if "/" in text and meant(text) else []
        names[own] = (*names.get(own, ()), *texts)
    return DnsTable(names, document.complete, tuple(masked))


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a DNS table."""
    (_,), parts = msgspec.json.schema_components([DnsTableDocument], ref_template="#/$defs/{name}")
    body = parts.pop(DnsTableDocument.__name__)
    body.pop("title", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": KIND, **body}


def _root(shown: str, found: Iterable[Node | Diagnostic]) -> Node:
    """Return the one document of a file.

    Raises:
        SourceError: there is another number of them, or something is wrong with it.
    """
    roots: list[Node] = []
    for each in found:
        if isinstance(each, Diagnostic):
            msg = f"{each.span or shown}: {each.message}"
            raise SourceError(msg, each.help)
        if isinstance(each, Node):
            roots.append(each)
    if len(roots) != 1 or not isinstance(roots[0].value, dict):
        msg = f"{shown}: a DNS table is one mapping of names to addresses"
        raise SourceError(msg, _HELP)
    return roots[0]


def _check(text: str, span: Span) -> None:
    """Refuse what is neither an address nor a block.

    Raises:
        SourceError: it is neither.
    """
    try:
        AddressSet.block(text)
    except ValueError:
        raise _wrong(span, f"{text!r} is not an address or block") from None


def _wrong(span: Span, what: str) -> SourceError:
    return SourceError(f"{span}: {what}", _HELP)
