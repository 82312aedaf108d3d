"""What Cilium's objects mean at layers 3 and 4, in a small cluster."""

import pytest

from cloison.ir.fidelity import Verdict
from tests.unit.dialects.cilium_world import loaded, open_to, pod, policy, slice_of

YES, NO, OPEN = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNDETERMINED

EXT = "203.0.113.9"


def spelled(verdicts: list[Verdict]) -> str:
    return "".join({YES: "+", NO: "-", OPEN: "?"}.get(each, "!") for each in verdicts)


def reach(spec: str, *sources: str, port: int = 8080, namespace: str | None = "shop") -> str:
    """Return who reaches api under a policy about it: `+`, `-` or `?` for each source."""
    session = loaded(policy(spec, namespace=namespace))
    return spelled([open_to(session, each, "shop/api", port) for each in sources])


def way(spec: str, *targets: str, port: int = 443, more: str = "", **said: str) -> str:
    """Return whom web reaches under a policy about its egress."""
    session = loaded(policy(spec, "app: web"), said=said, more=more)
    return spelled([open_to(session, "shop/web", each, port) for each in targets])


class TestEmptiness:
    """What is written and what is not: lists that are absent, and lists that are empty."""

    @pytest.mark.parametrize(
        ("spec", "reached"),
        [
            ("ingress: [{}]", "---"),
            ("ingress: [{fromEndpoints: []}]", "---"),
            ('ingress: [{fromEndpoints: [], toPorts: [{ports: [{port: "8080"}]}]}]', "---"),
            ('ingress: [{toPorts: [{ports: [{port: "8080", protocol: TCP}]}]}]', "+++"),
            ("ingress: [{fromEndpoints: [{}]}]", "+--"),
            ("ingress: [{fromEndpoints: [{}], toPorts: [{}]}]", "---"),
            ("ingress: [{fromEndpoints: [{}], fromEntities: []}]", "---"),
            ("ingressDeny: [{}]", "---"),
        ],
    )
    def test_lists(self, spec: str, reached: str) -> None:
        assert reach(spec, "shop/web", "ops/probe", EXT) == reached

    def test_empty_names_are_as_if_not_written(self) -> None:
        ports = 'toPorts: [{ports: [{port: "443"}]}]'
        assert way(f"egress: [{{toFQDNs: [], {ports}}}]", EXT, "shop/api") == "++"
        assert way("egress: [{toFQDNs: []}]", EXT) == "-"

    def test_other_direction_is_untouched(self) -> None:
        session = loaded(policy("ingress: [{}]"))
        assert open_to(session, "shop/api", EXT) is YES


class TestDefaultDeny:
    """Which directions are closed."""

    ALLOW = "ingress: [{fromEndpoints: [{matchLabels: {app: %s}}], toPorts: [{ports: [%s]}]}]"

    def test_opting_out_opens_what_no_rule_names(self) -> None:
        spec = "enableDefaultDeny: {ingress: false}\n" + self.ALLOW % ("web", '{port: "8080"}')
        assert reach(spec, "ops/probe", port=9090) == "+"

    def test_one_rule_that_closes_is_enough(self) -> None:
        out = "enableDefaultDeny: {ingress: false}\n" + self.ALLOW % ("web", '{port: "8080"}')
        closing = self.ALLOW % ("web", '{port: "9090"}')
        session = loaded(policy(out), policy(closing, name="q"))
        assert open_to(session, "shop/web", "shop/api", 8080) is YES
        assert open_to(session, "ops/probe", "shop/api", 9090) is NO

    def test_switch_without_elements_does_nothing(self) -> None:
        spec = "enableDefaultDeny: {egress: true}\ningress: [{}]"
        assert open_to(loaded(policy(spec)), "shop/api", EXT) is YES

    def test_settings_decide_whether_opting_out_is_possible(self) -> None:
        spec = "enableDefaultDeny: {ingress: false}\ningress: [{fromEntities: [host]}]"
        for said, found in (("true", YES), ("false", NO)):
            session = loaded(policy(spec), said={"enable-non-default-deny-policies": said})
            assert open_to(session, "ops/probe", "shop/api") is found

    def test_denials_close_too(self) -> None:
        deny = "ingressDeny: [{fromEntities: [world]}]"
        out = "enableDefaultDeny: {ingress: false}\n" + deny
        assert reach(deny, "shop/web", EXT) == "--"
        assert reach(out, "shop/web", EXT) == "+-"


