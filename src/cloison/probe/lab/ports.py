"""Which ports stand for all of them, where a row does not say one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloison.algebra import MAX_PORT, PORT_PROTOCOLS, TrafficSet
from cloison.analyses.question import Case
from cloison.engine import Engine
from cloison.ir.policy import Direction

MOST_PORTS = 12
"""Ports tried of each protocol, of one case."""

_FEW = 4
"""So many ports are all tried."""

_UNNAMED = 10007
"""Where to look for a port that nobody names."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Ports of one protocol.

    Args:
        protocol: `TCP`, `UDP`, `SCTP` or `ICMP`.
        ports: The ports, ascending; 0 for ICMP.
        whole: Whether that is all there is to try.
    """

    protocol: str
    ports: tuple[int, ...]
    whole: bool


def samples(engine: Engine, case: Case, listens: Iterable[tuple[str, int]]) -> Iterator[Sample]:
    """Iterate over the ports to try for what is asked of a case, protocol by protocol.

    Those that the destination listens on come first, then both sides of each boundary that a
    policy of either end draws, then one that nobody names.

    Args:
        engine: Policies bound to the world as built.
        case: What is asked.
        listens: Ports of the destination.
    """
    heard = set(listens)
    for protocol in PORT_PROTOCOLS:
        asked = case.traffic & TrafficSet.protocol(protocol)
        if not asked:
            continue
        if asked.size() <= _FEW:
            yield Sample(protocol, tuple(_all(asked)), whole=True)
            continue
        base = TrafficSet.protocol(protocol).spans[0][0] - 1
        wanted = [port for name, port in sorted(heard) if name == protocol]
        wanted += _spread(_boundaries(engine, case, protocol), MOST_PORTS - 1)
        taken = {*wanted}
        wanted.append(next(port for port in range(_UNNAMED, MAX_PORT) if port not in taken))
        fitting = [port for port in dict.fromkeys(wanted) if base + port in asked]
        ports = fitting[:MOST_PORTS] or list(_all(asked))[:1]
        yield Sample(protocol, tuple(sorted(ports)), whole=False)


def tried(sent: Iterable[tuple[str, int]]) -> str | None:
    """Say which ports stood for all of them; None where there is one of each protocol.

    Args:
        sent: Protocols and ports.
    """
    found: dict[str, set[int]] = {}
    for protocol, port in sent:
        found.setdefault(protocol, set()).add(port)
    if all(len(ports) == 1 for ports in found.values()):
        return None
    parts = [f"{name}/{','.join(map(str, sorted(found[name])))}" for name in sorted(found)]
    return (
        f"measured on {'; '.join(parts)}: ports that are listened on, and both sides of each "
        "boundary that policies draw"
    )


def _all(asked: TrafficSet) -> Iterator[int]:
    for entry in asked.entries():
        if entry.low is not None and entry.high is not None:
            yield from range(entry.low, min(entry.high, entry.low + _FEW) + 1)


def _boundaries(engine: Engine, case: Case, protocol: str) -> list[int]:
    """Return the ports on both sides of where a rule of either end begins or ceases to match."""
    whole = TrafficSet.protocol(protocol)
    found: set[int] = set()
    for unit, direction in (
        (case.source.unit, Direction.EGRESS),
        (case.destination.unit, Direction.INGRESS),
    ):
        if unit not in engine.governed:
            continue
        for rule in engine.decision(unit, direction).rules:
            for entry in ((rule.traffic | rule.may_traffic) & whole).entries():
                low, high = entry.low or 1, entry.high or MAX_PORT
                if (low, high) != (1, MAX_PORT):
                    found |= {low, high, max(low - 1, 1), min(high + 1, MAX_PORT)}
    return sorted(found)


def _spread(ports: list[int], most: int) -> list[int]:
    """Return at most so many, evenly chosen."""
    if len(ports) <= most:
        return ports
    return [ports[number * (len(ports) - 1) // (most - 1)] for number in range(most)]
