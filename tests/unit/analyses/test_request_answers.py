"""Answers about requests: what would pass, how the proxy refuses, what to change."""

import json

import pytest

from cloison.algebra import TrafficSet
from cloison.app import Session, load_texts
from cloison.app.change import diff
from cloison.report import render
from cloison.report.about import About

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {nodeName: n1, containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: dns, namespace: shop, labels: {app: dns}}
spec: {nodeName: n1, containers: [{name: c}]}
"""
POLICY = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: web}}]
    toPorts:
    - ports: [{port: "8080", protocol: TCP}]
      rules:
        http:
        - {method: GET, path: "/v1/.*"}
        - {method: POST, path: /payments/reservations}
    - ports: [{port: "8443", protocol: TCP}]
      serverNames: [api.example.com]
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: names, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  egress:
  - toEndpoints: [{matchLabels: {app: dns}}]
    toPorts:
    - ports: [{port: "53", protocol: ANY}]
      rules: {dns: [{matchPattern: "*.example.com"}]}
  - toEndpoints: [{matchLabels: {app: api}}]
"""
API, TLS, DNS = "shop/api:8080", "shop/api:8443", "shop/dns:53/UDP"


def session(policies: str = POLICY, **more: str) -> Session:
    return load_texts(
        {"world.yaml": WORLD, "policies.yaml": policies, **more}, profile="cilium@1.19"
    )


@pytest.mark.parametrize(
    ("to", "said", "verdict"),
    [
        (API, {}, "mixed"),
        (API, {"http": "GET /v1/a"}, "allowed"),
        (API, {"http": "GET /v1"}, "denied"),
        (API, {"http": "/v1/a"}, "mixed"),
        (API, {"http": "PUT"}, "denied"),
        (API, {"http": '{"method": "GET", "path": "/v1/", "host": "a"}'}, "allowed"),
        (API, {"http": '{"method": "GET", "path": "/v1/", "headers": {"b": null}}'}, "allowed"),
        (API, {"grpc": "shop.Cart/Add"}, "denied"),
        (API, {"sni": "api.example.com"}, "mixed"),
        (API, {"dns": "api.example.com"}, "denied"),
        (TLS, {}, "mixed"),
        (TLS, {"sni": "API.example.com"}, "allowed"),
        (TLS, {"sni": "other.example.com"}, "denied"),
        (TLS, {"http": "GET /", "sni": "api.example.com"}, "allowed"),
        (TLS, {"http": "GET /"}, "mixed"),
        (DNS, {}, "mixed"),
        (DNS, {"dns": "a.example.com."}, "allowed"),
        (DNS, {"dns": "a.b.example.com"}, "denied"),
        ("shop/api:9090", {"http": "GET /v1/a"}, "denied"),
    ],
)
def test_requests_decide(to: str, said: dict[str, str], verdict: str) -> None:
    assert session().why("shop/web", to, **said).verdict == verdict


def test_a_question_without_a_request_is_answered_for_all_of_them() -> None:
    answer = session().why("shop/web", API)
    (when,) = answer.when
    assert (str(when.traffic), str(when.allowed)) == (
        "TCP/8080",
        "GET /v1/.* or POST /payments/reservations",
    )
    assert not when.undetermined
    assert [str(w) for w in answer.witnesses] == [
        "shop/web -> shop/api on TCP/8080 with GET /",
        "shop/web -> shop/api on TCP/8080 with GET /v1/",
    ]


@pytest.mark.parametrize(
    ("to", "said", "refusal", "instead"),
    [
        (API, {"http": "PUT /a"}, "HTTP 403", "GET /v1/.* or POST /payments/reservations"),
        (DNS, {"dns": "example.org"}, "REFUSED", r"DNS [-0-9A-Z_a-z]*\.example\.com"),
        (TLS, {"sni": "example.org"}, "resets", r"TLS, SNI api\.example\.com"),
    ],
)
def test_a_refusal_says_what_the_client_sees_and_what_would_pass(
    to: str, said: dict[str, str], refusal: str, instead: str
) -> None:
    answer = session().why("shop/web", to, **said)
    assert answer.refusal is not None
    assert refusal in answer.refusal
    assert [str(each.allowed) for each in answer.instead] == [instead]
    elsewhere = session().why("shop/web", "shop/api:9090", **said) if to == API else None
    assert elsewhere is None or (elsewhere.refusal, elsewhere.instead) == (None, ())


