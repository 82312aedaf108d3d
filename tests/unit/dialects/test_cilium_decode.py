"""Cilium's objects, from their text to the model."""

import pytest

from cloison.base import Severity
from cloison.dialects.cilium.decode import decode
from cloison.dialects.cilium.dialect import DIALECT
from cloison.dialects.cilium.model import (
    CidrRule,
    CiliumCIDRGroup,
    CiliumClusterwideNetworkPolicy,
    CiliumEgressGatewayPolicy,
    CiliumEndpoint,
    CiliumIdentity,
    CiliumLocalRedirectPolicy,
    CiliumNetworkPolicy,
    CiliumObject,
    Element,
    Fqdn,
    HeaderMatch,
    HttpRule,
    Icmp,
    L7Rules,
    Port,
    PortRule,
    Requirement,
    Rule,
    Selector,
    ServiceRef,
)
from cloison.dialects.cilium.switches import parsed
from cloison.dialects.cilium.withheld import withheld
from cloison.resources.options import ReadOptions
from tests.support.documents import document


def text(spec: str, kind: str = "CiliumNetworkPolicy", meta: str = "name: x") -> str:
    return f"apiVersion: cilium.io/v2\nkind: {kind}\nmetadata: {{{meta}}}\n{spec}\n"


def read(manifest: str) -> CiliumObject:
    found, said = decode(document(manifest), ReadOptions())
    assert said == []
    assert found is not None
    return found


def element(written: str, name: str = "ingress") -> Element:
    """Return the only element of a policy of one."""
    found = read(text(f"spec: {{endpointSelector: {{}}, {name}: [{written}]}}"))
    assert isinstance(found, CiliumNetworkPolicy)
    (rule,) = found.rules
    lists = (rule.ingress, rule.egress, rule.ingress_deny, rule.egress_deny)
    (only,) = next(each for each in lists if each is not None)
    return only


