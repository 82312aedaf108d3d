"""What Calico's objects come to in the IR, beyond what the conformance cases say."""

import textwrap

import pytest

from cloison.algebra import AddressSet
from cloison.analyses.advice import Advice
from cloison.analyses.connectivity import MapOptions
from cloison.analyses.mend import proposals
from cloison.app import Session, load_texts
from cloison.base import QuestionError
from cloison.dialects.calico import labels
from cloison.dialects.calico.blocks import together
from cloison.dialects.calico.model import GlobalNetworkPolicy, NetworkPolicy, Selector
from cloison.dialects.calico.selection import selection
from cloison.dialects.calico.selector import parse
from cloison.ir.policy import GroupsMatch, Mode, PodsMatch, Policy

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: web}}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {zone: a}}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2, labels: {zone: b}}
status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, image: example/web:1}]}
status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec:
  nodeName: n2
  containers:
    - name: c
      image: example/api:1
      ports: [{name: http, containerPort: 8080}]
status: {phase: Running, podIP: 10.0.0.2, podIPs: [{ip: 10.0.0.2}, {ip: "fd00::2"}]}
"""


POD = {labels.NAMESPACE: "shop", labels.SERVICE_ACCOUNT: "default", "pcns.team": "web"}
HOST = {"role": "node"}
"""A pod and a host endpoint as selectors see them."""


def calico(kind: str, name: str, spec: str, namespace: str | None = None) -> str:
    home = f", namespace: {namespace}" if namespace else ""
    return (
        f"apiVersion: projectcalico.org/v3\nkind: {kind}\n"
        f"metadata: {{name: {name}{home}, labels: {{role: node}}}}\n"
        f"spec:\n{textwrap.indent(textwrap.dedent(spec).strip(), '  ')}\n"
    )


def loaded(*objects: str, profile: str = "calico@3.32", world: str = WORLD) -> Session:
    return load_texts({"world.yaml": world, "calico.yaml": "---\n".join(objects)}, profile=profile)


def verdict(
    session: Session, src: str, dst: str, port: int = 8080, family: int | None = None
) -> str:
    return str(session.verdict(src, dst, port=port, family=family))


def caveats(session: Session, src: str, dst: str, port: int = 8080) -> set[str]:
    return {each.id for each in session.why(src, dst, port=port).caveats}


def of(session: Session, kind: str) -> Policy:
    (found,) = [p for p in session.policies.policies if p.id.kind == kind]
    return found


class TestSelection:
    """The labels a policy asks for."""

    @pytest.mark.parametrize(
        ("said", "found"),
        [
            ({}, [POD, HOST]),
            ({"selector": "all()"}, [POD, HOST]),
            ({"namespace_selector": "all()"}, [POD]),
            ({"namespace_selector": "all( )"}, [POD]),
            # The plain selector is searched as typed, and only beside one of the others.
            ({"selector": "all()", "namespace_selector": "team != 'x'"}, [POD]),
            ({"selector": "all( )", "namespace_selector": "team != 'x'"}, [POD, HOST]),
            ({"selector": "all()", "service_account_selector": "has(x) || !has(x)"}, [POD]),
            ({"service_account_selector": "all()"}, [POD]),
            ({"namespace_selector": "team == 'web'"}, [POD]),
            ({"namespace_selector": "!all()"}, [HOST]),
            # What does not parse is left out.
            ({"namespace_selector": "team ="}, [POD, HOST]),
        ],
    )
    def test_of_a_policy_of_the_cluster(
        self, said: dict[str, str], found: list[dict[str, str]]
    ) -> None:
        selectors = {key: Selector.of(text) for key, text in said.items()}
        policy = GlobalNetworkPolicy(
            name="g",
            selector=selectors.get("selector"),
            namespace_selector=selectors.get("namespace_selector"),
            service_account_selector=selectors.get("service_account_selector"),
        )
        expression = selection(policy)
        assert [each for each in (POD, HOST) if expression.matches(each)] == found

    def test_of_a_policy_of_a_namespace(self) -> None:
        policy = NetworkPolicy(
            name="p", namespace="shop", service_account_selector=Selector.of("all()")
        )
        found = selection(policy)
        assert found.matches({labels.NAMESPACE: "shop"})
        assert not found.matches({labels.NAMESPACE: "bank"})


class TestLabels:
    """One expression, asked of pods and of groups."""

    def test_names_of_namespaces_in_any_spelling_are_one(self) -> None:
        texts = ("projectcalico.org/namespace", "pcns.projectcalico.org/name")
        found = {labels.pods(parse(f"{key} == 'x'")) for key in texts}
        assert found == {(PodsMatch(namespace="x"),)}


class TestSubjects:
    """Whom a policy is about."""

    def test_too_many_alternatives_leave_it_open(self) -> None:
        many = " && ".join(f"(a{n} == 'x' || b{n} == 'y')" for n in range(12))
        session = loaded(
            calico("GlobalNetworkPolicy", "g", f'selector: "{many}"\ningress: [{{action: Deny}}]')
        )
        assert of(session, "GlobalNetworkPolicy").opaque is labels.TOO_LARGE
        assert verdict(session, "shop/web", "shop/api") == "undetermined"
        assert "SELECTOR_TOO_LARGE" in caveats(session, "shop/web", "shop/api")

    def test_groups_are_asked_only_where_there_are_any(self) -> None:
        rule = (
            "selector: app == 'api'\ningress: [{action: Allow, source: {selector: app == 'web'}}]"
        )
        alone = of(loaded(calico("GlobalNetworkPolicy", "g", rule)), "GlobalNetworkPolicy")
        assert [type(p.match) for p in alone.rules[0].peers] == [PodsMatch]
        beside = loaded(
            calico("GlobalNetworkPolicy", "g", rule),
            "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkSet\n"
            "metadata: {name: s, labels: {app: web}}\nspec: {nets: [203.0.113.0/24]}\n",
        )
        peers = of(beside, "GlobalNetworkPolicy").rules[0].peers
        assert [type(p.match) for p in peers] == [PodsMatch, GroupsMatch]
        assert verdict(beside, "203.0.113.5", "shop/api") == "allowed"


class TestOtherProfiles:
    """Under a profile that says nothing of Calico."""

    POLICY = calico(
        "GlobalNetworkPolicy", "g", "selector: app == 'api'\ningress: [{action: Allow}]"
    )

    def test_policies_leave_it_open_and_say_what_to_do(self) -> None:
        session = loaded(self.POLICY, profile="generic")
        assert verdict(session, "shop/web", "shop/api") == "undetermined"
        assert verdict(session, "shop/api", "shop/web") == "allowed"
        (said,) = [d for d in session.diagnostics if d.code == "CAL102"]
        assert "--cni calico@3.32" in (said.help or "")

    def test_nothing_is_said_of_tiers_alone(self) -> None:
        session = loaded(calico("Tier", "sec", "order: 5"), profile="generic")
        assert session.diagnostics == ()


class TestFamilies:
    """Rules that are there for one address family."""

    @pytest.mark.parametrize(
        ("rule", "four", "six"),
        [
            ("{action: Allow, ipVersion: 4}", "allowed", "denied"),
            ("{action: Allow, ipVersion: 6}", "denied", "allowed"),
            ("{action: Allow, source: {nets: [10.0.0.0/8]}}", "allowed", "denied"),
            ("{action: Allow, source: {notNets: [10.9.0.0/16]}}", "allowed", "denied"),
            ("{action: Allow, destination: {nets: ['fd00::/8']}}", "denied", "allowed"),
            ("{action: Allow}", "allowed", "allowed"),
        ],
    )
    def test_a_rule_is_there_for_the_families_of_its_blocks(
        self, rule: str, four: str, six: str
    ) -> None:
        session = loaded(
            calico("NetworkPolicy", "p", f"selector: app == 'api'\ningress: [{rule}]", "shop")
        )
        assert verdict(session, "shop/web", "shop/api", family=4) == four
        assert verdict(session, "shop/web", "shop/api", family=6) == six


def test_the_blocks_of_a_large_set_come_together() -> None:
    single = [f"10.{high}.{low}.1/32" for high in range(80) for low in range(250)]
    found = together([*single, "10.64.0.0/10", "10.64.7.1", "fd00::/8", "no block"])
    assert found.size() == 64 * 250 + 2**22 + 2**120
    assert len(found) == 64 * 250 + 2
    assert together([]) == AddressSet()
    assert together(["10.0.0.0/9", "10.128.0.0/9"]) == AddressSet.block("10.0.0.0/8")


class TestServices:
    """Endpoints of Services."""

    SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: http}]}
"""
    RULE = calico(
        "NetworkPolicy",
        "p",
        """
        selector: app == 'web'
        egress: [{action: Allow, destination: {services: {name: api, namespace: shop}}}]
        """,
        "shop",
    )

    def test_without_slices_they_are_the_pods_the_service_selects(self) -> None:
        session = loaded(self.RULE, world=f"{WORLD}---\n{self.SERVICE}")
        assert verdict(session, "shop/web", "shop/api", 8080) == "allowed"
        assert verdict(session, "shop/web", "shop/api", 80) == "denied"
        assert "SERVICE_BACKENDS" in caveats(session, "shop/web", "shop/api")

    def test_without_the_service_they_are_unknown(self) -> None:
        session = loaded(self.RULE)
        assert verdict(session, "shop/web", "shop/api") == "undetermined"
        assert "SERVICE_UNKNOWN" in caveats(session, "shop/web", "shop/api")