class TestLabels:
    """Whom selectors find: namespaces and clusters put in, labels left out."""

    @pytest.mark.parametrize(
        ("selector", "reached"),
        [
            ("matchLabels: {app: web}", "+---"),
            ("matchLabels: {'k8s:app': web}", "+---"),
            ("matchLabels: {'any:app': web}", "+---"),
            ("matchLabels: {'container:app': web}", "----"),
            ("matchLabels: {'k8s:io.kubernetes.pod.namespace': ops, app: web}", "-+--"),
            ("matchLabels: {io.kubernetes.pod.namespace: ops}", "-+--"),
            ("matchLabels: {'k8s:io.cilium.k8s.namespace.labels.team': b}", "-+--"),
            (
                "matchExpressions: [{key: 'k8s:io.kubernetes.pod.namespace', operator: Exists}]",
                "++--",
            ),
            ("matchLabels: {io.cilium.k8s.policy.serviceaccount: web-sa}", "+---"),
            ("matchLabels: {io.cilium.k8s.policy.cluster: default}", "+---"),
            ("matchLabels: {io.cilium.k8s.policy.cluster: west}", "----"),
            ("matchLabels: {pod-template-hash: x}", "----"),
            ("matchExpressions: [{key: pod-template-hash, operator: NotIn, values: [x]}]", "+---"),
            ("matchLabels: {'reserved:host': ''}", "---+"),
            ("matchExpressions: [{key: 'reserved:host', operator: DoesNotExist}]", "+++-"),
        ],
    )
    def test_peers(self, selector: str, reached: str) -> None:
        session = loaded(
            policy(f"ingress: [{{fromEndpoints: [{{{selector}}}]}}]"),
            said={"allow-localhost": "policy"},
        )
        ends = ("shop/web", "ops/probe", EXT, "node:n2")
        assert spelled([open_to(session, each, "shop/api") for each in ends]) == reached

    def test_clusterwide_peers_are_pods(self) -> None:
        spec = "ingress: [{fromEndpoints: [{}]}]"
        assert reach(spec, "ops/probe", EXT, "node:n1", namespace=None) == "+--"

    @pytest.mark.parametrize(
        ("subject", "selected"),
        [
            ("'k8s:io.kubernetes.pod.namespace': ops, app: api", True),
            ("io.kubernetes.pod.namespace: ops, app: api", False),
            ("'any:io.kubernetes.pod.namespace': ops, app: api", False),
            ("app: nobody", False),
            ("controller-revision-hash: y", False),
        ],
    )
    def test_subjects(self, subject: str, *, selected: bool) -> None:
        session = loaded(policy("ingress: [{}]", subject))
        assert (open_to(session, "shop/web", "shop/api") is NO) is selected

    def test_pods_on_the_node_are_no_subjects(self) -> None:
        session = loaded(policy("ingress: [{}]", "app: agent"))
        assert open_to(session, "shop/api", "shop/agent") is YES

    def test_other_labels_by_setting(self) -> None:
        spec = "ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]"
        session = loaded(policy(spec, subject=""), said={"labels": "!app"})
        assert open_to(session, "shop/web", "shop/api") is NO


API_SERVER = slice_of("default/kubernetes", "198.51.100.1", 6443)
ON_NODE = slice_of("default/kubernetes", "192.0.2.12", 6443)


