"""What one enforcement point does with one peer."""

from dataclasses import dataclass

from cloison.engine.decide import Decision, Piece
from cloison.engine.related import UNRELATED, Relations
from cloison.ir.policy import Direction, Rule
from cloison.ir.ruleset import Outcome


@dataclass(frozen=True, slots=True)
class Point:
    """What one enforcement point does with one peer.

    Args:
        direction: Seen from the subject.
        subject: The unit whose policies are asked.
        peer: The other end.
        outcome: What becomes of their traffic.
        decision: The subject's decision; None where no policy applies to such an end.
        piece: The piece of the decision that holds the peer.
        builtin: The built-in rule that holds because of how the ends are related.
        builtin_sure: Whether it certainly holds.
        relations: How the ends are related.
    """

    direction: Direction
    subject: int
    peer: int
    outcome: Outcome
    decision: Decision | None = None
    piece: Piece | None = None
    builtin: Rule | None = None
    builtin_sure: bool = False
    relations: Relations = UNRELATED