class TestHosts:
    """Nodes under policy."""

    EVERYWHERE = calico("HostEndpoint", "h1", 'node: n1\ninterfaceName: "*"')
    NAMED = calico("HostEndpoint", "h1", "node: n1\ninterfaceName: eth0\nexpectedIPs: [192.0.2.1]")
    CLOSED = calico(
        "GlobalNetworkPolicy",
        "closed",
        """
        selector: role == 'node'
        applyOnForward: true
        types: [Ingress, Egress]
        """,
    )

    def test_what_a_named_interface_forwards_is_what_leaves_the_node(self) -> None:
        session = loaded(self.NAMED, self.CLOSED)
        assert verdict(session, "203.0.113.5", "shop/web") == "denied"
        assert verdict(session, "shop/web", "203.0.113.5") == "denied"
        assert verdict(session, "shop/web", "shop/api") == "denied"
        assert verdict(session, "node:n1", "shop/web") == "allowed"
        assert verdict(session, "203.0.113.5", "shop/api") == "allowed"

    def test_pods_of_one_node_meet_a_host_endpoint_of_every_interface_only(self) -> None:
        beside = WORLD.replace("nodeName: n2", "nodeName: n1")
        named = loaded(self.NAMED, self.CLOSED, world=beside)
        assert verdict(named, "shop/web", "shop/api") == "allowed"
        everywhere = loaded(self.EVERYWHERE, self.CLOSED, world=beside)
        assert verdict(everywhere, "shop/web", "shop/api") == "denied"

    def test_an_interface_that_has_all_addresses_is_no_doubt(self) -> None:
        assert caveats(loaded(self.NAMED), "203.0.113.5", "node:n1", 22) == set()
        unplaced = calico("HostEndpoint", "h1", "node: n1\ninterfaceName: eth0")
        said = caveats(loaded(unplaced), "203.0.113.5", "node:n1", 22)
        assert said == {"HOST_INTERFACE"}

    def test_of_several_interfaces_the_one_with_the_addresses_speaks(self) -> None:
        other = calico("HostEndpoint", "a", "node: n1\ninterfaceName: eth1\nprofiles: [x]")
        session = loaded(other, self.NAMED)
        assert of_node(session, "n1") == {"h1"}

    def test_where_several_interfaces_differ_and_none_has_the_addresses_nobody_knows(self) -> None:
        profiles = "\nprofiles: [projectcalico-default-allow]"
        named = calico("HostEndpoint", "a", f"node: n1\ninterfaceName: eth1{profiles}")
        other = calico("HostEndpoint", "b", "node: n1\ninterfaceName: eth2")
        session = loaded(named, other)
        assert verdict(session, "203.0.113.5", "node:n1") == "undetermined"
        assert caveats(session, "203.0.113.5", "node:n1", 80) == {"HOST_SEVERAL"}
        assert verdict(session, "203.0.113.5", "node:n1", 22) == "allowed"
        assert caveats(session, "203.0.113.5", "node:n1", 22) == set()
        assert verdict(session, "node:n1", "shop/web") == "allowed"
        assert verdict(session, "203.0.113.5", "shop/web") == "allowed"
        both = loaded(named, self.EVERYWHERE)
        assert verdict(both, "node:n1", "203.0.113.5") == "undetermined"
        assert verdict(both, "node:n1", "shop/web") == "allowed"
        alike = loaded(
            named, calico("HostEndpoint", "b", f"node: n1\ninterfaceName: eth2{profiles}")
        )
        assert verdict(alike, "203.0.113.5", "node:n1") == "allowed"

    def test_where_several_interfaces_differ_what_they_forward_is_open(self) -> None:
        other = calico("HostEndpoint", "h2", "node: n1\ninterfaceName: eth1\nprofiles: [x]")
        session = loaded(self.EVERYWHERE, other, self.CLOSED)
        assert verdict(session, "203.0.113.5", "shop/web") == "undetermined"
        assert caveats(session, "203.0.113.5", "shop/web", 80) == {"HOST_SEVERAL"}

    def test_a_node_reaches_itself_past_a_single_interface(self) -> None:
        assert verdict(loaded(self.NAMED), "node:n1", "node:n1") == "allowed"
        session = loaded(self.EVERYWHERE)
        assert verdict(session, "node:n1", "node:n1") == "undetermined"
        assert caveats(session, "node:n1", "node:n1", 80) == {"HOST_LOOPBACK"}
        profiles = "\nprofiles: [projectcalico-default-allow]"
        automatic = calico("HostEndpoint", "h1", f'node: n1\ninterfaceName: "*"{profiles}')
        assert verdict(loaded(automatic), "node:n1", "node:n1") == "allowed"
        into = calico("GlobalNetworkPolicy", "in", "selector: role == 'node'\ntypes: [Ingress]")
        assert verdict(loaded(automatic, into), "node:n1", "node:n1") == "undetermined"

    def test_a_map_tells_what_nodes_under_policy_exchange(self) -> None:
        session = loaded(self.EVERYWHERE)
        edges = session.map(MapOptions(nodes=True)).edges
        nodes = {(e.src.name, e.dst.name) for e in edges if {e.src.kind, e.dst.kind} == {"node"}}
        assert nodes == {("n1", "n2"), ("n2", "n1")}
        (out,) = [e for e in edges if e.src.name == "n1" and e.dst.kind == "ip"]
        assert str(out.passage.allowed) == "TCP/179,2379-2380,5473,6443,6666-6667, UDP/53,67"
        assert not [e for e in edges if e.src.name == "n2" and e.dst.kind == "ip"]

    def test_nobody_is_advised_to_change_what_no_object_states(self) -> None:
        session = loaded(self.EVERYWHERE)
        why = session.why("203.0.113.5", "node:n1", port=80)
        (advice,) = proposals(session.engine, why)
        assert isinstance(advice, Advice)
        assert advice.policy is None
        assert advice.text.startswith("let a policy that governs node:n1 allow TCP/80 from ")

    def test_what_governs_a_node_governs_pods_on_its_network(self) -> None:
        pod = """
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: shop}
spec: {nodeName: n1, hostNetwork: true, containers: [{name: c, image: example/agent:1}]}
"""
        session = loaded(self.EVERYWHERE, pod)
        (section,) = session.effective("shop/agent").sections
        assert "what governs the node governs them" in str(section.remark)
        assert [side.isolated for side in section.sides] == [True, True]
        with pytest.raises(QuestionError, match="node under policy"):
            session.effective("node:n1")
        with pytest.raises(QuestionError, match="policies select pods only"):
            session.effective("node:n2")

    @pytest.mark.parametrize("flag", ["preDNAT", "doNotTrack"])
    def test_what_early_policies_allow_is_not_asked_again_on_the_way_in(self, flag: str) -> None:
        early = calico(
            "GlobalNetworkPolicy",
            "early",
            f"""
            selector: role == 'node'
            applyOnForward: true
            {flag}: true
            types: [Ingress]
            ingress: [{{action: Allow, source: {{nets: [203.0.113.0/24]}}}}]
            """,
        )
        session = loaded(self.NAMED, self.CLOSED, early)
        assert verdict(session, "203.0.113.5", "shop/web") == "allowed"
        assert verdict(session, "198.51.100.5", "shop/web") == "denied"
        assert verdict(session, "198.51.100.5", "shop/web", 22) == "denied"
        assert verdict(session, "shop/web", "203.0.113.5") == "denied"
        shut = early.replace("action: Allow", "action: Deny")
        opened = loaded(self.NAMED, shut)
        assert verdict(opened, "203.0.113.5", "shop/web") == "denied"
        assert verdict(opened, "203.0.113.5", "shop/web", 22) == "allowed"

    def test_of_several_for_one_interface_the_first_by_name_is_in_force(self) -> None:
        second = calico("HostEndpoint", "h0", 'node: n1\ninterfaceName: "*"')
        assert of_node(loaded(self.EVERYWHERE, second), "n1") == {"h0"}

    @pytest.mark.parametrize(
        ("profiles", "expected"),
        [
            ("[projectcalico-default-allow]", "allowed"),
            ("[kns.shop]", "allowed"),
            ("[ksa.shop.default]", "denied"),
            ("[nobody, kns.shop]", "denied"),
            ("[]", "denied"),
        ],
    )
    def test_profiles_decide_after_the_last_tier(self, profiles: str, expected: str) -> None:
        host = calico("HostEndpoint", "h1", f'node: n1\ninterfaceName: "*"\nprofiles: {profiles}')
        assert verdict(loaded(host), "203.0.113.5", "node:n1") == expected

    def test_failsafe_ports_are_a_setting_of_the_node(self) -> None:
        settings = [
            calico("FelixConfiguration", name, spec)
            for name, spec in (
                ("default", "failsafeInboundHostPorts: []"),
                (
                    "node.n2",
                    "failsafeInboundHostPorts: [{protocol: tcp, port: 7, net: 203.0.113.0/24}]",
                ),
            )
        ]
        second = calico("HostEndpoint", "h2", 'node: n2\ninterfaceName: "*"')
        session = loaded(self.EVERYWHERE, second, *settings)
        assert verdict(session, "203.0.113.5", "node:n1", 22) == "denied"
        assert verdict(session, "203.0.113.5", "node:n2", 7) == "allowed"
        assert verdict(session, "198.51.100.5", "node:n2", 7) == "denied"

    def test_a_selecting_configuration_is_before_the_default_and_after_the_nodes(self) -> None:
        def drops(name: str, action: str, extra: str = "") -> str:
            return calico(
                "FelixConfiguration", name, f"defaultEndpointToHostAction: {action}{extra}"
            )

        selecting = drops("zone", "Drop", "\nnodeSelector: zone == 'a'")
        session = loaded(drops("default", "Accept"), selecting)
        assert verdict(session, "shop/web", "node:n1") == "denied"
        assert verdict(session, "shop/api", "node:n2") == "allowed"
        session = loaded(drops("default", "Drop"), selecting, drops("node.n1", "Accept"))
        assert verdict(session, "shop/web", "node:n1") == "allowed"
        assert verdict(session, "shop/api", "node:n2") == "denied"

    @pytest.mark.parametrize(
        ("spec", "said"),
        [
            ("iptablesFilterAllowAction: Return", ["CAL103"]),
            ("chainInsertMode: append", ["CAL103"]),
            ("iptablesFilterAllowAction: Accept\nchainInsertMode: insert", []),
        ],
    )
    def test_rules_of_the_hosts_own_are_said(self, spec: str, said: list[str]) -> None:
        session = loaded(calico("FelixConfiguration", "default", spec))
        assert [d.code for d in session.diagnostics] == said

    def test_ports_of_hosts_have_names_too(self) -> None:
        host = calico(
            "HostEndpoint",
            "h2",
            """
            node: n2
            interfaceName: "*"
            expectedIPs: [192.0.2.2]
            profiles: [projectcalico-default-allow]
            ports: [{name: http, protocol: TCP, port: 9000}]
            """,
        )
        out = calico(
            "NetworkPolicy",
            "p",
            """
            selector: app == 'web'
            egress: [{action: Allow, protocol: TCP, destination: {ports: [http]}}]
            """,
            "shop",
        )
        session = loaded(host, out)
        assert verdict(session, "shop/web", "node:n2", 9000) == "allowed"
        assert verdict(session, "shop/web", "node:n2", 8080) == "denied"
        assert verdict(session, "shop/web", "shop/api", 8080) == "allowed"


