"""What Cilium's objects mean at layer 7: requests, names that are looked up, names in TLS."""

import pytest

from cloison.algebra import Request, RequestSet
from cloison.app import Session
from cloison.dialects.cilium import l7
from cloison.dialects.cilium.caveats import PROXY_REFUSES
from cloison.dialects.cilium.cluster import Cluster
from cloison.dialects.cilium.model_rules import (
    Fqdn,
    HeaderMatch,
    HttpRule,
    L7Rules,
    Port,
    PortRule,
)
from cloison.ir.fidelity import Verdict
from cloison.platform.profiles import profile
from cloison.resources.world import World
from tests.unit.dialects.cilium_world import loaded, open_to, pod, policy

YES, NO, OPEN, MIXED = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNDETERMINED, Verdict.MIXED
EXT, OTHER = "203.0.113.9", "203.0.113.77"
BY_SECRET = HeaderMatch("x", None, "a/b")
CLUSTER = Cluster(profile("cilium@1.19"), World())


def condition(*rules: HttpRule) -> l7.Condition:
    return l7.Condition(http=rules)


def get(path: str = "/", method: str = "GET", **said: str) -> Request:
    host = said.pop("host", None)
    headers = tuple((name.replace("_", "-"), value) for name, value in said.items())
    return Request(method=method, path=path, host=host, headers=headers)