class TestPeers:
    """Entities, blocks, nodes and Services."""

    @pytest.mark.parametrize(
        ("entity", "reached"),
        [
            ("all", "++++++"),
            ("world", "---+-+"),
            ("cluster", "+++-++"),
            ("host", "----+-"),
            ("remote-node", "--+---"),
            ("kube-apiserver", "-----+"),
            ("none", "------"),
            ("health", "------"),
            ("init", "------"),
            ("ingress", "------"),
            ("unmanaged", "------"),
        ],
    )
    def test_entities(self, entity: str, reached: str) -> None:
        ends = ("shop/api", "ops/probe", "node:n2", EXT, "node:n1", "198.51.100.1")
        spec = f"egress: [{{toEntities: [{entity}]}}]"
        assert way(spec, *ends, more=f"---{API_SERVER}") == reached

    def test_api_server_on_a_node(self) -> None:
        spec = "egress: [{toEntities: [kube-apiserver]}]"
        assert way(spec, "node:n2", "node:n1", EXT, more=f"---{ON_NODE}") == "+--"

    def test_unknown_api_server(self) -> None:
        spec = "egress: [{toEntities: [kube-apiserver]}]"
        assert way(spec, "shop/api", "node:n2", EXT) == "-??"
        why = loaded(policy(spec, "app: web")).why("shop/web", EXT, port=443)
        assert "API_SERVER_UNKNOWN" in {each.id for each in why.caveats}

    @pytest.mark.parametrize(
        ("block", "reached"),
        [
            ("toCIDR: [0.0.0.0/0]", "+---"),
            ("toCIDR: ['::/0']", "----"),
            ("toCIDR: [10.0.0.0/8]", "----"),
            ("toCIDR: [192.0.2.0/24]", "----"),
            ("toCIDR: [203.0.113.0/24, 198.51.100.0/24]", "+---"),
            ("toCIDRSet: [{cidr: 203.0.113.0/24, except: [203.0.113.8/30]}]", "----"),
            ("toCIDRSet: [{cidrGroupRef: none}]", "----"),
            ("toCIDRSet: [{cidrGroupRef: partners}]", "+---"),
            ("toCIDRSet: [{cidrGroupSelector: {matchLabels: {kind: partner}}}]", "+---"),
            ("toCIDRSet: [{cidrGroupSelector: {matchLabels: {kind: other}}}]", "----"),
            ("toCIDRSet: [{cidrGroupRef: partners, except: [203.0.113.9/32]}]", "----"),
        ],
    )
    def test_blocks(self, block: str, reached: str) -> None:
        group = (
            "apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\n"
            "metadata: {name: partners, labels: {kind: partner}}\n"
            "spec: {externalCIDRs: [203.0.113.0/24]}\n"
        )
        session = loaded(policy(f"egress: [{{{block}}}]", "app: web"), group)
        ends = (EXT, "shop/api", "node:n2", "node:n1")
        assert spelled([open_to(session, "shop/web", each) for each in ends]) == reached

    def test_hole_wider_than_its_block_leaves_nothing(self) -> None:
        spec = "egress: [{toCIDRSet: [{cidr: 203.0.0.0/24, except: [203.0.0.0/16]}]}]"
        assert way(spec, "203.0.0.9") == "-"

    def test_hole_is_no_denial(self) -> None:
        spec = (
            "egress:\n- toCIDRSet: [{cidr: 203.0.113.0/24, except: [203.0.113.8/30]}]\n"
            "- toCIDR: [203.0.113.9/32]"
        )
        assert way(spec, EXT) == "+"

    def test_blocks_match_nodes_by_setting(self) -> None:
        said = {"policy-cidr-match-mode": "nodes"}
        session = loaded(policy("egress: [{toCIDR: [192.0.2.0/24]}]", "app: web"), said=said)
        assert open_to(session, "shop/web", "node:n2") is YES
        session = loaded(policy("egress: [{toCIDR: [0.0.0.0/0]}]", "app: web"), said=said)
        assert open_to(session, "shop/web", "node:n2") is NO
        assert open_to(session, "shop/web", EXT) is YES

    @pytest.mark.parametrize(
        ("u4", "found"), [(None, OPEN), ("matches-like-nodes", YES), ("other", OPEN)]
    )
    def test_blocks_and_pods(self, u4: str | None, found: Verdict) -> None:
        said = {"policy-cidr-match-mode": "pods"} | ({"cilium.U4": u4} if u4 else {})
        spec = policy("egress: [{toCIDR: [10.0.0.0/8]}]", "app: web")
        session = loaded(spec, version="1.20", said=said)
        assert open_to(session, "shop/web", "shop/api") is found

    @pytest.mark.parametrize(
        ("selector", "reached"),
        [("matchLabels: {zone: one}", "--"), ("matchLabels: {zone: two}", "-+"), ("", "-+")],
    )
    def test_nodes_by_label_are_others(self, selector: str, reached: str) -> None:
        session = loaded(
            policy(f"egress: [{{toNodes: [{{{selector}}}]}}]", "app: web"),
            said={"enable-node-selector-labels": "true"},
        )
        ends = ("node:n1", "node:n2")
        assert spelled([open_to(session, "shop/web", each) for each in ends]) == reached

    def test_pods_on_a_node_are_the_node(self) -> None:
        assert reach("ingress: [{fromEntities: [remote-node]}]", "shop/agent", "shop/web") == "+-"

    def test_groups_of_a_cloud(self) -> None:
        spec = "egress: [{toGroups: [{aws: {securityGroupsIds: [sg-1]}}]}]"
        assert way(spec, EXT, "shop/api") == "?-"