def of_node(session: Session, node: str) -> set[str]:
    """Return the names of the host endpoints that put a node under policy."""
    mine = [p for p in session.policies.policies if p.id.kind == "HostEndpoint" and node in p.nodes]
    return {p.id.name.split()[0] for p in mine}


class TestStaged:
    """Policies on trial."""

    def test_a_staged_policy_takes_the_place_of_its_twin(self) -> None:
        texts = [
            calico("NetworkPolicy", "p", "order: 1\nselector: app == 'api'\ningress: []", "shop"),
            calico(
                "StagedNetworkPolicy",
                "p",
                "order: 1\nselector: app == 'api'\ningress: [{action: Allow}]",
                "shop",
            ),
        ]
        session = loaded(*texts)
        staged = of(session, "StagedNetworkPolicy")
        assert staged.mode is Mode.STAGED
        assert staged.preview is not None
        assert staged.preview.replaces == of(session, "CalicoNetworkPolicy").id
        assert verdict(session, "shop/web", "shop/api") == "denied"
        assert verdict(session.staged(), "shop/web", "shop/api") == "allowed"

    def test_a_staged_deletion_takes_it_away(self) -> None:
        session = loaded(
            calico("NetworkPolicy", "p", "selector: app == 'api'\ningress: []", "shop"),
            calico("StagedNetworkPolicy", "p", "stagedAction: Delete", "shop"),
        )
        assert verdict(session, "shop/web", "shop/api") == "denied"
        assert verdict(session.staged(), "shop/web", "shop/api") == "allowed"

    def test_one_of_kubernetes_is_read_as_calico_converts_it(self) -> None:
        spec = """
            podSelector: {matchLabels: {app: api}}
            policyTypes: [Ingress]
            ingress:
              - from: [{podSelector: {matchLabels: {app: web}}}, {ipBlock: {cidr: 203.0.113.0/24}}]
                ports: [{port: http}, {port: 9000, endPort: 9010}]
              - from: [{namespaceSelector: {matchLabels: {team: x}}}]
        """
        session = loaded(
            calico("StagedKubernetesNetworkPolicy", "p", spec, "shop"),
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
            "metadata: {name: p, namespace: shop}\nspec: {podSelector: {}}\n",
        )
        before, after = session, session.staged()
        assert verdict(before, "203.0.113.9", "shop/web") == "denied"
        assert verdict(after, "203.0.113.9", "shop/web") == "allowed"
        for source in ("shop/web", "203.0.113.9"):
            assert verdict(after, source, "shop/api", 8080) == "allowed"
            assert verdict(after, source, "shop/api", 9005) == "allowed"
            assert verdict(after, source, "shop/api", 9011) == "denied"
        assert verdict(after, "198.51.100.7", "shop/api") == "denied"


def test_the_order_of_reading_is_nothing() -> None:
    texts = [
        TestHosts.EVERYWHERE,
        calico("HostEndpoint", "h2", 'node: n2\ninterfaceName: "*"'),
        TestHosts.CLOSED,
        calico("GlobalNetworkPolicy", "other", "selector: has(role)\napplyOnForward: true"),
        calico("GlobalNetworkSet", "b", "nets: [203.0.113.0/24]"),
        calico("GlobalNetworkSet", "a", "nets: [203.0.113.0/24]"),
        calico("Tier", "t", "order: 5"),
    ]
    one, two = loaded(*texts), loaded(*texts[::-1])
    stages = [
        [(la.name, [t.name for t in la.tiers]) for la in s.policies.layers] for s in (one, two)
    ]
    assert stages[0] == stages[1]
    assert [g.id for g in one.policies.groups] == [g.id for g in two.policies.groups]
    assert {p.id for p in one.policies.policies} == {p.id for p in two.policies.policies}
    for source, target in (("203.0.113.5", "shop/api"), ("203.0.113.5", "node:n1")):
        answers = {str(each.why(source, target, port=80)) for each in (one, two)}
        assert len(answers) == 1
