"""Which manifests and policies speak for which edges."""

import pytest

from tests.support.smallworlds import (
    Manifest,
    block,
    container,
    listening,
    peer,
    policy,
    rule,
    service,
    thing,
    variables,
    workload,
)
from tests.unit.analyses.draft.drafting import calls, drafted, hints

DB = (
    workload("db", ports=listening(5432)),
    service("db", "a", {"port": 5000, "targetPort": 5432}),
)
LEADING = {"rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {
    "service": {"name": "web", "port": {"number": 80}}}}]}}]}  # fmt: skip


def told(**values: str) -> Manifest:
    """Return a workload with variables."""
    return workload("web", env=variables(**values))


def test_a_variable_names_a_service_and_the_draft_its_pods() -> None:
    found = drafted(*DB, told(DB_ADDR="db:5000"))
    assert calls(found.accepted) == ["a/web -> a/db on 5432"]
    assert hints(found.accepted) == [
        "variable DB_ADDR names Service a/db, port 5000, which is port 5432 of the pods"
    ]


def test_an_argument_counts_and_its_own_name_does_not() -> None:
    web = workload("web", args=["--db=postgres://db:5000/x", "--self=http://web"])
    assert calls(drafted(*DB, web, service("web")).accepted) == ["a/web -> a/db on 5432"]


def test_a_host_without_a_port_is_asked_about_where_the_service_has_several() -> None:
    two = service("db", "a", {"port": 1, "name": "x"}, {"port": 2, "name": "y"})
    silent = workload("db", ports=listening(1, 2))
    found = drafted(silent, two, told(DB_HOST="db"))
    assert calls(found.accepted) == []
    assert calls(found.suggested) == ["a/web -> a/db"]


def test_what_asks_for_no_port_never_counts_even_if_suggestions_do() -> None:
    two = service("db", "a", {"port": 1, "name": "x"}, {"port": 2, "name": "y"})
    found = drafted(workload("db", ports=listening(1, 2)), two, told(DB_HOST="db"), accept=True)
    assert calls(found.accepted) == []
    assert calls(found.suggested) == ["a/web -> a/db"]


def test_who_is_outside_becomes_an_external() -> None:
    found = drafted(told(MAIL_URL="https://mail.example.com", FEED_URL="http://203.0.113.9:8080"))
    assert calls(found.accepted) == [
        "a/web -> external:block-203-0-113-9-32 on 8080",
        "a/web -> external:mail-example-com on 443",
    ]
    externals = {each.name: (each.cidrs, each.hosts) for each in found.contract.externals}
    assert externals == {
        "block-203-0-113-9-32": (("203.0.113.9/32",), ()),
        "mail-example-com": ((), ("mail.example.com",)),
    }


@pytest.mark.parametrize("value", ["http://localhost:80", "http://127.0.0.1", "http://[::1]:5"])
def test_oneself_is_nobody_to_depend_on(value: str) -> None:
    found = drafted(told(API_URL=value))
    assert (found.accepted, found.suggested, found.doubts) == ((), (), ())


def test_a_service_that_is_not_here_is_a_question() -> None:
    found = drafted(told(A_ADDR="cache:6379", B_URL="http://x.a.svc.cluster.local"))
    assert [each.text for each in found.doubts] == [
        "a/web is told to call cache:6379 by variable A_ADDR, and no Service here is called so",
        (
            "a/web is told to call x.a.svc.cluster.local:80 by variable B_URL, and the input has "
            "no such Service"
        ),
    ]


def test_an_alias_of_a_name_outside_is_that_name() -> None:
    alias = service("mail", "a", type="ExternalName", externalName="Mail.Example.Com")
    alias["spec"].pop("selector")
    found = drafted(alias, told(MAIL_ADDR="mail:25"))
    assert calls(found.accepted) == ["a/web -> external:mail-example-com on 25"]


def test_scripts_files_and_annotations_name_services() -> None:
    wait = container(command=["sh", "-c", "until nc -z db 5000; do sleep 1; done"])
    web = workload(
        "web",
        pod={
            "initContainers": [{**wait, "name": "wait"}],
            "volumes": [{"name": "conf", "configMap": {"name": "nginx"}}],
            "annotations": {"example.org/depends-on": "api"},
        },
    )
    conf = thing("ConfigMap", "nginx", "a")
    conf["data"] = {"nginx.conf": "# http://old:80\nproxy_pass http://api:80/;\n"}
    api = (
        workload("api", ports=listening(8080)),
        service("api", "a", {"port": 80, "targetPort": 8080}),
    )
    old = (workload("old", ports=listening(80)), service("old"))
    found = drafted(*DB, *api, *old, web, conf)
    assert calls(found.accepted) == ["a/web -> a/api on 8080", "a/web -> a/db on 5432"]
    assert hints(found.accepted) == [
        "annotation example.org/depends-on names Service a/api",
        "nginx.conf of ConfigMap nginx names Service a/api, port 80",
        "the command of init container wait names Service a/db, port 5000, and waits for it",
    ]


