"""Gateways, Ingresses and routes as ends of dependencies, compiled to who serves them."""

from datetime import date
from typing import Any

import pytest

from cloison.app.compile import TARGETS, compile_contract
from tests.support.contracted import policy, said, session

DAY = date(2026, 11, 1)
BACKENDS = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {kubernetes.io/metadata.name: shop}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: job, namespace: shop}
spec:
  selector: {matchLabels: {app: job}}
  template:
    metadata: {labels: {app: job}}
    spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: public, namespace: shop}
spec:
  ingressClassName: %s
  rules:
  - http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
"""
NGINX = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: edge}
spec:
  selector:
    matchLabels: &labels
      app.kubernetes.io/name: ingress-nginx
      app.kubernetes.io/component: controller
  template:
    metadata: {labels: *labels}
    spec: {containers: [{name: controller, image: i, ports: [{name: http, containerPort: 8000}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: ingress-nginx-controller, namespace: edge}
spec:
  type: LoadBalancer
  selector: {app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
"""
CLASS = """\
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
"""
BACK = {"name": "back", "from": "gw:shop/public", "to": "svc:shop/web", "ports": [80]}
ENTER = {"name": "enter", "from": "shop/job", "to": "gw:shop/public", "ports": [80]}
CLIENTS = {**ENTER, "name": "clients", "from": "203.0.113.0/24"}


@pytest.mark.parametrize("to", TARGETS)
def test_a_backend_takes_in_the_pods_that_serve_its_entry(to: str) -> None:
    done = compile_contract(session(BACK, text=BACKENDS % "nginx" + CLASS + NGINX), to, today=DAY)
    assert not done.compiled.refused
    assert (done.proof.asked, done.proof.through, done.proof.more) == (1, 1, 0)
    after = done.read_back()
    assert str(after.verdict("edge/ingress-nginx-controller", "shop/web", port=8080)) == "allowed"
    assert str(after.verdict("edge/ingress-nginx-controller", "shop/web", port=80)) == "denied"
    assert str(after.verdict("shop/job", "shop/web", port=8080)) == "denied"


@pytest.mark.parametrize("to", TARGETS)
def test_clients_of_an_entry_reach_who_serves_it_and_that_one_what_is_behind(to: str) -> None:
    done = compile_contract(session(ENTER, text=BACKENDS % "nginx" + CLASS + NGINX), to, today=DAY)
    assert (done.proof.asked, done.proof.through, done.proof.more) == (1, 1, 0)
    after = done.read_back()
    assert str(after.verdict("shop/job", "edge/ingress-nginx-controller", port=8000)) == "allowed"
    assert str(after.verdict("edge/ingress-nginx-controller", "shop/web", port=8080)) == "allowed"
    assert str(after.verdict("shop/job", "shop/web", port=8080)) == "denied"
    assert str(after.why("shop/job", "gw:shop/public:80").verdict) == "allowed"


@pytest.mark.parametrize(
    ("to", "peer"),
    [
        (
            "networkpolicy",
            {
                "from": [
                    {"ipBlock": {"cidr": f"{block}"}}
                    for block in ("192.0.2.1/32", "203.0.113.0/24")
                ]
            },
        ),
        ("cilium", {"fromEntities": ["remote-node", "host"]}),
    ],
)
def test_clients_outside_are_seen_as_nodes_too_where_nodes_pass_them_on(
    to: str, peer: dict[str, Any]
) -> None:
    text = BACKENDS % "nginx" + CLASS + NGINX
    done = compile_contract(session(CLIENTS, text=text), to, today=DAY)
    rules = policy(done, "edge/ingress-nginx-controller.yaml")["spec"]["ingress"]
    assert any(rule.items() >= peer.items() for rule in rules)
    after = done.read_back()
    seen = after.verdict("203.0.113.9", "edge/ingress-nginx-controller", port=8000)
    assert str(seen) == "allowed"


def test_pods_that_the_input_lacks_are_named_as_they_are_shipped() -> None:
    done = compile_contract(
        session(BACK, text=BACKENDS % "nginx" + CLASS), "networkpolicy", today=DAY
    )
    (rule,) = policy(done, "shop/web.yaml")["spec"]["ingress"]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "ingress-nginx"
    assert any("whose pods are not in the input" in each for each in said(done, "CON209"))


@pytest.mark.parametrize("call", [BACK, ENTER])
def test_an_entry_that_nobody_serves_is_refused_by_name(call: dict[str, Any]) -> None:
    done = compile_contract(session(call, text=BACKENDS % "other"), "networkpolicy", today=DAY)
    (message,) = said(done, "CON201")
    assert message == (f"dependency {call['name']!r}: nothing in the input serves gw:shop/public")
    assert done.compiled.refused == {call["name"]}


def test_a_gateway_inside_the_enforcer_is_an_entity() -> None:
    text = BACKENDS % "cilium"
    done = compile_contract(session(BACK, text=text), "cilium", today=DAY)
    (rule,) = policy(done, "shop/web.yaml")["spec"]["ingress"]
    assert rule["fromEntities"] == ["ingress"]
    after = done.read_back()
    assert str(after.why("gw:shop/public", "shop/web:8080").verdict) == "allowed"
    plain = compile_contract(session(BACK, text=text), "networkpolicy", today=DAY)
    assert plain.compiled.refused == {"back"}


def test_a_port_without_a_listener_is_refused_by_name() -> None:
    text = BACKENDS % "nginx" + CLASS + NGINX
    call = {**ENTER, "ports": [8443]}
    done = compile_contract(session(call, text=text), "networkpolicy", today=DAY)
    assert said(done, "CON201") == [
        "dependency 'enter': gw:shop/public has no listener on TCP/8443"
    ]
