"""The ways of calls: by a Service, a name, a proxy, through a gateway."""

import json
from pathlib import Path

import pytest

from cloison.analyses.paths.model import HopRole, Way
from cloison.app import Session, load, load_texts
from cloison.base import QuestionError
from cloison.ir.fidelity import Verdict
from cloison.report.text.ways import stopped

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def example() -> Session:
    return load(EXAMPLES / "case-management")


@pytest.fixture(scope="module")
def broken() -> Session:
    return load(EXAMPLES / "case-management-broken")


def hops(way: Way) -> list[str]:
    return [
        f"{hop.role}: {hop.question.source.text} -> {hop.question.destination.text} "
        f"{hop.question.traffic.text} {hop.verdict if hop.answer else 'not judged'}"
        for hop in way.hops
    ]


LOOKUP = "lookup: {} -> svc:kube-system/kube-dns UDP/53 allowed"


def test_a_gateway_reaches_its_backend(example: Session) -> None:
    answer = example.why("gw:platform-ingress/public", "web/case-portal")
    assert answer.verdict is Verdict.ALLOWED
    (way,) = answer.ways
    assert hops(way) == [
        "backend: platform-ingress/public-gateway -> svc:web/case-portal TCP/80 allowed"
    ]
    assert way.hops[0].why == ("HTTPRoute web/case-portal leads to web/case-portal:80",)
    assert answer.shown is not None
    assert str(answer.shown.case.traffic) == "TCP/8080"


def test_the_whole_way_from_outside(example: Session) -> None:
    answer = example.why("203.0.113.9", "gw:platform-ingress/public")
    (way,) = answer.ways
    assert hops(way) == [
        "entry: 203.0.113.9 -> svc:platform-ingress/public-gateway TCP/443 allowed",
        "backend: platform-ingress/public-gateway -> svc:web/case-portal TCP/80 allowed",
    ]
    # The gateway's Service keeps the client's address.
    assert "BALANCER_SOURCE" in {each.id for each in answer.caveats}


def test_a_gateway_does_not_reach_what_no_route_leads_to(example: Session) -> None:
    answer = example.why("gw:platform-ingress/public", "case-management/case-api", port=8080)
    assert answer.verdict is Verdict.DENIED
    (way,) = answer.ways
    assert way.stop is not None
    assert way.stop.reason == "NoRoute"
    assert way.stop.text.startswith("no rule of Gateway platform-ingress/public leads to")


def test_a_service_is_looked_up_and_called(example: Session) -> None:
    answer = example.why("web/case-portal", "svc:case-management/case-api", port=80)
    (way,) = answer.ways
    assert hops(way) == [
        LOOKUP.format("web/case-portal"),
        "call: web/case-portal -> svc:case-management/case-api TCP/80 allowed",
    ]


def test_a_name_outside_is_called_by_the_proxy_of_the_environment(example: Session) -> None:
    answer = example.why("case-management/case-api", "dns:api.example.com", port=443)
    (way,) = answer.ways
    assert hops(way) == [
        LOOKUP.format("case-management/case-api"),
        "proxy: case-management/case-api -> svc:egress-system/egress-proxy TCP/3128 allowed",
        LOOKUP.format("egress-system/egress-proxy"),
        "call: egress-system/egress-proxy -> dns:api.example.com TCP/443 undetermined",
    ]
    assert "without the proxy, the call itself is denied" in answer.notes
    known = load(EXAMPLES / "case-management", names={"api.example.com": ("198.51.100.7",)}).why(
        "case-management/case-api", "dns:api.example.com", port=443
    )
    assert known.verdict is Verdict.ALLOWED
    inner = load(EXAMPLES / "case-management", names={"api.example.com": ("10.9.9.9",)}).why(
        "case-management/case-api", "dns:api.example.com", port=443
    )
    assert inner.verdict is Verdict.DENIED


def test_a_database_is_not_called_by_a_proxy(example: Session) -> None:
    answer = example.why("case-management/case-api", "dns:cases.db.example.org", port=5432)
    assert HopRole.PROXY not in {hop.role for hop in answer.ways[0].hops}


def test_a_closed_lookup_is_told_beside_the_call(broken: Session) -> None:
    answer = broken.why("payments/payments-api", "svc:egress-system/egress-proxy", port=3128)
    assert answer.verdict is Verdict.ALLOWED
    assert answer.ways[0].lookup is Verdict.DENIED
    (mend,) = answer.mend
    assert "port: 53" in mend.lines


def test_a_gateway_has_the_listeners_it_has(example: Session) -> None:
    with pytest.raises(QuestionError, match="has no listener on TCP/80") as error:
        example.why("203.0.113.9", "gw:platform-ingress/public", port=80)
    assert error.value.help == "it has TCP/443"


