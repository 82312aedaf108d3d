"""Who enforces, by what the input holds."""

import pytest

from cloison.platform import detect

GLOBAL = ("projectcalico.org", "GlobalNetworkPolicy")
STORED = ("crd.projectcalico.org", "NetworkPolicy")
ADMIN = ("policy.networking.k8s.io", "AdminNetworkPolicy")
CLUSTER = ("policy.networking.k8s.io", "ClusterNetworkPolicy")
PLAIN = ("networking.k8s.io", "NetworkPolicy")


@pytest.mark.parametrize(
    ("kinds", "name", "chosen"),
    [
        ({GLOBAL, PLAIN}, "calico@3.32", "detected from GlobalNetworkPolicy"),
        ({STORED}, "calico@3.32", "detected from NetworkPolicy (crd.projectcalico.org)"),
        (
            {("crd.projectcalico.org", "FelixConfiguration"), GLOBAL},
            "calico@3.32",
            "detected from GlobalNetworkPolicy",
        ),
        (
            {GLOBAL, ADMIN},
            "calico@3.31",
            "detected from GlobalNetworkPolicy and AdminNetworkPolicy",
        ),
        ({GLOBAL, ADMIN, CLUSTER}, "calico@3.32", "detected from GlobalNetworkPolicy"),
    ],
)
def test_a_products_own_kinds_give_it_away(
    kinds: set[tuple[str, str]], name: str, chosen: str
) -> None:
    found = detect(kinds)
    assert found is not None
    assert (found.profile.name, found.chosen) == (name, chosen)


@pytest.mark.parametrize("kinds", [set(), {PLAIN}, {ADMIN, CLUSTER}, {("", "Pod")}])
def test_what_everybody_reads_gives_nobody_away(kinds: set[tuple[str, str]]) -> None:
    assert detect(kinds) is None
