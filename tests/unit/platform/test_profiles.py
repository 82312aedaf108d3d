from collections.abc import Iterator

import pytest

from cloison.algebra import ANY, L4
from cloison.base import QuestionError
from cloison.dialects.calico import caveats as calico
from cloison.dialects.cilium import caveats as cilium
from cloison.ir import caveats as general
from cloison.ir.fidelity import Caveat
from cloison.ir.peers import Relative, RelativeMatch
from cloison.ir.policy import Action, Combine, Direction, PolicyId, TierSpec
from cloison.ir.profile import NamedPorts, OtherProtocols, Profile
from cloison.platform import CATALOGUE, DEFAULT_PROFILE, caveat, profile, profile_names
from cloison.platform.layers import TIER

EVERY = [profile(name) for name in profile_names()]

every_profile = pytest.mark.parametrize("row", EVERY, ids=lambda row: row.name)


def _relations(row: Profile, direction: Direction) -> Iterator[tuple[int, Relative]]:
    for layer in row.layers:
        for rule in layer.builtin:
            for peer in rule.peers:
                if rule.direction is direction and isinstance(peer.match, RelativeMatch):
                    yield rule.index, peer.match.relation


def test_names_start_with_the_default_and_sort_versions_as_numbers() -> None:
    names = profile_names()
    assert names[0] == DEFAULT_PROFILE
    assert len(names) == len(set(names))
    assert [n for n in names if n.startswith("cilium")] == [
        "cilium@1.18",
        "cilium@1.19",
        "cilium@1.20",
    ]


@pytest.mark.parametrize(
    ("asked", "given"), [("calico", "calico@3.32"), ("cilium", "cilium@1.20"), ("antrea", "antrea")]
)
def test_a_bare_name_is_the_newest_version(asked: str, given: str) -> None:
    assert profile(asked).name == given


@pytest.mark.parametrize("name", ["", "calico@", "calico@9.9", "@3.32", "Calico", "weave"])
def test_an_unknown_name_is_refused_with_the_list(name: str) -> None:
    with pytest.raises(QuestionError) as caught:
        profile(name)
    assert caught.value.help is not None
    assert all(known in caught.value.help for known in profile_names())


@every_profile
def test_what_enforces_lets_a_pods_own_node_and_itself_in(row: Profile) -> None:
    ingress = list(_relations(row, Direction.INGRESS))
    if row.enforces:
        assert ingress[:2] == [(1, Relative.OWN_NODE), (2, Relative.SELF)]
    else:
        assert ingress == []
        assert general.CNI_NOT_ENFORCING in row.known


@every_profile
def test_the_own_node_may_be_reached_only_where_the_profile_says(row: Profile) -> None:
    egress = {relation for _, relation in _relations(row, Direction.EGRESS)}
    assert (Relative.OWN_NODE in egress) is (row.own_node_egress is True)


@every_profile
def test_builtin_rules_are_counted_from_one(row: Profile) -> None:
    for layer in row.layers:
        for direction in Direction:
            numbers = [r.index for r in layer.builtin if r.direction is direction]
            assert numbers == list(range(1, len(numbers) + 1))


@every_profile
def test_isolation_ends_in_denial_as_far_as_it_is_defined(row: Profile) -> None:
    place = row.places.get("NetworkPolicy")
    name = place.tier if place else TIER
    ends: dict[str, TierSpec] = {}
    for layer in row.layers:
        assert layer.default is Action.ALLOW
        ends |= {tier.name: tier for tier in layer.tiers}
    if not row.enforces:
        assert ends == {}
        return
    tier = ends[name]
    denies = row.name.startswith(("cilium@", "aws-"))
    usual = (Combine.DENY_OVERRIDES,) if denies else (Combine.UNION, Combine.FIRST_MATCH)
    assert tier.bands[place.band if place else 0] in usual
    assert tier.end is Action.DENY
    undefined = row.other_protocols is OtherProtocols.UNDEFINED
    assert tier.end_scope == (L4 if undefined else ANY)
    assert tier.end_caveat == (general.NON_L4 if undefined else None)


@every_profile
def test_every_place_is_in_a_tier_that_is_there(row: Profile) -> None:
    names = {tier.name for layer in row.layers for tier in layer.tiers}
    for place in row.places.values():
        assert place is None or place.tier in names


@pytest.mark.parametrize(
    ("version", "first", "last"),
    [
        ("3.31", "adminnetworkpolicy", "baselineadminnetworkpolicy"),
        ("3.32", "kube-admin", "kube-baseline"),
    ],
)
def test_calicos_tiers_are_in_order(version: str, first: str, last: str) -> None:
    (layer,) = profile(f"calico@{version}").layers
    assert [(t.name, t.order[1], t.end) for t in layer.tiers] == [
        (first, 1000, None),
        ("default", 1_000_000, Action.DENY),
        (last, 10_000_000, None),
    ]
    assert list(layer.tiers) == sorted(layer.tiers, key=lambda tier: tier.order)


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("calico@3.32", "projectcalico.org/NetworkPolicy", "a/x/NetworkPolicy"),
        ("calico@3.32", "NetworkPolicy", "a/x/KubernetesNetworkPolicy"),
        ("calico@3.31", "projectcalico.org/NetworkPolicy", "x/default.a"),
        ("calico@3.31", "projectcalico.org/StagedNetworkPolicy", "x/staged:default.a"),
        ("calico@3.31", "NetworkPolicy", "x/knp.default.a"),
    ],
)
def test_equal_orders_are_told_apart_as_the_version_does(name: str, kind: str, told: str) -> None:
    place = profile(name).places[kind]
    assert place is not None
    assert place.at(PolicyId("any", "x", "a"), 5) == (5, told)


@every_profile
def test_known_differences_are_catalogued(row: Profile) -> None:
    assert all(CATALOGUE[each.id] == each for each in row.known)
    assert row.source
    assert row.title


def test_the_general_profile_claims_nothing_of_its_own() -> None:
    row = profile("generic")
    assert row.known == ()
    assert row.named_ports is NamedPorts.PER_POD
    assert (row.sctp, row.own_node_egress) == (None, None)


def test_every_caveat_is_a_sentence_with_a_source() -> None:
    for module in (general, calico, cilium):
        constants = {each for each in vars(module).values() if isinstance(each, Caveat)}
        assert constants == set(module.EVERY)
    for name, each in CATALOGUE.items():
        assert caveat(name) is each
        assert name == each.id
        # A question that nobody has answered goes by its setting.
        assert name.isupper() or name in {f"cilium.U{number}" for number in range(1, 6)}
        assert each.text.endswith(".")
        assert each.source


def test_an_unknown_caveat_is_a_callers_mistake() -> None:
    with pytest.raises(KeyError):
        caveat("NO_SUCH_CAVEAT")
