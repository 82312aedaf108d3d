"""Random worlds as they are built, with as many cells as a judgement takes."""

import random
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from cloison.app import Session
from cloison.base import QuestionError
from cloison.probe.lab.plan import Plan
from tests.lab.built import built
from tests.lab.cells import CellMaker, Predictor
from tests.lab.judge import Places, Trial, trial
from tests.lab.worlds import Recipe, large_enough, recipe

PROBES = 64
DENIED = 0.3
MOST_DENIED = 0.6
"""Shares of the probes of a world."""
DRAWN = 600
"""Cells that are looked at before a world is given up."""


@dataclass(frozen=True)
class Drawn:
    """A world with what is asked of it.

    Args:
        name: Says how to make it again.
        recipe: What it is made of.
        session: The world as built.
        plan: What is built.
        places: Where its ends are.
        trials: What is tried.
        left_out: Cells that cannot be tried, by why.
        counted: Whether it is known what counts their packets.
    """

    name: str
    recipe: Recipe
    session: Session
    plan: Plan
    places: Places
    trials: tuple[Trial, ...]
    left_out: Counter[str]
    counted: bool

    @property
    def denied(self) -> int:
        """How many of the trials should not arrive."""
        return sum(not each.prediction.arrives for each in self.trials)


def drawn(seed: int) -> Drawn:
    """Return the world of a seed: the first that is as large, and as mixed, as is asked for."""
    attempt = 0
    while True:
        found = _attempt(seed, attempt)
        if found is not None:
            return found
        attempt += 1


def _attempt(seed: int, attempt: int) -> Drawn | None:
    rng = random.Random(f"lab {seed} {attempt}")
    made = recipe(rng, seed)
    declared = made.load()
    if not large_enough(declared):
        return None
    maker = CellMaker(made, rng)
    session, plan = built(declared, [str(a) for a in maker.flows.outside])
    if not large_enough(session):
        return None
    places, predictor = Places(session, plan), Predictor(session)
    counted = not predictor.untracked
    trials: list[Trial] = []
    left_out: Counter[str] = Counter()
    of: Counter[bool] = Counter()
    most = {False: int(PROBES * MOST_DENIED), True: int(PROBES * (1 - DENIED))}
    for cell in islice(maker.cells(), DRAWN):
        try:
            prediction = predictor.predict(cell)
        except QuestionError:
            # An end that got an address got none of this family.
            left_out["nowhere"] += 1
            continue
        if prediction.arrives is None:
            left_out["undetermined"] += 1
            continue
        if of[prediction.arrives] >= most[prediction.arrives]:
            continue
        found = trial(places, cell, prediction, counted=counted)
        if found is None:
            left_out["nowhere"] += 1
            continue
        of[prediction.arrives] += 1
        trials.append(found)
        if len(trials) == PROBES:
            name = f"seed {seed}, attempt {attempt}, {made.name}"
            return Drawn(name, made, session, plan, places, tuple(trials), left_out, counted)
    return None
