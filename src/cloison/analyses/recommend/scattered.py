"""Many ports of one peer that nothing declares, as protocols have that choose one each time.

Passive FTP and RPC are such: what was seen is a sample of a range, so rules for these ports alone
break tomorrow, and nothing in the input says how far the range goes. That is for somebody to say.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cloison.algebra import PORT_PROTOCOLS
from cloison.analyses.past.link import Link
from cloison.analyses.reconcile.seen import Outside
from cloison.intent import Port

MOST: Final = 16
"""Ports of one peer that nothing declares, and that are let through because they were seen."""
_APART: Final = 1024
"""How far ports of one range may lie apart."""


def scattered(links: Iterable[Link]) -> Iterator[tuple[Link, ...]]:
    """Yield edges on too many ports, those of one pair of ends and protocol together.

    Ports that lie far from the others, such as the one that a protocol begins with, are left
    out, as long as they are few themselves.

    Args:
        links: Edges on ports that nothing declares.
    """
    pairs: dict[tuple[str, str, str], dict[int, list[Link]]] = defaultdict(dict)
    for each in links:
        key = each.key
        if key.protocol in PORT_PROTOCOLS and key.port >= 0:
            # Clients outside have many addresses; together they are one peer.
            source = "" if isinstance(each.source, Outside) else key.source
            pairs[source, key.destination, key.protocol].setdefault(key.port, []).append(each)
    for _, ports in sorted(pairs.items()):
        if len(ports) <= MOST:
            continue
        many = [at for run in stretches(ports) if len(run) > MOST for at in run]
        chosen = many if len(ports) - len(many) <= MOST else sorted(ports)
        yield tuple(sorted((each for at in chosen for each in ports[at]), key=lambda e: e.key))


def stretches(ports: Iterable[int]) -> list[list[int]]:
    """Return ports in order, those together of which each is near the one before.

    >>> [(run[0], run[-1]) for run in stretches([30_007, 21, 30_000, 30_900])]
    [(21, 21), (30000, 30900)]
    """
    found: list[list[int]] = []
    for each in sorted(set(ports)):
        if found and each - found[-1][-1] <= _APART:
            found[-1].append(each)
        else:
            found.append([each])
    return found


def proposed(protocol: str, ports: Sequence[int]) -> tuple[Port, ...]:
    """Return the ranges that hold some ports of a protocol.

    >>> [each.text for each in proposed("TCP", [21, 30_000, 30_007])]
    ['21', '30000-30007']
    """
    return tuple(Port(protocol, run[0], run[-1]) for run in stretches(ports))