def shared(name: str, team: str) -> Manifest:
    """Return a workload that takes the shared settings, and its team's label."""
    labels = {"app": name, "team": team}
    return workload(
        name,
        pod={"labels": labels},
        envFrom=[{"configMapRef": {"name": "all"}}],
        ports=listening(80),
    )


def test_settings_that_many_share_are_weaker_and_of_another_team_a_question() -> None:
    settings = thing("ConfigMap", "all", "a")
    settings["data"] = {"ONE_ADDR": "one:80", "TWO_ADDR": "two:80", "THREE_ADDR": "three:80"}
    others = (
        workload("three", pod={"labels": {"app": "three", "team": "x"}}, ports=listening(80)),
    )
    services = [service(each) for each in ("one", "two", "three")]
    found = drafted(settings, shared("one", "x"), shared("two", "y"), *others, *services)
    assert calls(found.accepted) == ["a/one -> a/three on 80"]
    assert str(found.accepted[0].sure) == "medium"
    assert "others take ConfigMap all as well" in found.accepted[0].hints[0].text
    assert calls(found.suggested) == [
        "a/one -> a/two on 80",
        "a/two -> a/one on 80",
        "a/two -> a/three on 80",
    ]


def test_a_rule_by_labels_is_an_edge_on_the_ports_it_names() -> None:
    rules = [rule("from", peer(app="web"), ports=(5432, "x"))]
    db = workload("db", ports=listening((9999, "x")))
    found = drafted(db, workload("web"), policy(to={"app": "db"}, ingress=rules))
    assert calls(found.accepted) == ["a/web -> a/db on 5432, 9999"]
    assert [str(each.sure) for each in found.accepted] == ["high"]


def test_a_selector_one_letter_off_is_mended_and_says_so() -> None:
    rules = [rule("from", peer(app="wep"), ports=(5432,))]
    found = drafted(*DB, workload("web"), policy(to={"app": "dbs"}, ingress=rules))
    assert calls(found.accepted) == ["a/web -> a/db on 5432"]
    assert str(found.accepted[0].sure) == "medium"
    assert hints(found.accepted) == [
        (
            "ingress rule 1 of a/p; label mended: app=dbs read as app=db; "
            "label mended: app=wep read as app=web"
        )
    ]


def test_two_ways_to_mend_a_selector_are_none() -> None:
    rules = [rule("from", peer(app="web"), ports=(1,))]
    both = (workload("card"), workload("carp"))
    found = drafted(*both, workload("web"), policy(to={"app": "cart"}, ingress=rules))
    assert calls(found.dependencies) == []


def test_a_rule_for_every_pod_of_a_namespace_says_so() -> None:
    rules = [rule("from", peer("b"), ports=(5432,))]
    rules[0]["from"][0]["podSelector"] = {}
    found = drafted(*DB, workload("web", "b"), policy(to={"app": "db"}, ingress=rules))
    assert calls(found.accepted) == ["any:b -> a/db on 5432"]


def test_a_rule_for_every_pod_is_asked_about_where_narrower_calls_are_known() -> None:
    rules = [rule("from", peer("a"), ports=(5432,))]
    rules[0]["from"][0]["podSelector"] = {}
    found = drafted(*DB, told(DB_ADDR="db:5000"), policy(to={"app": "db"}, ingress=rules))
    assert calls(found.accepted) == ["a/web -> a/db on 5432"]
    assert calls(found.suggested) == ["any:a -> a/db on 5432"]


def test_replicas_call_each_other_where_a_rule_is_about_them_alone() -> None:
    rules = [rule("from", peer(app="db"), ports=(7000,))]
    found = drafted(workload("db"), workload("web"), policy(to={"app": "db"}, ingress=rules))
    assert calls(found.accepted) == ["a/db -> a/db on 7000"]
    rules = [rule("from", peer(tier="x"), ports=(7000,))]
    both = (workload(each, pod={"labels": {"app": each, "tier": "x"}}) for each in ("db", "web"))
    found = drafted(*both, policy(to={"tier": "x"}, ingress=rules))
    assert calls(found.accepted) == ["a/db -> a/web on 7000", "a/web -> a/db on 7000"]