def test_the_rule_that_looks_at_requests_is_the_one_to_change() -> None:
    answer = session().why("shop/web", API, http="PUT /a")
    (mend,) = answer.mend
    assert mend.text.startswith(
        "let CiliumNetworkPolicy shop/api ingress rule 1 allow PUT /a too: it asks for"
    )
    assert mend.file == "policies.yaml"


@pytest.mark.parametrize(
    ("path", "verdict", "note"),
    [
        ("/v1//a", "allowed", "the proxy reads the path as /v1/a (http-normalize-path)"),
        ("/v1/%2e%2e/admin", "denied", "the proxy reads the path as /admin (http-normalize-path)"),
        ("/v1", "denied", "written in another way, the path is allowed: /v1/"),
        ("/v1/a", "allowed", "written in another way, the path is denied: /V1/A"),
    ],
)
def test_a_path_may_be_read_or_written_in_another_way(path: str, verdict: str, note: str) -> None:
    answer = session().why("shop/web", API, http=f"GET {path}")
    assert answer.verdict == verdict
    assert note in answer.notes
    written = {"REQUEST_WRITTEN_OTHERWISE"} if any("written" in n for n in answer.notes) else set()
    assert {caveat.id for caveat in answer.caveats} == written


def test_a_map_has_the_requests_of_each_edge() -> None:
    known = session()
    about = About("1", known.profile, "--cni")
    edges = json.loads("".join(render("map", known.map(), about, "json")))
    found = [
        (edge["traffic"][0]["from"], edge["when"])
        for edge in edges["edges"]
        if edge["when"] and edge["src"].get("name") == "web"
    ]
    assert sorted(found) == [
        (53, [r"DNS [-0-9A-Z_a-z]*\.example\.com"]),
        (8080, ["GET /v1/.* or POST /payments/reservations"]),
        (8443, [r"TLS, SNI api\.example\.com"]),
    ]


def test_a_path_that_opens_is_a_change() -> None:
    after = POLICY.replace('"/v1/.*"', '"/v[12]/.*"').replace("POST, path", "PUT|POST, path")
    found = diff(session(), session(after))
    (change,) = found.changed
    assert str(change.gained) == "TCP/8080"
    assert not change.lost
    (moved,) = change.shift.requests
    assert moved.gained
    assert str(moved.requests) == "GET /v2/.* or PUT /payments/reservations"
    back = diff(session(after), session())
    assert not back.opens
    assert back.closes
    same = POLICY.replace('"/v1/.*"', '"/v(1)/.*"')
    assert not diff(session(), session(same)).changed


def test_rows_ask_with_requests() -> None:
    name = "dns: b.example.com"
    rows = [
        '{from: shop/web, to: shop/api, port: 8080, http: "GET /v1/a", expect: allow}',
        "{from: shop/web, to: shop/api, port: 8080, http: {method: PUT}, expect: deny}",
        "{from: shop/web, to: shop/api, port: 8080, grpc: a.B/C, expect: deny}",
        "{from: shop/web, to: shop/api, port: 8443, sni: api.example.com, expect: allow}",
        f"{{from: shop/web, to: shop/dns, port: 53, protocol: UDP, {name}, expect: allow}}",
        "{from: shop/web, to: shop/api, port: 8080, expect: allow}",
        "{from: shop/web, to: shop/api, port: 8080, http: GET x, expect: allow}",
    ]
    head = "apiVersion: cloison.dev/v1alpha1\nkind: ConnectivityTests\ntests:\n"
    found = session(**{"t.yaml": head + "".join(f"- {row}\n" for row in rows)}).verify()
    assert [str(r.status) for r in found] == [*["passed"] * 5, "failed", "error"]
    assert found.results[4].notes == ("a policy here looks at dns: DNS b.example.com was asked",)


