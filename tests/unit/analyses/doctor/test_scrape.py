"""D-SCRAPE: Prometheus reaches what monitors name, on the pods' own ports (P65, P66)."""

from typing import Any

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
APP = workload("web", ports=listening((9113, "prom"), 8080))
SERVICE = service(
    "web", "a", {"port": 80, "name": "metrics", "targetPort": 9113}, labels={"app": "web"}
)


def prometheus(namespace: str = "observability", **spec: Any) -> Manifest:
    """Return a Prometheus object that takes every monitor, if nothing else is said."""
    everything: dict[str, Any] = {
        "serviceMonitorSelector": {},
        "serviceMonitorNamespaceSelector": {},
        "podMonitorSelector": {},
        "podMonitorNamespaceSelector": {},
        "probeSelector": {},
        "probeNamespaceSelector": {},
    }
    return thing("Prometheus", "k8s", namespace, api=API, spec={**everything, **spec})


def monitor(kind: str = "ServiceMonitor", port: Any = "metrics", **more: Any) -> Manifest:
    """Return a monitor of the application."""
    field = "endpoints" if kind == "ServiceMonitor" else "podMetricsEndpoints"
    entry = port if isinstance(port, dict) else {"port": port}
    spec = {"selector": {"matchLabels": {"app": "web"}}, field: [entry], **more}
    return thing(kind, "web", "a", api=API, spec=spec)


def letting_in(*peers: Manifest, port: int = 9113) -> Manifest:
    """Return a policy about the application's pods."""
    return policy(ingress=[rule("from", *peers, ports=(port,))])


OPERATED = {"app.kubernetes.io/name": "prometheus"}
REAL = peer("observability", **OPERATED)


def told(*objects: Manifest) -> list[str]:
    """Return the codes of what is found about the application's metrics."""
    return [each.code for each in found("D-SCRAPE", APP, SERVICE, *objects)]


def test_another_namespace_and_another_label_are_nobody() -> None:
    guessed = letting_in(peer("monitoring", app="prometheus"))
    assert told(prometheus(), monitor(), guessed) == ["SCR001"]
    assert told(prometheus(), monitor(), letting_in(REAL)) == []


def test_the_port_is_that_of_the_pod_not_of_the_service() -> None:
    assert told(prometheus(), monitor(), letting_in(REAL, port=80)) == ["SCR001"]


def test_what_is_proposed_mends_it() -> None:
    here = text(APP, SERVICE, prometheus(), monitor(), letting_in(REAL, port=80))
    first = examined(here, "D-SCRAPE")
    assert first[0].message == (
        "Prometheus observability/k8s cannot collect metrics of a/web on TCP/9113"
    )
    assert examined(mended({"all.yaml": here}, first)["mended.yaml"], "D-SCRAPE") == ()


def test_live_pods_count_before_assumed_ones() -> None:
    labels = {**OPERATED, "operator.prometheus.io/name": "k8s", "extra": "yes"}
    live = workload("prometheus-k8s", "observability", "StatefulSet", pod={"labels": labels})
    assert told(prometheus(), monitor(), live, letting_in(peer("observability", extra="yes"))) == []


def test_labels_of_pods_that_the_object_gives_count() -> None:
    labelled = prometheus(podMetadata={"labels": {"team": "obs"}})
    assert told(labelled, monitor(), letting_in(peer("observability", team="obs"))) == []


def test_egress_of_prometheus_counts_too() -> None:
    shut = policy("observability", egress=[])
    assert told(prometheus(), monitor(), shut) == ["SCR001"]
    let_out = policy("observability", egress=[rule("to", peer("a", app="web"), ports=(9113,))])
    assert told(prometheus(), monitor(), let_out) == []


def test_pods_on_the_network_of_their_nodes_are_proposed_by_address() -> None:
    where = {"addresses": [{"type": "InternalIP", "address": "192.168.1.1"}]}
    node = thing("Node", "n1", spec={}, status=where)
    ports = listening((9113, "prom"))
    app = workload("web", ports=ports, pod={"hostNetwork": True})
    let_out = policy("observability", egress=[rule("to", peer("a", app="web"), ports=(9113,))])
    here = text(app, SERVICE, prometheus(), monitor(), node, let_out)
    first = examined(here, "D-SCRAPE")
    assert [each.code for each in first] == ["SCR001"]
    (mend,) = first[0].mend
    assert "cidr: 192.168.1.1/32" in (mend.manifest or "")