def test_a_rule_for_a_block_is_an_external_and_one_for_everybody_a_question() -> None:
    rules = [rule("to", block("203.0.113.0/24"), ports=(443,))]
    rules += [rule("to", block("0.0.0.0/0"), ports=(80,))]
    found = drafted(workload("web"), policy(to={"app": "web"}, egress=rules))
    assert calls(found.accepted) == ["a/web -> external:block-203-0-113-0-24 on 443"]
    assert calls(found.suggested) == ["a/web -> zone:world on 80"]


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort"])
def test_services_for_the_world_make_an_edge_zone(kind: str) -> None:
    web = workload("web", ports=listening(8080))
    front = service("web", "a", {"port": 80, "targetPort": 8080}, type=kind)
    found = drafted(web, front)
    assert [str(each.entry) for each in found.accepted] == ["zone:world -> a/web on 8080"]
    assert [(each.name, each.from_) for each in found.contract.zones] == [("edge", ("world",))]


def test_who_a_load_balancer_lets_in_is_who_calls() -> None:
    front = service("web", type="LoadBalancer", loadBalancerSourceRanges=["203.0.113.0/24"])
    found = drafted(workload("web", ports=listening(80)), front)
    (each,) = found.accepted
    assert str(each.entry) == "external:block-203-0-113-0-24 -> a/web on 80"
    assert found.contract.workloads[0].zone == "edge"


def test_the_api_server_and_metadata_are_of_the_platform() -> None:
    found = drafted(
        told(
            API_URL="https://kubernetes.default.svc",
            KEYS_URL="http://169.254.169.254/latest",
        )
    )
    assert calls(found.dependencies) == []
    assert [each.id for each in found.contract.platform] == ["apiserver", "metadata"]
    assert found.doubts == ()


def test_an_entry_that_nobody_here_serves_is_named_itself() -> None:
    entry = thing("Ingress", "in", "a", api="networking.k8s.io/v1", spec=LEADING)
    web = workload("web", ports=listening(8080))
    found = drafted(web, service("web", "a", {"port": 80, "targetPort": 8080}), entry)
    assert "gw:a/in -> a/web on 8080" in calls(found.accepted)
    (placed,) = found.contract.workloads
    assert placed.zone == "edge"


def test_who_scrapes_calls_what_asks_for_it() -> None:
    prometheus = workload("prometheus", "m", image="prom/prometheus:v3")
    asking = {"labels": {"app": "web"}, "annotations": {"prometheus.io/scrape": "true"}}
    found = drafted(prometheus, workload("web", pod=asking, ports=listening(9100)))
    assert calls(found.accepted) == ["m/prometheus -> a/web on 9100"]


def test_a_pod_of_a_stateful_set_is_named_before_its_headless_service() -> None:
    headless = service("kafka", "a", {"port": 9092})
    headless["spec"]["clusterIP"] = "None"
    kafka = workload("kafka", ports=listening(9092), kind="StatefulSet")
    found = drafted(kafka, headless, told(KAFKA_BROKERS="kafka-0.kafka:9092,kafka-1.kafka:9092"))
    assert calls(found.dependencies) == ["a/web -> a/kafka on 9092"]
    assert not found.contract.externals


def test_a_short_name_of_nobody_is_a_question() -> None:
    found = drafted(told(KAFKA_BROKERS="kafka-0.kafka:9092"))
    assert not found.accepted
    assert "kafka-0.kafka" in str(found.doubts)


def test_names_are_looked_up_by_both_protocols() -> None:
    found = drafted(told(DNS_SERVER="8.8.8.8:53"))
    assert {str(p) for each in found.accepted for p in each.entry.ports} == {"53", "53/UDP"}


@pytest.mark.parametrize("name", ["PASSWORD", "PGPASSWORD", "API_TOKEN", "MY_SECRET", "API_KEY"])
def test_what_is_secret_is_no_evidence(name: str) -> None:
    found = drafted(*DB, told(**{name: "db:5000"}))
    assert "a/web -> a/db on 5432" not in (*calls(found.accepted), *calls(found.suggested))


def test_what_stands_among_words_is_only_suggested() -> None:
    found = drafted(*DB, told(MOTD="ask at db:5000 or not"))
    assert calls(found.accepted) == []
    assert calls(found.suggested) == ["a/web -> a/db on 5432"]
