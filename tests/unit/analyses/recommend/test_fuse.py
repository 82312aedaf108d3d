"""What flows, manifests and a contract come to together."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cloison.analyses.draft.model import Sure
from cloison.analyses.past.course import HOUR
from cloison.analyses.past.link import shown
from cloison.base import QuestionError
from tests.support.recommending import (
    HABIT,
    START,
    applied,
    cluster,
    end,
    passes,
    recommended,
    seen,
    service,
    text_of,
    workload,
)

WEB, API, DB = (
    workload("web/portal", 8080),
    workload("shop/api", 8080),
    workload("shop/db", 5432),
)
ENTRY: dict[str, Any] = {
    "name": "portal-to-api",
    "from": "web/portal",
    "to": "shop/api",
    "ports": [8080],
    "owner": "team-web",
    "reason": "The portal shows what the shop has",
    "ticket": "NET-1",
}


def contract(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a contract that speaks of both namespaces."""
    spaces = [{"match": {"namespace": each}} for each in ("web", "shop")]
    return {"workloads": spaces, "dependencies": list(entries), **more}


def test_an_entry_that_was_seen_has_both_behind_it() -> None:
    session = cluster(WEB, API, contract=contract(ENTRY))
    found = recommended(session, [seen("web/portal", "shop/api", 8080)])
    (call,) = found.fused.backed
    assert [str(each) for each in call.evidence.grounds] == ["contract", "observed"]
    assert (call.evidence.count, call.evidence.hours) == (len(HABIT) * 2, len(HABIT))
    assert call.evidence.why == "the contract says it, seen on 7 of 7 watched days"
    (page,) = (each for each in found.result.files if each.path == "web/portal.yaml")
    assert "policy.cloison.dev/owner: team-web" in page.text
    assert "2026-01-01 to 2026-01-07, 168 of 168 hours watched" in page.text
    assert "portal-to-api (NET-1): The portal shows what the shop has [112 connections" in page.text


def test_an_entry_that_nobody_saw_stays_and_says_so() -> None:
    session = cluster(WEB, API, contract=contract(ENTRY))
    found = recommended(session, [])
    (call,) = found.fused.backed
    assert call.evidence.why == "the contract says it, and it was not seen"
    assert passes(applied(session, found), "web/portal", "shop/api", "8080")


def test_an_entry_that_expired_is_a_question_and_counts_no_more() -> None:
    old = {**ENTRY, "expires": date(2026, 1, 2).isoformat()}
    session = cluster(WEB, API, contract=contract(old))
    found = recommended(session, [seen("web/portal", "shop/api", 8080)])
    (question,) = found.fused.questions
    assert str(question.asking) == "expired"
    assert question.why == (
        "dependency 'portal-to-api' expired on 2026-01-02, and it is still used"
    )
    assert not found.fused.backed
    assert not passes(applied(session, found), "web/portal", "shop/api", "8080")


def test_an_entry_that_expires_says_when_in_its_policy() -> None:
    entry = {**ENTRY, "expires": date(2026, 6, 30).isoformat()}
    session = cluster(WEB, API, contract=contract(entry))
    assert "policy.cloison.dev/expires:" in text_of(recommended(session, []))


def test_what_is_meant_and_denied_today_is_let_through_and_told() -> None:
    session = cluster(WEB, API, contract=contract(ENTRY))
    found = recommended(session, [seen("web/portal", "shop/api", 8080, HABIT, "denied")])
    assert not found.fused.questions
    (call,) = found.fused.backed
    assert call.notes == ("policy denied 112 connections of it",)
    assert not found.proof.lost


def test_what_no_entry_says_is_let_through_and_has_no_owner() -> None:
    session = cluster(WEB, API, DB, contract=contract(ENTRY))
    rows = [seen("web/portal", "shop/api", 8080), seen("shop/api", "shop/db", 5432)]
    found = recommended(session, rows)
    assert [each.entry.owner for each in found.fused.backed] == ["team-web", None]
    assert "1 call that flows or manifests show, and no contract says" in text_of(found)


def test_a_guardrail_that_flows_would_break_is_an_error() -> None:
    rail = {"name": "no-way", "deny": {"from": "web/portal", "to": "shop/db"}, "reason": "never"}
    session = cluster(WEB, API, DB, contract=contract(ENTRY, guardrails=[rail]))
    found = recommended(session, [seen("web/portal", "shop/db", 5432)])
    assert not found.proved
    assert "CON214" in {each.code for each in found.findings}


def told(host: str) -> dict[str, Any]:
    """Return a container that is told to call a host."""
    return {"env": [{"name": "API_URL", "value": f"http://{host}"}]}


