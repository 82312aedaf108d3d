"""Decisions: what one enforcement point does with every peer and all traffic.

A decision is a short list of pieces. All peers of a piece are matched by the same rules,
so one outcome holds for all of them, and the rules that explain it come with it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cloison.algebra.bitmaps import BitMap
from cloison.engine.evaluate import Able
from cloison.ir.policy import Direction, LayerSpec, Policy
from cloison.ir.ruleset import BoundRule, Outcome


@dataclass(frozen=True, slots=True)
class Piece:
    """Peers that the same rules match.

    Args:
        peers: The units.
        rules: Rules that match them, each with whether it certainly does, in the order
            they are evaluated.
        outcome: What becomes of their traffic.
    """

    peers: BitMap
    rules: tuple[tuple[BoundRule, bool], ...]
    outcome: Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Who has a say in one direction of a subject.

    Args:
        direction: Which of the subject's directions.
        policies: Policies that select the subject and govern the direction, in the order
            they are evaluated.
        isolating: Those of them that isolate it.
        closing: Policies that select the subject and do not isolate the direction, whose tier
            lets through here what it leaves undecided, because they isolate the other one.
        unsure: Those of all these that may not select the subject.
        optional: Whether the subject may be one that no policy is about.
    """

    direction: Direction
    policies: tuple[Policy, ...] = ()
    isolating: tuple[Policy, ...] = ()
    closing: tuple[Policy, ...] = ()
    unsure: tuple[Policy, ...] = ()
    optional: bool = False

    @property
    def able(self) -> Able:
        """As much of it as counts, beside the rules."""
        return Able(
            self.direction,
            self._tiers(self.isolating),
            self._tiers(self.closing),
            frozenset(p.tier for p in self.policies if p.opaque),
            self.optional,
        )

    def _tiers(self, policies: Iterable[Policy]) -> frozenset[tuple[str, bool]]:
        """Return tiers of policies, each with whether any of those certainly is one."""
        unsure = {id(p) for p in self.unsure}
        found: dict[str, bool] = {}
        for policy in policies:
            found[policy.tier] = found.get(policy.tier, False) or id(policy) not in unsure
        return frozenset(found.items())


@dataclass(slots=True, eq=False)
class Decision:
    """What one enforcement point does with everybody. It is folded when somebody first asks.

    Args:
        terms: Who has a say.
        rules: The bound rules of the policies that govern it, in the same order.
        folding: Makes its pieces.
    """

    terms: Terms
    rules: tuple[BoundRule, ...]
    folding: "Folding"
    _pieces: tuple[Piece, ...] | None = None
    _asked: dict[int, Piece] = field(default_factory=dict)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """What becomes of whom: disjoint, and together they cover every unit."""
        if self._pieces is None:
            self._pieces = self.folding.whole()
            self._asked.clear()
        return self._pieces

    @property
    def direction(self) -> Direction:
        """Which of the subject's directions."""
        return self.terms.direction

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Policies that govern the direction, in the order they are evaluated."""
        return self.terms.policies

    @property
    def isolating(self) -> tuple[Policy, ...]:
        """Those of them that isolate it."""
        return self.terms.isolating

    def piece(self, unit: int) -> Piece:
        """Return what becomes of a unit: the piece that holds it, or as much of it as that unit.

        Folding takes as long as asking about many units, so it waits until many are asked about.
        """
        if self._pieces is None and len(self._asked) < _ALONE:
            found = self._asked.get(unit)
            if found is None:
                found = self._asked[unit] = self.folding.one(unit)
            return found
        return next(piece for piece in self.pieces if unit in piece.peers)


_ALONE = 64
"""Units that are looked up one by one before a decision is folded for all of them."""


class Folding(Protocol):
    """How a decision comes to its pieces."""

    def whole(self) -> tuple[Piece, ...]:
        """Return all of them."""

    def one(self, unit: int) -> Piece:
        """Return what becomes of one unit."""


@dataclass(frozen=True, slots=True)
class Free:
    """A decision without policies: the same becomes of everybody.

    Args:
        piece: What does.
    """

    piece: Piece

    def whole(self) -> tuple[Piece, ...]:
        """Return the only piece."""
        return (self.piece,)

    def one(self, unit: int) -> Piece:
        """Return the only piece."""
        del unit
        return self.piece


def ranked(layers: Sequence[LayerSpec]) -> Callable[[Policy], tuple[object, ...]]:
    """Return what policies are evaluated by: tier, order, then name.

    Where an API gives no order, the name makes the order of explanations stable.
    """
    rank = {tier.name: (i, j) for i, la in enumerate(layers) for j, tier in enumerate(la.tiers)}
    last = (len(layers), 0)

    def key(policy: Policy) -> tuple[object, ...]:
        name = policy.id
        tier = rank.get(policy.tier, last)
        return tier, policy.band, policy.order, name.namespace or "", name.name, name.kind

    return key
