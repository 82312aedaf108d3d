"""Rules about a pod's own node and about all others, where nobody knows which node is its own.

Each of them may match or not, but one of the two does. What both do alike is certain.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cloison.algebra import ANY, NO_TRAFFIC
from cloison.engine.related import Relations
from cloison.ir.peers import RelativeMatch
from cloison.ir.policy import Action, Combine, Direction, LayerSpec
from cloison.ir.ruleset import BoundRule

Match = Callable[[BoundRule, Relations], bool | None]
"""Returns whether a rule certainly (True) or possibly (False) matches a peer that stands so."""


@dataclass(frozen=True, slots=True)
class _Half:
    """A rule that certainly matches on one side.

    Args:
        rule: The rule.
        side: Which: 0 is the own node.
    """

    rule: BoundRule
    side: int

    @property
    def place(self) -> tuple[str, int, Action]:
        """Where it stands, and what it does."""
        policy = self.rule.policy
        return policy.tier, policy.band, self.rule.rule.action

    def settled(self, others: Iterable["_Half"]) -> bool:
        """Return whether rules of the other side do the same to all its traffic."""
        found = NO_TRAFFIC
        for other in others:
            asks = other.rule.rule
            same = asks.request in (None, self.rule.rule.request)
            if (other.place, other.side) == (self.place, 1 - self.side) and same:
                free = asks.condition is None and asks.sources is None
                found |= other.rule.traffic if free else NO_TRAFFIC
        return self.rule.traffic <= found


class Sides:
    """Finds the rules that match on either side.

    Args:
        layers: The layers the rules are in.
    """

    def __init__(self, layers: Sequence[LayerSpec]) -> None:
        self._layers = layers
        self._unordered = {
            (tier.name, band)
            for layer in layers
            for tier in layer.tiers
            for band, combine in enumerate(tier.bands)
            if combine is not Combine.FIRST_MATCH
        }

    def of(
        self,
        direction: Direction,
        rules: Iterable[BoundRule],
        sides: tuple[Relations, Relations],
        match: Match,
    ) -> Iterator[tuple[BoundRule, bool | None]]:
        """Yield rules that are better known than each by itself, with whether they match.

        Args:
            direction: Of the subject.
            rules: Rules that may match.
            sides: How the peer stands to the subject on the own node, and on others.
            match: Says whether a rule matches.
        """
        let_in = {
            tier.name
            for layer in self._layers
            if _lets_in(layer, direction, sides[0])
            for tier in layer.tiers
        }
        halves: list[_Half] = []
        for rule in rules:
            own, other = (match(rule, side) for side in sides)
            if rule.policy.tier in let_in:
                # What comes from the own node passes whatever the rules say.
                yield rule, other
            elif own and other:
                yield rule, True
            elif (own or other) and (rule.policy.tier, rule.policy.band) in self._unordered:
                halves.append(_Half(rule, 0 if own else 1))
        yield from ((half.rule, True) for half in halves if half.settled(halves))


def _lets_in(layer: LayerSpec, direction: Direction, side: Relations) -> bool:
    """Return whether a layer lets all traffic through before its tiers for how a peer stands."""
    return any(
        rule.action is Action.ALLOW
        and rule.direction is direction
        and rule.traffic.must == ANY
        and any(
            isinstance(peer.match, RelativeMatch) and peer.match.relation in side.sure
            for peer in rule.peers
        )
        for rule in layer.builtin
    )
