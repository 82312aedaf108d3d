"""Calls by ends that the input does not hold: open, unless policies stop whoever that is."""

import pytest

from cloison.app import Session, load_texts
from cloison.ir.fidelity import Verdict
from cloison.report.text.ways import stopped

SHOP = """
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: web, labels: {app: shop}}
spec: {containers: [{name: c, image: x, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: web}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: http}], SERVICE}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: in, namespace: web}
spec: {CLASS defaultBackend: {service: {name: shop, port: {number: 80}}}}
"""
POLICY = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: rules, namespace: web}
spec: {podSelector: {}, policyTypes: [DIRECTION], RULES}
"""


def shop(ingress: str | None = None, class_name: str = "", service: str = "") -> Session:
    text = SHOP.replace("CLASS", class_name).replace(", SERVICE", service)
    if ingress is not None:
        text += POLICY.replace("DIRECTION", "Ingress").replace("RULES", f"ingress: {ingress}")
    return load_texts({"all.yaml": text})


def api(egress: str) -> Session:
    rules = POLICY.replace("DIRECTION", "Egress").replace("RULES", f"egress: {egress}")
    return load_texts({"all.yaml": SHOP.replace("CLASS", "").replace(", SERVICE", "") + rules})


@pytest.mark.parametrize("class_name", ["", "ingressClassName: acme,"])
def test_who_serves_an_entry_is_not_known(class_name: str) -> None:
    answer = shop(class_name=class_name).why("gw:web/in", "web/shop")
    assert answer.verdict is Verdict.UNDETERMINED
    assert [each.id for each in answer.caveats] == ["GATEWAY_CONTROLLER_UNKNOWN"]
    assert answer.ways[0].stop is not None
    assert answer.ways[0].stop.help.startswith("add the controller's workload")
    assert not any("to blame" in each for each in stopped(answer))


def test_who_admits_nobody_stops_whoever_serves_an_entry() -> None:
    answer = shop("[]").why("gw:web/in", "web/shop")
    assert answer.verdict is Verdict.DENIED
    assert answer.decided_by
    assert not list(stopped(answer))


@pytest.mark.parametrize("peer", ["podSelector: {}", "ipBlock: {cidr: 10.0.0.0/8}"])
def test_who_admits_somebody_may_admit_who_serves_it(peer: str) -> None:
    answer = shop(f"[{{from: [{{{peer}}}]}}]").why("gw:web/in", "web/shop")
    assert answer.verdict is Verdict.UNDETERMINED


def test_health_checks_let_in_no_requests_of_an_internal_balancer() -> None:
    checks = "[{from: [{ipBlock: {cidr: 35.191.0.0/16}}, {ipBlock: {cidr: 130.211.0.0/22}}]}]"
    named = "ingressClassName: gce-internal,"
    assert shop(checks, named).why("gw:web/in", "web/shop").verdict is Verdict.DENIED
    wider = "[{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"
    assert shop(wider, named).why("gw:web/in", "web/shop").verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize("end", ["svc:default/kubernetes", "dns:kubernetes.default.svc"])
def test_the_api_server_is_there_though_no_object_says_it(end: str) -> None:
    some = api("[{to: [{ipBlock: {cidr: 10.0.0.5/32}}], ports: [{port: 6443}]}]")
    answer = some.why("web/shop", end, port=443)
    assert answer.verdict is Verdict.UNDETERMINED
    assert "ENDPOINTS_NOT_READ" in {each.id for each in answer.caveats}
    assert api("[]").why("web/shop", end, port=443).verdict is Verdict.DENIED
    pods = api("[{to: [{namespaceSelector: {}}]}]")
    assert pods.why("web/shop", end, port=443).verdict is Verdict.DENIED


def test_a_load_balancer_drops_calls_from_elsewhere() -> None:
    ranges = ", type: LoadBalancer, externalTrafficPolicy: Local, "
    ranges += "loadBalancerSourceRanges: [203.0.113.0/24]"
    some = shop(
        "[{from: [{ipBlock: {cidr: 198.18.0.0/15}}, {ipBlock: {cidr: 203.0.113.0/24}}]}]",
        service=ranges,
    )
    barred = some.why("198.18.0.1", "svc:web/shop", port=80)
    assert barred.verdict is Verdict.DENIED
    assert [way.stop.reason for way in barred.ways if way.stop] == ["NotInSourceRanges"]
    assert some.why("203.0.113.7", "svc:web/shop", port=80).verdict is Verdict.ALLOWED
