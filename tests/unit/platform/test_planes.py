"""Who serves a Gateway, an Ingress or a Route: where backends are reached from, on which port."""

import pytest

from cloison.platform.cluster import Platform
from cloison.platform.component import Placed, Said
from cloison.platform.components import found
from cloison.platform.routes import entries
from cloison.platform.routes.model import Dials, Plane
from cloison.resources.world import WorkloadId
from tests.support.documents import world


def pods(namespace: str, name: str, labels: str, more: str = "") -> str:
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{a: b}}}}
  template:
    metadata: {{labels: {{{labels}}}}}
    spec: {{containers: [{{name: c, image: c}}]{more}}}
"""


def gateway(controller: str, port: int, more: str = "") -> str:
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: cls}}
spec: {{controllerName: {controller}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: public, namespace: web}}
spec:
  gatewayClassName: cls
  listeners: [{{name: l, port: {port}, protocol: HTTP}}]
{more}
"""


INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: web}
spec:
  ingressClassName: CLASS
  defaultBackend: {service: {name: back, port: {number: 80}}}
"""


def planes(text: str, said: Said | None = None, platform: Platform | None = None) -> list[Plane]:
    here = world(text)
    (entry,) = entries(here, found(here, platform, said))
    return list(entry.planes)


EG = "gateway.envoyproxy.io/gatewayclass-controller"
CONTOUR = "projectcontour.io/gateway-controller"


@pytest.mark.parametrize(
    ("controller", "listener", "pod", "namespace"),
    [
        (EG, 80, 10080, "envoy-gateway-system"),
        (EG, 443, 10443, "envoy-gateway-system"),
        (EG, 1024, 1024, "envoy-gateway-system"),
        (CONTOUR, 80, 8080, "web"),
        (CONTOUR, 443, 8443, "web"),
        (CONTOUR, 57536, 1024, "web"),  # 65536 without 65535 is 1, and ports to 1023 gain 1023
        (CONTOUR, 65535, 8000, "web"),
        ("istio.io/gateway-controller", 80, 80, "web"),
        ("gateway.nginx.org/nginx-gateway-controller", 80, 80, "web"),
    ],
)
def test_pods_are_made_for_a_gateway(
    controller: str, listener: int, pod: int, namespace: str
) -> None:
    (plane,) = planes(gateway(controller, listener))
    assert plane.supposed is not None
    assert plane.supposed.namespace == namespace
    assert plane.ports[listener] == pod
    assert plane.assumed


def test_pods_that_are_there_count_wherever_they_are() -> None:
    labels = (
        "app.kubernetes.io/name: envoy, app.kubernetes.io/component: proxy, "
        "app.kubernetes.io/managed-by: envoy-gateway, gateway.envoyproxy.io/owning-gateway-name: "
        "public, gateway.envoyproxy.io/owning-gateway-namespace: web"
    )
    (plane,) = planes(f"{gateway(EG, 80)}---{pods('elsewhere', 'envoy', labels)}")
    assert plane.workloads == (WorkloadId("elsewhere", "envoy", "Deployment"),)
    other = labels.replace("public", "private")
    (plane,) = planes(f"{gateway(EG, 80)}---{pods('elsewhere', 'envoy', other)}")
    assert plane.assumed


def test_envoy_gateway_is_set_up_by_objects_of_its_own() -> None:
    beside = """
apiVersion: v1
kind: ConfigMap
metadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}
data:
  envoy-gateway.yaml: |
    provider:
      type: Kubernetes
      kubernetes:
        deploy:
          type: GatewayNamespace
"""
    (plane,) = planes(f"{gateway(EG, 80)}---{beside}")
    assert plane.supposed is not None
    assert plane.supposed.namespace == "web"
    proxy = """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: own, namespace: web}
spec:
  mergeGateways: true
  routingType: Service
  provider: {type: Kubernetes, kubernetes: {useListenerPortAsContainerPort: true}}
"""
    more = "  infrastructure: {parametersRef: {group: g, kind: EnvoyProxy, name: own}}"
    (plane,) = planes(f"{gateway(EG, 80, more)}---{proxy}")
    assert plane.supposed is not None
    assert plane.supposed.labels["gateway.envoyproxy.io/owning-gatewayclass"] == "cls"
    assert "gateway.envoyproxy.io/owning-gateway-name" not in plane.supposed.labels
    assert plane.ports == {80: 80}
    assert plane.dials is Dials.SERVICE


SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: door, namespace: edge}
spec: {type: LoadBalancer, selector: {app: door}, ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.7}]}}
"""


@pytest.mark.parametrize(
    "more",
    [
        "  addresses: [{type: Hostname, value: door.edge.svc.cluster.local}]",
        "  addresses: [{type: Hostname, value: door.edge}]",
        "  addresses: [{type: IPAddress, value: 192.0.2.7}]",
        "status: {addresses: [{type: IPAddress, value: 192.0.2.7}]}",
    ],
)
def test_an_unknown_controller_is_found_by_the_address_of_its_service(more: str) -> None:
    text = f"{gateway('example.org/own', 80, more)}---{SERVICE}---{pods('edge', 'd', 'app: door')}"
    (plane,) = planes(text)
    assert plane.workloads == (WorkloadId("edge", "d", "Deployment"),)
    assert plane.service == ("edge", "door")


def test_an_unknown_controller_is_found_by_the_label_of_its_pods() -> None:
    label = "gateway.networking.k8s.io/gateway-name: public"
    text = gateway("example.org/own", 80)
    (plane,) = planes(f"{text}---{pods('web', 'gw', label)}")
    assert plane.workloads == (WorkloadId("web", "gw", "Deployment"),)
    assert planes(f"{text}---{pods('other', 'gw', label)}") == []
    assert planes(text) == []


