"""Accepted but suspicious: each suspicion on what deserves it, and silence on its neighbour."""

from typing import Any

import pytest

from cloison.algebra import AddressSet
from cloison.base import Diagnostic, Severity
from cloison.dialects import Surroundings
from cloison.dialects.networkpolicy.suspicious import suspicious
from cloison.ir.profile import NamedPorts, Profile
from cloison.resources.world import World
from tests.support.documents import world
from tests.unit.dialects.helpers import block, peer, policy, port

WORLD = """\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: x, labels: {team: red}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: z, labels: {team: blue, env: prod}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: bare}}
- apiVersion: v1
  kind: Pod
  metadata: {name: api, namespace: x, labels: {app: api}}
  spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}
  status: {phase: Running, podIP: 10.2.1.1, podIPs: [{ip: 10.2.1.1}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: db, namespace: x, labels: {app: database}}
  spec: {nodeName: n1, containers: [{name: c}]}
  status: {phase: Running, podIP: 10.2.1.2, podIPs: [{ip: 10.2.1.2}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: web, namespace: z, labels: {app: web}}
  spec:
    nodeName: n1
    containers: [{name: c, ports: [{name: domain, containerPort: 53, protocol: UDP}]}]
  status: {phase: Running, podIP: 10.2.2.1, podIPs: [{ip: 10.2.2.1}]}
- apiVersion: v1
  kind: Node
  metadata: {name: n1}
  spec: {podCIDR: 10.2.0.0/16, podCIDRs: [10.2.0.0/16]}
  status: {addresses: [{type: InternalIP, address: 10.1.0.1}]}
- apiVersion: v1
  kind: Service
  metadata: {name: api, namespace: x}
  spec: {clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], ports: [{port: 80}]}
"""
SIX = """\
apiVersion: v1
kind: Service
metadata: {name: six, namespace: x}
spec: {clusterIP: "fd00::10", clusterIPs: ["fd00::10"], ports: [{port: 80}]}
"""
HERE = world(WORLD)
DUAL = world(f"{WORLD}---\n{SIX}")
API = "podSelector: {matchLabels: {app: api}}"
DNS = "{ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]}"
TO_DB = "{to: [{podSelector: {matchLabels: {app: database}}}], ports: [{port: 5432}]}"

GENERIC = Profile("generic", "any CNI", (), "somebody")


def around(where: World = HERE, profile: Profile = GENERIC, **ranges: str) -> Surroundings:
    blocks = {name: AddressSet.block(text) for name, text in ranges.items()}
    pods, nodes, services = (blocks.pop(n, AddressSet()) for n in ("pods", "nodes", "services"))
    assert not blocks
    return Surroundings(where, profile, pods, nodes, services)


def said(
    *specs: str, where: World = HERE, profile: Profile = GENERIC, **ranges: str
) -> list[Diagnostic]:
    policies = [policy(spec, name=f"p{i}") for i, spec in enumerate(specs)]
    found = suspicious(policies, around(where, profile, **ranges))
    for each in found:
        assert each.span is not None
        assert each.effect
        assert each.help
        assert each.source
        assert each.object is not None
    return found


def codes(*specs: str, where: World = HERE, profile: Profile = GENERIC, **ranges: str) -> list[str]:
    return sorted({d.code for d in said(*specs, where=where, profile=profile, **ranges)})


def names(text: str) -> str:
    return peer(f"{{namespaceSelector: {text}}}")


def egress(cidr: str, *holes: str, ports: str = "") -> str:
    rules = block(cidr, *holes).replace("ingress", "egress").replace("from", "to")
    return rules.replace("{podSelector: {}", "{policyTypes: [Egress], podSelector: {}", 1).replace(
        "}}]}]}", f"}}}}]{ports}}}, {DNS}]}}"
    )


def sends(rules: str) -> str:
    """Return a spec that isolates egress of the pod `api` but for `rules`."""
    return f"{{{API}, policyTypes: [Egress], egress: [{rules}]}}"


