"""What names suggest, and how workloads are placed."""

from cloison.analyses.draft.seen import End, Observed
from tests.support.smallworlds import listening, service, variables, workload
from tests.unit.analyses.draft.drafting import calls, drafted, hints

FRONT = (workload("front-end", ports=listening(80)), service("front-end", type="NodePort"))


def test_a_store_is_called_by_whom_it_is_named_after() -> None:
    store = workload("orders-db", image="mongo", ports=listening(27017))
    found = drafted(workload("orders", ports=listening(80)), store)
    assert calls(found.accepted) == []
    assert calls(found.suggested) == ["a/orders -> a/orders-db on 27017"]
    assert [str(each.sure) for each in found.suggested] == ["low"]


def test_nothing_is_suggested_where_somebody_is_known_to_call() -> None:
    store = (workload("orders-db", image="mongo", ports=listening(27017)),)
    other = workload("report", env=variables(DB_ADDR="orders-db:27017"))
    lead = service("orders-db", "a", {"port": 27017})
    found = drafted(workload("orders"), *store, lead, other)
    assert calls(found.dependencies) == ["a/report -> a/orders-db on 27017"]


def test_a_variable_that_is_about_a_store_suggests_it() -> None:
    web = workload("web", env=variables(SESSION_REDIS="true"))
    store = workload("session-db", image="redis:7", ports=listening(6379))
    assert calls(drafted(web, store).suggested) == ["a/web -> a/session-db on 6379"]


def test_a_secret_that_is_named_after_a_store_suggests_it() -> None:
    secret = {"secretKeyRef": {"name": "main-db-app", "key": "uri"}}
    web = workload("web", env=[{"name": "DSN", "valueFrom": secret}])
    found = drafted(web, workload("main-db", ports=listening(5432)))
    assert calls(found.suggested) == ["a/web -> a/main-db on 5432"]
    assert hints(found.suggested) == [
        "variable DSN is from Secret main-db-app, named after the store"
    ]


def test_a_worker_is_suggested_to_call_the_only_broker_on_its_clients_port() -> None:
    broker = workload("mq", image="rabbitmq:4", ports=listening(15672, 5672))
    worker = workload("queue-master", ports=listening(80))
    assert calls(drafted(broker, worker).suggested) == ["a/queue-master -> a/mq on 5672"]
    second = workload("bus", image="nats:2", ports=listening(4222))
    assert calls(drafted(broker, second, worker).suggested) == []


def test_the_one_front_is_suggested_to_call_what_nobody_calls() -> None:
    found = drafted(*FRONT, workload("user", ports=listening(80)))
    assert calls(found.suggested) == ["a/front-end -> a/user on 80"]
    assert hints(found.suggested) == [
        "nobody is known to call user; front-end alone is reached from outside"
    ]


def test_two_fronts_are_none() -> None:
    other = (workload("admin", ports=listening(81)), service("admin", type="NodePort"))
    assert calls(drafted(*FRONT, *other, workload("user", ports=listening(80))).suggested) == []


def test_suggestions_count_where_they_are_accepted() -> None:
    found = drafted(*FRONT, workload("user", ports=listening(80)), accept=True)
    assert calls(found.accepted) == ["a/front-end -> a/user on 80"]
    assert found.suggested == ()


def test_zones_and_classes_are_proposed_and_directions_follow_the_calls() -> None:
    found = drafted(
        *FRONT,
        workload("api", env=variables(DB_ADDR="pg:5432"), ports=listening(80)),
        service("api"),
        workload("pg", kind="StatefulSet", image="postgres:17", ports=listening(5432)),
        service("pg", "a", {"port": 5432}),
        workload("nightly", kind="Job"),
        workload("coredns", "kube-system", ports=listening(53)),
    )
    placed = {str(e.match): (e.zone, str(e.workload_class)) for e in found.contract.workloads}
    assert placed == {
        "a/api": ("app", "service"),
        "a/front-end": ("edge", "service"),
        "a/nightly": (None, "job"),
        "a/pg": ("data", "stateful"),
        "kube-system/coredns": ("platform", "platform"),
    }
    assert [str(each) for each in found.unclassified] == ["a/nightly"]
    zones = {each.name: (each.to, each.from_) for each in found.contract.zones}
    assert zones == {
        "edge": ((), ("world",)),
        "app": (("data",), ()),
        "data": ((), ()),
        "platform": ((), ()),
    }
    assert found.crossings == (("edge", "app"),)