def test_monitors_that_nobody_takes_are_nobodys() -> None:
    picky = prometheus(serviceMonitorSelector={"matchLabels": {"release": "x"}})
    assert told(picky, monitor(), letting_in()) == []
    own_only = prometheus()
    del own_only["spec"]["serviceMonitorNamespaceSelector"]
    assert told(own_only, monitor(), policy(ingress=[])) == []
    assert told(prometheus(), monitor(), policy(ingress=[])) == ["SCR001"]


def test_pod_monitors_name_ports_of_containers() -> None:
    named = monitor("PodMonitor", "prom")
    assert told(prometheus(), named, letting_in(REAL, port=8080)) == ["SCR001"]
    assert told(prometheus(), named, letting_in(REAL)) == []
    assert told(prometheus(), monitor("PodMonitor", {"portNumber": 9113}), letting_in(REAL)) == []


def test_a_name_that_no_port_has_finds_no_targets() -> None:
    (one,) = found("D-SCRAPE", APP, SERVICE, prometheus(), monitor(port="metricz"))
    assert one.code == "SCR002"
    assert one.mend == ()
    assert told(prometheus(), monitor("PodMonitor", "metrics")) == ["SCR002"]
    assert told(prometheus(), monitor(port={"targetPort": "prom"})) == []


def test_a_monitor_of_what_is_not_in_the_input_is_not_judged() -> None:
    elsewhere = monitor(namespaceSelector={"matchNames": ["kube-system"]})
    assert told(prometheus(), elsewhere, policy(ingress=[])) == []


def test_annotations_ask_a_prometheus_of_no_operator() -> None:
    notes = {"prometheus.io/scrape": "true", "prometheus.io/port": "9113"}
    app = workload("web", pod={"annotations": notes}, ports=listening(9113, 8080))
    plain = workload("prometheus", "observability", image="quay.io/prometheus/prometheus:v3")
    shut, let_in = policy(ingress=[]), letting_in(peer("observability", app="prometheus"))
    assert [each.code for each in found("D-SCRAPE", app, plain, shut)] == ["SCR001"]
    assert found("D-SCRAPE", app, plain, let_in) == ()
    assert found("D-SCRAPE", app, prometheus(), shut) == ()


def test_annotations_of_a_service_count_for_its_pods() -> None:
    notes = {"prometheus.io/scrape": "true", "prometheus.io/port": "9113"}
    noted = service("web", "a", {"port": 80}, annotations=notes)
    plain = workload("prometheus", "observability", image="prom/prometheus")
    assert [e.code for e in found("D-SCRAPE", APP, noted, plain, policy(ingress=[]))] == ["SCR001"]
    assert found("D-SCRAPE", APP, noted, plain) == ()


def test_probes_go_through_a_prober() -> None:
    prober = (
        workload("blackbox", "observability", ports=listening(9115)),
        service("blackbox", "observability", {"port": 19115, "targetPort": 9115}),
    )
    url = "blackbox.observability.svc:19115"
    probe = thing("Probe", "x", "a", api=API, spec={"prober": {"url": url}})
    shut = policy("observability", ingress=[], to={"app": "blackbox"})
    assert [e.code for e in found("D-SCRAPE", *prober, prometheus(), probe, shut)] == ["SCR001"]
    assert found("D-SCRAPE", *prober, prometheus(), probe) == ()


def test_the_prober_reaches_what_a_probe_names() -> None:
    prober = (
        workload("blackbox", "observability", ports=listening(9115)),
        service("blackbox", "observability", {"port": 9115}),
    )
    spec = {
        "prober": {"url": "blackbox.observability:9115"},
        "targets": {"staticConfig": {"static": ["http://web.b/healthz", "https://example.org"]}},
    }
    probe = thing("Probe", "x", "a", api=API, spec=spec)
    web = (
        workload("web", "b", ports=listening(8080)),
        service("web", "b", {"port": 80, "targetPort": 8080}),
    )
    here = (*prober, *web, prometheus(), probe)
    (one,) = found("D-SCRAPE", *here, policy("b", ingress=[]))
    assert one.message == "observability/blackbox cannot probe svc:b/web on TCP/80"
    assert one.mend
    assert found("D-SCRAPE", *here) == ()
