"""What of a call a language has words for: protocols without ports, and parts of HTTP."""

from dataclasses import replace
from typing import Final

from cloison.analyses.contract.compile.model import UNSAID, Edge, Notes
from cloison.ir.allowlist import Asked, Words

_OF_HTTP: Final = "TCP"
"""The protocol in which enforcers read requests."""


def sayable(edge: Edge, words: Words, notes: Notes) -> Edge | None:
    """Return what of an edge a language can say, or more for want of words; None for nothing.

    Args:
        edge: The edge.
        words: What the language can say.
        notes: Takes what it cannot.
    """
    left = tuple(each for each in edge.ports if words.says(each))
    beyond = [each.text for each in edge.ports if each not in left]
    if beyond:
        notes.of(
            edge.entry,
            UNSAID,
            f"{words.name} has no words for {', '.join(beyond)}",
            "that part is not written; whether it passes is up to who enforces",
            "name types, as icmp/8"
            if words.icmp_types and any(each.startswith("ICMP") for each in beyond)
            else "compile to a language that has, or say TCP, UDP or SCTP ports",
        )
        if not left:
            return None
    edge = replace(edge, ports=left)
    return replace(edge, http=_http(edge, words, notes))


def _http(edge: Edge, words: Words, notes: Notes) -> Asked | None:
    """Return the part of HTTP that is asked for, told where more is let through instead."""
    asked = edge.http
    if asked is None:
        return None
    if not words.http or not edge.ports:
        where = " where no port is said" if words.http else ""
        _wide(
            edge,
            notes,
            f"{words.name} cannot ask for {asked}{where}",
            "say the ports"
            if words.http
            else "compile to a language that can, or check requests at the destination",
        )
        return None
    others = tuple(each for each in edge.ports if each.protocol != _OF_HTTP)
    if others:
        _wide(
            replace(edge, ports=others),
            notes,
            f"{words.name} asks for {asked} over {_OF_HTTP} only",
            f"say {_OF_HTTP} ports, and write a dependency of its own for the others",
        )
    return asked if len(others) < len(edge.ports) else None


def _wide(edge: Edge, notes: Notes, message: str, advice: str) -> None:
    notes.wide(edge.entry, message, "every request", edge.text, advice)