def test_what_the_caller_says_counts() -> None:
    said: Said = {"gw-envoy-gateway": Placed("proxies", {"app": "mine"})}
    (plane,) = planes(gateway(EG, 80), said)
    assert plane.supposed is not None
    assert (plane.supposed.namespace, plane.supposed.labels) == ("proxies", {"app": "mine"})
    there = pods("proxies", "mine", "app: mine")
    (plane,) = planes(f"{gateway(EG, 80)}---{there}", said)
    assert plane.workloads == (WorkloadId("proxies", "mine", "Deployment"),)
    (plane,) = planes(f"{gateway('example.org/own', 80)}---{there}", said)
    assert plane.workloads == (WorkloadId("proxies", "mine", "Deployment"),)


NGINX = "app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller"


def test_an_ingress_is_served_by_every_controller_of_its_class() -> None:
    text = INGRESS.replace("CLASS", "nginx")
    (plane,) = planes(text)
    assert plane.supposed is not None
    assert plane.supposed.namespace == "ingress-nginx"
    several = planes(f"{text}---{pods('here', 'one', NGINX)}---{pods('there', 'two', NGINX)}")
    assert sorted(str(n) for each in several for n in each.workloads) == ["here/one", "there/two"]


def test_controllers_of_several_classes_are_told_apart_by_their_arguments() -> None:
    def installed(name: str, controller: str) -> str:
        own = f"{{name: c, image: c, args: [--controller-class={controller}]}}"
        return pods(name, name, NGINX).replace("{name: c, image: c}", own)

    both = f"{installed('one', 'k8s.io/ingress-nginx')}---{installed('two', 'example.org/inner')}"
    for controller, expected in (("k8s.io/ingress-nginx", "one"), ("example.org/inner", "two")):
        of_class = f"""
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {{name: mine}}
spec: {{controller: {controller}}}
"""
        (plane,) = planes(f"{INGRESS.replace('CLASS', 'mine')}---{of_class}---{both}")
        assert [str(each) for each in plane.workloads] == [f"{expected}/{expected}"]


def test_an_ingress_without_a_class_is_served_by_whoever_is_there() -> None:
    text = INGRESS.replace("  ingressClassName: CLASS\n", "")
    assert planes(text) == []
    (plane,) = planes(f"{text}---{pods('here', 'one', NGINX)}")
    assert plane.why.startswith("the input says no class")


def test_an_ingress_may_ask_for_the_services_own_address() -> None:
    noted = INGRESS.replace("CLASS", "nginx").replace(
        "namespace: web}",
        'namespace: web, annotations: {nginx.ingress.kubernetes.io/service-upstream: "true"}}',
    )
    (plane,) = planes(noted)
    assert plane.dials is Dials.SERVICE


@pytest.mark.parametrize(
    ("name", "annotation", "on_nodes", "blocks"),
    [
        ("alb", "", True, 0),
        ("alb", "alb.ingress.kubernetes.io/target-type: ip", False, 0),
        ("gce", "", True, 2),
    ],
)
def test_load_balancers_of_providers(
    name: str, annotation: str, *, on_nodes: bool, blocks: int
) -> None:
    text = INGRESS.replace("CLASS", name)
    text = text.replace("namespace: web}", f"namespace: web, annotations: {{{annotation}}}}}")
    (plane,) = planes(text)
    assert plane.on_nodes is on_nodes
    assert len(plane.blocks) == blocks
    assert plane.dials is (Dials.NODE_PORT if on_nodes else Dials.ENDPOINTS)


def test_endpoint_groups_are_dialled_from_the_ranges_of_the_provider() -> None:
    service = """
apiVersion: v1
kind: Service
metadata:
  name: back
  namespace: web
  annotations: {cloud.google.com/neg: '{"ingress": true}'}
spec: {selector: {app: back}, ports: [{port: 80}]}
"""
    (plane,) = planes(f"{INGRESS.replace('CLASS', 'gce')}---{service}")
    assert "35.191.0.0/16" in plane.blocks


def test_cilium_serves_by_an_end_of_its_own() -> None:
    (plane,) = planes(gateway("io.cilium/gateway-controller", 80))
    assert plane.apart == "reserved:ingress"


ROUTE = """
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: r, namespace: web, labels: {shard: inner}}
spec: {host: a.example, to: {kind: Service, name: back}}
"""

CONTROLLER = """
apiVersion: operator.openshift.io/v1
kind: IngressController
metadata: {{name: {name}, namespace: openshift-ingress-operator}}
spec: {{{spec}}}
"""


def test_a_route_is_served_by_the_routers_that_take_it() -> None:
    (plane,) = planes(ROUTE)
    assert plane.supposed is not None
    assert (plane.supposed.namespace, plane.supposed.host_network) == ("openshift-ingress", False)
    host = CONTROLLER.format(name="default", spec="endpointPublishingStrategy: {type: HostNetwork}")
    outer = CONTROLLER.format(
        name="outer", spec="routeSelector: {matchLabels: {shard: outer}}, replicas: 1"
    )
    (plane,) = planes(f"{ROUTE}---{host}---{outer}")
    assert plane.supposed is not None
    assert plane.supposed.host_network
    assert "default" in plane.supposed.labels.values()
    label = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller: default"
    router = pods("openshift-ingress", "router-default", label)
    (plane,) = planes(f"{ROUTE}---{host}---{router}")
    assert [str(each) for each in plane.workloads] == ["openshift-ingress/router-default"]
