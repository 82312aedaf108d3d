"""What counters say, beside what they should: exact also where probes share a counter.

Every probe moves each of its counters by the packets it sent. Probes go in batches in which as few
as possible share a counter; where some do, the sum has to be right.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cloison.ir.policy import Direction
from tests.lab.paths import Path

_CONVERSATION = 16
"""Packets that one end sends of a connection that is opened and closed again, at most."""

Counts: TypeAlias = Mapping[tuple[str, str], int]
"""Packets, by node and what counts them."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A probe that was sent.

    Args:
        text: What to call it.
        nodes: Where its source and where its target is; empty for the outside.
        path: What it should move.
        packets: How many packets it sent.
        anew: Whether every packet is judged, those of connections that are open, too.
    """

    text: str
    nodes: tuple[str, str]
    path: Path
    packets: int
    anew: bool = False

    @property
    def most(self) -> int:
        """How often it may be counted in one place, at most."""
        return self.packets * (_CONVERSATION if self.anew else 1)

    def groups(self) -> Iterator[tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]]:
        """Yield for each stage of the path what has to count, one of it, and what may."""
        for stage in self.path.stages:
            node = self.nodes[stage.direction is Direction.INGRESS]
            yield (
                frozenset((node, key) for key in stage.one_of),
                frozenset((node, key) for key in stage.possible),
            )


def batches(paths: Sequence[Path], most: int) -> list[list[int]]:
    """Sort probes into batches in which few share what counts them.

    Args:
        paths: What each of them moves.
        most: How many batches there may be.

    Returns:
        Their places in `paths`, batch by batch.
    """
    used: list[Counter[str]] = [Counter() for _ in range(most)]
    found: list[list[int]] = [[] for _ in range(most)]
    for place, path in enumerate(paths):
        keys = {key for stage in path.stages for key in stage.possible}
        shared = [sum(counts[key] for key in keys) for counts in used]
        chosen = min(range(most), key=lambda n: (shared[n], len(found[n])))
        used[chosen].update(keys)
        found[chosen].append(place)
    return [each for each in found if each]


def wrong(sent: Sequence[Sent], counted: Counts) -> Iterator[str]:
    """Yield what is wrong about the packets that were counted while probes were under way.

    Args:
        sent: The probes.
        counted: By how much the counters moved.
    """
    least: Counter[frozenset[tuple[str, str]]] = Counter()
    most: Counter[tuple[str, str]] = Counter()
    who: dict[tuple[str, str], list[str]] = defaultdict(list)
    for probe in sent:
        for one_of, possible in probe.groups():
            if one_of:
                least[one_of] += probe.packets
            for key in possible:
                most[key] += probe.most
                who[key].append(probe.text)
    for key in sorted({*most, *(key for key, number in counted.items() if number)}):
        if counted.get(key, 0) > most[key]:
            yield _said(key, counted.get(key, 0), "at most", most[key], who[key])
    for keys in sorted(least, key=sorted):
        inside = sum(number for some, number in least.items() if some <= keys)
        total = sum(counted.get(key, 0) for key in keys)
        if total < inside:
            for key in sorted(keys):
                yield _said(key, total, "together at least", inside, who[key])


def _said(key: tuple[str, str], counted: int, how: str, expected: int, who: Sequence[str]) -> str:
    node, name = key
    by = "; ".join(who) or "nobody"
    return f"{name!r} on {node or 'no node'} counted {counted}, {how} {expected}, of: {by}"
