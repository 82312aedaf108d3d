"""Blocks of settings with bits beyond their prefix: they mean more than was written, perhaps."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloison.algebra.addresses import meant
from cloison.app.dnstable import read
from cloison.base import Diagnostic, Severity, Span

if TYPE_CHECKING:
    from cloison.app.settings import Settings

CODE: Final = "CFG004"


def masked(settings: "Settings") -> Iterator[Diagnostic]:
    """Yield a warning for each block of settings with bits beyond its prefix.

    Args:
        settings: What the caller, the settings file and its DNS tables say.

    Raises:
        SourceError: a DNS table cannot be read, or is none.
    """
    places = settings.file.places if settings.file is not None else {}
    # Where pods are that the input says, nobody has written here.
    pods = () if settings.pod_cidrs_from else settings.pod_cidrs
    for key, option, texts in (
        ("podCidrs", "--pod-cidr", pods),
        ("nodeCidrs", "--node-cidr", settings.node_cidrs),
        ("serviceCidrs", "--service-cidr", settings.service_cidrs),
    ):
        written = settings.file.values.get(key, ()) if settings.file is not None else ()
        for text in texts:
            yield from _warned(text, option, places.get(key) if text in written else None)
    for name, texts in settings.names.items():
        for text in texts:
            yield from _warned(text, f"an address of {name}", places.get("names"))
    for path in settings.dns_tables:
        for text, span in read(Path(path)).masked:
            yield from _warned(text, "an address of a DNS table", span)


def _warned(text: str, what: str, span: Span | None) -> Iterator[Diagnostic]:
    block = _meant(text)
    if block is not None:
        yield Diagnostic(
            CODE,
            Severity.WARNING,
            f"{what} is {text}, which has bits beyond its prefix",
            span,
            effect=f"it counts as {block}",
            help=f"write {block}, or {text.partition('/')[0]} if one address is meant",
        )


def _meant(text: str) -> str | None:
    try:
        return meant(text)
    except ValueError:
        # Whoever takes it refuses it.
        return None
