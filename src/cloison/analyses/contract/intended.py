"""The edges that a contract means: what is to be permitted, and what may be observed."""

from collections.abc import Iterator
from dataclasses import dataclass

from cloison.analyses.contract.ends import Ends, traffic_of
from cloison.analyses.ends import AnyEnd, End, EntryEnd, NodeEnd, PodsEnd, ServiceEnd, SomeNodeEnd
from cloison.analyses.question import EVERYTHING, Traffic
from cloison.analyses.services import follow
from cloison.base import QuestionError
from cloison.intent import Contract, Dependency


@dataclass(frozen=True, slots=True)
class Intended:
    """One edge that somebody owns the reason for, as enforcement points would see it.

    Args:
        entry: The dependency.
        source: Who calls.
        destination: Who is called: the pods behind a Service, never the Service.
        traffic: With what, at the destination; a port by name is looked up on it.
        dialled: The Service or entry that the contract names instead; None where it names the
            destination itself.
    """

    entry: Dependency
    source: End
    destination: End
    traffic: Traffic
    dialled: ServiceEnd | EntryEnd | None = None


@dataclass(frozen=True, slots=True)
class Unmet:
    """A dependency, or a part of one, that means nothing here.

    Args:
        entry: The dependency.
        message: Why.
        help: What to do.
    """

    entry: Dependency
    message: str
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Edges:
    """What the dependencies of a contract come to.

    Args:
        edges: The edges, in the order of the contract.
        unmet: What of it means nothing here.
    """

    edges: tuple[Intended, ...] = ()
    unmet: tuple[Unmet, ...] = ()


def intended(contract: Contract, ends: Ends) -> Edges:
    """Return the edges that a contract means.

    A zone, an external or labels stand for an edge of each workload or name in them. A Service is
    followed to its pods and their ports. A Gateway, Ingress or route stays an end of its own: it
    stands for whoever serves it as a source, and for all behind it as a destination.

    Args:
        contract: The contract.
        ends: Finds what it names.
    """
    edges: list[Intended] = []
    unmet: list[Unmet] = []
    for entry in contract.dependencies:
        try:
            sources, destinations = ends.of(entry.source), ends.of(entry.destination)
        except QuestionError as error:
            unmet.append(Unmet(entry, str(error), error.help))
            continue
        for source in sources:
            for destination in destinations:
                if source == destination and len(sources) > 1:
                    continue  # a zone with itself: its workloads among each other
                try:
                    edges += _between(entry, source, destination, ends)
                except QuestionError as error:
                    unmet.append(Unmet(entry, str(error), error.help))
    return Edges(tuple(edges), tuple(unmet))


def _between(entry: Dependency, source: End, destination: End, ends: Ends) -> Iterator[Intended]:
    if isinstance(source, ServiceEnd):
        msg = f"{source.text} is a name for what is behind it, and sends nothing itself"
        raise QuestionError(msg, "name the workload behind it, as NAMESPACE/NAME")
    asked = [traffic_of(port) for port in entry.ports] or [EVERYTHING]
    for traffic in asked:
        if isinstance(destination, ServiceEnd):
            for found in follow(ends.names.engine, source, destination, traffic):
                yield Intended(entry, source, found.destination, found.traffic, destination)
            continue
        via = destination if isinstance(destination, EntryEnd) else None
        yield Intended(entry, source, destination, traffic, via)


INSIDE = (PodsEnd, NodeEnd, SomeNodeEnd, AnyEnd)
"""Ends inside the cluster."""
