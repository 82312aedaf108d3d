"""What is asked rather than let through, and how sure the rest is."""

from cloison.analyses.draft.model import Sure
from cloison.analyses.recommend.model import Asking, Proof, Unproved
from cloison.analyses.recommend.prove import LEAKS, findings
from tests.support.past import linked
from tests.support.past import seen as watched
from tests.support.recommending import (
    HABIT,
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


def test_a_slow_scan_that_begins_anew_is_one_question_and_stays_shut() -> None:
    session = cluster(WEB, API)
    probes = [
        seen("web/portal", "shop/api", port, dict.fromkeys(range(port % 60, 168, 60), 1))
        for port in range(20, 60)
    ]
    found = recommended(session, [*probes, seen("web/portal", "shop/api", 8080)])
    assert [str(each.entry) for each in found.fused.backed] == ["web/portal -> shop/api on 8080"]
    (question,) = found.fused.questions
    assert question.asking is Asking.SCAN
    assert question.count == sum(len(range(port % 60, 168, 60)) for port in range(20, 60))
    assert not passes(applied(session, found), "web/portal", "shop/api", "22")


def test_a_port_at_which_nothing_is_said_to_listen_is_asked_about_while_it_is_rare() -> None:
    session = cluster(WEB, API)
    rows = [seen("web/portal", "shop/api", port, [5, 60, 120]) for port in (8080, 9999)]
    found = recommended(session, rows)
    assert [str(each.entry) for each in found.fused.backed] == ["web/portal -> shop/api on 8080"]
    (question,) = found.fused.questions
    assert question.asking is Asking.UNCLEAR
    assert question.why == (
        "nothing says that anything listens there, and it was seen on 3 of 7 watched days"
    )


def test_a_pod_that_no_controller_made_is_asked_about_unless_it_is_meant() -> None:
    pod = workload("shop/shell")
    bare = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "shell", "namespace": "shop", "labels": {"app": "shell"}},
        "spec": pod["spec"]["template"]["spec"],
    }
    row = seen(end("shop/shell", kind="Pod"), "shop/api", 8080)
    found = recommended(cluster(bare, API), [row])
    assert not found.fused.backed
    assert [each.why for each in found.fused.questions] == [
        "it is from a pod that no controller made"
    ]
    entry = {"name": "shell", "from": "shop/shell", "to": "shop/api", "ports": [8080]}
    said = {"workloads": [{"match": {"namespace": "shop"}}], "dependencies": [entry]}
    meant = recommended(cluster(bare, API, contract=said), [row])
    assert not meant.fused.questions


def test_the_port_that_is_least_sure_says_how_sure_a_call_is() -> None:
    api = workload("shop/api", 8080, 9090)
    rows = [seen("web/portal", "shop/api", 8080), seen("web/portal", "shop/api", 9090, [7, 99])]
    found = recommended(cluster(WEB, api), rows)
    (call,) = found.fused.backed
    assert (call.evidence.sure, call.evidence.why) == (
        Sure.MEDIUM,
        "seen on 2 of 7 watched days, which is little, on 9090/TCP",
    )
    told = [(each.port, each.count, each.sure) for each in call.evidence.ports]
    assert told == [("8080/TCP", 112, Sure.HIGH), ("9090/TCP", 4, Sure.MEDIUM)]
    assert "116 connections (112 on 8080/TCP and 4 on 9090/TCP)" in text_of(found)


def test_a_question_about_several_ports_counts_them_all() -> None:
    ports = range(9001, 9006)
    session = cluster(WEB, workload("shop/api", *ports))
    rows = [seen("web/portal", "shop/api", port, {port % 100 * 9: 1}) for port in ports]
    (question,) = recommended(session, rows).fused.questions
    assert question.why == (
        "5 connections on 5 ports, of each: 1 connection in one moment only, of 168 watched hours"
    )


def test_a_setting_that_names_a_service_and_its_port_counts_whatever_it_is_called() -> None:
    front = service("shop/db", 5432, 5432, {"app": "db"}, clusterIP="10.96.0.22")
    for value, says in (("db.shop.svc.cluster.local:5432", True), ("db.shop:9", False)):
        env = {"env": [{"name": "DB", "value": value}]}
        session = cluster(workload("web/portal", container=env), DB, front)
        entries = [str(each.entry) for each in recommended(session, []).fused.backed]
        assert entries == (["web/portal -> shop/db on 5432"] if says else [])