def edge(source: str, destination: str, verdict: str = "allowed", **more: int) -> Observed:
    """Return an edge that was seen between workloads of one namespace."""
    count, windows = more.get("count", 500), more.get("windows", 40)
    return Observed(
        End("a", source, "Deployment", "pod"),
        End("a", destination, "Deployment", "pod"),
        "TCP",
        80,
        verdict,
        "known",
        count,
        windows,
        "2027-01-01 00:00",
        "2027-01-03 00:00",
    )


WEB, API = workload("web", ports=listening(80)), workload("api", ports=listening(80))


def test_what_was_seen_counts() -> None:
    found = drafted(WEB, API, seen=[edge("web", "api")])
    assert calls(found.accepted) == ["a/web -> a/api on 80"]
    assert hints(found.accepted) == [
        "allowed 500 times in 40 windows of flows, 2027-01-01 00:00 to 2027-01-03 00:00"
    ]


def test_what_was_denied_is_a_question() -> None:
    found = drafted(WEB, API, seen=[edge("api", "web", "denied", count=3)])
    assert not list(found.accepted)
    assert [each.text.partition("?")[0] for each in found.doubts] == [
        "is a/api to a/web on 80/TCP meant"
    ]


def test_what_a_person_may_have_tried_is_asked_about() -> None:
    tried = edge("api", "web", count=2, windows=1)
    found = drafted(WEB, API, seen=[edge("web", "api"), tried])
    assert calls(found.accepted) == ["a/web -> a/api on 80"]
    assert calls(found.suggested) == ["a/api -> a/web on 80"]
    assert "a person may have tried it" in hints(found.suggested)[0]


def test_from_behind_a_front_back_to_it_is_asked_about_in_a_short_record() -> None:
    short = [edge("web", "api", count=2, windows=1), edge("api", "web", count=2, windows=1)]
    found = drafted(WEB, API, seen=short)
    assert calls(found.accepted) == ["a/web -> a/api on 80"]
    assert calls(found.suggested) == ["a/api -> a/web on 80"]


def outwards(address: str, **more: str) -> Observed:
    """Return an edge that was seen to an address outside."""
    there = End(entity="world", address=address, **more)
    here = End("a", "web", "Deployment", "pod")
    days = ("2027-01-01 00:00", "2027-01-03 00:00")
    return Observed(here, there, "TCP", 443, "allowed", "known", 50, 9, *days)


def test_who_is_outside_counts_by_name_and_is_asked_about_by_address() -> None:
    named = outwards("203.0.113.9", name="mail.example.com")
    found = drafted(WEB, seen=[named, outwards("203.0.113.1"), outwards("203.0.113.2")])
    assert calls(found.accepted) == ["a/web -> external:mail-example-com on 443"]
    assert calls(found.suggested) == ["a/web -> zone:world on 443"]
    assert hints(found.suggested) == [
        (
            "seen 100 times with addresses outside, 2027-01-01 00:00 to 2027-01-03 00:00: "
            "203.0.113.1, 203.0.113.2"
        )
    ]


def test_who_was_seen_and_is_not_here_is_a_question() -> None:
    found = drafted(WEB, seen=[edge("web", "gone")])
    assert [each.text.partition(":")[0] for each in found.doubts] == [
        "a/web to a/gone on 80/TCP was seen, and an end of it is not here"
    ]