def test_what_manifests_say_for_sure_counts_though_nobody_saw_it() -> None:
    front = service("shop/api", 80, 8080, {"app": "api"}, clusterIP="10.96.0.20")
    caller = workload("web/portal", 8080, container=told("api.shop:80"))
    session = cluster(caller, API, front)
    found = recommended(session, [])
    (call,) = found.fused.backed
    assert [str(each) for each in call.evidence.grounds] == ["manifest"]
    assert call.evidence.sure is Sure.MEDIUM
    assert "API_URL" in call.evidence.hints[0]
    assert passes(applied(session, found), "web/portal", "shop/api", "8080")
    assert not recommended(session, [], flows_only=True).fused.backed


def test_a_manifest_is_no_answer_to_a_denial() -> None:
    front = service("shop/api", 80, 8080, {"app": "api"}, clusterIP="10.96.0.20")
    caller = workload("web/portal", 8080, container=told("api.shop:80"))
    session = cluster(caller, API, front)
    found = recommended(session, [seen("web/portal", "shop/api", 8080, HABIT, "denied")])
    assert not found.fused.backed
    (question,) = found.fused.questions
    assert "API_URL" in question.why


def test_a_name_that_cannot_be_said_is_a_question() -> None:
    caller = workload("web/portal", 8080, container=told("api.example.com:443"))
    session = cluster(caller)
    (question,) = recommended(session, []).fused.questions
    assert question.ends == ("web/portal", "api.example.com:443")
    named = recommended(session, [], "cilium")
    assert not named.fused.questions
    assert "matchName: api.example.com" in text_of(named)


@pytest.mark.parametrize("target", ["networkpolicy", "cilium", "calico"])
def test_clients_of_a_load_balancer_come_with_a_nodes_address(target: str) -> None:
    front = service(
        "web/portal", 443, 8080, {"app": "portal"}, type="LoadBalancer", clusterIP="10.96.0.30"
    )
    session = cluster(WEB, front)
    found = recommended(session, [seen("node", "web/portal", 8080)], target)
    assert not found.proof.lost
    assert {str(each.entry) for each in found.fused.backed} == {
        "zone:world -> web/portal on 8080",
        "a node -> web/portal on 8080",
    }


def test_an_address_that_is_asked_about_is_in_no_block() -> None:
    session = cluster(WEB)
    rows = [seen("web/portal", f"203.0.113.{n}", 443) for n in (0, 1, 2)]
    rows.append(seen("web/portal", "203.0.113.3", 443, HABIT, "denied"))
    found = recommended(session, rows)
    assert found.proved
    after = applied(session, found)
    assert passes(after, "web/portal", "203.0.113.2", "443")
    assert not passes(after, "web/portal", "203.0.113.3", "443")


def test_only_the_namespaces_that_are_asked_for_get_policies() -> None:
    session = cluster(WEB, API, DB)
    rows = [seen("web/portal", "shop/api", 8080), seen("shop/api", "shop/db", 5432)]
    found = recommended(session, rows, namespaces=("web",))
    assert {each.sheet.namespace for each in found.result.files} == {"web"}
    assert [str(each.entry) for each in found.fused.backed] == ["web/portal -> shop/api on 8080"]
    assert not found.proof.lost


def test_a_namespace_without_pods_is_told() -> None:
    with pytest.raises(QuestionError, match="there are no pods in nowhere"):
        recommended(cluster(WEB), [], namespaces=("nowhere",))


def test_the_systems_own_namespaces_are_left_alone_unless_they_are_named() -> None:
    session = cluster(WEB)
    spaces = {each.sheet.namespace for each in recommended(session, []).result.files}
    assert spaces == {"web"}
    named = recommended(session, [], namespaces=("kube-system",))
    assert {each.sheet.namespace for each in named.result.files} == {"kube-system"}


def test_who_is_not_in_the_input_is_a_question() -> None:
    session = cluster(WEB)
    found = recommended(session, [seen("gone/away", "web/portal", 8080)])
    (question,) = found.fused.questions
    assert (str(question.asking), question.ends) == ("stranger", ("gone/away", "web/portal"))
    assert question.why == "1 edge: gone/away: no workload of the input is called so"


def test_nothing_to_go_by_is_a_denial_of_everything_but_lookups() -> None:
    session = cluster(WEB, API)
    found = recommended(session, [], hours=())
    assert not found.fused.backed
    assert found.proved
    assert found.proof.expected == 0
    after = applied(session, found)
    assert passes(after, "web/portal", "kube-system/coredns", "53/UDP")
    assert not passes(after, "web/portal", "shop/api", "8080")


