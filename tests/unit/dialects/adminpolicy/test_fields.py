"""The field table knows every field that policies have."""

import random

import pytest

from cloison.dialects.adminpolicy.fields import FIELDS
from tests.support.adminpolicies import KINDS, AdminMaker, Seen
from tests.support.worlds import random_world


def leaves(value: object, path: str) -> set[str]:
    """Return the paths of the scalars in a value."""
    if isinstance(value, dict):
        star = path.endswith("matchLabels")
        below = [(child, f"{path}.{'*' if star else key}") for key, child in value.items()]
    elif isinstance(value, list):
        below = [(child, f"{path}[]") for child in value]
    else:
        return {path}
    return {leaf for child, place in below for leaf in leaves(child, place)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_leaf_has_a_row(kind: str) -> None:
    rng = random.Random(1)
    maker = AdminMaker(Seen(random_world(rng)), rng)
    found = {
        leaf
        for number in range(40)
        for leaf in leaves(maker.policy(kind, f"p{number}")["spec"], "spec")
    }
    assert len(found) > len(FIELDS) // 3
    assert sorted(found - FIELDS.keys()) == []


def test_every_row_says_something() -> None:
    assert all(fact.note.endswith(".") for fact in FIELDS.values())