class TestHttp:
    """Rules of HTTP."""

    @pytest.mark.parametrize(
        ("rule", "request_", "met"),
        [
            (HttpRule(path="/v1/.*", method="GET"), get("/v1/a"), True),
            (HttpRule(path="/v1/.*", method="GET"), get("/v1/a?x=1"), True),
            (HttpRule(path="/v1/.*", method="GET"), get("/v1"), False),
            (HttpRule(path="/v1/.*", method="GET"), get("/v1/a", "POST"), False),
            (HttpRule(path="/v1/.*", method="GET"), get("/v1/a", "get"), False),
            (HttpRule(path="/public"), get("/public/"), False),
            (HttpRule(path="/public"), get("/public?x=1"), False),
            (HttpRule(host="api.shop"), get(host="apiXshop"), True),
            (HttpRule(host="api.shop"), get(host="api.shop:8080"), False),
            (HttpRule(headers=("X-Role: admin",)), get(x_role="admin"), True),
            (HttpRule(headers=("X-Role: admin",)), get(x_role="Admin"), False),
            (HttpRule(headers=("X-Role",)), get(x_role="anything"), True),
            (HttpRule(headers=("X-Role:admin",)), get(x_role="admin"), False),
            (HttpRule(header_matches=(HeaderMatch("x", "1"),)), get(x="2"), False),
            (HttpRule(header_matches=(HeaderMatch("x", "1", mismatch="LOG"),)), get(x="2"), True),
            (HttpRule(header_matches=(HeaderMatch("x"),)), get(x="2"), True),
            (HttpRule(header_matches=(BY_SECRET,)), get(x="2"), None),
            (HttpRule(), get(), True),
            (HttpRule(), Request("dns", name="a"), False),
        ],
    )
    def test_one(self, rule: HttpRule, request_: Request, *, met: bool | None) -> None:
        assert condition(rule).matches(request_) is met

    def test_header_without_a_blank_is_a_name(self) -> None:
        asked = condition(HttpRule(headers=("X-Role:admin",))).requests().must
        sent = (("x-role", "admin"), ("x-role:admin", None))
        assert asked.isdisjoint(RequestSet.of(Request(method="GET", headers=sent)))

    def test_any_of(self) -> None:
        asked = condition(HttpRule(path="/a"), HttpRule(path="/b"))
        assert [asked.matches(get(path)) for path in ("/a", "/b", "/c")] == [True, True, False]

    def test_secret_leaves_open(self) -> None:
        asked = condition(HttpRule(path="/a"), HttpRule(header_matches=(BY_SECRET,)))
        assert asked.matches(get("/a")) is True
        assert asked.matches(get("/b", x="1")) is None
        assert asked.doubt is not None
        assert asked.doubt.id == "HEADER_SECRET"

    def test_unsupported_is_open(self) -> None:
        asked = condition(HttpRule(path=r"/\pL", method="GET"), HttpRule(path="/x"))
        assert asked.matches(get("/")) is None
        assert asked.matches(get("/x")) is True
        # What is known of the rule still holds.
        assert asked.matches(Request(method="POST", path="/")) is False
        assert asked.doubt is not None
        assert asked.doubt.id == "PATTERN_UNDECIDED"

    def test_too_large_is_decided_of_one_path(self) -> None:
        asked = condition(HttpRule(path="/(a|b)*a(a|b){20}"))
        assert asked.doubt is not None
        assert asked.doubt.id == "PATTERN_UNDECIDED"
        assert asked.matches(get(f"/{'b' * 9000}a{'b' * 20}")) is True
        assert asked.matches(get(f"/{'b' * 9000}")) is False
        assert asked.matches(Request(method="GET")) is None

    def test_many_headers_are_decided_rule_by_rule(self) -> None:
        rules = [HttpRule(headers=(f"X-{i}: a", f"Y-{i}: b")) for i in range(20)]
        asked = condition(*rules)
        assert asked.doubt is not None
        assert asked.doubt.id == "REQUESTS_TOO_LARGE"
        assert asked.matches(get("/", **{"x-3": "a", "y-3": "b"})) is True
        none = {f"x-{i}": "c" for i in range(20)}
        assert asked.matches(get("/", **none)) is False
        assert asked.matches(get("/")) is None

    @pytest.mark.parametrize("host", ["([", "(?P<x>", "a{1001}"])
    def test_no_pattern_of_hosts(self, host: str) -> None:
        asked = condition(HttpRule(path="/a", host=host), HttpRule(path="/b"))
        assert asked.matches(get("/b")) is None
        assert asked.matches(Request("dns", name="a")) is False
        assert asked.given(get("/b")).doubt == PROXY_REFUSES
        assert asked.requests().doubt == PROXY_REFUSES

    def test_a_header_without_a_name(self) -> None:
        assert condition(HttpRule(headers=(": x",))).requests().doubt == PROXY_REFUSES

    @pytest.mark.parametrize(
        ("header", "met", "missed"),
        [
            ("X-Role:: admin", get("/", **{"x-role": "admin"}), get("/", **{"x-role": "a"})),
            ("X-A:  two", get("/", **{"x-a": " two"}), get("/", **{"x-a": "two"})),
            (":path /x", get("/x"), get("/y")),
            (":path: /x", get("/x"), get("/xy")),
            (":method: GET", get("/x"), Request(method="POST", path="/x")),
            (":authority: a.example", Request(host="a.example"), Request(host="b.example")),
            ("Host: a.example", Request(host="a.example"), Request(host="b.example")),
            (":scheme: http", get("/", **{":scheme": "http"}), get("/", **{":scheme": "https"})),
        ],
    )
    def test_headers_as_the_agent_reads_them(
        self, header: str, met: Request, missed: Request
    ) -> None:
        asked = condition(HttpRule(headers=(header,)))
        for request, wanted in ((met, True), (missed, False)):
            assert asked.matches(request) is wanted
            assert asked.requests().matches(request) is wanted

    def test_a_header_that_no_request_has(self) -> None:
        for text in (":status: 200", "a(b: c"):
            assert condition(HttpRule(headers=(text,))).matches(get("/")) is False

    def test_both_a_pattern_and_a_header_must_hold(self) -> None:
        asked = condition(HttpRule(path="/v1/.*", headers=(":path /v1/a",)))
        assert [asked.matches(get(path)) for path in ("/v1/a", "/v1/b")] == [True, False]
        assert asked.requests().must == condition(HttpRule(path="/v1/a")).requests().must

    def test_words(self) -> None:
        asked = condition(HttpRule(path="/v1/.*", method="GET", host="x", headers=("A: b",)))
        assert str(asked) == "HTTP GET /v1/.*, host x, header A: b"
        assert str(condition(HttpRule())) == "any HTTP request"


class TestAsked:
    """Which port rules ask for something."""

    @pytest.mark.parametrize(
        "rules", [None, L7Rules(), L7Rules(http=()), L7Rules(dns=()), L7Rules(kafka=0)]
    )
    def test_nothing(self, rules: L7Rules | None) -> None:
        assert l7.asked(PortRule((Port("80", "TCP"),), rules), CLUSTER) == l7.NOTHING

    @pytest.mark.parametrize(
        "rule",
        [
            PortRule(rules=L7Rules(kafka=1)),
            PortRule(rules=L7Rules(proto="r2d2", other=1)),
            PortRule(listener="own"),
        ],
    )
    def test_not_modelled(self, rule: PortRule) -> None:
        found = l7.asked(rule, CLUSTER)
        assert found.condition is not None
        assert [each.id for each in found.caveats] == ["L7_NOT_MODELLED"]

    def test_names_in_tls(self) -> None:
        found = l7.asked(PortRule(server_names=("*.example.com",)), CLUSTER)
        asked = found.request
        assert asked is not None
        for name, met in (("a.example.com", True), ("a.b.example.com", False)):
            assert asked.matches(Request("other", sni=name)) is met

    def test_names_in_dns(self) -> None:
        rules = L7Rules(dns=(Fqdn(name="A.example.com."), Fqdn(pattern="*.svc.*")))
        asked = l7.asked(PortRule(rules=rules), CLUSTER).request
        assert asked is not None
        names = {"a.example.com": True, "b.example.com": False, "x.svc.local": True}
        for name, met in names.items():
            assert asked.matches(Request("dns", name=name)) is met