@pytest.mark.parametrize(
    ("hours", "sure", "why"),
    [
        (range(0, 168, 3), Sure.HIGH, "seen on 7 of 7 watched days"),
        (range(30), Sure.MEDIUM, "seen on 2 of 7 watched days, which is little"),
    ],
)
def test_how_sure_a_call_is_says_why(hours: range, sure: Sure, why: str) -> None:
    session = cluster(WEB, API)
    found = recommended(session, [seen("web/portal", "shop/api", 8080, hours)])
    (call,) = found.fused.backed
    assert (call.evidence.sure, call.evidence.why) == (sure, why)


def test_several_pods_and_sources_are_counted() -> None:
    session = cluster(WEB, API)
    rows = [seen(end("web/portal", pod=f"portal-{n}"), "shop/api", 8080, HABIT) for n in range(2)]
    (call,) = recommended(session, rows).fused.backed
    assert (call.evidence.pods, call.evidence.sources) == (2, ("hubble",))
    assert [shown(each.key.source) for each in call.links] == ["web/portal"]


def test_each_port_has_evidence_of_its_own() -> None:
    session = cluster(WEB, workload("shop/api", 8080, 9090))
    rows = [
        seen("web/portal", "shop/api", 8080),
        seen("web/portal", "shop/api", 9090, range(30, 34)),
    ]
    found = recommended(session, rows)
    (call,) = found.fused.backed
    assert [(each.port, each.count, each.sources) for each in call.evidence.ports] == [
        ("8080/TCP", 2 * len(HABIT), ("hubble",)),
        ("9090/TCP", 8, ("hubble",)),
    ]
    much, little = call.evidence.ports
    assert (much.sure, much.why) == (Sure.HIGH, "seen on 7 of 7 watched days")
    assert (little.sure, little.why) == (Sure.LOW, "seen on 1 of 7 watched days, 8 times only")
    assert (little.first, little.last) == ((START + 30) * HOUR, (START + 33) * HOUR)
    # The call is no surer than the least of them, and says which that is.
    assert (call.evidence.sure, call.evidence.why) == (Sure.LOW, f"{little.why}, on 9090/TCP")


def test_a_cronjob_that_never_ran_may_call_anybody_of_its_namespace() -> None:
    """That it may look up names, as everybody, says nothing of whom else it calls."""
    job = workload("shop/month-end")
    pod = job["spec"]["template"]
    pod["spec"]["restartPolicy"] = "Never"
    job |= {"apiVersion": "batch/v1", "kind": "CronJob"}
    job["spec"] = {
        "schedule": "0 2 28-31 * *",
        "timeZone": "UTC",
        "jobTemplate": {"spec": {"template": pod}},
    }
    found = recommended(cluster(WEB, API, job), [seen("web/portal", "shop/api", 8080)])
    late = "CronJob shop/month-end has not run while anybody watched; it is due next on 2026-01-28"
    waiting = {
        (str(each.workload), str(each.direction))
        for each in found.readiness
        if any(one.text.startswith(late) for one in each.missing)
    }
    assert waiting == {("shop/month-end", "egress"), ("shop/api", "ingress")}


def test_a_call_to_a_services_address_is_one_to_its_pods() -> None:
    front = service("shop/api", 80, 8080, {"app": "api"}, clusterIP="10.96.0.20")
    session = cluster(WEB, API, front)
    rows = [
        seen("web/portal", "10.96.0.20", 80),
        seen("web/portal", "10.96.0.10", 53, protocol="UDP"),
    ]
    found = recommended(session, rows)
    assert [str(each.entry) for each in found.fused.backed] == ["web/portal -> shop/api on 8080"]
    assert [each.role for each in found.fused.platform] == ["dns"]
    assert not found.proof.lost


@pytest.mark.parametrize("target", ["networkpolicy", "cilium"])
def test_nodes_and_pods_on_their_network_are_called_and_call(target: str) -> None:
    session = cluster(WEB, workload("infra/agent", 9100, hostNetwork=True))
    rows = [
        seen("web/portal", "node", 10250),
        seen("infra/agent", "web/portal", 8080),
        seen("web/portal", "infra/agent", 9100),
    ]
    found = recommended(session, rows, target)
    assert found.proved
    assert found.proof.expected == len(rows)
    assert not found.proof.unsure


def test_what_a_language_has_no_words_for_is_a_question() -> None:
    ping = replace(seen("web/portal", "shop/api", 0, protocol="ICMP"), port=None, icmp_type=8)
    session = cluster(WEB, API)
    found = recommended(session, [ping])
    (question,) = found.fused.questions
    assert question.why.startswith("the language has no words for ICMP")
    assert found.proved
    said = recommended(session, [ping], "calico")
    assert [str(each.entry) for each in said.fused.backed] == ["web/portal -> shop/api on icmp/8"]
    assert not said.proof.lost
