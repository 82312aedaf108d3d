"""What leads traffic to pods, as each routing API writes it."""

import pytest

from cloison.platform.routes import entries
from cloison.platform.routes.gateway import gateways
from cloison.platform.routes.ingress import ingresses
from cloison.platform.routes.model import Backend, EntryKind
from cloison.platform.routes.openshift import routes
from tests.support.documents import world

CLASSES = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: edge, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}
spec: {controller: example.org/edge}
---
"""

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: web}
spec:
  defaultBackend: {service: {name: lost, port: {number: 80}}}
  tls: [{hosts: [shop.example]}]
  rules:
  - host: shop.example
    http:
      paths:
      - {path: /api, pathType: Prefix, backend: {service: {name: api, port: {name: http}}}}
      - {path: /exact, pathType: Exact, backend: {service: {name: api, port: {number: 81}}}}
      - {path: /bucket, pathType: Prefix, backend: {resource: {kind: Bucket, name: b}}}
status: {loadBalancer: {ingress: [{ip: 192.0.2.1}, {hostname: lb.example}]}}
"""


def test_an_ingress_leads_to_services_of_its_own_namespace() -> None:
    (found,) = ingresses(world(CLASSES + INGRESS))
    assert (found.class_name, found.controller) == ("edge", "example.org/edge")
    assert found.addresses == ("192.0.2.1", "lb.example")
    assert [(each.port, each.protocol) for each in found.listeners] == [
        (80, "HTTP"),
        (443, "HTTPS"),
    ]
    api, exact, bucket, lost = found.rules
    assert (api.hosts, api.paths) == (("shop.example",), ("/api*",))
    assert [(b.namespace, b.service, b.port) for b in api.backends] == [("web", "api", "http")]
    assert (exact.paths, exact.backends[0].port) == (("/exact",), 81)
    stop = bucket.backends[0].stop
    assert stop is not None
    assert stop.reason == "NoService"
    assert (lost.hosts, lost.paths, lost.backends[0].service) == ((), (), "lost")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("spec: {ingressClassName: nginx}", ("nginx", "k8s.io/ingress-nginx")),
        ("spec: {ingressClassName: gone}", ("gone", None)),
        ("spec: {}", ("edge", "example.org/edge")),
    ],
)
def test_an_ingress_is_of_the_class_it_names_or_of_the_default(
    text: str, expected: tuple[str, str | None]
) -> None:
    head = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a, namespace: n}\n"
    (found,) = ingresses(world(CLASSES + head + text))
    assert (found.class_name, found.controller) == expected


def test_the_old_annotation_and_the_old_fields_are_read() -> None:
    (found,) = ingresses(
        world("""
apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: a, namespace: n, annotations: {kubernetes.io/ingress.class: nginx}}
spec:
  backend: {serviceName: old, servicePort: 8080}
""")
    )
    assert found.class_name == "nginx"
    assert [(b.service, b.port) for rule in found.rules for b in rule.backends] == [("old", 8080)]


GATEWAY = """
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {public: "yes"}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: edge}
spec:
  gatewayClassName: eg
  allowedListeners: {namespaces: {from: All}}
  listeners:
  - {name: http, port: 80, protocol: HTTP, hostname: "*.shop.example",
     allowedRoutes: {namespaces: {from: All}}}
  - {name: web, port: 8080, protocol: HTTP,
     allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {public: "yes"}}}}}
  - {name: own, port: 8081, protocol: HTTP}
  - {name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough},
     allowedRoutes: {namespaces: {from: All}}}
  - {name: tcp, port: 5432, protocol: TCP, allowedRoutes: {namespaces: {from: All}}}
  - {name: udp, port: 53, protocol: UDP, allowedRoutes: {namespaces: {from: All}}}
  - {name: grpc, port: 9000, protocol: HTTPS,
     allowedRoutes: {namespaces: {from: All}, kinds: [{kind: GRPCRoute}]}}
---
"""


def route(kind: str, parent: str, *, more: str = "", rule: str = "") -> str:
    rule = rule or "{backendRefs: [{name: back, port: 80}]}"
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: r, namespace: web}}
spec:
  parentRefs: [{{name: public, namespace: edge{parent}}}]
  rules: [{rule}]
  {more}
"""


def behind(text: str) -> list[str]:
    """Return the names of the listeners that a route is behind."""
    (found,) = gateways(world(GATEWAY + text))
    return sorted({each.name for rule in found.rules for each in rule.listeners})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (route("HTTPRoute", ""), ["http", "web"]),
        (route("HTTPRoute", "", more="hostnames: [a.shop.example]"), ["http", "web"]),
        (route("HTTPRoute", "", more="hostnames: [shop.example]"), ["web"]),
        (route("HTTPRoute", "", more='hostnames: ["*.example"]'), ["http", "web"]),
        (route("HTTPRoute", ", sectionName: web"), ["web"]),
        (route("HTTPRoute", ", sectionName: own"), []),
        (route("HTTPRoute", ", port: 80"), ["http"]),
        (route("HTTPRoute", ", sectionName: grpc"), []),
        (route("GRPCRoute", ""), ["grpc", "http", "web"]),
        (route("TLSRoute", ""), ["tls"]),
        (route("TCPRoute", ""), ["tcp", "tls"]),
        (route("UDPRoute", ""), ["udp"]),
        (route("HTTPRoute", ', kind: Service, group: ""'), []),
        (route("HTTPRoute", ", group: example.org"), []),
    ],
)
def test_a_route_is_behind_the_listeners_that_take_it(text: str, expected: list[str]) -> None:
    assert behind(text) == expected


def backends(rule: str, *more: str) -> tuple[Backend, ...]:
    text = route("HTTPRoute", ", sectionName: http", rule=rule)
    (found,) = gateways(world("---".join((GATEWAY + text, *more))))
    return found.rules[0].backends


def test_backends_have_weights_and_copies() -> None:
    main, none, copy = backends(
        "{backendRefs: [{name: a, port: 80}, {name: b, port: 80, weight: 0}], filters: [{type: "
        "RequestMirror, requestMirror: {backendRef: {name: c, port: 81}}}]}"
    )
    assert (main.weight, none.weight, main.mirror) == (1, 0, False)
    assert (copy.service, copy.port, copy.mirror) == ("c", 81, True)


GRANT = """
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {{name: g, namespace: data}}
spec:
  from: [{{group: gateway.networking.k8s.io, kind: {kind}, namespace: web}}]
  to: [{{group: "", kind: Service{name}}}]