HTTP = (
    'ingress: [{fromEndpoints: [{matchLabels: {app: web}}], toPorts: [{ports: [{port: "8080", '
    "protocol: TCP}], rules: {http: [%s]}}]}]"
)
GET_V1 = HTTP % '{method: GET, path: "/v1/.*"}'
PLAIN = "ingress: [{fromEndpoints: [{matchLabels: {app: web}}]%s}]"
ON_8080 = ', toPorts: [{ports: [{port: "8080", protocol: TCP}]}]'


def asks(session: Session, text: str, source: str = "shop/web", port: int = 8080) -> Verdict:
    return session.why(source, "shop/api", port=port, http=text).verdict


class TestTogether:
    """Rules about requests beside others."""

    def test_alone(self) -> None:
        session = loaded(policy(GET_V1))
        assert asks(session, "GET /v1/a") is YES
        assert asks(session, "POST /v1/a") is NO
        assert asks(session, "GET /v1/a", "ops/probe") is NO

    @pytest.mark.parametrize("ports", [ON_8080, ""])
    def test_a_plain_rule_lets_everything_through(self, ports: str) -> None:
        session = loaded(policy(GET_V1), policy(PLAIN % ports, name="q"))
        assert asks(session, "POST /v1/a") is YES

    def test_union(self) -> None:
        session = loaded(
            policy(HTTP % "{method: GET, path: /a}"),
            policy(HTTP % "{method: GET, path: /b}", name="q"),
        )
        found = [asks(session, f"GET {path}") for path in ("/a", "/b", "/c")]
        assert found == [YES, YES, NO]

    def test_empty_list_asks_nothing(self) -> None:
        assert asks(loaded(policy(HTTP % "")), "POST /") is YES
        assert asks(loaded(policy(HTTP % "{}")), "POST /") is YES

    def test_open_direction(self) -> None:
        session = loaded(policy("enableDefaultDeny: {ingress: false}\n" + GET_V1))
        assert asks(session, "POST /v1/a") is YES

    def test_denial_first(self) -> None:
        deny = f"ingressDeny: [{{{ON_8080.removeprefix(', ')}}}]"
        assert asks(loaded(policy(f"{GET_V1}\n{deny}")), "GET /v1/a") is NO

    @pytest.mark.parametrize(("request_", "found"), [("GET /v1/a", YES), ("POST /v1/a", NO)])
    def test_audit_does_not_cover_requests(self, request_: str, found: Verdict) -> None:
        session = loaded(policy(GET_V1), said={"policy-audit-mode": "true"})
        assert asks(session, request_) is found
        assert asks(session, "GET /v1/a", "ops/probe") is YES

    def test_audited_denial_does_not_reach_the_proxy(self) -> None:
        deny = f"ingressDeny: [{{{ON_8080.removeprefix(', ')}}}]"
        session = loaded(policy(f"{GET_V1}\n{deny}"), said={"policy-audit-mode": "true"})
        assert asks(session, "POST /v1/a") is YES


class TestAuthentication:
    """Rules that ask that ends authenticate each other."""

    SPEC = "ingress: [{fromEndpoints: [{matchLabels: {app: web}}], authentication: {mode: %s}}]"

    @pytest.mark.parametrize(
        ("mode", "found"),
        [("required", Verdict.MIXED), ("disabled", YES), ("test-always-fail", NO)],
    )
    def test_alone(self, mode: str, found: Verdict) -> None:
        assert open_to(loaded(policy(self.SPEC % mode)), "shop/web", "shop/api") is found

    def test_beside_a_plain_rule(self) -> None:
        session = loaded(policy(self.SPEC % "required"), policy(PLAIN % "", name="q"))
        assert open_to(session, "shop/web", "shop/api") is OPEN

    def test_the_condition_is_told(self) -> None:
        session = loaded(policy(self.SPEC % "required"))
        why = session.why("shop/web", "shop/api", port=8080)
        assert [each.given for each in why.when] == ["both ends authenticate each other"]
        assert {str(each.verdict) for each in why.witnesses} == {"allowed", "denied"}
        assert {each.id for each in why.caveats} == {"AUTHENTICATION"}

    def test_edges_of_the_map_name_it(self) -> None:
        found = loaded(policy(self.SPEC % "required")).map()
        told = {
            (verdict, given)
            for edge in found
            if (edge.src.name, edge.dst.name) == ("web", "api")
            for verdict, _, _, given in edge.passage.parts
        }
        assert told == {(YES, "both ends authenticate each other")}

    def test_with_requests(self) -> None:
        """Both have to hold, so a request that no rule lets through is denied in any case."""
        both = GET_V1.replace("toPorts:", "authentication: {mode: required}, toPorts:", 1)
        session = loaded(policy(both))
        assert asks(session, "GET /v1/a") is Verdict.MIXED
        assert asks(session, "POST /v1/a") is NO