def test_a_name_outside_is_proved_by_the_addresses_that_it_had() -> None:
    rows = [
        seen("shop/api", end(f"198.51.100.{n}", "pay.example.com"), 443, HABIT) for n in (80, 81)
    ]
    for target in ("networkpolicy", "calico", "clusternetworkpolicy", "cilium"):
        proof = recommended(cluster(API), rows, target).proof
        assert (proof.expected, proof.lost, proof.unsure) == (1, (), ())


def test_a_rule_tells_what_was_seen_of_it_alone() -> None:
    entry = {
        "name": "in",
        "from": ["web/portal", "web/mobile"],
        "to": "shop/api",
        "ports": [8080],
        "owner": "o",
        "reason": "r",
    }
    said = {"workloads": [{"match": {"namespace": "shop"}}], "dependencies": [entry]}
    rows = [seen("web/portal", "shop/api", 8080), seen("web/mobile", "shop/api", 8080, [3, 50])]
    found = recommended(cluster(WEB, workload("web/mobile"), API, contract=said), rows)
    (page,) = (each.text for each in found.result.files if each.path == "web/mobile.yaml")
    assert "4 connections in 2 hours" in page
    assert "116 connections" not in page


def test_what_leaks_of_one_pair_is_one_error() -> None:
    rows = [watched("web/twin", "shop/api", [1], port=port) for port in (22, 23, 24, 25)]
    rows.append(watched("web/twin", "shop/db", [1], port=22))
    leaks = tuple(Unproved(link, "it is part of all") for link in linked(*rows))
    api, db = findings(Proof(refused=5, leaks=leaks))
    assert (api.code, db.code) == (LEAKS, LEAKS)
    assert api.message == (
        "web/twin to shop/api on 22/TCP, 23/TCP, 24/TCP and 1 more are questions, "
        "and the policies let them through: it is part of all"
    )
    assert db.message.startswith("web/twin to shop/db on 22/TCP is a question")


def test_a_watch_of_a_few_hours_is_no_day() -> None:
    rows = [seen("web/portal", "shop/api", 8080, [1, 2])]
    found = recommended(cluster(WEB, API), rows, hours=range(8))
    texts = {one.text for each in found.readiness for one in each.missing}
    assert "no whole day of 14 was watched" in texts


# From outside


def test_one_offs_from_outside_are_one_question_and_open_nothing() -> None:
    session = cluster(WEB, API)
    scanners = [seen(f"203.0.113.{n}", "web/portal", 8080, {n * 12: 1}) for n in range(12)]
    found = recommended(session, [*scanners, seen("web/portal", "shop/api", 8080)])
    (question,) = found.fused.questions
    assert question.asking is Asking.PERSON
    assert question.ends == ("203.0.113.0, 203.0.113.1, 203.0.113.10 and 9 more", "web/portal")
    assert question.why == (
        "12 connections from 12 addresses, of each: 1 connection in one moment, from outside, and "
        "nothing leads clients in there"
    )
    assert (question.count, question.write) == (12, None)
    assert not passes(applied(session, found), "203.0.113.5", "web/portal", "8080")


def test_a_port_that_no_balancer_leads_to_is_asked_about_beside_one_that_is() -> None:
    pods = workload("web/portal", 8080, 9090)
    front = service("web/portal", 443, 8080, {"app": "portal"}, type="LoadBalancer")
    session = cluster(pods, front)
    rows = [seen("203.0.113.7", "web/portal", port, {50: 1}) for port in (8080, 9090)]
    found = recommended(session, rows)
    (question,) = found.fused.questions
    assert (question.ports, question.ends) == (("9090/TCP",), ("203.0.113.7", "web/portal"))
    assert question.write is not None
    after = applied(session, found)
    assert passes(after, "203.0.113.7", "web/portal", "8080")
    assert not passes(after, "203.0.113.7", "web/portal", "9090")


def test_what_got_through_once_after_all_was_denied_is_asked_about() -> None:
    session = cluster(WEB, API)
    rows = [
        seen("web/portal", "shop/api", 8080, range(160), "denied"),
        seen("web/portal", "shop/api", 8080, {165: 1}),
    ]
    found = recommended(session, rows)
    assert [each.asking for each in found.fused.questions] == [Asking.DENIED]
    assert not passes(applied(session, found), "web/portal", "shop/api", "8080")
