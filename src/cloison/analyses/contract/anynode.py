"""Pods on their node's network of which nobody knows the node: they may have any node's address.

Rectangles take such a pod to lie outside every block. A guardrail that names it is not proved by
that: where a rule lets the address of some node through, the pod may be there.
"""

from collections.abc import Iterator
from itertools import islice, product

from cloison.algebra import L4
from cloison.algebra.bitmaps import BitMap
from cloison.analyses.contract.breach import Meeting
from cloison.analyses.contract.sets import Box
from cloison.engine import Engine, UnitKind
from cloison.ir.caveats import NODE_ADDRESS_UNKNOWN
from cloison.ir.fidelity import Verdict

_MOST = 20_000
"""Pairs of places and other ends that are asked about, for each pod."""


def anywhere(engine: Engine, box: Box, here: BitMap, there: BitMap) -> Iterator[Meeting]:
    """Yield what may pass between named pods on unknown nodes and other ends.

    Args:
        engine: Who decides.
        box: What is forbidden.
        here: Units that send.
        there: Units that they reach.
    """
    if not engine.profile.block_matches_nodes:
        return  # blocks are about no node, whichever it is
    for named, units, others in ((box.callers, here, there), (box.called, there, here)):
        for unit in units & engine.table.kinds.get(UnitKind.HOST, BitMap()) if named else ():
            if not engine.table.units[unit].exact:
                yield from _from_places(engine, box, unit, others, outward=units is here)


def _from_places(
    engine: Engine, box: Box, unit: int, others: BitMap, *, outward: bool
) -> Iterator[Meeting]:
    pairs = product(engine.alike(_places(engine, unit)), engine.alike(others))
    for place, other in islice(pairs, _MOST):
        if not _meet(engine, place, other):
            continue
        ends = (place, other) if outward else (other, place)
        # Of what else policies leave open, of ICMP, nothing hangs on addresses.
        passing = engine.outcome(*ends).passing & box.traffic & L4
        if passing:
            sides = (unit, other) if outward else (other, unit)
            source, destination = (BitMap([each]) for each in sides)
            caveats = frozenset((NODE_ADDRESS_UNKNOWN,))
            yield Meeting(Verdict.UNDETERMINED, box, source, destination, passing, caveats=caveats)
            return


def _places(engine: Engine, unit: int) -> BitMap:
    """Return who has the addresses that a pod may have: nodes that are known, or else anybody."""
    table = engine.table
    found = table.units[unit]
    known = BitMap(
        u for name, units in table.by_node.items() for u in units if table.units[u].exact
    )
    if known and found.node is None:
        return known
    outside = BitMap(table.kinds.get(UnitKind.EXTERNAL, BitMap()))
    return outside if found.addresses is None else table.external_range(found.addresses)


def _meet(engine: Engine, one: int, other: int) -> bool:
    units = engine.table.units
    return len({units[one].family, units[other].family} - {0}) <= 1