FQDN = 'toFQDNs: [{matchName: api.example.com}], toPorts: [{ports: [{port: "443"}]}]'
RESOLVER = (
    "toEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': kube-system, "
    "k8s-app: kube-dns}}]"
)
DNS = RESOLVER + ', toPorts: [{ports: [{port: "53", protocol: ANY}]%s}]'
ALL_NAMES = DNS % ", rules: {dns: [{matchPattern: '*'}]}"
ONE_NAME = DNS % ", rules: {dns: [{matchName: %s}]}"


class TestNames:
    """Rules by name, which hold for what was looked up."""

    def outcome(self, session: Session, target: str = EXT) -> Verdict:
        return session.verdict("shop/web", target, port=443)

    @pytest.mark.parametrize("more", ["", f", {{{DNS % ''}}}"])
    def test_nobody_looks_up(self, more: str) -> None:
        session = loaded(policy(f"egress: [{{{FQDN}}}{more}]", "app: web"))
        assert self.outcome(session) is NO

    def test_own_rule(self) -> None:
        session = loaded(policy(f"egress: [{{{FQDN}}}, {{{ALL_NAMES}}}]", "app: web"))
        why = session.why("shop/web", EXT, port=443)
        assert why.verdict is OPEN
        assert {each.id for each in why.caveats} >= {"NAME_NOT_RESOLVED"}
        assert self.outcome(session, "shop/api") is NO

    def test_pods_have_no_names(self) -> None:
        session = loaded(policy(f"egress: [{{{FQDN}}}, {{{ALL_NAMES}}}]", "app: web"))
        assert self.outcome(session, "shop/api") is NO

    @pytest.mark.parametrize(
        ("subject", "namespace", "found"),
        [
            ("app: db", "shop", NO),
            ("app: web", "ops", OPEN),
            ("app: nobody", "shop", NO),
            ("app: floating", "shop", OPEN),
        ],
    )
    def test_rule_of_others(self, subject: str, namespace: str, found: Verdict) -> None:
        floating = pod("shop/floating", "n1", "10.0.3.9", "app: floating").replace(
            "nodeName: n1, ", ""
        )
        session = loaded(
            policy(f"egress: [{{{FQDN}}}]", "app: web"),
            policy(f"egress: [{{{ALL_NAMES}}}]", subject, name="q", namespace=namespace),
            more=f"---{floating}",
        )
        why = session.why("shop/web", EXT, port=443)
        assert why.verdict is found
        told = "NAME_NOT_LEARNED" in {each.id for each in why.caveats}
        assert told is (subject == "app: floating")

    def test_only_some_of_the_names(self) -> None:
        session = loaded(
            policy(f"egress: [{{{FQDN}}}, {{{ONE_NAME % 'a.example.com'}}}]", "app: web")
        )
        assert self.outcome(session) is NO
        some = "toFQDNs: [{matchPattern: '*.example.com'}]"
        session = loaded(
            policy(f"egress: [{{{some}}}, {{{ONE_NAME % 'a.example.com'}}}]", "app: web")
        )
        assert self.outcome(session) is OPEN

    def test_queries(self) -> None:
        session = loaded(policy(f"egress: [{{{ONE_NAME % 'a.example.com'}}}]", "app: web"))
        for name, found in (("a.example.com", YES), ("b.example.com", NO)):
            why = session.why("shop/web", "kube-system/dns", port=53, protocol="UDP", dns=name)
            assert why.verdict is found

    @pytest.mark.parametrize(("u3", "found"), [(None, OPEN), ("relaxes", YES), ("keeps", NO)])
    def test_wide_rule_for_the_resolver(self, u3: str | None, found: Verdict) -> None:
        spec = f"egress: [{{{ONE_NAME % 'a.example.com'}}}, {{{RESOLVER}}}]"
        said = {"cilium.U3": u3} if u3 else {}
        session = loaded(policy(spec, "app: web"), said=said)
        target = "kube-system/dns"
        why = session.why("shop/web", target, port=53, protocol="UDP", dns="b.example.com")
        assert why.verdict is found
        assert session.verdict("shop/web", target, port=80) is YES
