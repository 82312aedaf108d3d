"""Parts of the platform that a contract names, compiled: the API server, certificates, replicas."""

from datetime import date
from typing import Any

import pytest

from cloison.app.compile import TARGETS, compile_contract
from tests.support.contracted import app, policy, said, session

DAY = date(2026, 11, 1)
OPERATOR = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: operator, namespace: shop}
spec:
  selector: {matchLabels: {app: operator}}
  template:
    metadata: {labels: {app: operator}}
    spec:
      serviceAccountName: operator
      containers: [{name: c, image: i, ports: [{name: hook, containerPort: 9443}]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: operator, namespace: shop}]
---
apiVersion: v1
kind: Service
metadata: {name: operator, namespace: shop}
spec: {selector: {app: operator}, ports: [{port: 443, targetPort: hook}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: operator}
webhooks:
- name: check.example.org
  clientConfig: {service: {name: operator, namespace: shop}}
"""
SERVER = """\
---
apiVersion: v1
kind: Service
metadata: {name: kubernetes, namespace: default}
spec: {clusterIP: 10.96.0.1, ports: [{name: https, port: 443, targetPort: 6443}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: kubernetes
  namespace: default
  labels: {kubernetes.io/service-name: kubernetes}
addressType: IPv4
ports: [{name: https, port: 6443, protocol: TCP}]
endpoints: [{addresses: [192.0.2.10], conditions: {ready: true}}]
"""
ISSUING = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: cert-manager, namespace: shop}
spec:
  selector:
    matchLabels: &labels
      app.kubernetes.io/name: cert-manager
      app.kubernetes.io/component: controller
  template:
    metadata: {labels: *labels}
    spec: {containers: [{name: c, image: i}]}
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: ours}
spec: {acme: {server: "https://acme.example.org/directory", solvers: [{http01: {}}]}}
"""
RABBIT = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: rabbit, namespace: shop}
spec:
  replicas: 3
  serviceName: rabbit
  selector: {matchLabels: {app: rabbit}}
  template:
    metadata: {labels: {app: rabbit}}
    spec: {containers: [{name: c, image: "rabbitmq:3"}]}
"""
PLACE = [{"match": {"namespace": "shop"}}]


def _named(role: str) -> dict[str, Any]:
    return {"workloads": PLACE, "platform": [role]}


@pytest.mark.parametrize("to", TARGETS)
def test_who_calls_the_api_server_reaches_its_endpoints(to: str) -> None:
    held = session(objects=(app("web"),), text=OPERATOR + SERVER, **_named("apiserver"))
    done = compile_contract(held, to, today=DAY)
    assert not said(done, "CON208")
    assert not done.proof.differences
    after = done.read_back()
    assert str(after.verdict("shop/operator", "192.0.2.10", port=6443)) == "allowed"
    assert str(after.verdict("shop/operator", "192.0.2.10", port=443)) == "denied"
    assert str(after.verdict("shop/web", "192.0.2.10", port=6443)) == "denied"


@pytest.mark.parametrize("to", [each for each in TARGETS if each != "clusternetworkpolicy"])
def test_whom_the_api_server_calls_takes_it_in_at_the_pods_own_port(to: str) -> None:
    held = session(objects=(app("web"),), text=OPERATOR + SERVER, **_named("apiserver"))
    done = compile_contract(held, to, today=DAY)
    after = done.read_back()
    assert str(after.verdict("192.0.2.10", "shop/operator", port=9443)) == "allowed"
    assert str(after.verdict("192.0.2.11", "shop/operator", port=9443)) == "denied"
    assert str(after.verdict("192.0.2.10", "shop/web", port=9443)) == "denied"


def test_who_knows_the_api_server_by_name_says_it() -> None:
    held = session(text=OPERATOR, **_named("apiserver"))
    done = compile_contract(held, "cilium", today=DAY)
    spec = policy(done, "shop/operator.yaml")["spec"]
    assert spec["ingress"][0]["fromEntities"] == ["kube-apiserver"]
    assert spec["egress"][0]["toEntities"] == ["kube-apiserver"]
    assert {p["port"] for p in spec["egress"][0]["toPorts"][0]["ports"]} == {"443", "6443"}
    assert any("which port the API server has" in each for each in said(done, "CON207"))


def test_an_api_server_that_nobody_knows_is_refused_by_name() -> None:
    done = compile_contract(
        session(text=OPERATOR, **_named("apiserver")), "networkpolicy", today=DAY
    )
    called, calling = said(done, "CON208")
    assert called == (
        "platform 'apiserver': where the API server calls from is not known: validating webhook "
        "check.example.org is not let in"
    )
    assert calling == (
        "platform 'apiserver': where the API server is is not known, and shop/operator cannot "
        "call it"
    )
    assert not any(each.role == "apiserver" for each in done.compiled.added)


def test_who_issues_certificates_reaches_their_server() -> None:
    held = session(text=ISSUING, **_named("cert"))
    done = compile_contract(held, "cilium", today=DAY)
    after = done.read_back()
    assert str(after.verdict("shop/cert-manager", "dns:acme.example.org", port=443)) == "allowed"
    assert any("over HTTP" in each for each in said(done, "CON208"))
    plain = compile_contract(held, "networkpolicy", today=DAY)
    (message,) = said(plain, "CON201")
    assert message == (
        "platform 'cert': networkpolicy has no names, and the addresses of dns:acme.example.org "
        "are not known"
    )


@pytest.mark.parametrize("to", TARGETS)
def test_replicas_reach_each_other_and_nobody_else_does(to: str) -> None:
    held = session(objects=(app("web"),), text=RABBIT, **_named("stateful"))
    done = compile_contract(held, to, today=DAY)
    assert not done.proof.differences
    after = done.read_back()
    assert str(after.verdict("shop/rabbit", "shop/rabbit", port=25672)) == "allowed"
    assert str(after.verdict("shop/rabbit", "shop/rabbit", port=15672)) == "denied"
    assert str(after.verdict("shop/web", "shop/rabbit", port=25672)) == "denied"


def test_credentials_come_from_where_a_pod_is_told() -> None:
    one = app("web")
    variable = {"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://169.254.170.23/v1"}
    one["spec"]["template"]["spec"]["containers"][0]["env"] = [variable]
    held = session(objects=(one, app("db")), **_named("metadata"))
    after = compile_contract(held, "networkpolicy", today=DAY).read_back()
    assert str(after.verdict("shop/web", "169.254.170.23", port=80)) == "allowed"
    assert str(after.verdict("shop/db", "169.254.170.23", port=80)) == "denied"


@pytest.mark.parametrize("role", ["mesh-proxy", "mesh-control", "gateway"])
def test_what_nothing_in_the_input_does_is_refused_by_name(role: str) -> None:
    held = session(objects=(app("web"),), **_named(role))
    done = compile_contract(held, "networkpolicy", today=DAY)
    (message,) = said(done, "CON208")
    assert message.startswith(f"platform '{role}': ")
