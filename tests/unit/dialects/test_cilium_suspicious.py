"""What Cilium accepts and nobody meant."""

from collections.abc import Mapping, Sequence
from itertools import product

import pytest

from cloison.algebra import AddressSet
from cloison.algebra.paths import normalised
from cloison.algebra.strings import StringSet
from cloison.base import Diagnostic, Severity
from cloison.dialects import Surroundings
from cloison.dialects.cilium.decode import decode
from cloison.dialects.cilium.suspicious import suspicious
from cloison.dialects.cilium.suspicious_requests import REWRITTEN
from cloison.platform import configured, profile
from cloison.resources.options import ReadOptions
from tests.support.documents import documents, world

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: a}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web, pod-template-hash: abc}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 8081}]}]}
status: {podIP: 10.0.1.10}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
status: {podIP: 10.0.2.20}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.11}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {clusterIP: 10.96.0.7, selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
"""
SETTINGS = {"enable-node-selector-labels": "true"}
TCP_80 = '[{ports: [{port: "80", protocol: TCP}]}]'
WEB = "endpointSelector: {matchLabels: {app: web}}"
RESOLVER = (
    'toEntities: [all], toPorts: [{ports: [{port: "53"}], rules: {dns: [{matchPattern: "%s"}]}}]'
)


def one(spec: str, kind: str = "CiliumNetworkPolicy", name: str = "x") -> str:
    return (
        f"---\napiVersion: cilium.io/v2\nkind: {kind}\n"
        f"metadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"
    )


def wide(spec: str, name: str = "wide") -> str:
    return one(spec, "CiliumClusterwideNetworkPolicy", name)


def into(element: str) -> str:
    return one(f"{{{WEB}, ingress: [{element}]}}")


def out(element: str, *more: str) -> str:
    return one(f"{{{WEB}, egress: [{', '.join((element, *more))}]}}")


def http(rule: str) -> str:
    port = 'ports: [{port: "8081", protocol: TCP}]'
    return into(f"{{toPorts: [{{{port}, rules: {{http: [{rule}]}}}}]}}")


def said(
    *texts: str,
    who: str = "cilium@1.19",
    settings: Mapping[str, str] | None = None,
    notes: bool = True,
) -> list[Diagnostic]:
    objects = []
    for each in documents("\n".join(texts)):
        found, diagnostics = decode(each, ReadOptions())
        assert not [d for d in diagnostics if d.severity is Severity.ERROR]
        assert found is not None
        objects.append(found)
    around = Surroundings(
        world(WORLD),
        configured(profile(who), SETTINGS if settings is None else settings),
        services=AddressSet.block("10.96.0.0/12"),
        notes=notes,
    )
    found_ = suspicious(objects, around)
    assert set(found_) == set(suspicious(objects[::-1], around))
    assert all(d.effect and d.help and d.source and d.span and d.object for d in found_)
    return found_


def codes(found: Sequence[Diagnostic]) -> list[str]:
    return [each.code for each in found]


NAMED = 'toFQDNs: [{matchName: a.example.com}], toPorts: [{ports: [{port: "443"}]}]'
CLUSTER_DENY = "ingressDeny: [{fromEntities: [world]}]"


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("CIL202", [one(f"{{{WEB}, egress: [{{}}], enableDefaultDeny: {{ingress: true}}}}")]),
        ("CIL203", [one(f"{{{WEB}, {CLUSTER_DENY}}}")]),
        ("CIL204", [wide("{endpointSelector: {}, ingress: [{}]}")]),
        ("CIL205", [wide("{nodeSelector: {}, ingress: [{}]}")]),
        ("CIL206", [into(f"{{fromEndpoints: [], toPorts: {TCP_80}}}")]),
        ("CIL206", [into("{fromEntities: []}")]),
        ("CIL206", [into("{fromEndpoints: [], fromEntities: [world]}")]),
        ("CIL207", [out(f"{{toFQDNs: [], toPorts: {TCP_80}}}")]),
        ("CIL207", [out("{toServices: []}")]),
        ("CIL208", [into("{toPorts: [{}]}")]),
        ("CIL208", [into("{toPorts: [{ports: []}]}")]),
        ("CIL210", [into("{fromEndpoints: [{matchLabels: {pod-template-hash: abc}}]}")]),
        (
            "CIL210",
            [
                into(
                    "{fromEndpoints: [{matchExpressions: "
                    "[{key: controller-uid, operator: DoesNotExist}]}]}"
                )
            ],
        ),
        (
            "CIL210",
            [one("{endpointSelector: {matchLabels: {pod-template-hash: abc}}, egress: [{}]}")],
        ),
        (
            "CIL211",
            [
                one(
                    "{endpointSelector: {matchLabels: {app: web, "
                    "'k8s:io.kubernetes.pod.namespace': ops}}, egress: [{}]}"
                )
            ],
        ),
        (
            "CIL211",
            [
                one(
                    "{endpointSelector: {matchLabels: {app: web, "
                    "io.kubernetes.pod.namespace: ops}}, egress: [{}]}"
                )
            ],
        ),
        ("CIL212", [one("{endpointSelector: {matchLabels: {app: wbe}}, egress: [{}]}")]),
        ("CIL220", [out("{toCIDR: [10.96.0.7/32]}")]),
        ("CIL221", [out("{toCIDR: [10.0.1.0/24]}")]),
        ("CIL221", [out("{toCIDR: [192.0.2.0/24]}")]),
        ("CIL222", [out("{toCIDR: [0.0.0.0/0]}")]),
        ("CIL222", [into("{fromCIDRSet: [{cidr: '::/0', except: ['fd00::/8']}]}")]),
        ("CIL223", [out("{toCIDRSet: [{cidr: 203.0.0.0/24, except: [203.0.0.0/16]}]}")]),
        ("CIL224", [out("{toCIDRSet: [{cidrGroupSelector: {matchLabels: {a: b}}}]}")]),
        ("CIL230", [into('{toPorts: [{ports: [{port: "90", endPort: 80}]}]}')]),
        ("CIL231", [into('{toPorts: [{ports: [{port: "0", endPort: 80}]}]}')]),
        ("CIL232", [into("{toPorts: [{ports: [{port: http, endPort: 9000}]}]}")]),
        ("CIL233", [into("{toPorts: [{ports: [{port: metrics}]}]}")]),
        ("CIL233", [into("{toPorts: [{ports: [{port: http, protocol: UDP}]}]}")]),
        ("CIL233", [out("{toPorts: [{ports: [{port: metrics, protocol: TCP}]}]}")]),
        ("CIL234", [out("{toPorts: [{ports: [{port: http, protocol: TCP}]}]}")]),
        ("CIL235", [out(f"{{toEndpoints: [{{matchLabels: {{app: api}}}}], toPorts: {TCP_80}}}")]),
        (
            "CIL235",
            [out(f"{{toServices: [{{k8sService: {{serviceName: api}}}}], toPorts: {TCP_80}}}")],
        ),
        ("CIL236", [into('{toPorts: [{ports: [{port: "80", protocol: SCTP}]}]}')]),
        (
            "CIL238",
            [out("{toServices: [{k8sService: {serviceName: kubernetes, namespace: default}}]}")],
        ),
        ("CIL243", [out(f"{{{RESOLVER % 'foo.**.com'}}}")]),
        ("CIL244", [out(f"{{{RESOLVER % '*example.com'}}}")]),
        ("CIL250", [into('{toPorts: [{ports: [{port: "8081"}], rules: {http: []}}]}')]),
        ("CIL251", [http("{host: api.shop}")]),
        ("CIL251", [http(r"{path: '/v1.0/[a.b]*(/?|\?.*|//.*|%2[fF].*)'}")]),
        ("CIL254", [http("{headers: ['X-Role:admin', 'X-Role: admin', X-Role]}")]),
        ("CIL255", [http("{path: v1/.*}")]),
        ("CIL256", [http("{method: get|post}")]),
        ("CIL257", [http("{path: //a}")]),
        ("CIL257", [http("{path: /a%2Fb/.*}")]),
        ("CIL257", [http(r"{path: '/a/\.\./b'}")]),
        ("CIL257", [http("{path: /%7Euser}")]),
        ("CIL258", [http("{host: '(['}")]),
        ("CIL258", [http("{headers: [': x']}")]),
        ("CIL259", [http(r"{path: '/\pL*', method: GET}")]),
        ("CIL259", [http(r"{host: 'a\b'}")]),
        ("CIL259", [http("{path: '/(a|b)*a(a|b){20}'}")]),
        ("CIL259", [http(", ".join(f"{{headers: ['X{i}: a', 'Y{i}: b']}}" for i in range(20)))]),
    ],
)
def test_a_doubt(code: str, texts: list[str]) -> None:
    found = said(*texts)
    others = {"CIL252", "CIL253"}
    assert [each for each in codes(found) if each not in others] == [code]


@pytest.mark.parametrize(
    "texts",
    [
        [one(f"{{{WEB}, ingress: [{{}}], egress: [{{}}]}}")],
        [one(f"{{{WEB}, {CLUSTER_DENY}, enableDefaultDeny: {{ingress: false}}}}")],
        [one(f"{{{WEB}, {CLUSTER_DENY}}}"), one(f"{{{WEB}, ingress: [{{}}]}}", name="z")],
        [wide("{endpointSelector: {matchLabels: {app: web}}, ingress: [{}]}")],
        [
            wide("{endpointSelector: {}, ingress: [{}]}"),
            wide("{endpointSelector: {matchLabels: {'reserved:health': ''}}, ingress: [{}]}", "z"),
        ],
        [into(f"{{toPorts: {TCP_80}}}")],
        [into("{fromEndpoints: [{matchLabels: {app.kubernetes.io/name: x, 'k8s:app': z}}]}")],
        [out("{toCIDR: [203.0.113.0/24]}")],
        [out("{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.0.0.0/16, 10.96.0.0/12]}]}")],
        [into("{toPorts: [{ports: [{port: http}]}]}")],
        [out('{toEndpoints: [{matchLabels: {app: api}}], toPorts: [{ports: [{port: "8080"}]}]}')],
        [http(r"{method: 'GET|POST', path: '(?i)/v1(/|//|%2[fF]|[/?].*)*', host: 'api\.shop'}")],
        [http("{method: PURGE, path: '.*'}")],
        [out(f"{{{RESOLVER % '*.example.com'}}}", f"{{{NAMED}}}")],
        [out(f"{{{RESOLVER % '*'}}}", f"{{{NAMED}}}")],
        # Nobody may look it up: that is told where policies are compiled.
        [out(f"{{{NAMED}}}")],
    ],
)
def test_no_doubt(texts: list[str]) -> None:
    found = said(*texts)
    assert [each for each in codes(found) if each not in ("CIL252", "CIL253")] == []


def test_a_policy_of_no_rules() -> None:
    text = one("{}").replace("spec: {}", "specs: []")
    assert codes(said(text)) == ["CIL201"]


def test_names_that_only_others_look_up() -> None:
    api = f"{{endpointSelector: {{matchLabels: {{app: api}}}}, egress: [{{{RESOLVER % '*'}}}]}}"
    (only,) = said(out(f"{{{NAMED}}}"), one(api, name="dns"))
    assert only.code == "CIL240"
    assert "`a.example.com`" in only.message
    mine = f"{{endpointSelector: {{}}, egress: [{{{RESOLVER % '*'}}}]}}"
    assert said(out(f"{{{NAMED}}}"), one(mine, name="dns")) == []


def test_ways_to_write_a_path() -> None:
    found = said(http("{path: /public}"))
    assert codes(found) == ["CIL252", "CIL253"]
    assert {each.severity for each in found} == {Severity.INFO}
    query, others = (each.message for each in found)
    assert "`/public` through, but not `/public?q`" in query
    for way in ("`/public/`", "`/PUBLIC`"):
        assert way in others
    assert "//" not in others
    assert codes(said(http(r"{path: '/public(\?.*)?'}"))) == ["CIL253"]
    (only,) = said(http("{path: '/files/.*'}"))
    assert "%2F" not in only.message


def test_ways_to_write_a_path_are_not_looked_for_where_nobody_reads_notes() -> None:
    assert codes(said(http("{path: /public}"), notes=False)) == []
    assert codes(said(http("{path: public}"), notes=False)) == ["CIL255"]


def test_ways_to_write_a_path_where_the_proxy_does_not_normalise() -> None:
    off = {"http-normalize-path": "false"}
    _, others = said(http("{path: /public}"), settings=off)
    assert "`//public`" in others.message
    (only,) = said(http("{path: '/files/.*'}"), settings=off)
    assert "`/files%2F`" in only.message


def test_a_path_that_is_rewritten_first_is_told_with_its_plain_form() -> None:
    (only,) = said(http("{path: /a%2Fb}"))
    assert "`/a%2Fb` is compared as `/a/b`" in only.message
    assert only.help is not None
    assert "`/a/b`" in only.help
    off = {"http-normalize-path": "false"}
    assert "CIL257" not in codes(said(http("{path: /a%2Fb}"), settings=off))
    plain = "{path: '/a(//)?'}", "{path: /.*}", "{path: '/a[?]x=//'}", "{path: /a%20b}"
    assert all("CIL257" not in codes(said(http(each))) for each in plain)


def test_what_is_rewritten_is_what_normalising_changes() -> None:
    rewritten = StringSet.pattern(REWRITTEN)
    texts = ("".join(each) for length in range(5) for each in product("/.?a", repeat=length))
    for text in (*texts, "%2F", "a%2fb", "a%2Eb", "%7e?", "?%2F", "a%20", "%", "%2", "..%2F", "."):
        path = f"/{text}"
        assert (path in rewritten) is (normalised(path) != path), path


def test_a_list_of_names_that_is_empty_opens_its_ports() -> None:
    (only,) = said(out(f"{{toFQDNs: [], toPorts: {TCP_80}}}"))
    assert only.severity is Severity.ERROR
    assert "every destination" in (only.effect or "")
    (other,) = said(out("{toFQDNs: []}"))
    assert other.severity is Severity.WARNING


def test_effects_of_labels_that_are_not_seen() -> None:
    (positive,) = said(into("{fromEndpoints: [{matchLabels: {pod-template-hash: abc}}]}"))
    (negative,) = said(
        into(
            "{fromEndpoints: [{matchExpressions: "
            "[{key: pod-template-hash, operator: NotIn, values: [x]}]}]}"
        )
    )
    assert "matches no pod" in (positive.effect or "")
    assert "holds of every pod" in (negative.effect or "")


def test_a_setting_that_leaves_only_some_labels() -> None:
    text = into("{fromEndpoints: [{matchLabels: {tier: front, app: web}}]}")
    assert said(text) == []
    (only,) = said(text, settings={"labels": "k8s:app"})
    assert (only.code, "`tier`" in only.message) == ("CIL210", True)


@pytest.mark.parametrize(
    ("code", "text", "settings", "who"),
    [
        ("CIL221", out("{toCIDR: [192.0.2.0/24]}"), {"policy-cidr-match-mode": "nodes"}, "1.19"),
        ("CIL221", out("{toCIDR: [10.0.1.0/24]}"), {"policy-cidr-match-mode": "pods"}, "1.20"),
        (
            "CIL236",
            into('{toPorts: [{ports: [{port: "80", protocol: SCTP}]}]}'),
            {"enable-sctp": "true"},
            "1.19",
        ),
        (
            "CIL205",
            wide("{nodeSelector: {}, ingress: [{}]}"),
            {"enable-host-firewall": "true"},
            "1.19",
        ),
        ("CIL234", out("{toPorts: [{ports: [{port: http, protocol: TCP}]}]}"), {}, "1.20"),
    ],
)
def test_settings_settle_it(code: str, text: str, settings: dict[str, str], who: str) -> None:
    assert code in codes(said(text))
    assert code not in codes(said(text, who=f"cilium@{who}", settings=settings))


def test_stars_at_the_start_before_1_19() -> None:
    text = out(f"{{{RESOLVER % '**.example.com'}}}")
    assert said(text) == []
    assert codes(said(text, who="cilium@1.18")) == ["CIL242"]


def test_requests_where_nothing_is_denied_by_default() -> None:
    rule = 'toPorts: [{ports: [{port: "8081", protocol: TCP}], rules: {http: [{}]}}]'
    text = one(f"{{{WEB}, ingress: [{{{rule}}}], enableDefaultDeny: {{ingress: false}}}}")
    assert codes(said(text)) == ["CIL209"]


def test_of_a_policy_that_settings_refuse_nothing_is_said() -> None:
    text = out("{toNodes: [{}]}", "{toCIDR: [10.96.0.7/32]}")
    assert codes(said(text)) == ["CIL220"]
    assert said(text, settings={}) == []
