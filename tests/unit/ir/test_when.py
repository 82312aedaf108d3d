"""What passes with some requests: met, joined and compared, against one request at a time."""

import random
from itertools import product

import pytest

from cloison.algebra import NO_TRAFFIC, Request, TrafficSet
from cloison.ir.when import Split, When, joined, met, moved, split, within
from tests.support.asking import PAIRS, REQUESTS, Pairs, made

PORTS = tuple(range(80, 84))
DENIED, MAYBE, ALLOWED = range(3)


def random_split(rng: random.Random) -> Split:
    """Return what a point makes of a few ports, each in some way."""
    allowed, undetermined, when = NO_TRAFFIC, NO_TRAFFIC, []
    for port in PORTS:
        traffic = TrafficSet.ports("TCP", port)
        way = rng.choice(("allowed", "denied", "undetermined", "when", "when"))
        allowed |= traffic if way == "allowed" else NO_TRAFFIC
        undetermined |= traffic if way == "undetermined" else NO_TRAFFIC
        if way == "when":
            sure, maybe = some(rng), some(rng)
            known = When.always(traffic)
            when.append(When(traffic, made(sure), made(maybe - sure), known.asked, frozenset()))
    return split(allowed, undetermined, when)


def some(rng: random.Random) -> Pairs:
    return frozenset(pair for pair in PAIRS if rng.random() < 0.4)


def fate(known: Split, port: int, request: Request) -> int:
    """Return what becomes of a request on a port."""
    traffic = TrafficSet.ports("TCP", port)
    for each in within(known[2], traffic):
        if request in each.allowed:
            return ALLOWED
        return MAYBE if request in each.undetermined else DENIED
    return ALLOWED if traffic <= known[0] else MAYBE if traffic <= known[1] else DENIED


@pytest.mark.parametrize("seed", range(20))
def test_splits_are_what_each_request_comes_to(seed: int) -> None:
    rng = random.Random(seed)
    one, other = random_split(rng), random_split(rng)
    both, either = met(one, other), joined(one, other)
    for port, request in product(PORTS, REQUESTS):
        fates = fate(one, port, request), fate(other, port, request)
        assert fate(both, port, request) == min(fates)
        assert fate(either, port, request) == max(fates)


@pytest.mark.parametrize("seed", range(20))
def test_what_has_moved_is_told_with_its_certainty(seed: int) -> None:
    rng = random.Random(seed)
    before, after = random_split(rng), random_split(rng)
    found = moved(before, after)
    about = [each.traffic for known in (before, after) for each in known[2]]
    for port, request in product(PORTS, REQUESTS):
        traffic = TrafficSet.ports("TCP", port)
        if not any(traffic <= each for each in about):
            continue
        was, now = fate(before, port, request), fate(after, port, request)
        said = [(m.gained, m.mark) for m in found if traffic <= m.traffic and request in m.requests]
        high, low = max(was, now), min(was, now)
        marks = {(2, 0): "", (1, 0): "?", (2, 1): "? before" if now > was else "? after"}
        assert said == ([] if was == now else [(now > was, marks[high, low])])


def test_pieces_that_say_the_same_are_one() -> None:
    web = TrafficSet.ports("TCP", 80)
    tls = TrafficSet.ports("TCP", 443)
    sets = made(frozenset(PAIRS[:2]))
    every = When.always(web).asked
    parts = [When(each, sets, made(frozenset()), every) for each in (tls, web)]
    _, undetermined, when = split(NO_TRAFFIC, web | tls, parts)
    assert undetermined == web | tls
    assert [(str(each.traffic), each.allowed) for each in when] == [("TCP/80,443", sets)]
