"""What an installation of Cilium says of itself, and what counts more."""

import json
from typing import Any

import pytest

import cloison
from cloison.app import Session, load_objects, load_texts
from cloison.app.installed import together

CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "cilium-config", "namespace": "kube-system"},
    "data": {"enable-policy": "always", "monitor-aggregation": "medium", "cluster-name": "east"},
}


def agent(image: str = "quay.io/cilium/cilium:v1.19.4@sha256:0") -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "cilium", "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": {"k8s-app": "cilium"}},
            "template": {
                "metadata": {"labels": {"k8s-app": "cilium"}},
                "spec": {"containers": [{"name": "cilium-agent", "image": image}]},
            },
        },
    }


def changed(**data: str) -> dict[str, Any]:
    return {**CONFIG, "data": data}


def said(session: Session) -> tuple[str, str]:
    return session.profile.name, session.settings.profile_chosen


@pytest.mark.parametrize("how", ["plain", "document", "list"])
def test_it_is_read_in_every_form(how: str) -> None:
    objects = [CONFIG, agent()]
    if how == "plain":
        session = load_objects(objects)
    else:
        text = (
            json.dumps({"apiVersion": "v1", "kind": "List", "items": objects * 200})
            if how == "list"
            else "\n---\n".join(json.dumps(each) for each in objects)
        )
        session = load_texts({"all.yaml": text})
    assert said(session) == ("cilium@1.19", "detected from DaemonSet kube-system/cilium (1.19.4)")
    assert session.settings.cilium == {
        "enable-policy": "always",
        "cluster-name": "east",
        "enable-k8s-cluster-network-policy": "false",
        "cilium.patch": "4",
    }
    place = "ConfigMap kube-system/cilium-config"
    assert session.settings.cilium_from["enable-policy"] == place
    assert session.settings.cilium_from["cilium.patch"] == "DaemonSet kube-system/cilium"
    assert session.profile.switches == session.settings.cilium
    assert session.profile.around


@pytest.mark.parametrize(
    ("image", "profile"),
    [
        ("cilium:1.18.0", "cilium@1.18"),
        ("registry.test:5000/cilium/cilium:v1.20", "cilium@1.20"),
        ("cilium:v1.14.2", "cilium@1.18"),
        ("cilium:v1.31.0", "cilium@1.20"),
        ("cilium:latest", "cilium@1.20"),
        ("cilium@sha256:0", "cilium@1.20"),
    ],
)
def test_the_image_tells_the_version(image: str, profile: str) -> None:
    assert load_objects([agent(image)]).profile.name == profile


def test_without_an_image_the_newest_is_meant() -> None:
    found = said(load_objects([CONFIG]))
    assert found == ("cilium@1.20", "detected from ConfigMap kube-system/cilium-config")


def test_who_says_a_profile_or_a_setting_has_it() -> None:
    both = [CONFIG, agent()]
    assert load_objects(both, profile="calico@3.32").profile.name == "calico@3.32"
    session = load_objects(both, profile="cilium@1.18", cilium={"enable-policy": "default"})
    assert session.profile.name == "cilium@1.18"
    assert session.profile.switches["enable-policy"] == "default"
    assert session.profile.switches["cluster-name"] == "east"
    assert "enable-policy" not in session.settings.cilium_from
    # A patch release belongs to the version it is one of.
    assert "cilium.patch" not in session.profile.switches


@pytest.mark.parametrize(
    "other",
    [
        {**CONFIG, "metadata": {"name": "cilium-config", "namespace": "other"}},
        {**CONFIG, "metadata": {"name": "other", "namespace": "kube-system"}},
    ],
)
def test_what_only_looks_like_it_says_nothing(other: dict[str, Any]) -> None:
    session = load_objects([other])
    assert (session.profile.name, session.settings.cilium) == ("generic", {})


def test_an_agent_elsewhere_enforces_with_settings_nobody_reads() -> None:
    elsewhere = {**agent(), "metadata": {"name": "cilium", "namespace": "other"}}
    session = load_objects([elsewhere])
    assert said(session) == ("cilium@1.19", "detected from DaemonSet other/cilium (1.19.4)")
    assert session.settings.cilium == {}


