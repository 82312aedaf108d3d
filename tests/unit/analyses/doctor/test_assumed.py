"""Pods that are not in the input: those of operators, of gateways anywhere, of collectors."""

from typing import Any

import pytest

from cloison.app import load_texts
from cloison.platform.component import Placed
from tests.support.doctoring import examined, mended
from tests.support.smallworlds import (
    Manifest,
    found,
    listening,
    peer,
    policy,
    rule,
    service,
    text,
    thing,
    workload,
)

API = "monitoring.coreos.com/v1"
ALERTS = thing("Alertmanager", "main", "a", api=API, spec={"replicas": 3})
OF_ALERTS = {"app.kubernetes.io/name": "alertmanager"}
EVERYTHING: dict[str, Any] = {"serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {}}
SERVER = thing("Prometheus", "k8s", "a", api=API, spec=EVERYTHING)
OF_SERVER = {"app.kubernetes.io/name": "prometheus"}
FRONT = workload("front", "a", ports=listening((8080, "http"), (9113, "metrics")))
DENIED = policy(ingress=[])


def codes(check: str, *objects: Manifest) -> list[str]:
    """Return the codes of what one check finds."""
    return [each.code for each in found(check, *objects)]


def test_a_policy_for_pods_to_come_does_select_something() -> None:
    mine = policy(to=OF_ALERTS, ingress=[])
    assert codes("D-NOSELECT", FRONT, mine) == ["SEL001"]
    assert codes("D-NOSELECT", FRONT, ALERTS, mine) == []
    more = policy(to={**OF_ALERTS, "tier": "unknown"}, ingress=[])
    assert codes("D-NOSELECT", FRONT, ALERTS, more) == []
    wrong = policy(to={**OF_ALERTS, "alertmanager": "other"}, ingress=[])
    assert codes("D-NOSELECT", FRONT, ALERTS, wrong) == ["SEL001"]


def test_peers_may_be_pods_to_come() -> None:
    let_in = policy(to={"app": "front"}, ingress=[rule("from", peer(**OF_ALERTS))])
    assert codes("D-NOSELECT", FRONT, ALERTS, let_in) == []


def test_metrics_of_pods_to_come_are_collected_by_pods_to_come() -> None:
    front = service(
        "alerts",
        "a",
        {"port": 9093, "name": "web", "targetPort": "web"},
        labels={"app": "alerts"},
        selector=OF_ALERTS,
    )
    monitor = thing(
        "ServiceMonitor",
        "alerts",
        "a",
        api=API,
        spec={"selector": {"matchLabels": {"app": "alerts"}}, "endpoints": [{"port": "web"}]},
    )
    objects = (ALERTS, SERVER, front, monitor)
    shut = policy(to=OF_ALERTS, ingress=[])
    (one,) = found("D-SCRAPE", *objects, shut)
    assert one.message == (
        "Prometheus a/k8s cannot collect metrics of a/alertmanager-main (assumed) on TCP/9093"
    )
    assert (one.code, str(one.severity)) == ("SCR001", "warning")
    assert [each.id for each in one.caveats] == ["OPERATOR_PODS"]
    assert any("Alertmanager a/main makes" in each.text for each in one.evidence)
    let_in = policy(to=OF_ALERTS, ingress=[rule("from", peer(**OF_SERVER), ports=(9093,))])
    assert codes("D-SCRAPE", *objects, let_in) == []


def test_pods_to_come_reach_metadata_like_others() -> None:
    out = policy(to=OF_ALERTS, egress=[{}])
    (one,) = found("D-IMDS", ALERTS, out)
    assert "a/alertmanager-main (assumed)" in one.message
    session = load_texts({"all.yaml": text(ALERTS, out)})
    assert [str(each.id) for each in session.egress().workloads] == [
        "a/alertmanager-main (assumed)"
    ]
    assert any("an operator makes it of" in each for each in session.egress().lacking)
    assert not session.world.workloads


def test_replicas_to_come_talk_among_themselves() -> None:
    cluster = thing("Cluster", "pg", "a", api="postgresql.cnpg.io/v1", spec={"instances": 3})
    own = {"cnpg.io/cluster": "pg"}
    clients = rule("from", peer(app="front"), ports=(5432,))
    forgets = policy(to=own, ingress=[clients])
    (one,) = found("D-PEER", cluster, FRONT, forgets)
    assert (one.code, str(one.severity)) == ("PEE001", "warning")
    itself = rule("from", peer(**own), ports=(5432,))
    assert codes("D-PEER", cluster, FRONT, policy(to=own, ingress=[clients, itself])) == []


def entry(name: str = "traefik", controller: str = "traefik.io/ingress-controller") -> Manifest:
    """Return an Ingress of a class, and the class."""
    backend = {"service": {"name": "front", "port": {"number": 80}}}
    spec = {"ingressClassName": name, "defaultBackend": backend}
    return thing("Ingress", "i", "a", api="networking.k8s.io/v1", spec=spec)


BEHIND = (FRONT, service("front", "a", {"port": 80, "targetPort": "http"}), entry())


@pytest.mark.parametrize(
    ("let_in", "expected"),
    [
        ([], ["GWY001"]),
        ([rule("from", peer("ingress-nginx", app="nginx"), ports=(8080,))], []),
        ([rule("from", peer("edge", **{"app.kubernetes.io/name": "traefik"}), ports=(8080,))], []),
        (
            [rule("from", peer("edge", **{"app.kubernetes.io/name": "x"}), ports=(8080,))],
            ["GWY001"],
        ),
        ([rule("from", peer("edge", **{"app.kubernetes.io/name": "traefik"}), ports=(80,))], None),
        ([rule("from", peer(), ports=(8080,))], ["GWY001"]),
        ([rule("from", peer(app="front"), ports=(8080,))], ["GWY001"]),
        ([rule("from", {"ipBlock": {"cidr": "10.0.0.0/8"}}, ports=(8080,))], []),
        ([rule("from", {"ipBlock": {"cidr": "203.0.113.0/24"}}, ports=(8080,))], ["GWY001"]),
        ([rule("from", ports=(8080,))], []),
    ],
)
def test_a_gateway_installed_anywhere(let_in: list[Manifest], expected: list[str] | None) -> None:
    told = codes("D-GW", *BEHIND, policy(to={"app": "front"}, ingress=let_in))
    assert told == (["GWY001"] if expected is None else expected)


def test_what_is_said_of_a_gateway_anywhere() -> None:
    here = text(*BEHIND, DENIED)
    first = examined(here, "D-GW")
    (one,) = first
    assert one.message == (
        "a/front does not admit Traefik (assumed) on TCP/8080, which serves Ingress a/i"
    )
    assert (str(one.mode), str(one.severity)) == ("F2", "warning")
    assert "GATEWAY_NAMESPACE_UNKNOWN" in [each.id for each in one.caveats]
    assert "not-in-the-input" not in "".join(each.manifest or "" for each in one.mend)
    assert examined(mended({"all.yaml": here}, first)["mended.yaml"], "D-GW") == ()
    placed = {"gw-traefik": Placed("edge")}
    (known,) = examined(here, "D-GW", components=placed)
    assert "edge/Traefik (assumed)" in known.message or "Traefik" in known.message


def test_nobody_collects_what_nobody_may() -> None:
    notes = {"prometheus.io/scrape": "true", "prometheus.io/port": "9113"}
    noted = workload("front", pod={"annotations": notes}, ports=listening(8080))
    here = text(noted, DENIED)
    first = examined(here, "D-SCRAPE")
    (one,) = first
    assert (one.code, str(one.severity), str(one.mode)) == ("SCR003", "warning", "F3")
    assert one.message.startswith("nobody can collect the metrics of a/front on TCP/9113")
    assert examined(mended({"all.yaml": here}, first)["mended.yaml"], "D-SCRAPE") == ()
    assert examined(here, "D-SCRAPE", components={"metrics-prometheus-operator": None}) == ()
    for let_in in (
        rule("from", peer("somewhere", any="label"), ports=(9113,)),
        rule("from", peer(), ports=(9113,)),
        rule("from", ports=(9113,)),
        rule("from", {"ipBlock": {"cidr": "0.0.0.0/0"}}),
    ):
        assert codes("D-SCRAPE", noted, policy(ingress=[let_in])) == [], let_in
    agent = workload("metrics-agent")
    by_agent = rule("from", peer(app="metrics-agent"), ports=(9113,))
    assert codes("D-SCRAPE", noted, agent, policy(ingress=[by_agent])) == []
    other = policy(ingress=[rule("from", peer(app="back"), ports=(8080, 9113))])
    assert codes("D-SCRAPE", noted, workload("back"), other) == ["SCR003"]


def test_the_only_prometheus_is_who_monitors_are_for() -> None:
    monitor = thing(
        "PodMonitor",
        "m",
        "a",
        api=API,
        spec={
            "selector": {"matchLabels": {"app": "front"}},
            "podMetricsEndpoints": [{"port": "metrics"}],
        },
    )
    plain = workload("prometheus", "obs", image="quay.io/prometheus/prometheus:v3")
    (one,) = found("D-SCRAPE", FRONT, monitor, plain, DENIED)
    assert (one.code, str(one.severity)) == ("SCR001", "warning")
    let_in = policy(ingress=[rule("from", peer("obs", app="prometheus"), ports=(9113,))])
    assert codes("D-SCRAPE", FRONT, monitor, plain, let_in) == []
    assert codes("D-SCRAPE", FRONT, monitor, DENIED) == ["SCR003"]


def test_a_gateway_anywhere_leaves_a_call_through_it_open() -> None:
    some = policy(ingress=[rule("from", peer("edge", app="edge"), ports=(8080,))])
    session = load_texts({"all.yaml": text(*BEHIND, some)})
    answer = session.why("gw:a/i", "a/front")
    assert str(answer.verdict) == "undetermined"
    assert "GATEWAY_NAMESPACE_UNKNOWN" in [each.id for each in answer.caveats]
    # Who admits nobody does not admit it, wherever it is.
    shut = load_texts({"all.yaml": text(*BEHIND, DENIED)}).why("gw:a/i", "a/front")
    assert str(shut.verdict) == "denied"


def test_calls_to_pods_to_come_are_no_outage_for_certain() -> None:
    front = service("alerts", "a", {"port": 9093}, selector=OF_ALERTS)
    env = [{"name": "ALERTS_URL", "value": "http://alerts:9093"}]
    caller = workload("caller", "a", env=env)
    shut = policy(to=OF_ALERTS, ingress=[])
    (one,) = found("D-CALL", caller, front, ALERTS, shut)
    assert (one.code, str(one.severity)) == ("DEP001", "warning")
    assert "OPERATOR_PODS" in [each.id for each in one.caveats]


def test_an_outage_of_others_stays_one() -> None:
    (one,) = found("D-DNS", FRONT, ALERTS, policy(egress=[]))
    assert (one.code, str(one.severity)) == ("DNS001", "error")
    (alone,) = found("D-DNS", ALERTS, policy(egress=[]))
    assert (alone.code, str(alone.severity)) == ("DNS001", "warning")


def test_rules_by_the_name_of_a_port_are_about_that_port() -> None:
    notes = {"prometheus.io/scrape": "true", "prometheus.io/port": "9113"}
    ports = listening((8080, "http"), (9113, "metrics"))
    noted = workload("front", pod={"annotations": notes}, ports=ports)
    for name, expected in (("metrics", []), ("http", ["SCR003"])):
        let_in = rule("from", peer("somewhere", any="label"), ports=(name,))
        assert codes("D-SCRAPE", noted, policy(ingress=[let_in])) == expected


def test_a_namespace_of_pods_to_come_can_be_asked_about() -> None:
    session = load_texts({"all.yaml": text(ALERTS)})
    assert session.doctor(["a"]) == ()
