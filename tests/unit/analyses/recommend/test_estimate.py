"""Estimators of what was not seen: held against numbers worked out by hand, and a simulation."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloison.analyses.recommend.estimate import Estimate, estimate, percent


@pytest.mark.parametrize(
    ("seen", "windows", "unseen", "richness"),
    [
        # 2/12 · (9·2)/(9·2 + 2·1) = 1/6 · 18/20; 4 + 9/10 · (2·1)/(2·2)
        ([8, 1, 1, 2], 10, 0.15, 4.45),
        # 3/10 · (4·3)/(4·3 + 2·2) = 3/10 · 12/16; 6 + 4/5 · (3·2)/(2·3)
        ([1, 1, 1, 2, 2, 3], 5, 0.225, 6.8),
        # 1/101, for no edge was seen just twice; one edge that was seen once adds none
        ([100, 1], 200, 1 / 101, 2.0),
        # everything was seen once: all of it may be new; 4 + 3/4 · (4·3)/2
        ([1, 1, 1, 1], 4, 1.0, 8.5),
        ([5, 4, 3], 6, 0.0, 3.0),
        ([1], 1, 1.0, 1.0),
        ([2, 0, 0], 2, 0.0, 1.0),
    ],
)
def test_formulas(seen: list[int], windows: int, unseen: float, richness: float) -> None:
    known = estimate(seen, windows)
    assert known.unseen == pytest.approx(unseen)
    assert known.coverage == pytest.approx(1 - unseen)
    assert known.richness == pytest.approx(richness)


def test_of_nothing_nothing_is_known() -> None:
    for known in (estimate([], 10), estimate([0, 0], 10), Estimate(0)):
        assert known.unseen is None
        assert known.coverage is None
        assert known.richness == 0


@given(st.lists(st.integers(0, 30), max_size=40))
def test_shares_are_shares_and_what_was_seen_is_there(seen: list[int]) -> None:
    known = estimate(seen, 30)
    assert known.richness >= known.edges
    if known.unseen is not None:
        assert 0 <= known.unseen <= known.once / known.incidences <= 1
    assert estimate(reversed(seen), 30) == known


def _rates(chance: random.Random) -> list[float]:
    """Return how likely each edge of a workload is seen in an hour."""

    def rate() -> float:
        kind = chance.random()
        if kind < 0.7:
            return float(10 ** chance.uniform(-1.5, 0))
        if kind < 0.88:
            return float(10 ** chance.uniform(-2.5, -1.5))
        return 1 / 24 if kind < 0.96 else 1 / 168 if kind < 0.99 else 1 / 720

    return [rate() for _ in range(chance.randint(1, 12))]


@pytest.mark.parametrize("days", [1, 3, 7, 14])
def test_what_is_predicted_is_on_the_safe_side_on_average(days: int) -> None:
    """Of 800 workloads with chatty and rare edges, and those of every day, week and month."""
    chance, hours = random.Random(days), 24 * days
    predicted = actual = richness = 0.0
    edges = seen = 0
    for _ in range(800):
        rates = _rates(chance)
        counts = [sum(chance.random() < rate for _ in range(hours)) for rate in rates]
        known = estimate(counts, hours)
        if known.unseen is None:
            continue
        predicted += known.unseen
        missed = (rate for rate, count in zip(rates, counts, strict=True) if not count)
        actual += sum(missed) / sum(rates)
        richness += known.richness
        edges += len(rates)
        seen += known.edges
    assert 0 < actual <= predicted <= 4 * actual
    # Chao2 is a lower bound: nearer to the truth than what was seen, and not beyond.
    assert seen < richness < edges


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.12, "12 %"), (0.005, "0.5 %"), (0.00099, "0.1 %"), (1e-9, "less than 0.01 %"), (0, "0 %")],
)
def test_shares_for_people(share: float, said: str) -> None:
    assert percent(share) == said