def test_what_takes_too_much_work_is_left_open() -> None:
    one = POLICY.split("---", maxsplit=1)[0]
    many = "---".join(
        one.replace("name: api", f"name: api-{i}").replace("/v1/.*", f"/v{i}/.*")
        for i in range(150)
    )
    answer = session(many).why("shop/web", API)
    assert answer.verdict == "undetermined"
    assert {caveat.id for caveat in answer.caveats} == {"REQUESTS_TOO_LARGE"}
    assert session(many).why("shop/web", API, http="GET /v149/a").verdict == "allowed"
    assert session(many).why("shop/web", API, http="GET /v150/a").verdict == "denied"


def test_a_pattern_that_is_not_worked_out_leaves_open_what_it_may_mean() -> None:
    known = session(POLICY.replace('"/v1/.*"', '"(a|b)*a(a|b){20}"'))
    answer = known.why("shop/web", API)
    (when,) = answer.when
    assert str(when.allowed) == "POST /payments/reservations"
    assert str(when.undetermined) == "GET (any path)"
    assert [caveat.id for caveat in answer.caveats] == ["PATTERN_UNDECIDED"]
    # Of one path it is known all the same.
    assert known.why("shop/web", API, http="GET /").verdict == "denied"
    assert known.why("shop/web", API, http="GET /?" + "a" * 30).verdict == "denied"
    odd = session(POLICY.replace('"/v1/.*"', "'/.*\\pL'"))
    assert odd.why("shop/web", API, http="GET /").verdict == "undetermined"
    assert known.why("shop/web", API, http="PUT /").verdict == "denied"


def test_a_request_may_be_long() -> None:
    known, rest = session(), "b" * 6000
    assert known.why("shop/web", API, http=f"GET /v1/{rest}").verdict == "allowed"
    assert known.why("shop/web", API, http=f"GET /{rest}").verdict == "denied"
    asks = session(POLICY.replace('path: "/v1/.*"', 'path: "/v1/.*", headers: ["x: a", z]'))

    def told(**headers: str) -> str:
        return json.dumps({"method": "GET", "path": f"/v1/{rest}", "headers": headers})

    answer = asks.why("shop/web", API, http=told(x="a"))
    assert answer.verdict == "mixed"
    (when,) = answer.when
    assert str(when.allowed) == "any, header z: (any)"
    assert asks.why("shop/web", API, http=told(x="a", z=rest)).verdict == "allowed"


def test_many_rules_about_headers_are_decided_one_by_one() -> None:
    rules = "".join(f"\n        - headers: ['x-{i}: a', 'y-{i}: b']" for i in range(20))
    first = '\n        - {method: GET, path: "/v1/.*"}'
    known = session(POLICY.replace(first, rules))
    told = json.dumps({"path": "/", "headers": {"x-7": "a", "y-7": "b"}})
    assert known.why("shop/web", API, http=told).verdict == "allowed"
    answer = known.why("shop/web", API)
    assert [caveat.id for caveat in answer.caveats] == ["REQUESTS_TOO_LARGE"]


def test_doubts_stand_on_the_port_they_are_about() -> None:
    port = '    - ports: [{port: "8443", protocol: TCP}]'
    odd = "    - {ports: [{port: '9090', protocol: TCP}], rules: {http: [{path: '/\\pL'}]}}\n"
    known = session(POLICY.replace(port, odd + port))
    edges = [each.passage for each in known.map() if each.passage.when]
    plain, asked = TrafficSet.ports("TCP", 8080), TrafficSet.ports("TCP", 9090)
    (found,) = (each for each in edges if not each.undetermined.isdisjoint(asked))
    assert {caveat.id for caveat in {*found.about(asked)} - {*found.about(plain)}} == {
        "PATTERN_UNDECIDED"
    }
