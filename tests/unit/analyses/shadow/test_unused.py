"""Connections over what a candidate opens and closes, found without looking at every edge."""

import random
from collections.abc import Sequence

from cloison.algebra import AddressSet, TrafficSet
from cloison.analyses.connectivity import EndRef
from cloison.analyses.ends import AddressEnd, End
from cloison.analyses.past.course import Course
from cloison.analyses.past.link import Link, LinkKey
from cloison.analyses.reconcile.seen import NODES, Outside, ref
from cloison.analyses.shadow.model import Edge, Fate, Was, Weight
from cloison.analyses.shadow.unused import Partners
from cloison.ir.fidelity import Verdict

BLOCKS = ("203.0.113.0/28", "203.0.113.8/29", "203.0.113.64/26", "2001:db8::/120", "0.0.0.0/0")


def address(number: int) -> Outside:
    text = f"203.0.113.{number}" if number < 100 else f"2001:db8::{number:x}"
    return Outside(AddressEnd(text, AddressSet.address(text)), None)


def edge(source: End | Outside, destination: End | Outside) -> Edge:
    link = Link(LinkKey("", "", "TCP", 1), source, destination, TrafficSet.ports("TCP", 1), ())
    course = Course((1,), (1,))
    return Edge(Fate.DENIED, Was.LET, link, course, Weight.CALL, None, Verdict.DENIED)


def known(end: End | Outside) -> EndRef:
    if isinstance(end, Outside):
        assert end.address is not None
        return ref(end.address)
    return ref(end)


def holds(ends: Sequence[EndRef], end: EndRef) -> bool:
    return any(
        each == end
        or (
            each.addresses is not None
            and end.addresses is not None
            and end.addresses <= each.addresses
        )
        for each in ends
    )


def test_edges_between_ends_are_those_that_one_by_one_are() -> None:
    found = 0
    for seed in range(60):
        rng = random.Random(f"partners {seed}")
        outside = [address(rng.randrange(200)) for _ in range(12)]
        outward = [edge(NODES, end) for end in outside[:8]]
        inward = [edge(end, NODES) for end in outside[4:]]
        partners = Partners([*outward, *inward, edge(NODES, NODES)])
        blocks = [
            EndRef("ip", addresses=AddressSet.block(each))
            for each in rng.sample(BLOCKS, rng.randint(1, 3))
        ]
        single = [known(rng.choice(outside))]
        for far in (blocks, single, [*blocks, *single]):
            got = list(partners.between([ref(NODES)], far))
            assert got == [each for each in got if holds(far, known(each.link.destination))]
            wanted = [each for each in outward if holds(far, known(each.link.destination))]
            assert sorted(map(id, got)) == sorted(map(id, wanted)), seed
            back = list(partners.between(far, [ref(NODES)]))
            wanted = [each for each in inward if holds(far, known(each.link.source))]
            assert sorted(map(id, back)) == sorted(map(id, wanted)), seed
            found += len(got)
        nodes = list(partners.between([ref(NODES)], [ref(NODES)]))
        assert [each.link.destination for each in nodes] == [NODES]
    assert found > 100
