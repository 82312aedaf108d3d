"""How long containment of pairs of realistic path patterns takes, from text to answer.

    python -m benchmarks.patterns [--pairs N] [--seed N]

Both patterns of a pair are read and made into automata afresh. Prints the total, the slowest pair
and how many were undecided; 1 000 pairs are to take less than 10 seconds.
"""

import argparse
import random
import sys
import time

from cloison.algebra.budget import UndecidedError
from cloison.algebra.strings import StringSet
from tests.support.chances import seeded

LIMIT = 10.0
"""Seconds that 1 000 pairs may take."""

_WORDS = ("api", "v1", "v2", "users", "orders", "payments", "reservations", "items", "health")
_HOLES = ("[^/]+", "[0-9]+", "[a-z0-9-]+", r"\d{1,9}", "(users|orders)", "v[0-9]+", ".*", r"\w+")
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ENDS = ("", "", "/", "/?", "(/.*)?", "/.*", r"\.(js|css|png)", "$", r"(\?.*)?")


def made(rng: random.Random) -> str:
    """Return a pattern as people write them for paths."""
    parts = [
        rng.choice(_HOLES) if rng.random() < 1 / 3 else rng.choice(_WORDS)
        for _ in range(rng.randint(1, 5))
    ]
    if rng.random() < 1 / 10:
        parts.append(_UUID)
    text = f"{rng.choice(('', '', '^'))}/{'/'.join(parts)}{rng.choice(_ENDS)}"
    return f"({text}|/{rng.choice(_WORDS)}/.*)" if rng.random() < 1 / 10 else text


def main() -> int:
    """Measure, print, and return 1 where the limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = seeded(asked.seed)
    pairs = [(made(rng), made(rng)) for _ in range(asked.pairs)]
    took, within, undecided = [], 0, 0
    for one, other in pairs:
        started = time.perf_counter()
        try:
            within += StringSet.pattern(one) <= StringSet.pattern(other)
        except UndecidedError:
            undecided += 1
        took.append(time.perf_counter() - started)
    sys.stdout.write(
        f"{asked.pairs} pairs: {sum(took):.2f} s, slowest {max(took) * 1000:.1f} ms, "
        f"{within} contained, {undecided} undecided\n"
    )
    return int(sum(took) > LIMIT * asked.pairs / 1000)


if __name__ == "__main__":
    sys.exit(main())
