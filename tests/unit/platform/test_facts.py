"""Facts on which profiles do not agree: all of them told, each taken over alone."""

from itertools import permutations

import pytest

from cloison.ir.profile import Profile
from cloison.platform import profile, profile_names
from cloison.platform.facts import differing

PAIRS = list(permutations(profile_names(), 2))


@pytest.mark.parametrize(("one", "other"), PAIRS, ids="-".join)
def test_a_fact_that_is_taken_over_is_no_difference_any_more(one: str, other: str) -> None:
    first, second = profile(one), profile(other)
    for fact in differing(first, second):
        assert fact.first != fact.second or fact.id in ("labels-seen", "switches")
        changed = fact.swap(first, second)
        if changed is not None and fact.id not in ("enforces", "order"):
            assert fact.id not in {each.id for each in differing(changed, second)}
            assert changed.name == first.name


def test_profiles_agree_with_themselves() -> None:
    for name in profile_names():
        assert not differing(profile(name), profile(name))


def test_every_difference_of_profiles_is_told() -> None:
    """Taking over every fact, the order of policies last, leaves what names a profile only."""
    mine, theirs = profile("cilium@1.19"), profile("calico@3.32")
    ids = [fact.id for fact in differing(mine, theirs)]
    assert ids.index("order") > ids.index("blocks-match-pods")
    for fact in differing(mine, theirs):
        mine = fact.swap(mine, theirs) or mine
    left = {f.id for f in differing(mine, theirs) if not f.id.startswith(("enforces-", "unknown-"))}
    assert not left


def test_words_are_for_people() -> None:
    facts = differing(profile("generic"), profile("flannel"))
    (enforces,) = (fact for fact in facts if fact.id == "enforces")
    assert (enforces.title, enforces.first, enforces.second) == (
        "NetworkPolicy is enforced",
        "yes",
        "no",
    )
    assert isinstance(enforces.swap(profile("generic"), profile("flannel")), Profile)
