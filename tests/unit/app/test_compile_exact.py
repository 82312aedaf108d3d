"""What a compilation says of a dependency that is written in part, and what it does not write."""

from datetime import date
from typing import Any

import pytest

from cloison.app.compile import TARGETS, Compilation, compile_contract
from tests.support.contracted import app, policy, said, session
from tests.support.platforms import workload
from tests.unit.app.test_compile_gateways import BACKENDS, CLASS, NGINX

DAY = date(2026, 11, 1)
ENTER = {"name": "enter", "from": "shop/job", "to": "gw:shop/public", "ports": [80, 443]}
EITHER = {"key": "app", "operator": "In", "values": ["one", "two"]}
ZONES: dict[str, Any] = {
    "zones": [{"name": "front", "to": ["back"]}, {"name": "back"}],
    "workloads": [
        {"match": {"namespace": "shop", "name": "web"}, "zone": "front"},
        {"match": {"namespace": "shop", "name": "db"}, "zone": "back"},
    ],
}


def _effects(done: Compilation, code: str) -> list[str | None]:
    return [each.effect for each in done.result.findings if each.code == code]


@pytest.mark.parametrize("to", TARGETS)
def test_what_is_written_of_a_dependency_is_not_called_shut(to: str) -> None:
    text = BACKENDS % "nginx" + CLASS + NGINX
    done = compile_contract(session(ENTER, text=text), to, today=DAY)
    assert done.compiled.refused == {"enter"}
    (effect,) = _effects(done, "CON201")
    assert effect == (
        "not let through: shop/job to gw:shop/public on TCP/443; let through: "
        "edge/ingress-nginx-controller to shop/web on 8080/TCP, "
        "shop/job to edge/ingress-nginx-controller on 8000/TCP"
    )
    after = done.read_back()
    assert str(after.verdict("shop/job", "edge/ingress-nginx-controller", port=8000)) == "allowed"


def test_a_source_that_cannot_be_named_leaves_the_others_open() -> None:
    agent = workload("agent", namespace="shop", hostNetwork=True)
    both = {"namespace": "shop", "selector": {}}
    call = {"name": "d", "from": both, "to": "shop/db", "ports": [80]}
    objects = (app("web"), app("db"), agent)
    done = compile_contract(session(call, objects=objects), "networkpolicy", today=DAY)
    (effect,) = _effects(done, "CON201")
    assert effect == (
        "not let through: shop/agent to shop/db on 80/TCP; let through: shop/web to shop/db on "
        "80/TCP"
    )


def test_nothing_is_called_open_where_nothing_is_written() -> None:
    text = BACKENDS % "nginx" + CLASS + NGINX
    call = {**ENTER, "ports": [443]}
    done = compile_contract(session(call, text=text), "cilium", today=DAY)
    shut = "nothing is written for it, and the default deny keeps it shut"
    assert _effects(done, "CON201") == [shut]


def test_every_part_that_is_let_through_instead_is_named() -> None:
    objects = (app("one"), app("two"), app("web"))
    both = {"namespace": "shop", "selector": {"matchExpressions": [EITHER]}}
    call = {"name": "d", "from": "shop/web", "to": both, "ports": [80], "http": {"method": "GET"}}
    done = compile_contract(session(call, objects=objects), "networkpolicy", today=DAY)
    (effect,) = _effects(done, "CON205")
    assert effect == (
        "every request is let through instead: shop/web to shop/one on 80/TCP, shop/web to "
        "shop/two on 80/TCP"
    )


@pytest.mark.parametrize("to", TARGETS)
def test_a_border_that_zones_keep_closed_is_not_opened(to: str) -> None:
    open_ = {"name": "open", "from": "shop/web", "to": "shop/db", "ports": [80]}
    closed = {"name": "closed", "from": "shop/db", "to": "shop/web", "ports": [80]}
    world = {"name": "world", "from": "zone:world", "to": "shop/web", "ports": [80]}
    given = session(open_, closed, world, objects=(app("web"), app("db")), **ZONES)
    done = compile_contract(given, to, today=DAY)
    assert said(done, "CON111") == [
        "dependency 'closed': it leads from zone back to front, which no zone allows",
        "dependency 'world': it leads from zone world to front, which no zone allows",
    ]
    assert done.compiled.refused == {"closed", "world"}
    after = done.read_back()
    assert str(after.verdict("shop/web", "shop/db", port=80)) == "allowed"
    assert str(after.verdict("shop/db", "shop/web", port=80)) == "denied"
    assert "closed" not in "".join(each.text for each in done.files)


