"""Host endpoints of Calico's: which of them count, what they let through, what is forwarded."""

import pytest

from cloison.analyses.advice import Advice
from cloison.analyses.connectivity import MapOptions
from cloison.analyses.mend import proposals
from cloison.app import Session
from cloison.base import QuestionError
from tests.unit.dialects.calico_world import (
    CLOSED,
    EVERYWHERE,
    WORLD,
    calico,
    caveats,
    loaded,
    verdict,
)


class TestHosts:
    """Nodes under policy."""

    NAMED = calico("HostEndpoint", "h1", "node: n1\ninterfaceName: eth0\nexpectedIPs: [192.0.2.1]")

    def test_what_a_named_interface_forwards_is_what_leaves_the_node(self) -> None:
        session = loaded(self.NAMED, CLOSED)
        assert verdict(session, "203.0.113.5", "shop/web") == "denied"
        assert verdict(session, "shop/web", "203.0.113.5") == "denied"
        assert verdict(session, "shop/web", "shop/api") == "denied"
        assert verdict(session, "node:n1", "shop/web") == "allowed"
        assert verdict(session, "203.0.113.5", "shop/api") == "allowed"

    def test_pods_of_one_node_meet_a_host_endpoint_of_every_interface_only(self) -> None:
        beside = WORLD.replace("nodeName: n2", "nodeName: n1")
        named = loaded(self.NAMED, CLOSED, world=beside)
        assert verdict(named, "shop/web", "shop/api") == "allowed"
        everywhere = loaded(EVERYWHERE, CLOSED, world=beside)
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
        both = loaded(named, EVERYWHERE)
        assert verdict(both, "node:n1", "203.0.113.5") == "undetermined"
        assert verdict(both, "node:n1", "shop/web") == "allowed"
        alike = loaded(
            named, calico("HostEndpoint", "b", f"node: n1\ninterfaceName: eth2{profiles}")
        )
        assert verdict(alike, "203.0.113.5", "node:n1") == "allowed"

    def test_where_several_interfaces_differ_what_they_forward_is_open(self) -> None:
        other = calico("HostEndpoint", "h2", "node: n1\ninterfaceName: eth1\nprofiles: [x]")
        session = loaded(EVERYWHERE, other, CLOSED)
        assert verdict(session, "203.0.113.5", "shop/web") == "undetermined"
        assert caveats(session, "203.0.113.5", "shop/web", 80) == {"HOST_SEVERAL"}

    def test_a_node_reaches_itself_past_a_single_interface(self) -> None:
        assert verdict(loaded(self.NAMED), "node:n1", "node:n1") == "allowed"
        session = loaded(EVERYWHERE)
        assert verdict(session, "node:n1", "node:n1") == "undetermined"
        assert caveats(session, "node:n1", "node:n1", 80) == {"HOST_LOOPBACK"}
        profiles = "\nprofiles: [projectcalico-default-allow]"
        automatic = calico("HostEndpoint", "h1", f'node: n1\ninterfaceName: "*"{profiles}')
        assert verdict(loaded(automatic), "node:n1", "node:n1") == "allowed"
        into = calico("GlobalNetworkPolicy", "in", "selector: role == 'node'\ntypes: [Ingress]")
        assert verdict(loaded(automatic, into), "node:n1", "node:n1") == "undetermined"

    def test_a_map_tells_what_nodes_under_policy_exchange(self) -> None:
        session = loaded(EVERYWHERE)
        edges = session.map(MapOptions(nodes=True)).edges
        nodes = {(e.src.name, e.dst.name) for e in edges if {e.src.kind, e.dst.kind} == {"node"}}
        assert nodes == {("n1", "n2"), ("n2", "n1")}
        (out,) = [e for e in edges if e.src.name == "n1" and e.dst.kind == "ip"]
        assert str(out.passage.allowed) == "TCP/179,2379-2380,5473,6443,6666-6667, UDP/53,67"
        assert not [e for e in edges if e.src.name == "n2" and e.dst.kind == "ip"]

    def test_nobody_is_advised_to_change_what_no_object_states(self) -> None:
        session = loaded(EVERYWHERE)
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
        session = loaded(EVERYWHERE, pod)
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
        session = loaded(self.NAMED, CLOSED, early)
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
        assert of_node(loaded(EVERYWHERE, second), "n1") == {"h0"}

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
        session = loaded(EVERYWHERE, second, *settings)
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
