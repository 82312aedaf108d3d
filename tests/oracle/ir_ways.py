"""Words of the oracle over the IR: ends, whether something matches, and how a step can end."""

from enum import Enum, IntEnum
from typing import TypeAlias

from cloison.algebra import (
    protocol_number,
)
from cloison.ir.names import NamePattern
from cloison.ir.policy import (
    Action,
)
from cloison.resources.objects import Node
from cloison.resources.world import PodEndpoint

End: TypeAlias = PodEndpoint | Node | int | NamePattern
"""A pod, a node, an address as a point of the address axis, or a name outside that nobody resolved;
with stars, any of the names that it covers."""


class Match(IntEnum):
    """Whether something matches. `min` is "and", `max` is "or"."""

    NO = 0
    MAY = 1
    MUST = 2


OPPOSITE = {Match.NO: Match.MUST, Match.MAY: Match.MAY, Match.MUST: Match.NO}


class Way(Enum):
    """How evaluation can leave a rule, a band or a tier."""

    ALLOW = "allow"
    DENY = "deny"
    PASS = "pass"
    ON = "on"
    """Nothing matched, or nothing decided: go on."""


Ways: TypeAlias = frozenset[Way]

OPEN: Ways = frozenset((Way.ALLOW,))
EITHER: Ways = frozenset((Way.ALLOW, Way.DENY))
WAY_OF = {Action.ALLOW: Way.ALLOW, Action.DENY: Way.DENY, Action.PASS: Way.PASS}


def traffic_point(protocol: str, port: int | None) -> int:
    """Return one point of the traffic axis; a protocol without ports is any of its points."""
    return protocol_number(protocol) << 16 | (port or 0)


def pass_goes_on(ways: Ways) -> Ways:
    """Return where what leaves a tier by a pass ends: after it."""
    return ways - {Way.PASS} | {Way.ON} if Way.PASS in ways else ways


def at_best(match: Match, ways: Ways) -> Ways:
    """Return what is possible where something that leads to `ways` only may hold."""
    on: Ways = frozenset((Way.ON,))
    if match is Match.MUST:
        return ways
    return ways | on if match is Match.MAY else on
