"""Small questions about policies in order: where one is, with another in its place."""

from collections.abc import Iterable, Sequence

from cloison.ir.policy import Direction, Policy


def replaced(policies: tuple[Policy, ...], at: int, new: Iterable[Policy]) -> tuple[Policy, ...]:
    """Return policies with others in place of the one at a place."""
    return policies[:at] + tuple(new) + policies[at + 1 :]


def place_of(policies: Sequence[Policy], policy: Policy, near: int) -> int:
    """Return where a policy is, at a place or after it; only the very same one counts."""
    return next(at for at in range(near, len(policies)) if policies[at] is policy)


def speaks(policy: Policy, direction: Direction) -> bool:
    """Return whether a policy governs a direction of whom it selects."""
    return direction in policy.isolates or bool(policy.rules_for(direction))
