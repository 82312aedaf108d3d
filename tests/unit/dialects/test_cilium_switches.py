"""Cilium's settings as typed values."""

import msgspec
import pytest

from cloison.app.ciliumfile import SHORT, CiliumSettings, pairs, texts
from cloison.base import QuestionError
from cloison.dialects.cilium.switches import (
    SWITCHES,
    CidrMatch,
    EnablePolicy,
    Switches,
    defaults,
    find,
    parsed,
    switches,
    value,
    version_of,
)
from cloison.dialects.cilium.unsettled import U1
from cloison.platform import configured, profile


def test_a_profile_tells_its_version_and_settings() -> None:
    row = configured(profile("cilium@1.19"), {"enable-policy": "always", "U1": "deny-wins"})
    found = switches(row)
    assert (found.version, found.enable_policy, found.u1) == (
        (1, 19),
        EnablePolicy.ALWAYS,
        U1.DENY_WINS,
    )
    assert (found.default_local_cluster, found.u2) == (True, None)
    assert not switches(profile("cilium@1.18")).default_local_cluster


@pytest.mark.parametrize("name", ["calico@3.32", "generic", "cilium@", "cilium@x.1"])
def test_other_profiles_have_the_defaults_of_the_newest(name: str) -> None:
    assert version_of(name) == (1, 20)


@pytest.mark.parametrize(
    ("name", "text", "attribute", "meant"),
    [
        ("policy-cidr-match-mode", "", "cidr_match", frozenset()),
        ("policy-cidr-match-mode", "nodes,pods", "cidr_match", frozenset(CidrMatch)),
        ("labels", "k8s:app !team", "labels", ("k8s:app", "!team")),
        ("labels", "", "labels", ()),
        ("enable-sctp", "True", "sctp", True),
        ("enable-l7-proxy", "f", "l7_proxy", False),
        ("cluster-name", "east", "cluster_name", "east"),
        ("cilium.patch", "12", "patch", 12),
    ],
)
def test_texts_are_read_as_the_agent_reads_them(
    name: str, text: str, attribute: str, meant: object
) -> None:
    assert getattr(parsed((1, 20), {name: text}), attribute) == meant


def test_blocks_cannot_match_pods_before_1_20() -> None:
    found = parsed((1, 19), {"policy-cidr-match-mode": "nodes pods"})
    assert found.cidr_match == {CidrMatch.NODES}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("enable-sctp", "yes"),
        ("policy-cidr-match-mode", "services"),
        ("cluster-name", "East"),
        ("cluster-name", "a" * 33),
        ("labels", "app("),
        ("labels", "k8s:"),
        ("labels", " ".join(["a"] * 300)),
        ("cilium.patch", "-1"),
        ("cilium.U1", "wins"),
        ("enable-policy", "x" * 10_000),
    ],
)
def test_what_a_setting_cannot_be_is_refused_with_what_it_can(name: str, text: str) -> None:
    with pytest.raises(QuestionError) as caught:
        value(find(name), text)
    assert f"`{name}`" in caught.value.message
    assert len(caught.value.message) < 200
    assert find(name).says in (caught.value.help or "")


def test_a_name_that_is_nearly_right_is_told() -> None:
    with pytest.raises(QuestionError) as caught:
        find("enable-policies")
    assert caught.value.help == "did you mean `enable-policy`?"


def test_every_setting_has_an_attribute_and_a_default_in_words() -> None:
    assert {each.attribute for each in SWITCHES} | {"version"} == set(Switches.__slots__)
    for version in ((1, 18), (1, 20)):
        assert defaults(version).keys() == {each.name for each in SWITCHES}
    assert defaults((1, 19))["enable-k8s-cluster-network-policy"] == "false"
    assert defaults((1, 20))["cilium.U3"] == "undetermined"


def test_the_settings_file_knows_every_setting() -> None:
    fields = {each.name: each.encode_name for each in msgspec.structs.fields(CiliumSettings)}
    assert fields == SHORT


def test_what_the_file_says_reads_as_the_config_map_has_it() -> None:
    said = msgspec.convert(
        {"enable-sctp": True, "labels": ["app", "!team"], "patch": 4, "U1": "deny-wins"},
        CiliumSettings,
    )
    assert {switch.name: text for switch, text in texts(said)} == {
        "enable-sctp": "true",
        "labels": "app !team",
        "cilium.patch": "4",
        "cilium.U1": "deny-wins",
    }


@pytest.mark.parametrize("given", ["enable-policy", "x=y", "enable-policy=x", "=always"])
def test_a_pair_that_says_nothing_is_refused(given: str) -> None:
    with pytest.raises(QuestionError):
        pairs([given])