OBJECT_CASES = [
    (
        "NPS001",
        "{podSelector: {}, egress: []}",
        "{podSelector: {}, policyTypes: [Egress], egress: []}",
    ),
    ("NPS001", "{podSelector: {}, policyTypes: [], egress: []}", "{podSelector: {}, egress: null}"),
    ("NPS002", "{podSelector: {}, egress: [{}]}", "{podSelector: {}, egress: [{}], ingress: []}"),
    (
        "NPS002",
        "{podSelector: {}, policyTypes: null, egress: [{}]}",
        "{podSelector: {}, policyTypes: [Egress], egress: [{}]}",
    ),
    (
        "NPS003",
        "{podSelector: {}, policyTypes: [Egress], ingress: [{}], egress: []}",
        "{podSelector: {}, policyTypes: [Egress], ingress: []}",
    ),
    (
        "NPS003",
        "{podSelector: {}, policyTypes: [Ingress], egress: [{}]}",
        "{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{}]}",
    ),
    ("NPS004", port("{}"), port("{protocol: TCP}")),
    ("NPS004", port("{port: 80}, {}"), port("{port: 80}")),
    ("NPS005", port("{port: 53}"), port("{port: 53}, {port: 53, protocol: UDP}")),
    ("NPS005", port("{port: 53, protocol: TCP}"), port("{port: 53}, {protocol: UDP}")),
    ("NPS005", port("{port: 53}, {port: 54, protocol: UDP}"), port("{port: 50, endPort: 60}")),
    ("NPS005", port("{port: 53}"), "{podSelector: {}, ingress: [{ports: [{port: 53}]}, {}]}"),
    ("NPS006", "{policyTypes: [Ingress]}", "{podSelector: {matchLabels: null}}"),
    (
        "NPS007",
        peer("{namespaceSelector: {}}, {podSelector: {matchLabels: {app: api}}}"),
        peer("{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}"),
    ),
    (
        "NPS007",
        peer("{podSelector: {matchLabels: {app: api}}}, {namespaceSelector: {}}"),
        (
            "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: api}}}]}, "
            "{from: [{namespaceSelector: {}}]}]}"
        ),
    ),
    (
        "NPS007",
        peer("{namespaceSelector: {}}, {podSelector: {matchLabels: {app: api}}}"),
        peer("{namespaceSelector: {}}, {podSelector: {}}"),
    ),
    (
        "NPS008",
        (
            "{podSelector: {matchLabels: {a: b}, "
            "matchExpressions: [{key: a, operator: DoesNotExist}]}}"
        ),
        "{podSelector: {matchExpressions: [{key: a, operator: DoesNotExist}]}}",
    ),
    (
        "NPS008",
        peer(
            "{podSelector: {matchExpressions: [{key: a, operator: In, values: [b]}, "
            "{key: a, operator: NotIn, values: [b]}]}}"
        ),
        peer("{podSelector: {matchLabels: {app: api}}}"),
    ),
]


@pytest.mark.parametrize(("code", "bad", "good"), OBJECT_CASES)
def test_objects_by_themselves(code: str, bad: str, good: str) -> None:
    nowhere = World()
    assert codes(bad, where=nowhere) == [code]
    assert codes(good, where=nowhere) == []
    assert code in codes(bad)
    assert code not in codes(good)


NOT_RED = "{matchExpressions: [{key: team, operator: NotIn, values: [red]}]}"
TEAM_NOT_RED = (
    "{matchExpressions: [{key: team, operator: NotIn, values: [red]}, "
    "{key: team, operator: Exists}]}"
)
NO_TEAM = "{matchExpressions: [{key: team, operator: DoesNotExist}]}"
NOT_SYSTEM = (
    "{matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [sys]}]}"
)