def test_types_of_icmp_are_written_where_the_language_has_them() -> None:
    ports = ["icmp/8", "icmpv6/128", 80]
    call = {"name": "d", "from": "shop/web", "to": "shop/db", "ports": ports}
    done = compile_contract(session(call, objects=(app("web"), app("db"))), "cilium", today=DAY)
    assert not done.compiled.refused
    assert (done.proof.asked, done.proof.through) == (1, 1)
    rules = policy(done, "shop/db.yaml")["spec"]["ingress"]
    fields = [field for rule in rules for each in rule.get("icmps", ()) for field in each["fields"]]
    assert fields == [{"family": "IPv4", "type": 8}, {"family": "IPv6", "type": 128}]
    assert not any("icmps" in rule and "toPorts" in rule for rule in rules)
    after = done.read_back()
    assert str(after.verdict("shop/web", "shop/db", port="icmp/8")) == "allowed"
    assert str(after.verdict("shop/web", "shop/db", port="icmp/0")) == "denied"


def test_calico_spells_icmp_of_ipv6_in_its_own_way() -> None:
    call = {"name": "d", "from": "shop/web", "to": "shop/db", "ports": ["icmpv6/128"]}
    done = compile_contract(session(call, objects=(app("web"), app("db"))), "calico", today=DAY)
    (rule,) = policy(done, "shop/db.yaml")["spec"]["ingress"]
    assert (rule["protocol"], rule["icmp"]) == ("ICMPv6", {"type": 128})
    assert (done.proof.asked, done.proof.through) == (1, 1)


@pytest.mark.parametrize(("port", "shown"), [("icmp", "ICMP"), ("icmp/3/4", "ICMP/3/4")])
def test_what_a_language_cannot_say_of_icmp_is_refused_by_name(port: str, shown: str) -> None:
    call = {"name": "d", "from": "shop/web", "to": "shop/db", "ports": [port]}
    done = compile_contract(session(call, objects=(app("web"), app("db"))), "cilium", today=DAY)
    assert said(done, "CON201") == [f"dependency 'd': cilium has no words for {shown}"]
    assert done.compiled.refused == {"d"}


def test_requests_are_asked_for_over_tcp_only() -> None:
    call = {
        "name": "d",
        "from": "shop/web",
        "to": "shop/db",
        "ports": ["53/UDP"],
        "http": {"method": "GET"},
    }
    done = compile_contract(session(call, objects=(app("web"), app("db"))), "cilium", today=DAY)
    assert said(done, "CON205") == ["dependency 'd': cilium asks for GET any path over TCP only"]
    assert done.compiled.refused == {"d"}


def test_who_enforces_is_told_by_what_is_written() -> None:
    cilium = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": {"endpointSelector": {}, "ingress": [{}]},
    }
    call = {"name": "d", "from": "shop/web", "to": "shop/db", "ports": [80]}
    given = session(call, objects=(app("web"), app("db"), cilium))
    done = compile_contract(given, "calico", today=DAY)
    assert done.profile.name.startswith("calico")
    assert done.session.settings.profile_chosen == "by what is written, calico"


def test_dependencies_that_nobody_can_say_of_are_named() -> None:
    agent = workload("agent", namespace="other", hostNetwork=True)
    call = {"name": "in", "from": "any:other", "to": "shop/web", "ports": [80]}
    given = session(call, objects=(app("web"), workload("job", namespace="other"), agent))
    done = compile_contract(given, "networkpolicy", today=DAY)
    assert done.proof.unsure == ("in",)


def test_a_part_that_means_nothing_leaves_the_rest_open() -> None:
    text = BACKENDS % "nginx" + CLASS + NGINX
    call = {"name": "d", "from": "shop/job", "to": "svc:shop/web", "ports": [80, 9999]}
    done = compile_contract(session(call, text=text), "networkpolicy", today=DAY)
    (effect,) = _effects(done, "CON204")
    assert effect == (
        "nothing is written for that part; let through: shop/job to shop/web on 8080/TCP"
    )
