"""What is known of enforcers beyond their profiles."""

import tomllib
from pathlib import Path

import pytest

import cloison.platform.traits
from cloison.platform import profile_names
from cloison.platform.enforcers import enforcers
from cloison.platform.together import together
from cloison.platform.traits import TITLES, Basis, Stands, Topic, Trait, known, traits
from tests.support.platforms import Manifest, config, container, workload, world

DATA = Path(cloison.platform.traits.__file__).parent


def of(name: str, topic: Topic, *objects: Manifest) -> Trait:
    here = world(*objects)
    installed = next((one for one in enforcers(here) if one.id == name), None)
    return next(t for t in traits(name, here, {}, installed) if t.topic is topic)


def test_every_file_is_read() -> None:
    written = {
        enforcer
        for path in DATA.glob("*.toml")
        for enforcer in tomllib.loads(path.read_text(encoding="utf-8"))["enforcers"]
    }
    assert written == set(known())


def test_every_product_with_a_profile_is_known() -> None:
    products = {name.partition("@")[0] for name in profile_names()} - {"generic", "none"}
    assert products <= set(known())


@pytest.mark.parametrize("name", known())
def test_each_topic_has_one_answer_with_a_source(name: str) -> None:
    found = traits(name)
    assert [each.topic for each in found] == list(Topic)
    for each in found:
        assert each.topic in TITLES
        if each.source:
            assert each.text.endswith(".")
        else:
            assert (each.stands, each.basis) == (Stands.UNKNOWN, Basis.UNCONFIRMED)


@pytest.mark.parametrize("name", known())
def test_what_nobody_confirmed_is_not_sound(name: str) -> None:
    assert not [
        t for t in traits(name) if t.basis is Basis.UNCONFIRMED and t.stands is not Stands.UNKNOWN
    ]


def test_nobody_is_known_by_a_name_that_is_none() -> None:
    assert {t.stands for t in traits("nobody")} == {Stands.UNKNOWN}


ROUTER = workload("kube-router", container("kube-router", "x/kube-router:v2.11.0"))
CLOSED = workload(
    "kube-router", container("kube-router", "x/kube-router:v2.11.0", "--netpol-default-deny=true")
)


def test_an_argument_of_the_agent_settles_it() -> None:
    assert of("kube-router", Topic.START, ROUTER).stands is Stands.BAD
    closed = of("kube-router", Topic.START, CLOSED)
    assert (closed.says, closed.stands) == ("fails closed", Stands.SOUND)
    assert closed.seen is not None
    assert closed.seen.shown == "DaemonSet kube-system/kube-router, --netpol-default-deny=true"
    assert closed.seen.span is not None


def _aws(mode: str) -> Manifest:
    env = [{"name": "NETWORK_POLICY_ENFORCING_MODE", "value": mode}]
    return workload(
        "aws-node",
        container("aws-node", "x/amazon-k8s-cni:v1.19.0", env=env),
        container("aws-eks-nodeagent", "x/agent:v1.1", "--enable-network-policy=true"),
    )


@pytest.mark.parametrize(("mode", "says"), [("standard", "fails open"), ("strict", "fails closed")])
def test_a_variable_of_the_agent_settles_it(mode: str, says: str) -> None:
    assert of("aws-vpc-cni", Topic.START, _aws(mode)).says == says


def test_a_setting_settles_it() -> None:
    never = next(
        t for t in traits("cilium", None, {"enable-policy": "never"}) if t.topic is Topic.EGRESS
    )
    assert (never.says, never.stands) == ("no", Stands.BAD)
    masked = of(
        "cilium", Topic.SOURCE_ADDRESS, config("cilium-config", enable_ipv4_masquerade="false")
    )
    assert masked.says == "its own"
    assert masked.seen is not None


# ------------------------------------------------------------------ several at once


CALICO = workload("calico-node", container("calico-node", "x/node:v3.32.0"))
CILIUM = workload("cilium", container("cilium-agent", "x/cilium:v1.19.1"))
FLANNEL = workload("kube-flannel-ds", container("kube-flannel", "x/flannel:v0.26.0"))
CANAL = workload(
    "canal",
    container("calico-node", "x/node:v3.32.0"),
    container("kube-flannel", "x/flannel:v0.26"),
)
AWS_OFF = workload(
    "aws-node",
    container("aws-node", "x/amazon-k8s-cni:v1.19.0"),
    container("aws-eks-nodeagent", "x/agent:v1.1", "--enable-network-policy=false"),
)


def _shared(*objects: Manifest) -> list[tuple[str, bool]]:
    here = world(*objects)
    return [(t.text, t.contested) for t in together(enforcers(here), here)]


def test_one_alone_shares_with_nobody() -> None:
    assert _shared(CALICO) == []


def test_canal() -> None:
    ((text, contested),) = _shared(CANAL)
    assert text == "Canal: Flannel moves packets, and Calico beside it enforces policies"
    assert not contested


def test_calico_only_for_policies() -> None:
    ((text, contested),) = _shared(CALICO, AWS_OFF)
    assert text == (
        "Amazon VPC CNI does not enforce (its agent runs with --enable-network-policy=false); "
        "Calico does"
    )
    assert not contested


def test_chained() -> None:
    ((text, _),) = _shared(CILIUM, config("cilium-config", cni_chaining_mode="generic-veth"))
    assert text.startswith(
        "Cilium is chained on another network plugin (cni-chaining-mode: generic"
    )
    assert _shared(CILIUM, config("cilium-config", cni_chaining_mode="none")) == []


def test_two_that_enforce_are_contested() -> None:
    ((text, contested),) = _shared(CALICO, CILIUM)
    assert text.startswith("Calico and Cilium are all installed to enforce")
    assert contested
    assert len(_shared(FLANNEL)) == 0
