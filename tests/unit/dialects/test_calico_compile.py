"""What Calico's objects come to in the IR, beyond what the conformance cases say."""

import pytest

from cloison.algebra import AddressSet
from cloison.dialects.calico import labels
from cloison.dialects.calico.model import GlobalNetworkPolicy, NetworkPolicy, Selector
from cloison.dialects.calico.selection import selection
from cloison.dialects.calico.selector import parse
from cloison.dialects.reading.blocks import together
from cloison.ir.peers import GroupsMatch, PodsMatch
from cloison.ir.policy import Mode
from tests.unit.dialects.calico_world import (
    CLOSED,
    EVERYWHERE,
    HOST,
    POD,
    WORLD,
    calico,
    caveats,
    loaded,
    of,
    verdict,
)


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
        EVERYWHERE,
        calico("HostEndpoint", "h2", 'node: n2\ninterfaceName: "*"'),
        CLOSED,
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
