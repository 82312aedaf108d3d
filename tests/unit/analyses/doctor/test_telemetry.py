"""D-TELEMETRY: traces and metrics arrive, also at the own node (P67)."""

from tests.support.doctoring import examined, mended
from tests.support.smallworlds import (
    Manifest,
    block,
    found,
    listening,
    peer,
    policy,
    rule,
    service,
    text,
    thing,
    variables,
    workload,
)

COLLECTOR = workload("otel", "obs", ports=listening(4317))
SERVICE = service("otel", "obs", {"port": 4317})
URL = "OTEL_EXPORTER_OTLP_ENDPOINT"
HOST_IP = {"name": "HOST_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}
TO_PODS = policy(egress=[rule("to", peer("obs", app="otel"), ports=(4317,))])


def told(app: Manifest, *objects: Manifest) -> list[str]:
    """Return the codes of what is found."""
    return [each.code for each in found("D-TELEMETRY", app, COLLECTOR, SERVICE, *objects)]


def test_a_collector_behind_a_service() -> None:
    app = workload("web", env=variables(**{URL: "http://otel.obs:4317"}))
    here = text(app, COLLECTOR, SERVICE, policy(egress=[]))
    first = examined(here, "D-TELEMETRY")
    assert [each.code for each in first] == ["TEL001"]
    assert examined(mended({"all.yaml": here}, first)["mended.yaml"], "D-TELEMETRY") == ()
    assert told(app, TO_PODS) == []


def test_it_is_told_once_and_not_as_a_dependency() -> None:
    app = workload("web", env=variables(**{URL: "http://otel.obs:4317"}))
    assert found("D-CALL", app, COLLECTOR, SERVICE, policy(egress=[])) == ()


def test_the_own_node_is_no_pod() -> None:
    app = workload("web", env=[HOST_IP, *variables(**{URL: "http://$(HOST_IP):4317"})])
    (one,) = found("D-TELEMETRY", app, COLLECTOR, SERVICE, TO_PODS)
    assert (one.code, str(one.severity)) == ("TEL002", "warning")
    assert "its own node on TCP/4317" in one.message
    anywhere = policy(egress=[rule("to", ports=(4317,))])
    assert told(app, anywhere) == []


def test_the_own_node_is_known_of_a_live_pod() -> None:
    node = thing(
        "Node", "n1", status={"addresses": [{"type": "InternalIP", "address": "172.18.0.2"}]}
    )
    env = [HOST_IP, *variables(**{URL: "http://$(HOST_IP):4317"})]
    pod = thing(
        "Pod",
        "web",
        "a",
        labels={"app": "web"},
        spec={"nodeName": "n1", "containers": [{"name": "a", "image": "b", "env": env}]},
        status={"podIP": "10.1.1.1", "phase": "Running"},
    )
    let_out = policy(egress=[rule("to", block("172.18.0.2/32"), ports=(4317,))])
    assert told(pod, node, TO_PODS) == ["TEL002"]
    assert told(pod, node, let_out) == []


def test_an_address_outside() -> None:
    app = workload("web", env=variables(STATSD_ADDR="203.0.113.9:8125"))
    assert told(app, policy(egress=[])) == ["TEL001"]
    assert told(app, policy(egress=[rule("to", block("203.0.113.9/32"), ports=(8125,))])) == []


def test_a_sidecar_is_on_the_way_to_nobody() -> None:
    app = workload("web", env=variables(**{URL: "http://127.0.0.1:4317"}))
    assert told(app, policy(egress=[])) == []
    named = workload("web", env=variables(**{URL: "http://localhost:4317"}))
    assert told(named, policy(egress=[])) == []