@pytest.mark.parametrize("data", [None, {}, {"enable-policy": None}])
def test_a_config_map_may_say_little(data: object) -> None:
    session = load_objects([{**CONFIG, "data": data}])
    assert session.settings.cilium == {"enable-k8s-cluster-network-policy": "false"}


@pytest.mark.parametrize("data", ["x", [1], {"enable-policy": 3}, {"enable-policy": {"a": "b"}}])
def test_what_is_no_config_map_is_passed_over(data: object) -> None:
    assert load_objects([{**CONFIG, "data": data}]).settings.cilium == {}


def test_a_setting_that_is_not_understood_is_left_out_and_told() -> None:
    session = load_objects([changed(labels="app(", **{"enable-policy": "always"})])
    assert "labels" not in session.settings.cilium
    assert session.settings.cilium["enable-policy"] == "always"
    (found,) = session.diagnostics
    assert (found.code, found.object) == ("APP003", "ConfigMap kube-system/cilium-config")


PODS: list[dict[str, Any]] = [
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"containers": [{"name": "c"}]},
    }
    for name in ("a", "b")
]


@pytest.mark.parametrize(
    ("name", "text", "taken"),
    [
        ("enable-policy", "Always", "Always"),
        ("enable-policy", "sometimes", "default"),
        ("allow-localhost", "Always", "policy"),
    ],
)
def test_a_setting_is_taken_as_the_agent_takes_it(name: str, text: str, taken: str) -> None:
    session = load_objects([changed(**{name: text})])
    assert session.settings.cilium[name] == taken
    assert session.settings.cilium_unread == ()
    assert len(session.diagnostics) == (text != taken)


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("policy-audit-mode", "yes", "false"),
        ("enable-l7-proxy", "tRUE", "true"),
        ("policy-cidr-match-mode", "Nodes", "nodes"),
        ("cluster-name", "East!", "default"),
    ],
)
def test_a_setting_that_no_agent_starts_with_leaves_all_open(
    name: str, text: str, right: str
) -> None:
    objects = [changed(**{name: text}), *PODS]
    session = load_objects(objects)
    assert session.settings.cilium_unread == (name,)
    answer = session.why("shop/a", "shop/b", port=80)
    assert answer.verdict == "undetermined"
    assert [caveat.id for caveat in answer.caveats] == ["SETTING_UNREAD"]
    told = load_objects(objects, cilium={name: right})
    assert told.why("shop/a", "shop/b", port=80).verdict == "allowed"


def test_of_two_config_maps_the_last_by_place_counts() -> None:
    texts = {
        "b.yaml": json.dumps(changed(**{"enable-policy": "never"})),
        "a.yaml": json.dumps(CONFIG),
    }
    assert load_texts(texts).settings.cilium["enable-policy"] == "never"
    assert together(()).evidence is None


def test_objects_of_two_products_give_nobody_away() -> None:
    other = {
        "apiVersion": "projectcalico.org/v3",
        "kind": "GlobalNetworkPolicy",
        "metadata": {"name": "g"},
        "spec": {"types": ["Ingress"]},
    }
    assert load_objects([CONFIG, agent(), other]).profile.name == "generic"


def test_a_change_to_the_settings_is_a_change(tmp_path: Any) -> None:
    base, patch = tmp_path / "base.yaml", tmp_path / "patch.json"
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: x}\n"
        "spec: {containers: [{name: c, image: i}]}\n---\n"
    )
    base.write_text(pod % "a" + pod % "b" + json.dumps(changed()), encoding="utf-8")
    patch.write_text(json.dumps(CONFIG), encoding="utf-8")
    before, after = cloison.what_if(base, apply=[patch])
    assert str(before.verdict("x/a", "x/b", "TCP", 80)) == "allowed"
    assert str(after.verdict("x/a", "x/b", "TCP", 80)) == "denied"