class TestPolicies:
    """What a policy says as a whole."""

    def test_spec_comes_before_specs_and_all_apply(self) -> None:
        found = read(
            text(
                "spec: {endpointSelector: {}, ingress: [{}], description: one}\n"
                "specs: [{endpointSelector: {}, egress: [{}]}, "
                "{endpointSelector: {}, egressDeny: [{}]}]"
            )
        )
        assert isinstance(found, CiliumNetworkPolicy)
        assert [(rule.index, rule.description) for rule in found.rules] == [
            (1, "one"),
            (2, ""),
            (3, ""),
        ]
        everybody, nothing = Selector(), Element()
        assert found.rules[1:] == (
            Rule(everybody, egress=(nothing,), index=2),
            Rule(everybody, egress_deny=(nothing,), index=3),
        )
        assert found.namespace == "default"
        assert str(found) == "CiliumNetworkPolicy default/x"

    def test_one_of_the_cluster_has_no_namespace(self) -> None:
        found = read(
            text(
                "spec: {nodeSelector: {matchLabels: {pool: a}}, ingress: [{}], "
                "enableDefaultDeny: {ingress: false, egress: true}, log: {value: seen}}",
                "CiliumClusterwideNetworkPolicy",
                "name: x, labels: {team: a}",
            )
        )
        assert isinstance(found, CiliumClusterwideNetworkPolicy)
        assert (found.namespace, found.labels) == (None, {"team": "a"})
        (rule,) = found.rules
        pool = Requirement("any", "pool", "In", ("a",), pair=True)
        assert rule.endpoints is None
        assert rule.nodes == Selector((pool,))
        assert (rule.default_ingress, rule.default_egress, rule.log) == (False, True, "seen")

    def test_an_empty_list_of_rules_is_another_thing_than_none(self) -> None:
        found = read(text("spec: {endpointSelector: {}, ingress: [], egress: [{}]}"))
        assert isinstance(found, CiliumNetworkPolicy)
        (rule,) = found.rules
        assert (rule.ingress, rule.ingress_deny) == ((), None)

    def test_no_rules_at_all_is_a_policy_that_does_nothing(self) -> None:
        found = read(text("specs: []"))
        assert isinstance(found, CiliumNetworkPolicy)
        assert found.rules == ()

    def test_a_faulty_rule_takes_the_others_along(self) -> None:
        written = text(
            "specs: [{endpointSelector: {}, ingress: [{}]}, {endpointSelector: {}, ingress: "
            "[{fromEntities: [everybody]}, {fromCIDR: [10.0.0.300/8]}]}]"
        )
        found, said = decode(document(written), ReadOptions())
        assert found is None
        entity = "`specs[1].ingress[0].fromEntities[0]` is `everybody`, which is no entity"
        block = (
            "`specs[1].ingress[1].fromCIDR[0]` is `10.0.0.300/8`, which is no block of addresses"
        )
        assert [(d.code, d.message) for d in said] == [("CIL011", entity), ("CIL012", block)]
        assert {d.severity for d in said} == {Severity.ERROR}
        assert said[0].span is not None
        assert said[0].span.line == 4

    def test_places_in_specs_are_counted_without_spec(self) -> None:
        written = text(
            "spec: {endpointSelector: {}, ingress: [{}]}\n"
            "specs: [{endpointSelector: {}, ingress: [{fromEntities: [all], fromCIDR: ['::/0']}]}]"
        )
        found, said = decode(document(written), ReadOptions())
        assert found is None
        (only,) = said
        assert only.message.startswith("`specs[0].ingress[0]` has `fromCIDR` and `fromEntities`")

    @pytest.mark.parametrize("version", ["cilium.io/v1", "cilium.io/v2alpha1"])
    def test_another_version_is_not_read(self, version: str) -> None:
        written = text("spec: {endpointSelector: {}, ingress: [{}]}")
        found, said = decode(document(written.replace("cilium.io/v2", version, 1)), ReadOptions())
        assert found is None
        assert [d.severity for d in said] == [Severity.ERROR]

    def test_what_a_server_printed_may_have_fields_nobody_knows(self) -> None:
        written = text(
            "spec: {endpointSelector: {}, ingress: [{newField: 1}]}", meta="name: x, uid: a-b"
        )
        found, said = decode(document(written), ReadOptions())
        assert found is not None
        assert [d.severity for d in said] == [Severity.WARNING]


class TestSelectors:
    """How keys of labels are taken apart."""

    @pytest.mark.parametrize(
        ("written", "source", "key"),
        [
            ("app", "any", "app"),
            ("any:app", "any", "app"),
            ("k8s:app", "k8s", "app"),
            ("k8s:io.kubernetes.pod.namespace", "k8s", "io.kubernetes.pod.namespace"),
            ("a.b", "any", "a.b"),
            ("app.kubernetes.io/name", "any", "app.kubernetes.io/name"),
            ("reserved:host", "reserved", "host"),
            ("$host", "reserved", "host"),
            ("reserved.host", "reserved", "host"),
            ("k8s:app=web", "k8s", "app"),
            ("container:x", "container", "x"),
        ],
    )
    def test_a_key(self, written: str, source: str, key: str) -> None:
        found = element(f"{{fromEndpoints: [{{matchLabels: {{'{written}': v}}}}]}}")
        assert found.endpoints == (Selector((Requirement(source, key, "In", ("v",), pair=True),)),)

    def test_pairs_come_before_expressions(self) -> None:
        found = element(
            "{fromEndpoints: [{matchExpressions: [{key: 'k8s:tier', operator: NotIn, "
            "values: [a, b]}, {key: x, operator: Exists}], matchLabels: {app: web}}, {}]}"
        )
        assert found.endpoints == (
            Selector(
                (
                    Requirement("any", "app", "In", ("web",), pair=True),
                    Requirement("k8s", "tier", "NotIn", ("a", "b")),
                    Requirement("any", "x", "Exists"),
                )
            ),
            Selector(),
        )


