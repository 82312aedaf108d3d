"""Cilium's profiles, as its version and settings make them."""

import pytest

from cloison.base import QuestionError
from cloison.ir.peers import Relative, RelativeMatch
from cloison.ir.policy import Action, Direction
from cloison.ir.profile import Against, LabelFilter, Profile
from cloison.platform import CATALOGUE, configured, profile
from cloison.platform.cilium import CLUSTER_LABEL, VERSIONS, label_filter

NEW = profile("cilium@1.20")


def seen(row: Profile) -> LabelFilter:
    assert row.visible is not None
    return row.visible


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("app", True),
        ("app.kubernetes.io/name", True),
        ("kubernetes.io/arch", False),
        ("io.kubernetes.pod.namespace", True),
        ("io.kubernetes.other", False),
        ("statefulset.kubernetes.io/pod-name", False),
        ("apps.kubernetes.io/pod-index", False),
        ("batch.kubernetes.io/job-completion-index", False),
        ("batch.kubernetes.io/job-name", True),
        ("batch.kubernetes.io/controller-uid", False),
        ("failure-domain.beta.kubernetes.io/zone", False),
        ("k8s.io/x", False),
        ("my.k8s.io/x", True),
        ("pod-template-hash", False),
        ("controller-revision-hash", False),
        ("controller-uid", False),
        ("annotation.x", False),
        ("etcd_node", False),
        ("topology.kubernetes.io/zone", False),
    ],
)
def test_which_labels_policies_see(key: str, *, kept: bool) -> None:
    assert all(seen(profile(f"cilium@{each}")).keeps(key) is kept for each in VERSIONS)


def test_namespace_labels_go_by_another_name() -> None:
    assert seen(NEW).keeps_of_namespace("kubernetes.io/metadata.name")
    assert not seen(NEW).keeps_of_namespace("failure-domain.beta.kubernetes.io/zone")


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        ((), {"app", "team"}),
        (("!team",), {"app"}),
        (("k8s:!team",), {"app"}),
        (("container:!team",), {"app", "team"}),
        (("k8s:app",), {"app"}),
        (("container:x",), set()),
        (("k8s:pod-template-hash.*",), {"pod-template-hash-long"}),
    ],
)
def test_the_settings_patterns_add_to_the_defaults(
    patterns: tuple[str, ...], kept: set[str]
) -> None:
    """One that shows something makes everything else hidden, whatever its source."""
    keys = ("app", "team", "pod-template-hash", "pod-template-hash-long")
    assert {key for key in keys if label_filter(patterns).keeps(key)} == kept


def test_versions_differ_where_they_are_known_to() -> None:
    old, middle, new = (profile(f"cilium@{each}") for each in VERSIONS)
    assert old.reading.cluster_names
    assert middle.reading.cluster_names
    assert new.reading.cluster_names is None
    assert (old.reading.block_and_own, new.reading.block_and_own) == (None, None)
    defect = middle.reading.block_and_own
    assert defect is not None
    assert defect.reason == "what a defect of some patch releases lets in"
    assert [row.reading.beyond_key for row in (old, middle, new)] == [
        "",
        CLUSTER_LABEL,
        CLUSTER_LABEL,
    ]
    assert [len(row.layers[0].tiers) for row in (old, middle, new)] == [1, 1, 3]


@pytest.mark.parametrize(
    ("said", "sure"),
    [
        ({"cilium.patch": "4"}, True),
        ({"patch": "5"}, None),
        ({"policy-default-local-cluster": "false", "patch": "4"}, None),
    ],
)
def test_the_patch_release_settles_the_defect(said: dict[str, str], *, sure: bool | None) -> None:
    found = configured(profile("cilium@1.19"), said).reading.block_and_own
    assert (found and found.reason is None) is sure


@pytest.mark.parametrize(
    ("said", "sure"),
    [({"cilium.patch": "4"}, True), ({"patch": "5"}, False), ({}, False)],
)
def test_the_patch_release_settles_who_is_no_pod(said: dict[str, str], *, sure: bool) -> None:
    """And nodes are of a cluster where rules may select them by label."""
    plain = configured(profile("cilium@1.19"), said).reading
    nodes = configured(
        profile("cilium@1.19"), {**said, "enable-node-selector-labels": "true"}
    ).reading
    assert plain.beyond_pods is not None
    assert (plain.beyond_pods.reason is None, plain.beyond_nodes) == (sure, None)
    assert nodes.beyond_nodes == plain.beyond_pods


