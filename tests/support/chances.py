"""Random choices by weight."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def seeded(seed: int) -> random.Random:
    """Return the same choices for the same seed."""
    return random.Random(seed)


def chance(rng: random.Random, probability: float) -> bool:
    """Return True with a probability."""
    return rng.random() < probability


def pick(rng: random.Random, weighted: Sequence[tuple[float, T]]) -> T:
    """Return one of the values, by weight."""
    return rng.choices([v for _, v in weighted], [w for w, _ in weighted])[0]
