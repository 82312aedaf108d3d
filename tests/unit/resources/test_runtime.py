"""How pods are run, and what is kept as written."""

import msgspec
import pytest

from cloison.base import Severity, Span
from cloison.resources.declared import Declared, body
from cloison.resources.decode import decode_raw
from cloison.resources.documents import PlainObject
from cloison.resources.objects import Controller, Pod, Service, ServiceAccount
from cloison.resources.pool import Pool
from cloison.resources.runtime import Probe, ProbeRole, ProbeWay, Runtime, Variable, VariableSource
from tests.unit.resources.loading import OPTIONS, read

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata:
      labels: {app: api}
      annotations: {prometheus.io/port: "9090", prometheus.io/scrape: "true"}
    spec:
      automountServiceAccountToken: false
      dnsPolicy: None
      dnsConfig: {nameservers: [10.9.9.9], searches: [corp.example]}
      hostname: a
      subdomain: peers
      initContainers:
      - {name: wait, image: wait:1, command: [sh, -c], args: [until-db]}
      - name: proxy
        image: proxy:1
        restartPolicy: Always
        startupProbe: {grpc: {port: 9000}}
      containers:
      - name: api
        image: api:1
        ports: [{name: http, containerPort: 8080}]
        livenessProbe: {httpGet: {port: http, path: /alive}}
        readinessProbe: {tcpSocket: {port: 8081, host: 192.0.2.1}}
        startupProbe: {exec: {command: ["true"]}}
        env:
        - {name: DB, value: "postgres://db.data:5432/x"}
        - {name: HOST_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
        - {name: MODE, valueFrom: {configMapKeyRef: {name: settings, key: mode}}}
        - {name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
        envFrom: [{configMapRef: {name: common}}, {secretRef: {name: hidden}}]
"""


def runtime_of(text: str) -> Runtime:
    """Return how the pods of a controller are run."""
    found = read(text).resource
    assert isinstance(found, Controller)
    assert found.shape.runtime is not None
    return found.shape.runtime


def test_a_template_says_how_its_pods_are_run() -> None:
    run = runtime_of(DEPLOYMENT)
    assert [c.name for c in run.containers] == ["api", "wait", "proxy"]
    api, wait, proxy = run.containers
    assert api.probes == (
        Probe(ProbeRole.LIVENESS, ProbeWay.HTTP, "http"),
        Probe(ProbeRole.READINESS, ProbeWay.TCP, 8081, "192.0.2.1"),
        Probe(ProbeRole.STARTUP, ProbeWay.EXEC),
    )
    assert proxy.probes == (Probe(ProbeRole.STARTUP, ProbeWay.GRPC, 9000),)
    assert wait.arguments == ("sh", "-c", "until-db")
    assert api.variables == (
        Variable("DB", "postgres://db.data:5432/x"),
        Variable("HOST_IP", None, VariableSource.FIELD, "status.hostIP"),
        Variable("MODE", None, VariableSource.CONFIG_MAP, "settings", "mode"),
        Variable("PASSWORD", None, VariableSource.HIDDEN, "db", "password"),
    )
    assert api.config_maps == ("common",)
    assert (run.dns_policy, run.nameservers, run.searches) == (
        "None",
        ("10.9.9.9",),
        ("corp.example",),
    )
    assert (run.mounts_token, run.hostname, run.subdomain) == (False, "a", "peers")
    assert run.annotation("prometheus.io/port") == "9090"
    assert run.annotation("prometheus.io/path") is None


def test_how_a_pod_is_run_tells_no_shapes_apart() -> None:
    text = DEPLOYMENT.replace("dnsPolicy: None", "dnsPolicy: Default")
    one, other = (read(each).resource for each in (DEPLOYMENT, text))
    assert isinstance(one, Controller)
    assert isinstance(other, Controller)
    assert one.shape == other.shape
    assert one.shape.runtime != other.shape.runtime


def pod(name: str, dns: str, owner: str = "api-1", namespace: str = "shop") -> PlainObject:
    """Return a pod that a ReplicaSet made."""
    reference = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": owner,
        "uid": "1",
        "controller": True,
    }
    value = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": [reference]},
        "spec": {"containers": [{"name": "c", "image": "i"}], "dnsPolicy": dns},
        "status": {"conditions": [{"type": "Ready", "status": "False"}]},
    }
    return PlainObject("in", 1, "v1", "Pod", value)


def test_pods_of_one_template_share_how_they_are_run_and_no_others_do() -> None:
    pool = Pool()
    found = [
        decode_raw(each, OPTIONS, pool).resource
        for each in (
            pod("a", "Default"),
            pod("b", "Default"),
            pod("c", "ClusterFirst", "api-2"),
            pod("d", "ClusterFirst", "api-1", "other"),
        )
    ]
    runs = []
    for each in found:
        assert isinstance(each, Pod)
        assert each.ready is False
        assert each.shape.runtime is not None
        runs.append(each.shape.runtime)
    assert runs[0] is runs[1]
    assert [run.dns_policy for run in runs] == ["Default"] * 2 + ["ClusterFirst"] * 2


def test_a_service_says_how_it_is_reached_from_outside() -> None:
    found = read(
        """
apiVersion: v1
kind: Service
metadata: {name: edge, annotations: {cloud.example/neg: "{}"}}
spec:
  type: LoadBalancer
  selector: {app: edge}
  publishNotReadyAddresses: true
  healthCheckNodePort: 30123
  loadBalancerClass: example.com/lb
  loadBalancerIP: 198.51.100.9
  loadBalancerSourceRanges: [203.0.113.0/24]
  ports: [{port: 443, targetPort: 8443, nodePort: 30443, appProtocol: https}]
status: {loadBalancer: {ingress: [{ip: 198.51.100.7}, {hostname: lb.example}]}}
"""
    ).resource
    assert isinstance(found, Service)
    assert found.publish_not_ready
    assert found.load_balancer == ("198.51.100.7", "lb.example", "198.51.100.9")
    assert (found.health_check_port, found.load_balancer_class) == (30123, "example.com/lb")
    assert found.source_ranges == ("203.0.113.0/24",)
    assert found.annotations == {"cloud.example/neg": "{}"}
    assert (found.ports[0].node_port, found.ports[0].app_protocol) == (30443, "https")


def test_an_account_says_whether_its_token_is_mounted() -> None:
    found = read(
        "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}, "
        "automountServiceAccountToken: false}"
    ).resource
    assert isinstance(found, ServiceAccount)
    assert found.mounts_token is False


ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: portal, namespace: web, labels: {team: a}, annotations: {note: b}}
spec:
  rules:
  - backendRefs:
    - {name: api, port: http}
"""


class Ref(msgspec.Struct):
    """A backend."""

    name: str
    port: int | None = None


class Rule(msgspec.Struct, rename="camel"):
    """A rule of a route."""

    backend_refs: list[Ref]


class Spec(msgspec.Struct):
    """What a route says."""

    rules: list[Rule]


class Route(msgspec.Struct):
    """A route."""

    spec: Spec


def kept(text: str) -> Declared:
    """Return the only object of a text, which is kept as written."""
    found = read(text).resource
    assert isinstance(found, Declared)
    return found


def test_a_route_is_kept_as_written() -> None:
    route = kept(ROUTE)
    assert (route.group, route.version, route.kind) == (
        "gateway.networking.k8s.io",
        "v1",
        "HTTPRoute",
    )
    assert route.shown == "HTTPRoute web/portal"
    assert (route.labels, route.annotations) == ({"team": "a"}, {"note": "b"})
    assert route.span == Span("in.yaml", 2, 1)
    assert route.at("spec", "rules", 0, "backendRefs", 0, "port").line == 8
    assert route.at("spec", "nowhere", 3) == Span("in.yaml", 5, 1)


def test_what_is_wrong_with_an_object_as_written_is_said_at_its_line() -> None:
    found, said = body(kept(ROUTE), Route)
    assert found is None
    (diagnostic,) = said
    assert diagnostic.severity is Severity.ERROR
    assert diagnostic.object == "HTTPRoute web/portal"
    message = "`spec.rules[0].backendRefs[0].port` is the text `http`, not a whole number"
    assert diagnostic.message == message
    assert diagnostic.effect == "the API server refuses this object, so it is treated as absent"
    assert diagnostic.help == "write a whole number"
    assert diagnostic.span is not None
    assert diagnostic.span.line == 8
    good, said = body(kept(ROUTE.replace("http}", "80}")), Route)
    assert said == ()
    assert good is not None
    assert good.spec.rules[0].backend_refs[0].port == 80


@pytest.mark.parametrize("version", ["networking.k8s.io/v1", "extensions/v1beta1"])
def test_an_object_is_kept_in_whatever_version(version: str) -> None:
    found = kept(f"{{apiVersion: {version}, kind: Ingress, metadata: {{name: a}}}}")
    assert f"{found.group}/{found.version}" == version
    wide = kept("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}")
    assert (wide.group, wide.namespace) == ("", "default")


def test_what_belongs_to_the_whole_cluster_has_no_namespace() -> None:
    found = kept(
        "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, "
        "metadata: {name: a, namespace: b}}"
    )
    assert (found.namespace, found.shown) == ("", "GatewayClass a")


def test_an_object_without_a_name_is_not_kept() -> None:
    decoded = read("{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {}}")
    assert (decoded.resource, decoded.understood) == (None, False)