SERVICES = """
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop, labels: {tier: back}}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: ext, namespace: shop}
spec: {ports: [{port: 443}]}
---
apiVersion: v1
kind: Service
metadata: {name: hidden, namespace: shop}
spec: {selector: {pod-template-hash: x}, ports: [{port: 443}]}
---
""" + slice_of("shop/ext", "203.0.113.9, 10.0.2.20", 443)


class TestServices:
    """`toServices`."""

    @pytest.mark.parametrize(
        ("reference", "reached"),
        [
            ("k8sService: {serviceName: api, namespace: shop}", "+--"),
            ("k8sService: {serviceName: api, namespace: ops}", "---"),
            ("k8sService: {serviceName: api}", "+--"),
            ("k8sService: {serviceName: ext, namespace: shop}", "--+"),
            ("k8sService: {serviceName: hidden, namespace: shop}", "---"),
            ("k8sServiceSelector: {selector: {matchLabels: {tier: back}}, namespace: shop}", "+--"),
            ("k8sServiceSelector: {selector: {matchLabels: {tier: front}}}", "---"),
        ],
    )
    def test_whom(self, reference: str, reached: str) -> None:
        spec = f"egress: [{{toServices: [{{{reference}}}]}}]"
        assert way(spec, "shop/api", "shop/db-0", EXT, more=SERVICES) == reached

    def test_ports_are_those_of_pods(self) -> None:
        spec = (
            "egress: [{toServices: [{k8sService: {serviceName: api, namespace: shop}}], "
            'toPorts: [{ports: [{port: "%s"}]}]}]'
        )
        for port, found in (("8080", YES), ("80", NO)):
            session = loaded(policy(spec % port, "app: web"), more=SERVICES)
            assert session.verdict("shop/web", "svc:shop/api", port=80) is found

    @pytest.mark.parametrize(
        ("u2", "reached"),
        [(None, "??"), ("nothing", "--"), ("every-destination", "++")],
    )
    def test_nothing_found(self, u2: str | None, reached: str) -> None:
        spec = (
            "egress: [{toServices: [{k8sService: {serviceName: nosuch, namespace: shop}}], "
            'toPorts: [{ports: [{port: "443"}]}]}]'
        )
        said = {"cilium.U2": u2} if u2 else {}
        session = loaded(policy(spec, "app: web"), said=said)
        ends = ("shop/api", EXT)
        assert spelled([open_to(session, "shop/web", each, 443) for each in ends]) == reached
        assert open_to(session, "shop/web", EXT, 80) is NO


