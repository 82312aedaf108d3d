"""Text and groups of a map, read back by their rules, are its edges: over random worlds."""

import random

import pytest

from cloison.analyses.connectivity import MapOptions
from tests.support.budget import tries
from tests.support.maps import assert_forms_agree
from tests.support.session import load
from tests.support.worlds import random_world

WORLDS = tries(240, 2400)
CHUNKS = 8
OPTIONS = (MapOptions(), MapOptions(pods=True, self_edges=True, nodes=True))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_form_stands_for_the_same_edges(chunk: int) -> None:
    for seed in range(700_000 + chunk, 700_000 + WORLDS, CHUNKS):
        session = load(random_world(random.Random(seed)))
        for options in OPTIONS:
            assert_forms_agree(session, options)
