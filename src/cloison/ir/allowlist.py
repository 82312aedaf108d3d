"""What some pods may do and nothing else, in plain words that every policy language starts from.

Policies that are written for people say no more than this: whom they are for, whom those may talk
to, on which ports, and why. Each language says it in its own way, or not at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cloison.algebra import PORT_PROTOCOLS, LabelSelector
from cloison.ir.peers import PeerMatch
from cloison.ir.policy import Direction


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """Ports of one protocol.

    Args:
        protocol: `TCP`, `UDP` or `SCTP`; `ICMP`, `ICMPv6` or a number as text.
        first: First port, or the type of ICMP; None for all of the protocol, or with a name.
        last: Last port, or the code of ICMP; None for none.
        name: A container port's name instead.
        note: What to tell people of it: which Service port leads there.
    """

    protocol: str
    first: int | None = None
    last: int | None = None
    name: str | None = None
    note: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        """As people write it: `8080/TCP`, `9000-9100/TCP`, `http/TCP`, `SCTP`, `ICMP/8/0`."""
        if self.name is not None:
            return f"{self.name}/{self.protocol}"
        if self.first is None:
            return self.protocol
        if self.protocol not in PORT_PROTOCOLS:
            values = (each for each in (self.first, self.last) if each is not None)
            return "/".join((self.protocol, *map(str, values)))
        many = self.last not in (None, self.first)
        return (
            f"{self.first}-{self.last}/{self.protocol}" if many else f"{self.first}/{self.protocol}"
        )


@dataclass(frozen=True, slots=True)
class Known:
    """An end that the enforcer knows by itself, whatever labels and addresses it has.

    Args:
        name: `kube-apiserver`, or `ingress` for a gateway that is part of the enforcer.
    """

    name: str


PeerOf: TypeAlias = PeerMatch | Known
"""Who may be at the other end of an opening."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The part of HTTP that is let through; what is None may be anything."""

    method: str | None = None
    path: str | None = None
    host: str | None = None

    def __str__(self) -> str:
        """Render for people: `POST /orders`."""
        host = f" at {self.host}" if self.host else ""
        return f"{self.method or 'any method'} {self.path or 'any path'}{host}"


@dataclass(frozen=True, slots=True)
class Opening:
    """Traffic that is let through.

    Args:
        direction: Seen from the pods that the list is for.
        peer: Who is at the other end: pods of a namespace or by the namespace's labels, a block,
            names, the own node or another, an end that the enforcer knows, or anybody.
        ports: With what; empty for everything.
        http: With which requests only; None for every one.
        reasons: Why, a line each.
        lookup: Whether it is how names are looked up, which some languages have to see before
            they can let through what is named.
    """

    direction: Direction
    peer: PeerOf
    ports: tuple[PortRange, ...] = ()
    http: Asked | None = None
    reasons: tuple[str, ...] = ()
    lookup: bool = False


@dataclass(frozen=True, slots=True)
class Allowlist:
    """All that some pods of a namespace may do.

    Args:
        name: What to call the policy.
        namespace: Where the pods are.
        pods: Which; the empty selector for all of the namespace.
        openings: What they may do, in order; nothing else, in either direction.
        annotations: What to tell of it: whose it is, and why.
    """

    name: str
    namespace: str
    pods: LabelSelector
    openings: tuple[Opening, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Words:
    """What a language can say of an allowlist.

    Args:
        name: What the language is called where it is chosen.
        http: Whether it can ask for a part of HTTP.
        names: Whether it can name what is outside by DNS name.
        icmp: Whether it can say anything but TCP, UDP and SCTP.
        icmp_types: Whether it can say types of ICMP at least, though no codes and not all at once.
        nodes: Whether nodes are peers of their own, which blocks of addresses do not match.
        outside_in: Whether it can keep out what comes from outside the cluster.
        known: Names of ends that its enforcer knows by itself.
    """

    name: str
    http: bool = False
    names: bool = False
    icmp: bool = False
    icmp_types: bool = False
    nodes: bool = False
    outside_in: bool = True
    known: frozenset[str] = frozenset()

    def says(self, port: PortRange) -> bool:
        """Return whether it has words for some ports of a protocol, or for what has none."""
        if self.icmp or port.protocol in PORT_PROTOCOLS:
            return True
        typed = port.first is not None and port.last is None
        return self.icmp_types and port.protocol.startswith("ICMP") and typed


def grouped(openings: Iterable[Opening], direction: Direction) -> tuple[tuple[Opening, ...], ...]:
    """Return the openings of a direction, those together that differ in the peer alone."""
    found: dict[object, list[Opening]] = {}
    for each in openings:
        if each.direction is direction:
            key = (each.ports, each.http, each.reasons, each.lookup)
            found.setdefault(key, []).append(each)
    return tuple(map(tuple, found.values()))
