"""`lab trace` expects of counters what the judge of the lab does, with which packets agree."""

import pytest

from cloison.probe.lab.expected import Stage, expected
from tests.lab import paths
from tests.lab.trials import drawn

WORLDS = 20


@pytest.mark.parametrize("seed", range(WORLDS))
def test_a_trace_expects_what_the_judge_does(seed: int) -> None:
    compared = 0
    for each in drawn(seed).trials:
        case = each.prediction.case
        path = paths.path_of(case) if case is not None else None
        if case is None or path is None:
            continue
        compared += 1
        mine = [_plain(stage) for stage in expected(case)]
        theirs = [stage for stage in path.stages if stage.possible]
        assert len(mine) == len(theirs), each.cell
        assert mine[:-1] == theirs[:-1], each.cell
        for one, other in zip(mine[-1:], theirs[-1:], strict=True):
            # Of what may be the last, the judge wants what `why` names.
            assert (one.direction, one.besides) == (other.direction, other.besides), each.cell
            assert other.one_of <= one.one_of, each.cell
    assert compared > 30


def _plain(stage: Stage) -> paths.Stage:
    return paths.Stage(stage.direction, frozenset(stage.one_of), frozenset(stage.besides))