WORLD_CASES = [
    ("NPS010", "{podSelector: {matchLabels: {app: apx}}}", f"{{{API}}}"),
    ("NPS010", "{podSelector: {matchLabels: {app: web}}}", "{podSelector: {}}"),
    ("NPS011", peer("{podSelector: {matchLabels: {app: web}}}"), peer("{podSelector: {}}")),
    (
        "NPS011",
        peer(
            "{namespaceSelector: {matchLabels: {team: blue}}, "
            "podSelector: {matchLabels: {app: api}}}"
        ),
        peer(
            "{namespaceSelector: {matchLabels: {team: blue}}, "
            "podSelector: {matchLabels: {app: web}}}"
        ),
    ),
    ("NPS011", names("{matchLabels: {team: blu}}"), names("{matchLabels: {team: blue}}")),
    ("NPS011", names("{matchLabels: {team: blu}}"), names("{matchLabels: {env: prod}}")),
    ("NPS012", names("{matchLabels: {name: z}}"), names("{matchLabels: {team: blue}}")),
    ("NPS009", names(NOT_RED), names(TEAM_NOT_RED)),
    ("NPS009", names(NO_TEAM), names(NOT_SYSTEM)),
    (
        "NPS013",
        f"{{{API}, ingress: [{{ports: [{{port: https}}]}}]}}",
        f"{{{API}, ingress: [{{ports: [{{port: http}}]}}]}}",
    ),
    (
        "NPS013",
        f"{{{API}, ingress: [{{ports: [{{port: http, protocol: UDP}}]}}]}}",
        "{podSelector: {}, ingress: [{ports: [{port: http}]}]}",
    ),
    ("NPS013", egress("203.0.113.0/24", ports=", ports: [{port: http}]"), egress("203.0.113.0/24")),
    ("NPS014", block("10.2.0.0/16"), block("10.3.0.0/16")),
    ("NPS014", block("10.2.1.1/32"), block("10.1.0.1/32")),
    ("NPS014", block("10.1.0.0/24"), block("10.96.0.10/32")),
    ("NPS014", block("0.0.0.0/0"), block("0.0.0.0/0", "10.0.0.0/8")),
    ("NPS014", egress("10.96.0.10/32"), egress("203.0.113.0/24")),
    (
        "NPS016",
        sends(TO_DB),
        sends(f"{TO_DB}, {DNS}"),
    ),
    (
        "NPS016",
        sends(""),
        sends(DNS),
    ),
    (
        "NPS016",
        sends(TO_DB),
        (
            f"{{{API}, policyTypes: [Egress], egress: [{{to: [{{namespaceSelector: {{}}}}], "
            "ports: [{protocol: UDP, port: domain}]}]}"
        ),
    ),
]


@pytest.mark.parametrize(("code", "bad", "good"), WORLD_CASES)
def test_objects_in_a_world(code: str, bad: str, good: str) -> None:
    assert codes(bad) == [code]
    assert codes(good) == []


def test_a_world_without_pods_proves_nothing() -> None:
    for _, bad, _ in WORLD_CASES:
        assert codes(bad, where=World()) == []


def test_the_likely_correction_is_offered() -> None:
    assert "app=api" in (said("{podSelector: {matchLabels: {app: apii}}}")[0].help or "")
    assert "app=api" in (said("{podSelector: {matchLabels: {name: api}}}")[0].help or "")
    assert "team=blue" in (said(names("{matchLabels: {team: blu}}"))[0].help or "")
    relatives = said("{podSelector: {matchLabels: {app: api-admin}}}")[0].help or ""
    assert "did you mean" not in relatives


def test_pods_of_namespaces_outside_the_input_are_information_only() -> None:
    found = said(peer("{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}"))
    assert [(d.code, d.severity) for d in found] == [("NPS011", Severity.INFO)]
    by_name = said(names("{matchLabels: {kubernetes.io/metadata.name: kube-system}}"))
    assert [(d.code, d.severity) for d in by_name] == [("NPS011", Severity.INFO)]


def test_labels_of_undeclared_namespaces_are_not_judged() -> None:
    pods_only = world(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\n"
        "spec: {containers: [{name: c}]}\n"
    )
    assert codes(names("{matchLabels: {team: blue}}"), where=pods_only) == []
    assert codes(names(NOT_RED), where=pods_only) == []


def test_pods_that_an_operator_makes_are_information_only() -> None:
    custom = (
        "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\n"
        "metadata: {name: k8s, namespace: x}\n"
    )
    spec = "{podSelector: {matchLabels: {app.kubernetes.io/name: prometheus}}}"
    (found,) = said(spec, where=world(f"{WORLD}---\n{custom}"))
    assert (found.code, found.severity) == ("NPS010", Severity.INFO)
    assert said(spec)[0].severity is Severity.WARNING