BASE = """
apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP,
  targetPort: 53, name: dns}, {port: 53, protocol: TCP, targetPort: 53, name: tcp}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec: {template: {metadata: {labels: {k8s-app: kube-dns}}, spec: {containers: [{name: c,
  image: c}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: web}
spec: {selector: {app: front}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: web}
spec: {template: {metadata: {labels: {app: front}}, spec: {containers: [{name: c, image: c}]}}}
---
"""


def ingress(*services: str, class_name: str = "nginx", more: str = "") -> str:
    paths = ", ".join(
        f"{{path: /{n}, pathType: Prefix, backend: {{service: {{name: {n}, port: "
        "{number: 80}}}}"
        for n in services
    )
    return f"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: shop, namespace: web}}
spec:
  ingressClassName: {class_name}
  rules: [{{host: shop.example, http: {{paths: [{paths}]}}}}]
{more}
"""


def read(*texts: str, profile: str | None = None) -> Session:
    said = {} if profile is None else {"profile": profile}
    return load_texts({"a.yaml": "---\n".join((BASE, *texts))}, **said)


ONLY_NGINX = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: front, namespace: web}
spec:
  podSelector: {matchLabels: {app: front}}
  ingress:
  - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]
    ports: [{port: 8080}]
"""


def test_default_pods_of_a_controller_are_assumed_and_said() -> None:
    answer = read(ingress("front"), ONLY_NGINX).why("203.0.113.9", "gw:web/shop")
    assert answer.verdict is Verdict.ALLOWED
    assert {hop.assumed for hop in answer.ways[0].hops} == {
        "default pods of ingress-nginx controller in ingress-nginx"
    }
    other = ONLY_NGINX.replace("ingress-nginx}", "elsewhere}")
    denied = read(ingress("front"), other).why("gw:web/shop", "web/front")
    assert denied.verdict is Verdict.DENIED
    assert "kubernetes.io/metadata.name: ingress-nginx" in denied.mend[0].lines


def test_a_backend_that_is_not_there_stops_a_way_and_no_policy() -> None:
    answer = read(ingress("front", "gone")).why("203.0.113.9", "gw:web/shop")
    assert answer.verdict is Verdict.MIXED
    assert [way.stop.reason for way in answer.ways if way.stop] == ["BackendNotFound"]
    alone = read(ingress("gone")).why("203.0.113.9", "gw:web/shop")
    assert (alone.verdict, alone.shown, alone.mend) == (Verdict.DENIED, None, ())


def test_a_request_chooses_among_the_rules() -> None:
    session = read(ingress("front", "gone"))
    for request, reasons in (
        ({"method": "GET", "path": "/front/x", "host": "shop.example"}, [None]),
        ({"method": "GET", "path": "/gone", "host": "shop.example"}, ["BackendNotFound"]),
        ({"method": "GET", "path": "/frontier", "host": "shop.example"}, ["NoRoute"]),
        ({"method": "GET", "path": "/front", "host": "other.example"}, ["NoRoute"]),
    ):
        answer = session.why("203.0.113.9", "gw:web/shop", http=json.dumps(request))
        assert [way.stop and way.stop.reason for way in answer.ways] == reasons, request


def test_nobody_serves_an_unknown_class() -> None:
    answer = read(ingress("front", class_name="own")).why("203.0.113.9", "gw:web/shop")
    assert answer.ways[0].stop is not None
    assert answer.ways[0].stop.reason == "NoController"


def test_a_balancer_whose_addresses_nobody_knows_leaves_it_open() -> None:
    text = ingress("front", class_name="alb").replace(
        "namespace: web}",
        "namespace: web, annotations: {alb.ingress.kubernetes.io/target-type: ip}}",
    )
    somebody = ONLY_NGINX.replace(
        "  ingress:\n", "  ingress:\n  - from: [{ipBlock: {cidr: 10.0.0.0/8}}]\n"
    )
    answer = read(text, somebody).why("gw:web/shop", "web/front")
    assert answer.verdict is Verdict.UNDETERMINED
    assert [each.id for each in answer.caveats] == ["GATEWAY_ADDRESS_UNKNOWN"]
    # Pods only are let in: whichever addresses it has, it is not.
    assert read(text, ONLY_NGINX).why("gw:web/shop", "web/front").verdict is Verdict.DENIED
    nodes = read(ingress("front", class_name="alb"), ONLY_NGINX).why("gw:web/shop", "web/front")
    assert nodes.ways[0].hops[0].question.source.text.endswith("by a node")
    assert "OVERLAY_SOURCE" in {each.id for each in nodes.caveats}


GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: cls}
spec: {controllerName: CONTROLLER}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: web}
spec: {gatewayClassName: cls, listeners: [{name: l, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: web}
spec: {parentRefs: [{name: public}], rules: [RULE]}
"""


def gateway(rule: str, controller: str = "gateway.envoyproxy.io/gatewayclass-controller") -> str:
    return GATEWAY.replace("CONTROLLER", controller).replace("RULE", rule)


COPIED = """{backendRefs: [{name: front, port: 80}], filters: [{type: RequestMirror,
  requestMirror: {backendRef: {name: gone, port: 80}}}]}"""


@pytest.mark.parametrize(
    ("rule", "verdict", "reasons"),
    [
        ("{backendRefs: [{name: front, port: 80}]}", Verdict.ALLOWED, [None]),
        ("{backendRefs: [{name: front, port: 80, weight: 0}]}", Verdict.DENIED, ["NoBackend"]),
        ("{}", Verdict.DENIED, ["NoBackend"]),
        ("{filters: [{type: RequestRedirect}]}", Verdict.ALLOWED, [None]),
        ("{backendRefs: [{name: front, port: 8080}]}", Verdict.DENIED, ["NoSuchPort"]),
        (COPIED, Verdict.ALLOWED, [None, "BackendNotFound"]),
    ],
)
def test_rules_of_routes(rule: str, verdict: Verdict, reasons: list[str | None]) -> None:
    answer = read(gateway(rule)).why("203.0.113.9", "gw:web/public")
    assert answer.verdict is verdict
    assert [way.stop and way.stop.reason for way in answer.ways] == reasons


MIRRORED = """{backendRefs: [{name: lost, port: 80}], filters: [{type: RequestMirror,
  requestMirror: {backendRef: {name: front, port: 80}}}]}"""


def test_a_copy_is_a_way_of_its_own_to_its_backend() -> None:
    answer = read(gateway(MIRRORED)).why("gw:web/public", "web/front")
    assert answer.verdict is Verdict.ALLOWED
    assert [(way.copy, way.stop) for way in answer.ways] == [(True, None)]
    closed = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: web}
spec: {podSelector: {}, ingress: []}
"""
    answer = read(gateway(MIRRORED), closed).why("gw:web/public", "web/front")
    assert answer.verdict is Verdict.DENIED
    assert answer.shown is not None
    assert list(stopped(answer)) == []


REDIRECTED = """{matches: [{path: {value: /red}}], filters: [{type: RequestRedirect}]},
  {backendRefs: [{name: gone, port: 80}]}"""


@pytest.mark.parametrize(
    ("path", "verdict", "reasons"),
    [
        ("/red", Verdict.ALLOWED, [None]),
        ("/other", Verdict.DENIED, ["BackendNotFound"]),
    ],
)
def test_the_closest_rule_gets_a_request(
    path: str, verdict: Verdict, reasons: list[str | None]
) -> None:
    session = read(gateway(REDIRECTED))
    answer = session.why("203.0.113.9", "gw:web/public", http=f"GET {path}")
    assert answer.verdict is verdict
    assert [way.stop and way.stop.reason for way in answer.ways] == reasons


def test_what_nobody_can_settle_between_rules_is_said() -> None:
    rule = REDIRECTED.replace("{value: /red}", "{type: RegularExpression, value: '/r.*'}")
    answer = read(gateway(rule.replace("gone", "front"))).why(
        "203.0.113.9", "gw:web/public", http="GET /red"
    )
    assert "ROUTE_ORDER" in {each.id for each in answer.caveats}
    assert len(answer.ways) == 2


TO_INGRESS = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: front, namespace: web}
spec:
  endpointSelector: {matchLabels: {app: front}}
  ingress: [{fromEntities: [ENTITY]}]
"""


@pytest.mark.parametrize(
    ("entity", "verdict"), [("ingress", Verdict.ALLOWED), ("host", Verdict.DENIED)]
)
def test_a_gateway_that_is_an_end_of_the_enforcer(entity: str, verdict: Verdict) -> None:
    text = gateway("{backendRefs: [{name: front, port: 80}]}", "io.cilium/gateway-controller")
    session = read(text, TO_INGRESS.replace("ENTITY", entity), profile="cilium")
    answer = session.why("gw:web/public", "web/front")
    assert answer.verdict is verdict
    assert answer.ways[0].hops[0].question.source.text == "reserved:ingress"


ROUTE = """
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: r, namespace: web}
spec: {host: a.example, to: {kind: Service, name: front}, port: {targetPort: PORT}}
"""


@pytest.mark.parametrize(("port", "reason"), [("8080", None), ("80", "NoSuchPort")])
def test_a_number_of_a_route_is_the_endpoints_own(port: str, reason: str | None) -> None:
    answer = read(ROUTE.replace("PORT", port)).why("gw:web/r", "web/front")
    assert [way.stop and way.stop.reason for way in answer.ways] == [reason]


ISOLATED = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: web}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [TO]
"""
VIP = "{to: [{ipBlock: {cidr: 10.96.0.7/32}}], ports: [{port: 80}]}"
BY = "{to: [{podSelector: {matchLabels: {LABELS}}}], ports: [{port: PORT}]}"


