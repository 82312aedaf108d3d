"""What surrounds Cilium's policies: other kinds of policy, settings, nodes."""

import pytest

from cloison.ir.fidelity import Verdict
from tests.unit.dialects.cilium_world import loaded, open_to, policy
from tests.unit.dialects.test_cilium_compile import API_SERVER, EXT, NO, OPEN, YES, spelled, way


class TestSurroundings:
    """Settings of the cluster."""

    @pytest.mark.parametrize(("said", "found"), [("auto", YES), ("policy", NO)])
    def test_own_node(self, said: str, found: Verdict) -> None:
        session = loaded(policy("ingress: [{}]"), said={"allow-localhost": said})
        assert open_to(session, "node:n2", "shop/api") is found
        assert open_to(session, "node:n1", "shop/api") is NO

    @pytest.mark.parametrize(
        ("u1", "found"), [(None, OPEN), ("deny-wins", NO), ("localhost-wins", YES)]
    )
    def test_own_node_denied(self, u1: str | None, found: Verdict) -> None:
        said = {"cilium.U1": u1} if u1 else {}
        session = loaded(policy("ingressDeny: [{fromEntities: [host]}]"), said=said)
        assert open_to(session, "node:n2", "shop/api") is found

    def test_own_node_is_not_let_out_to(self) -> None:
        assert way("egress: [{}]", "node:n1") == "-"
        assert way("egress: [{toEntities: [host]}]", "node:n1") == "+"

    @pytest.mark.parametrize(
        ("said", "world", "of_family"),
        [
            ({}, OPEN, OPEN),
            ({"enable-ipv4": "true"}, OPEN, OPEN),
            ({"enable-ipv6": "false"}, YES, NO),
            ({"enable-ipv4": "true", "enable-ipv6": "false"}, YES, NO),
            ({"enable-ipv4": "true", "enable-ipv6": "true"}, NO, YES),
        ],
    )
    def test_labels_of_what_is_outside_hang_on_ip_families(
        self, said: dict[str, str], world: Verdict, of_family: Verdict
    ) -> None:
        """Source: cilium/cilium pkg/labels/cidr.go, getWorldLabel."""
        for label, found in (("world", world), ("world-ipv4", of_family), ("world-ipv6", NO)):
            chosen = f"{{matchLabels: {{'reserved:{label}': ''}}}}"
            session = loaded(policy(f"ingress: [{{fromEndpoints: [{chosen}]}}]"), said=said)
            assert open_to(session, EXT, "shop/api") is found, label

    @pytest.mark.parametrize(("mode", "found"), [("always", NO), ("never", YES)])
    def test_modes(self, mode: str, found: Verdict) -> None:
        deny = policy("ingressDeny: [{fromEntities: [cluster]}]")
        session = loaded(deny, said={"enable-policy": mode})
        assert open_to(session, "shop/web", "shop/api") is found
        assert open_to(session, "shop/web", "shop/db-0") is found

    def test_audit(self) -> None:
        objects = (policy("ingressDeny: [{}]\ningress: [{fromEntities: [host]}]"),)
        session = loaded(*objects, said={"policy-audit-mode": "true"})
        assert open_to(session, "shop/web", "shop/api") is YES
        assert "AUDIT_MODE" in {each.id for each in session.profile.known}

    @pytest.mark.parametrize(
        ("switch", "namespace"),
        [
            ("enable-cilium-network-policy", "shop"),
            ("enable-cilium-clusterwide-network-policy", None),
        ],
    )
    def test_kinds_turned_off(self, switch: str, namespace: str | None) -> None:
        session = loaded(policy("ingress: [{}]", namespace=namespace), said={switch: "false"})
        assert open_to(session, "shop/web", "shop/api") is YES
        assert "CIL302" in {each.code for each in session.diagnostics}

    def test_refused_by_a_setting(self) -> None:
        session = loaded(policy("ingress: [{fromNodes: [{}]}]"))
        assert open_to(session, "shop/web", "shop/api") is YES
        assert "CIL120" in {each.code for each in session.diagnostics}

    def test_other_enforcers(self) -> None:
        session = loaded(policy("ingress: [{}]"))
        assert session.profile.name == "cilium@1.19"


HOSTS = """
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: hosts}
spec:
  nodeSelector: {matchLabels: {zone: two}}
  ingress: [{fromEntities: [cluster]}]
"""


class TestHosts:
    """Policies of nodes."""

    @pytest.mark.parametrize(("said", "reached"), [("false", "++++"), ("true", "-++-")])
    def test_only_with_the_firewall(self, said: str, reached: str) -> None:
        session = loaded(HOSTS, said={"enable-host-firewall": said}, more=f"---{API_SERVER}")
        ends = ((EXT, "node:n2"), ("shop/web", "node:n2"), (EXT, "node:n1"), (EXT, "node:n2"))
        assert spelled([open_to(session, *each) for each in ends]) == reached

    def test_pods_are_not_touched(self) -> None:
        session = loaded(HOSTS, said={"enable-host-firewall": "true"})
        assert open_to(session, EXT, "shop/api") is YES