class TestTraffic:
    """Ports and messages."""

    @pytest.mark.parametrize(
        ("ports", "protocols"),
        [
            ('{port: "53"}', "++?-"),
            ('{port: "53", protocol: ANY}', "++?-"),
            ('{port: "53", protocol: UDP}', "-+--"),
            ('{port: "0", protocol: TCP}', "+---"),
            ('{port: "0"}', "++?-"),
        ],
    )
    def test_protocols(self, ports: str, protocols: str) -> None:
        session = loaded(policy(f"ingress: [{{toPorts: [{{ports: [{ports}]}}]}}]"))
        found = [
            session.verdict("shop/web", "shop/api", port=53, protocol="TCP"),
            session.verdict("shop/web", "shop/api", port=53, protocol="UDP"),
        ]
        icmp = session.verdict("shop/web", "shop/api", port="icmp")
        assert spelled([*found, icmp]) == protocols[:2] + protocols[3]

    @pytest.mark.parametrize(
        ("element", "found"),
        [
            ("", YES),
            ('toPorts: [{ports: [{port: "8080"}]}]', NO),
            ("icmps: [{fields: [{type: 8, family: IPv4}]}]", YES),
            ("icmps: [{fields: [{type: EchoRequest}]}]", YES),
            ("icmps: [{fields: [{type: 128, family: IPv6}]}]", NO),
        ],
    )
    def test_messages(self, element: str, found: Verdict) -> None:
        rest = f", {element}" if element else ""
        session = loaded(policy(f"ingress: [{{fromEndpoints: [{{}}]{rest}}}]"))
        assert session.verdict("shop/web", "shop/api", port="icmp/8") is found

    def test_ranges(self) -> None:
        spec = 'ingress: [{toPorts: [{ports: [{port: "8000", endPort: 8100}]}]}]'
        assert reach(spec, "shop/web", port=8080) == "+"
        assert reach(spec, "shop/web", port=8101) == "-"
        backwards = spec.replace("8100", "7000")
        assert reach(backwards, "shop/web", port=8000) == "?"
        assert reach(backwards, "shop/web", port=7500) == "-"

    def test_names_inward_are_the_subjects(self) -> None:
        spec = "ingress: [{toPorts: [{ports: [{port: http, protocol: TCP}]}]}]"
        assert reach(spec, "shop/web", port=8080) == "+"
        assert reach(spec, "shop/web", port=9090) == "-"

    @pytest.mark.parametrize(
        ("version", "reached"), [("1.18", "--"), ("1.19", "--"), ("1.20", "++")]
    )
    def test_names_outward_that_differ(self, version: str, reached: str) -> None:
        other = pod(
            "shop/other", "n2", "10.0.2.30", "app: other", ports="{name: http, containerPort: 8081}"
        )
        spec = "egress: [{toPorts: [{ports: [{port: http, protocol: TCP}]}]}]"
        session = loaded(policy(spec, "app: web"), version=version, more=f"---{other}")
        ends = (("shop/api", 8080), ("shop/other", 8081))
        assert spelled([open_to(session, "shop/web", *each) for each in ends]) == reached

    def test_names_outward_are_of_everybody(self) -> None:
        spec = "egress: [{toPorts: [{ports: [{port: http, protocol: TCP}]}]}]"
        assert way(spec, EXT, "shop/db-0", port=8080) == "++"


class TestDenials:
    """Denials win, whatever they are written in."""

    WEB = "fromEndpoints: [{matchLabels: {app: web}}]"

    @pytest.mark.parametrize(
        ("deny", "reached"),
        [
            ('toPorts: [{ports: [{port: "8080"}]}]', "-+"),
            (WEB, "--"),
            ("toPorts: [{ports: [{port: nosuch}]}]", "++"),
        ],
    )
    def test_within_one(self, deny: str, reached: str) -> None:
        session = loaded(policy(f"ingress: [{{{self.WEB}}}]\ningressDeny: [{{{deny}}}]"))
        found = [open_to(session, "shop/web", "shop/api", port) for port in (8080, 9090)]
        assert spelled(found) == reached

    def test_across_kinds(self) -> None:
        allow = (
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
            "metadata: {name: np, namespace: shop}\nspec: {podSelector: {}, ingress: [{}]}\n"
        )
        deny = policy(f"ingressDeny: [{{{self.WEB}}}]", namespace=None)
        session = loaded(allow, deny)
        assert open_to(session, "shop/web", "shop/api") is NO
        assert open_to(session, "shop/db-0", "shop/api") is YES