class TestIpv6:
    """`0.0.0.0/0` in a cluster that speaks IPv6 too."""

    V4 = block("0.0.0.0/0", "10.0.0.0/8")

    def test_warned_about_only_where_ipv6_is_spoken(self) -> None:
        assert codes(self.V4, where=DUAL) == ["NPS015"]
        assert codes(self.V4) == []

    def test_silent_when_the_other_family_is_there_too(self) -> None:
        both = peer(
            "{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}, {ipBlock: {cidr: 2000::/3}}"
        )
        assert codes(both, where=DUAL) == []


class TestDns:
    """Name lookups are judged per pod, over all policies."""

    def test_another_policy_may_open_it(self) -> None:
        only = sends(TO_DB)
        all_dns = f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{DNS}]}}"
        assert codes(only, all_dns) == []

    def test_a_default_deny_is_no_excuse(self) -> None:
        only = sends(TO_DB)
        deny = "{podSelector: {}, policyTypes: [Egress]}"
        found = [d for d in said(only, deny) if d.severity is Severity.WARNING]
        assert [(d.code, d.object) for d in found] == [("NPS016", "NetworkPolicy x/p0")]
        assert "x/api" in found[0].message

    def test_a_bare_default_deny_is_information(self) -> None:
        deny = "{podSelector: {}, policyTypes: [Egress]}"
        (found,) = said(deny, sends(DNS))
        assert (found.code, found.severity) == ("NPS016", Severity.INFO)
        assert "x/db" in found.message
        assert "x/api" not in found.message
        (both,) = said(deny, sends(TO_DB))[1:]
        assert (both.severity, both.object) == (Severity.WARNING, "NetworkPolicy x/p1")


class TestExcept:
    """`except` is not a deny."""

    OUT = egress("0.0.0.0/0", "10.0.0.0/8")

    def test_given_back_by_another_policy(self) -> None:
        whole = sends("{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}")
        found = [d for d in said(self.OUT, whole) if d.code == "NPS017"]
        assert len(found) == 1
        assert "egress rule 1 of p1" in found[0].message
        assert found[0].object == "NetworkPolicy x/p0"

    def test_given_back_by_a_rule_for_everybody(self) -> None:
        assert "NPS017" in codes(self.OUT, "{podSelector: {}, policyTypes: [Egress], egress: [{}]}")

    def test_given_back_in_part(self) -> None:
        cut = egress("203.0.0.0/16", "203.0.113.0/24")
        half = sends("{to: [{ipBlock: {cidr: 203.0.113.128/25}}]}")
        (found,) = said(cut, half)
        assert (found.code, found.object) == ("NPS017", "NetworkPolicy x/p0")
        assert "rule 1 of p1 allows 203.0.113.128/25" in found.message
        assert codes(cut, sends("{to: [{ipBlock: {cidr: 203.0.113.7/32}}]}")) == ["NPS017"]

    def test_given_back_by_a_selector(self) -> None:
        # The hole holds the pods api and db, the cluster also has web.
        cut = egress("10.2.0.0/16", "10.2.1.0/24")
        by_label = sends("{to: [{podSelector: {matchLabels: {app: database}}}]}")
        found = [d for d in said(cut, by_label) if d.code == "NPS017"]
        assert [d.object for d in found] == ["NetworkPolicy x/p0"]
        assert "allows 1 pod in it (x/db)" in found[0].message
        web = sends("{to: [{namespaceSelector: {matchLabels: {team: blue}}}]}")
        assert "NPS017" not in codes(cut, web)

    def test_given_back_by_a_peer_of_the_same_rule(self) -> None:
        cut = (
            "{podSelector: {}, ingress: [{from: [{podSelector: {}}, "
            "{ipBlock: {cidr: 10.2.0.0/16, except: [10.2.1.0/24]}}]}]}"
        )
        found = [d for d in said(cut) if d.code == "NPS017"]
        assert len(found) == 1
        assert "another peer of the rule allows 2 pods in it (x/api and 1 more)" in found[0].message

    @pytest.mark.parametrize(
        "other",
        [
            # a sliver of the hole, a part of the traffic, other pods: an exception, as meant
            sends("{to: [{ipBlock: {cidr: 10.42.15.0/28}}]}"),
            sends(DNS),
            "{podSelector: {matchLabels: {app: nobody}}, policyTypes: [Egress], egress: [{}]}",
            # the hole keeps the whole cluster out of a block, and labels pick from it
            sends("{to: [{podSelector: {}}]}"),
        ],
    )
    def test_exceptions_are_left_alone(self, other: str) -> None:
        assert "NPS017" not in codes(self.OUT, other)