@pytest.mark.parametrize(
    ("rule", "by_service", "by_pod"),
    [
        (VIP, Verdict.ALLOWED, Verdict.DENIED),
        (
            BY.replace("LABELS", "app: back").replace("PORT", "9090"),
            Verdict.ALLOWED,
            Verdict.ALLOWED,
        ),
        # A label that the Service does not select is none of its own.
        (
            BY.replace("LABELS", "app: back, version: v1").replace("PORT", "9090"),
            Verdict.DENIED,
            Verdict.ALLOWED,
        ),
        (BY.replace("LABELS", "app: back").replace("PORT", "80"), Verdict.DENIED, Verdict.DENIED),
    ],
)
def test_what_is_judged_before_translation(rule: str, by_service: Verdict, by_pod: Verdict) -> None:
    back = """
apiVersion: v1
kind: Service
metadata: {name: back, namespace: web}
spec: {clusterIP: 10.96.0.7, selector: {app: back}, ports: [{port: 80, targetPort: 9090}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: back, namespace: web}
spec: {template: {metadata: {labels: {app: back, version: v1}}, spec: {containers: [{name: c,
  image: c}]}}}
"""
    session = read(back, ISOLATED.replace("TO", rule), profile="aws-vpc-cni")
    assert session.why("web/front", "svc:web/back", port=80).verdict is by_service
    assert session.verdict("web/front", "svc:web/back", port=80) is by_service
    assert session.why("web/front", "web/back", port=9090).verdict is by_pod


def test_numbers_that_pods_disagree_about_match_no_rule_before_translation() -> None:
    pods = "".join(
        f"""
apiVersion: v1
kind: Pod
metadata: {{name: p{number}, namespace: web, labels: {{app: back}}}}
spec: {{containers: [{{name: c, image: c, ports: [{{name: http, containerPort: {number}}}]}}]}}
---
"""
        for number in (8080, 8081)
    )
    service = """
apiVersion: v1
kind: Service
metadata: {name: back, namespace: web}
spec: {clusterIP: 10.96.0.7, selector: {app: back}, ports: [{port: 80, targetPort: http}]}
"""
    for port, verdict in (("8080", Verdict.DENIED), ("http", Verdict.ALLOWED)):
        rule = BY.replace("LABELS", "app: back").replace("PORT", port)
        session = read(pods + service, ISOLATED.replace("TO", rule), profile="aws-vpc-cni")
        assert session.verdict("web/front", "svc:web/back", port=80) is verdict


ROWS = """
apiVersion: cloison.dev/v1alpha1
kind: ConnectivityTests
tests:
- {name: door, from: 203.0.113.10, to: "gw:platform-ingress/public", port: 443, expect: allow,
   why: The public may.}
- {name: behind, from: "gw:platform-ingress/public", to: web/case-portal, expect: allow,
   why: It serves the portal.}
- {name: past, from: "gw:platform-ingress/public", to: case-management/case-api, port: 8080,
   expect: deny, why: It serves nothing else.}
- {name: away, from: 203.0.113.10, to: "gw:platform-ingress/private", expect: deny, why: None.}
"""


def test_rows_of_tests_may_name_gateways(example: Session, tmp_path: Path) -> None:
    file = tmp_path / "rows.yaml"
    file.write_text(ROWS)
    found = {each.row.name: each for each in example.verify([str(file)]).results}
    assert {name: each.passed for name, each in found.items()} == {
        "door": True,
        "behind": True,
        "past": True,
        "away": False,
    }
    assert found["away"].error == (
        "there is no Gateway, Ingress or Route 'platform-ingress/private'"
    )


def test_a_reason_that_is_no_policy_is_said_first() -> None:
    grant = gateway("{backendRefs: [{name: db, namespace: data, port: 80}]}")
    answer = read(grant).why("203.0.113.9", "gw:web/public")
    (said,) = stopped(answer)
    assert said.startswith("No policy is to blame: no ReferenceGrant in data lets HTTPRoutes of")
    closed = ISOLATED.replace("[Egress]", "[Ingress]").replace("egress: [TO]", "ingress: []")
    own = closed.replace("namespace: web", "namespace: envoy-gateway-system")
    assert next(stopped(read(grant, own).why("203.0.113.9", "gw:web/public"))).startswith(
        "Nothing arrives even where policies let it pass: "
    )
