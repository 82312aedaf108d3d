"""Workloads that no labels of their own tell from others."""

from dataclasses import replace
from datetime import date
from typing import Any

import yaml

import cloison
from cloison.analyses.contract.compile.choose import without
from cloison.app.compile import TARGETS, Compilation, compile_contract
from cloison.resources.world import Workload
from tests.support.contracted import app, policy, session

DAY = date(2026, 11, 1)
DNS = "dns.operator.openshift.io/daemonset-dns"


def codes(done: Compilation) -> set[str]:
    """Return the codes of what is told."""
    return {each.code for each in done.result.findings}


def tracked(name: str, track: str) -> dict[str, Any]:
    """Return a Deployment that finds its pods by their track."""
    one = app(name, app="api", track=track)
    one["spec"]["selector"] = {"matchLabels": {"app": "api", "track": track}}
    return one


def test_a_workload_whose_labels_another_has_as_well_is_told_by_what_it_lacks() -> None:
    canary = tracked("api-canary", "canary")
    apps = (app("api", app="api"), canary, app("db"))
    calls = [
        {"name": "all", "from": "shop/api", "to": "shop/db", "ports": [5432]},
        {"name": "few", "from": "shop/api-canary", "to": "shop/db", "ports": [5433]},
    ]
    found = session(*calls, objects=apps)
    for to in TARGETS:
        done = compile_contract(found, to, today=DAY)
        assert "CON202" not in codes(done)
        assert not done.proof.differences
        assert done.proof.through == 2
    spec = policy(compile_contract(found, "networkpolicy", today=DAY), "shop/api.yaml")["spec"]
    assert spec["podSelector"] == {
        "matchLabels": {"app": "api"},
        "matchExpressions": [{"key": "track", "operator": "DoesNotExist"}],
    }


def test_values_of_others_are_ruled_out_where_pods_have_several() -> None:
    mine = [app("api", app="api", tier="new"), app("api", app="api", tier="newer")]
    kept = without(pods(*mine), [pods(app("old", app="api", tier="old"))])
    assert str(kept) == "app=api,tier!=old"


def test_what_changes_with_a_roll_out_rules_nobody_out() -> None:
    one = pods(app("one", app="twin"))
    for stamp in ("pod-template-hash", "controller-revision-hash", "version"):
        two = app("two", app="twin", **{stamp: "x"})
        two["spec"]["selector"] = {"matchLabels": {"app": "twin"}}
        assert without(one, [pods(two)]) is None


def test_a_workload_that_no_policy_selects_is_said_to_be_shut() -> None:
    # By its version a workload is told from others only where its controller finds it so.
    other = app("canary", app="api", version="2")
    other["spec"]["selector"] = {"matchLabels": {"app": "api"}}
    apps = (app("api", app="api"), other, app("db"))
    calls = [
        {"name": "all", "from": "shop/api", "to": "shop/db", "ports": [5432]},
        {"name": "few", "from": "shop/canary", "to": "shop/db", "ports": [5433]},
    ]
    done = compile_contract(session(*calls, objects=apps), "networkpolicy", today=DAY)
    effects = {d.object: d.effect for d in done.result.findings if d.code == "CON202"}
    shut = "none that is selects its pods: the default deny of its namespace keeps them shut"
    assert shut in (effects["Deployment shop/api"] or "")
    assert "not let through: all" in (effects["Deployment shop/api"] or "")
    assert "not let through: few" in (effects["Deployment shop/canary"] or "")
    assert not done.proof.differences


def pods(*objects: dict[str, Any]) -> Workload:
    """Return the pods of some objects as those of one workload."""
    worlds = [cloison.load_texts({"a.yaml": yaml.safe_dump(each)}).world for each in objects]
    known = [each for world in worlds for each in world.workloads.values()]
    return replace(known[0], endpoints=tuple(pod for each in known for pod in each.endpoints))


def resolver(**labels: str) -> tuple[dict[str, Any], ...]:
    """Return the resolver of OpenShift, whose labels its operator makes up."""
    ports = [
        {"containerPort": 5353, "name": "dns", "protocol": "UDP"},
        {"containerPort": 5353, "name": "dns-tcp"},
    ]
    kept = {DNS: "default"}
    serving = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "dns-default", "namespace": "openshift-dns"},
        "spec": {
            "selector": {"matchLabels": labels or kept},
            "template": {
                "metadata": {"labels": {**kept, **labels}},
                "spec": {"containers": [{"name": "dns", "image": "coredns", "ports": ports}]},
            },
        },
    }
    front = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "dns-default", "namespace": "openshift-dns"},
        "spec": {
            "clusterIP": "172.30.0.10",
            "selector": kept,
            "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": "dns"},
                {"name": "dns-tcp", "port": 53, "targetPort": "dns-tcp"},
            ],
        },
    }
    return serving, front


def test_a_resolver_that_nothing_is_written_for_need_not_be_told_from_others() -> None:
    # Of a hash nobody can say that it stays: only the Service has labels that name these pods.
    for stock in (resolver(), resolver(**{"pod-template-hash": "x"})):
        call = {"name": "d", "from": "shop/one", "to": "shop/db", "ports": [5432]}
        found = session(call, objects=(app("one"), app("db"), *stock))
        for to in TARGETS:
            done = compile_contract(found, to, today=DAY)
            assert "CON202" not in codes(done)
            assert not done.proof.differences
        done = compile_contract(found, "networkpolicy", today=DAY)
        egress = policy(done, "shop/one.yaml")["spec"]["egress"]
        peers = [peer for rule in egress for peer in rule["to"]]
        assert {DNS: "default"} in [each["podSelector"]["matchLabels"] for each in peers]


def test_pods_are_named_by_what_their_controller_finds_them_by_for_want_of_other_labels() -> None:
    call = {"name": "d", "from": "shop/one", "to": "openshift-dns/dns-default", "ports": [9154]}
    found = session(call, objects=(app("one"), app("db"), *resolver()))
    done = compile_contract(found, "networkpolicy", today=DAY)
    assert "CON202" not in codes(done)
    spec = policy(done, "openshift-dns/dns-default.yaml")["spec"]
    assert spec["podSelector"]["matchLabels"] == {DNS: "default"}