class TestElements:
    """What one element of a rule says."""

    def test_lists_that_are_empty_are_kept(self) -> None:
        assert element("{}") == Element()
        found = element(
            "{toEndpoints: [], toCIDR: [], toCIDRSet: [], toEntities: [], toNodes: [], "
            "toGroups: [], toServices: [], toFQDNs: [], toPorts: []}",
            "egress",
        )
        assert found == Element(
            endpoints=(),
            cidrs=(),
            cidr_sets=(),
            entities=(),
            nodes=(),
            groups=0,
            services=(),
            fqdns=(),
            ports=(),
        )

    def test_what_a_deny_does_not_have_is_dropped(self) -> None:
        written = text(
            "spec: {endpointSelector: {}, egressDeny: [{toFQDNs: [{matchName: a.example.com}], "
            "authentication: {mode: required}, toPorts: [{ports: [{port: '80', protocol: TCP}], "
            "rules: {http: [{}]}, serverNames: [a.example.com]}]}]}"
        )
        found, said = decode(document(written), ReadOptions())
        assert isinstance(found, CiliumNetworkPolicy)
        only = Element(ports=(PortRule((Port("80", "TCP"),)),))
        assert found.rules == (Rule(Selector(), egress_deny=(only,)),)
        assert [d.code for d in said] == ["OBJ002"] * 4
        assert {d.severity for d in said} == {Severity.ERROR}

    @pytest.mark.parametrize("name", ["fromServices", "fromFQDNs", "toEndpoints"])
    def test_what_the_other_direction_has_is_dropped(self, name: str) -> None:
        written = text(f"spec: {{endpointSelector: {{}}, ingress: [{{{name}: [{{}}]}}]}}")
        found, said = decode(document(written), ReadOptions())
        assert isinstance(found, CiliumNetworkPolicy)
        assert found.rules == (Rule(Selector(), ingress=(Element(),)),)
        assert [d.code for d in said] == ["OBJ002"]

    @pytest.mark.parametrize("spec", ["ingress: [null]", "ingress: [{fromEntities: [null]}]"])
    def test_null_is_no_item_of_a_list(self, spec: str) -> None:
        written = text(f"spec: {{endpointSelector: {{}}, {spec}}}")
        found, said = decode(document(written), ReadOptions())
        assert found is None
        assert "CIL001" in [d.code for d in said]

    def test_messages_of_several_items_are_one_list(self) -> None:
        found = element(
            "{icmps: [{fields: [{type: 8}, {type: EchoReply, family: IPv6}]}, "
            "{fields: [{type: '3', family: IPv4}]}]}"
        )
        assert found.icmps == (Icmp(8), Icmp(129, 6), Icmp(3))
        assert element("{icmps: []}").icmps is None
        assert element("{icmps: [{}]}").icmps == ()

    def test_blocks_and_groups(self) -> None:
        found = element(
            "{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}, {cidrGroupRef: g}, "
            "{cidrGroupSelector: {matchLabels: {a: b}}}]}"
        )
        chosen = Selector((Requirement("any", "a", "In", ("b",), pair=True),))
        assert found.cidr_sets == (
            CidrRule("10.0.0.0/8", holes=("10.1.0.0/16",)),
            CidrRule(group="g"),
            CidrRule(groups=chosen),
        )

    def test_names_services_and_the_rest(self) -> None:
        found = element(
            "{toFQDNs: [{matchName: a.example.com}, {matchPattern: '*.b.org'}], "
            "authentication: {mode: required}}",
            "egress",
        )
        assert found.fqdns == (Fqdn("a.example.com"), Fqdn(None, "*.b.org"))
        assert found.authentication == "required"
        services = element(
            "{toServices: [{k8sService: {serviceName: api, namespace: shop}}, "
            "{k8sServiceSelector: {selector: {}}}]}",
            "egress",
        ).services
        assert services == (ServiceRef("api", None, "shop"), ServiceRef(None, Selector()))

    def test_ports_are_in_the_form_that_is_compared(self) -> None:
        found = element(
            "{toPorts: [{ports: [{port: '80'}, {port: HTTP, protocol: TCP}, "
            "{port: '010', protocol: UDP, endPort: 90}, {protocol: VRRP}]}, {}]}"
        )
        assert found.ports == (
            PortRule((Port("80"), Port("http", "TCP"), Port("8", "UDP", 90), Port("", "VRRP"))),
            PortRule(),
        )

    def test_requests(self) -> None:
        found = element(
            "{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET, "
            "path: /v1/.*, host: a, headers: ['X: z'], headerMatches: [{name: X, value: z, "
            "mismatch: LOG}, {name: Z, secret: {namespace: ops, name: s}}]}, {}]}}]}"
        )
        (ports,) = found.ports or ()
        matches = (HeaderMatch("X", "z", None, "LOG"), HeaderMatch("Z", None, "ops/s"))
        rule = HttpRule("/v1/.*", "GET", "a", ("X: z",), matches)
        assert ports.rules == L7Rules(http=(rule, HttpRule()))

    def test_what_else_a_port_rule_says(self) -> None:
        found = element(
            "{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: ['*.a.org'], "
            "originatingTLS: {secret: {name: s}}, listener: {name: l, envoyConfig: {name: e}}}, "
            "{ports: [{port: '9092', protocol: TCP}], rules: {kafka: [{topic: t}, {}]}}, "
            "{ports: [{port: '53'}], rules: {dns: [{matchPattern: '*'}]}}, "
            "{ports: [{port: '7', protocol: TCP}], rules: {l7proto: r2, l7: [{a: b}]}}]}",
            "egress",
        )
        first, second, third, fourth = found.ports or ()
        assert (first.server_names, first.originates, first.terminates, first.listener) == (
            ("*.a.org",),
            True,
            False,
            "l",
        )
        assert second.rules == L7Rules(kafka=2)
        assert third.rules == L7Rules(dns=(Fqdn(None, "*"),))
        assert fourth.rules == L7Rules(proto="r2", other=1)