class TestRanges:
    """What somebody said of the cluster's addresses counts, also without any pod."""

    @pytest.mark.parametrize("where", [HERE, World()])
    def test_pods_nodes_services(self, where: World) -> None:
        out = egress("198.51.100.0/24")
        assert codes(out, where=where) == []
        for name in ("pods", "nodes", "services"):
            ranges: dict[str, Any] = {name: "198.51.100.128/25"}
            (found,) = said(out, where=where, **ranges)
            assert found.code == "NPS014"
            assert (
                f"covers addresses that {name} are given".replace("services", "Services")
                in found.message
            )

    def test_services_are_no_source(self) -> None:
        assert codes(block("198.51.100.0/24"), services="198.51.100.0/24") == []

    def test_ranges_of_the_other_family(self) -> None:
        v4 = block("0.0.0.0/0", "10.0.0.0/8")
        assert codes(v4, pods="fd00::/64") == ["NPS015"]


class TestProfile:
    """Who enforces may not support what is written."""

    OWN = "vendor"
    PORTS = port("{port: 80, endPort: 90}, {port: 7, protocol: SCTP}, {port: http}")

    def test_the_generic_profile_supports_everything(self) -> None:
        assert codes(self.PORTS) == []

    def test_nothing_is_enforced(self) -> None:
        off = Profile(self.OWN, "Plain", (), "its README", enforces=False)
        specs = [policy(self.PORTS, name=name) for name in ("b", "a")]
        (found,) = suspicious(specs, around(profile=off))
        assert (found.code, found.severity) == ("NPS018", Severity.ERROR)
        assert "no policy here is enforced" in found.message
        assert "the 2 policies" in (found.effect or "")
        assert suspicious([], around(profile=off)) == []

    def test_end_port(self) -> None:
        old = Profile(self.OWN, "Old", (), "its README", sctp=True, end_port=False)
        (found,) = said(self.PORTS, profile=old)
        assert (found.code, found.severity) == ("NPS019", Severity.WARNING)
        assert "only port 80" in (found.effect or "")
        assert codes(port("{port: 80, endPort: 80}"), profile=old) == []

    @pytest.mark.parametrize(
        ("sctp", "severity"), [(False, Severity.WARNING), (None, Severity.INFO), (True, None)]
    )
    def test_sctp(self, *, sctp: bool | None, severity: Severity | None) -> None:
        found = said(self.PORTS, profile=Profile(self.OWN, "Some", (), "its README", sctp=sctp))
        assert [(d.code, d.severity) for d in found] == ([("NPS020", severity)] if severity else [])

    @pytest.mark.parametrize(
        ("how", "severity"),
        [
            (NamedPorts.WHOLE_PROTOCOL, Severity.WARNING),
            (NamedPorts.UNION, Severity.INFO),
            (NamedPorts.PER_POD, None),
        ],
    )
    def test_named_ports(self, how: NamedPorts, severity: Severity | None) -> None:
        who = Profile(self.OWN, "Some", (), "its README", sctp=True, named_ports=how)
        found = said(self.PORTS, profile=who)
        assert [(d.code, d.severity) for d in found] == ([("NPS021", severity)] if severity else [])

    def test_a_union_matters_where_numbers_differ(self) -> None:
        other = (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: alt, namespace: x}\nspec: "
            "{containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}\n"
        )
        who = Profile(self.OWN, "Some", (), "its README", sctp=True, named_ports=NamedPorts.UNION)
        (found,) = said(self.PORTS, where=world(f"{WORLD}---\n{other}"), profile=who)
        assert (found.code, found.severity) == ("NPS021", Severity.WARNING)


def test_ignored_rules_are_not_judged_further() -> None:
    spec = (
        "{podSelector: {}, policyTypes: [Egress], ingress: [{ports: [{port: nosuch}, {}]}], "
        "egress: [{}]}"
    )
    assert codes(spec) == ["NPS003"]


def test_order_of_policies_does_not_show() -> None:
    policies = [policy(bad, name=f"p{i}") for i, (_, bad, _) in enumerate(WORLD_CASES)]
    assert suspicious(policies, around()) == suspicious(policies[::-1], around())