"""


@pytest.mark.parametrize(
    ("grant", "permitted"),
    [
        ((), False),
        ((GRANT.format(kind="HTTPRoute", name=""),), True),
        ((GRANT.format(kind="HTTPRoute", name=", name: db"),), True),
        ((GRANT.format(kind="HTTPRoute", name=", name: other"),), False),
        ((GRANT.format(kind="GRPCRoute", name=""),), False),
    ],
)
def test_a_backend_elsewhere_needs_a_grant(grant: tuple[str, ...], *, permitted: bool) -> None:
    (found,) = backends("{backendRefs: [{name: db, namespace: data, port: 80}]}", *grant)
    assert (found.stop is None) is permitted
    assert permitted or (found.stop is not None and found.stop.reason == "RefNotPermitted")


def test_a_backend_that_is_no_service_is_not_followed() -> None:
    (found,) = backends("{backendRefs: [{name: x, group: example.org, kind: Bucket}]}")
    assert found.stop is not None
    assert found.stop.reason == "InvalidKind"


def test_paths_methods_and_redirects_of_rules() -> None:
    text = GATEWAY + route(
        "HTTPRoute",
        ", sectionName: http",
        rule="{matches: [{path: {type: Exact, value: /a}}, {path: {value: /b/}}, {path: {type: "
        "RegularExpression, value: '.*'}}], filters: [{type: RequestRedirect}]}",
    )
    (found,) = gateways(world(text))
    assert found.rules[0].paths == ("/a", "/b*")
    assert found.rules[0].answers
    assert not found.rules[0].backends
    text = GATEWAY + route(
        "GRPCRoute", ", sectionName: grpc", rule="{matches: [{method: {service: s, method: m}}]}"
    )
    (found,) = gateways(world(text))
    assert found.rules[0].paths == ("/s/m",)


SET = """
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: more, namespace: web}
spec:
  parentRef: {name: public, namespace: edge}
  listeners: [{name: extra, port: 9443, protocol: HTTP}]
"""


def test_a_listener_set_adds_listeners_where_its_gateway_lets_it() -> None:
    attached = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: web}
spec:
  parentRefs: [{name: more, kind: ListenerSet}]
  rules: [{backendRefs: [{name: back, port: 80}]}]
"""
    assert behind(f"{SET}---{attached}") == ["extra"]
    closed = GATEWAY.replace("  allowedListeners: {namespaces: {from: All}}\n", "")
    (found,) = gateways(world(f"{closed}{SET}---{attached}"))
    assert "extra" not in {each.name for each in found.listeners}
    assert not found.rules


ROUTE = """
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: r, namespace: web}
spec:
  host: shop.apps.example
  path: /cart
  to: {kind: Service, name: cart, weight: 90}
  alternateBackends: [{kind: Service, name: canary, weight: 0}]
  port: {targetPort: http}
"""


def test_a_route_names_ports_of_endpoints() -> None:
    (found,) = routes(world(ROUTE))
    (rule,) = found.rules
    assert (rule.hosts, rule.paths) == (("shop.apps.example",), ("/cart*",))
    assert [(b.service, b.port, b.endpoint_port, b.weight) for b in rule.backends] == [
        ("cart", "http", True, 90),
        ("canary", "http", True, 0),
    ]
    assert [each.port for each in found.listeners] == [80]


@pytest.mark.parametrize(
    ("tls", "ports", "passthrough"),
    [
        ("{termination: edge}", [443], False),
        ("{termination: edge, insecureEdgeTerminationPolicy: Redirect}", [80, 443], False),
        ("{termination: passthrough}", [443], True),
    ],
)
def test_a_route_with_tls(tls: str, ports: list[int], *, passthrough: bool) -> None:
    (found,) = routes(world(f"{ROUTE}  tls: {tls}\n"))
    assert [each.port for each in found.listeners] == ports
    assert found.rules[0].passthrough is passthrough


def test_entries_are_sorted_and_say_who_serves_them() -> None:
    found = entries(world(f"{GATEWAY}---{ROUTE}"), ())
    assert [(each.kind, str(each)) for each in found] == [
        (EntryKind.GATEWAY, "Gateway edge/public"),
        (EntryKind.ROUTE, "Route web/r"),
    ]
    assert all(each.planes for each in found)