class TestOthers:
    """Objects that policies refer to, or that say what Cilium knows."""

    def test_a_group_in_both_versions(self) -> None:
        written = text(
            "spec: {externalCIDRs: [203.0.113.0/24]}",
            "CiliumCIDRGroup",
            "name: g, labels: {a: b}",
        )
        group = CiliumCIDRGroup(name="g", labels={"a": "b"}, cidrs=("203.0.113.0/24",))
        assert read(written) == group
        assert read(written.replace("v2", "v2alpha1")) == group

    def test_an_endpoint(self) -> None:
        found = read(
            text(
                "status: {id: 7, identity: {id: 51001, labels: ['k8s:app=web']}, state: ready, "
                "networking: {addressing: [{ipv4: 10.0.1.10, ipv6: 'fd00::1'}], node: 192.0.2.1}, "
                "named-ports: [{name: http, port: 8080, protocol: TCP}], policy: {ingress: {}}}",
                "CiliumEndpoint",
                "name: web, namespace: shop",
            )
        )
        assert found == CiliumEndpoint(
            name="web",
            namespace="shop",
            identity=51001,
            identity_labels=("k8s:app=web",),
            addresses=("10.0.1.10", "fd00::1"),
            named_ports=(("http", "TCP", 8080),),
            ready=True,
        )

    def test_an_identity(self) -> None:
        written = text("security-labels: {'k8s:app': web}", "CiliumIdentity", "name: '51001'")
        assert read(written) == CiliumIdentity(name="51001", security_labels={"k8s:app": "web"})
        found, said = decode(document(written.replace("51001", "web")), ReadOptions())
        assert found is None
        assert [d.code for d in said] == ["CIL117"]

    def test_a_redirect(self) -> None:
        found = read(
            text(
                "spec: {redirectFrontend: {serviceMatcher: {serviceName: dns, toPorts: [{port: "
                "'53', protocol: UDP, name: dns}]}}, redirectBackend: {localEndpointSelector: "
                "{matchLabels: {app: cache}}, toPorts: [{port: '5353', protocol: UDP}]}}",
                "CiliumLocalRedirectPolicy",
                "name: x, namespace: kube-system",
            )
        )
        assert found == CiliumLocalRedirectPolicy(
            name="x",
            namespace="kube-system",
            service="dns",
            service_namespace="kube-system",
            frontends=(("UDP", 53),),
            backends=Selector((Requirement("any", "app", "In", ("cache",), pair=True),)),
            ports=(("UDP", 5353),),
            frontend_names=("dns",),
            port_names=("",),
        )

    def test_a_gateway_selects_by_labels_of_identities(self) -> None:
        found = read(
            text(
                "spec: {selectors: [{podSelector: {matchLabels: {app: web}}, namespaceSelector: "
                "{matchExpressions: [{key: team, operator: Exists}]}}], destinationCIDRs: "
                "[0.0.0.0/0], excludedCIDRs: [10.0.0.0/8], egressGateway: {nodeSelector: {}}}",
                "CiliumEgressGatewayPolicy",
            )
        )
        assert found == CiliumEgressGatewayPolicy(
            name="x",
            selectors=(
                Selector(
                    (
                        Requirement("any", "app", "In", ("web",), pair=True),
                        Requirement("k8s", "io.cilium.k8s.namespace.labels.team", "Exists"),
                    )
                ),
            ),
            destinations=("0.0.0.0/0",),
            excluded=("10.0.0.0/8",),
        )

    def test_nothing_has_to_be_known_beforehand(self) -> None:
        assert DIALECT.notices([read(text("specs: []"))]) == []


