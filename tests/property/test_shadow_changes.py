"""What a candidate opens, closes and leaves open, against one question at a time."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import product
from operator import attrgetter

import pytest

from cloison.algebra import TrafficSet, family_of
from cloison.analyses.connectivity import EndRef
from cloison.analyses.ends import AddressEnd, PodsEnd
from cloison.analyses.past.watch import Watch
from cloison.analyses.question import parse_traffic
from cloison.analyses.reconcile.seen import Seen, ref
from cloison.app.session import Session
from cloison.app.shadow import LINES, Recorded, shadowed
from cloison.ir.fidelity import Verdict
from tests.property.test_cube import ADDRESSES, names
from tests.property.test_shadow import (
    LET,
    PORTS,
    Made,
    Point,
    calico,
    cilium,
    is_block,
    most,
    plain,
    rows,
    sides,
    verdict,
)
from tests.support.budget import tries

WORLDS = tries(16, 24)
MAPPED = tuple(port for port in PORTS if not port.startswith("icmp"))
"""What maps and differences tell of: protocols that have ports."""


def known(session: Session, text: str) -> EndRef:
    return ref(session.names.end(text))


def among(end: EndRef, ends: Sequence[EndRef]) -> bool:
    return any(
        each == end
        or (
            each.addresses is not None
            and end.addresses is not None
            and end.addresses <= each.addresses
        )
        for each in ends
    )


def families(session: Session, text: str) -> set[int]:
    """Return the address families that an end is known to have; both where that is not known."""
    end = session.names.end(text)
    if isinstance(end, AddressEnd):
        return {family_of(first) for first, _ in end.addresses.spans}
    pods = end.workload.endpoints if isinstance(end, PodsEnd) else ()
    return {family_of(point) for pod in pods for point in pod.addresses} or {4, 6}


def meet(session: Session, one: str, other: str) -> bool:
    """Return whether two ends have an address family in common: no packet passes otherwise."""
    return bool(families(session, one) & families(session, other))


def placed(every: Sequence[tuple[Point, Seen]]) -> dict[Point, list[Seen]]:
    found: dict[Point, list[Seen]] = defaultdict(list)
    for point, seen in every:
        if seen.initiator != "unknown" and not (is_block(point[0]) and is_block(point[1])):
            found[point].append(seen)
    return found


@pytest.mark.parametrize("world", [plain, calico, cilium])
def test_changes_and_what_is_left_are_what_single_questions_say(
    world: Callable[[random.Random], Made],
) -> None:
    told: Counter[str] = Counter()
    for seed in range(WORLDS):
        rng = random.Random(f"shadow changes {seed}")
        before, after = sides(rng, world(rng))
        ends = names(after)
        if not ends:
            continue
        ends = rng.sample(ends, min(len(ends), 4))
        every = rows(rng, ends)
        recorded = Recorded(tuple(seen for _, seen in every), Watch({"a0": tuple(range(31))}))
        found = shadowed(before, after, recorded)
        seen = placed(every)
        refs = {text: known(after, text) for text in (*ends, *ADDRESSES)}

        def on(
            point: Point,
            sources: Sequence[EndRef],
            destinations: Sequence[EndRef],
            traffic: TrafficSet,
            refs: dict[str, EndRef] = refs,
        ) -> bool:
            return (
                among(refs[point[0]], sources)
                and among(refs[point[1]], destinations)
                and bool(parse_traffic(point[2]).traffic & traffic)
            )

        # What was seen over each line, counted from the records.
        for each in found.changes:
            line = each.line
            for became, traffic, got in (
                (LET, line.shift.lost, each.lost),
                (("denied",), line.shift.gained, each.gained),
            ):
                some = (
                    [one for one in held if one.became in became]
                    for point, held in seen.items()
                    if on(point, line.sources, line.destinations, traffic)
                )
                wanted = sum(most(held) for held in some if held)
                assert got == wanted, (seed, line)
                told["used"] += got > 0
        assert len(found.changes) + found.more_changes == len(found.diff.lines)

        outside = [(address, end) for address in ADDRESSES for end in ends]
        pairs = [*product(ends, ends), *outside, *((end, address) for address, end in outside)]
        for (source, destination), port in product(pairs, MAPPED):
            point = (source, destination, port)
            if source == destination or not meet(after, source, destination):
                continue
            then, now = verdict(before, point), verdict(after, point)
            if Verdict.MIXED in (then, now):
                continue
            moves = {
                word: any(
                    on(point, e.line.sources, e.line.destinations, traffic(e.line.shift))
                    for e in found.changes
                )
                for word, traffic in (
                    ("opens", attrgetter("gained")),
                    ("closes", attrgetter("lost")),
                )
            }
            if not found.more_changes:
                worth = (Verdict.DENIED, Verdict.UNDETERMINED, Verdict.ALLOWED)
                rise = worth.index(now) - worth.index(then)
                assert moves == {"opens": rise > 0, "closes": rise < 0}, (seed, point, then, now)
                told.update(word for word, moved in moves.items() if moved)
            if len(found.excess) < LINES:
                left = any(
                    on(point, e.line.sources, e.line.destinations, e.line.passage.allowed)
                    for e in found.excess
                )
                # What was tried in vain happened as well: it is told as opened.
                assert left == (now is Verdict.ALLOWED and point not in seen), (seed, point)
                told["left"] += left
    assert min(told[word] for word in ("used", "opens", "closes", "left")) > 4, told