def test_settings_are_kept_by_the_names_cilium_has() -> None:
    row = configured(NEW, {"U1": "deny-wins", "enable-sctp": "true"})
    assert row.switches == {"cilium.U1": "deny-wins", "enable-sctp": "true"}
    assert row.sctp is True
    assert NEW.sctp is None
    assert configured(row, {"enable-sctp": "false"}).sctp is False
    assert configured(row, {"enable-sctp": "false"}).switches["cilium.U1"] == "deny-wins"


def test_other_products_have_no_use_for_them() -> None:
    calico = profile("calico@3.32")
    assert configured(calico, {"enable-policy": "always"}) is calico


def test_a_wrong_setting_is_refused() -> None:
    with pytest.raises(QuestionError, match="no value of `enable-policy`"):
        configured(NEW, {"enable-policy": "sometimes"})


def test_always_is_a_policy_about_every_pod() -> None:
    (policy,) = configured(NEW, {"enable-policy": "always"}).around
    assert policy.isolates == frozenset(Direction)
    assert not policy.rules
    assert not policy.stated
    assert policy.id.said == "enable-policy always"


def test_never_enforces_nothing() -> None:
    row = configured(NEW, {"enable-policy": "never"})
    assert not row.enforces
    assert (row.layers[0].tiers, row.exemptions, row.around) == ((), (), ())
    assert CATALOGUE["CNI_NOT_ENFORCING"] in row.known


def test_audit_lets_everything_pass() -> None:
    row = configured(NEW, {"policy-audit-mode": "true"})
    ends = {tier.name: tier.end for tier in row.layers[0].tiers}
    assert ends["networkpolicy"] is Action.ALLOW
    assert CATALOGUE["AUDIT_MODE"] in row.known


@pytest.mark.parametrize(
    ("said", "against"),
    [
        ({}, Against.UNKNOWN),
        ({"U1": "deny-wins"}, Against.YIELDS),
        ({"U1": "localhost-wins"}, Against.FIRST),
        ({"allow-localhost": "always"}, Against.UNKNOWN),
        ({"allow-localhost": "policy"}, None),
    ],
)
def test_the_own_node_is_exempt_as_the_settings_say(
    said: dict[str, str], against: Against | None
) -> None:
    row = configured(NEW, said)
    own = [
        rule
        for rule in row.layers[0].builtin
        for peer in rule.peers
        if peer.match == RelativeMatch(Relative.OWN_NODE)
    ]
    assert [each.against for each in row.exemptions] == ([] if against is None else [against])
    assert len(own) == (against is not None)


@pytest.mark.parametrize(
    ("kind", "switch"),
    [
        ("NetworkPolicy", "enable-k8s-networkpolicy"),
        ("cilium.io/CiliumNetworkPolicy", "enable-cilium-network-policy"),
        ("cilium.io/CiliumClusterwideNetworkPolicy", "enable-cilium-clusterwide-network-policy"),
        ("ClusterNetworkPolicy/Admin", "enable-k8s-cluster-network-policy"),
    ],
)
def test_kinds_can_be_switched_off(kind: str, switch: str) -> None:
    assert NEW.places[kind] is not None
    assert configured(NEW, {switch: "false"}).places[kind] is None


def test_cluster_network_policies_carry_a_caveat_until_somebody_says_they_are_on() -> None:
    gate = CATALOGUE["CLUSTER_POLICY_GATE"]
    unsaid = NEW.places["ClusterNetworkPolicy/Admin"]
    said = configured(NEW, {"enable-k8s-cluster-network-policy": "true"})
    on = said.places["ClusterNetworkPolicy/Admin"]
    assert unsaid is not None
    assert on is not None
    assert (gate in unsaid.caveats, gate in on.caveats) == (True, False)
    assert profile("cilium@1.19").places["ClusterNetworkPolicy/Admin"] is None