@pytest.mark.parametrize(
    ("code", "written", "setting", "better"),
    [
        ("CIL120", "{toNodes: [{}]}", {}, {"enable-node-selector-labels": "true"}),
        ("CIL121", "{icmps: [{fields: [{type: 8}]}]}", {"enable-icmp-rules": "false"}, {}),
        (
            "CIL123",
            "{toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchPattern: '*'}]}}]}",
            {"enable-l7-proxy": "false"},
            {},
        ),
        (
            "CIL125",
            "{toPorts: [{ports: [{protocol: VRRP}]}]}",
            {},
            {"enable-extended-ip-protocols": "true"},
        ),
    ],
)
def test_what_settings_refuse(
    code: str, written: str, setting: dict[str, str], better: dict[str, str]
) -> None:
    policy = read(text(f"spec: {{endpointSelector: {{}}, egress: [{{}}, {written}]}}"))
    assert isinstance(policy, CiliumNetworkPolicy)
    (said,) = withheld(policy, parsed((1, 19), setting))
    assert said.code == code
    assert "absent" in (said.effect or "")
    assert said.span is not None
    assert withheld(policy, parsed((1, 19), better)) == []


@pytest.mark.parametrize(
    ("code", "written", "accepting", "refusing"),
    [
        ("CIL122", "{toRequires: [{}]}", (1, 18), (1, 19)),
        (
            "CIL124",
            "{toPorts: [{ports: [{port: '9092', protocol: TCP}], rules: {kafka: [{}]}}]}",
            (1, 19),
            (1, 20),
        ),
        (
            "CIL126",
            "{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: ['api-*.a.org']}]}",
            (1, 20),
            (1, 19),
        ),
    ],
)
def test_what_versions_refuse(
    code: str, written: str, accepting: tuple[int, int], refusing: tuple[int, int]
) -> None:
    policy = read(text(f"spec: {{endpointSelector: {{}}, egress: [{written}]}}"))
    assert isinstance(policy, CiliumNetworkPolicy)
    assert withheld(policy, parsed(accepting, {})) == []
    assert [d.code for d in withheld(policy, parsed(refusing, {}))] == [code]
