"""Workload-centric answers, and policies in words."""

import pytest

from cloison.algebra import ANY
from cloison.analyses.describe import PolicyDescription
from cloison.analyses.effective import Effective, Side
from cloison.analyses.entries import Entry
from cloison.app import Session, load, load_texts
from cloison.base import QuestionError, UnknownEndpointError
from cloison.ir.policy import Direction
from tests.support.cli import ROOT


@pytest.fixture(scope="module")
def healthy() -> Session:
    return load(str(ROOT / "examples" / "case-management"), profile="generic")


@pytest.fixture(scope="module")
def broken() -> Session:
    return load(str(ROOT / "examples" / "case-management-broken"), profile="generic")


def sides(answer: Effective) -> tuple[Side, Side]:
    (section,) = answer.sections
    ingress, egress = section.sides
    assert (ingress.direction, egress.direction) == tuple(Direction)
    return ingress, egress


def entry(side: Side, peer: str) -> Entry:
    (found,) = [e for e in side.entries if e.peer.startswith(peer)]
    return found


def topics(described: PolicyDescription) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for limit in described.limits:
        found.setdefault(limit.topic, []).append(limit.text)
    return found


PODS = """
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {team: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: front, namespace: web, labels: {app: front}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}
status: {podIP: 10.0.0.1, phase: Running}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: web, labels: {app: front}}
spec: {hostNetwork: true, nodeName: n1, containers: [{name: c}]}
status: {podIP: 192.168.0.1, phase: Running}
"""


def world(spec: str, more: str = "", **said: str) -> Session:
    policy = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: p, namespace: web}}\nspec: {spec}\n"
    )
    return load_texts({"w.yaml": PODS, "p.yaml": policy, "m.yaml": more}, **said)


def test_the_policies_that_select_come_with_their_reason(broken: Session) -> None:
    answer = broken.effective("case-management/case-api-canary")
    (section,) = answer.sections
    assert [str(s.policy) for s in section.selecting] == [
        "case-management/allow-dns",
        "case-management/allow-metrics-scrape",
        "case-management/allow-telemetry",
        "case-management/default-deny",
    ]
    telemetry = section.selecting[2]
    assert telemetry.selector == "pods labelled app=case-api in namespace case-management"
    assert telemetry.span is not None
    assert telemetry.span.file.endswith("30-case-management.yaml")


def test_the_nearest_policy_that_misses_comes_first(broken: Session) -> None:
    (section,) = broken.effective("case-management/case-api-canary").sections
    first = section.others[0]
    assert str(first.policy) == "case-management/case-api"
    assert "selects app=case-api,version=v1" in first.text
    assert "is labelled version=v2" in first.text


def test_isolation_names_its_policies(healthy: Session) -> None:
    ingress, _ = sides(healthy.effective("web/case-portal"))
    assert ingress.isolated
    assert "web/default-deny" in [s.text for s in ingress.isolated_by]
    assert all(s.span for s in ingress.isolated_by)


def test_an_entry_says_whom_it_means_here(healthy: Session) -> None:
    ingress, _ = sides(healthy.effective("evidence/evidence-api"))
    found = entry(ingress, "app=case-api in namespace case-management")
    assert [str(w.workload) for w in found.resolved.workloads] == [
        "case-management/case-api",
        "case-management/case-api-canary",
    ]
    assert (found.traffic, str(found.ports)) == ("TCP/8080", "TCP/8080")
    assert [s.text for s in found.sources] == ["evidence/evidence-api ingress rule 1"]


def test_a_named_port_is_resolved_on_the_pod(healthy: Session) -> None:
    ingress, _ = sides(healthy.effective("kube-system/coredns"))
    found = entry(ingress, "app=prometheus")
    assert (found.traffic, str(found.ports)) == ("TCP/metrics", "TCP/9153")


def test_what_matches_nothing_shows_what_comes_nearest(broken: Session) -> None:
    ingress, _ = sides(broken.effective("enforcement/enforcement-api"))
    found = entry(ingress, "app=case-api")
    assert found.resolved.nothing
    assert found.resolved.text == (
        "matches nothing here: no namespace is labelled name=case-management; "
        "namespace case-management is labelled name=case-mgmt"
    )


def test_a_port_only_the_service_has_is_remarked_on(broken: Session) -> None:
    _, egress = sides(broken.effective("enforcement/enforcement-api"))
    remark = entry(egress, "app=audit-writer").remark or ""
    assert "none of these pods declares this port" in remark
    assert "80 is the port of Service audit/audit-writer" in remark


def test_the_same_allow_of_two_policies_is_one_entry() -> None:
    rule = "{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]}"
    more = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: q, namespace: web}}\nspec: {rule}\n"
    )
    ingress, _ = sides(world(rule, more).effective("web/front"))
    found = entry(ingress, "every pod in its own namespace web")
    assert [s.text for s in found.sources] == ["web/p ingress rule 1", "web/q ingress rule 1"]


def test_what_is_not_isolated_is_open() -> None:
    session = world("{podSelector: {}, ingress: []}")
    ingress, egress = sides(session.effective("web/front"))
    assert [e.peer for e in ingress.entries] == ["its own node (kubelet, health probes)", "itself"]
    assert ingress.otherwise is not None
    assert not egress.isolated
    assert egress.text == "not isolated: it may connect to everything"
    assert [(e.peer, e.ports, e.sources[0].text) for e in egress.entries] == [
        ("everybody", ANY, "default")
    ]


def test_without_an_enforcer_nothing_is_isolated() -> None:
    session = world("{podSelector: {}}", profile="flannel")
    answer = session.effective("web/front")
    ingress, _ = sides(answer)
    assert not ingress.isolated
    assert "enforces no policies" in ingress.text
    assert "CNI_NOT_ENFORCING" in [c.id for c in ingress.caveats]
    (selecting,) = answer.sections[0].selecting
    assert "no effect" in (selecting.remark or "")


def test_a_pod_on_its_nodes_network_is_not_selected() -> None:
    session = world("{podSelector: {matchLabels: {app: front}}}")
    (section,) = session.effective("web/agent").sections
    assert not section.selecting
    assert "node's network" in (section.remark or "")
    assert "HOSTNETWORK" in [c.id for c in section.sides[0].caveats]
    assert "node's network" in section.others[0].text


def test_pods_that_differ_have_a_section_each() -> None:
    owner = "ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: r, controller: true}]"
    pods = "\n---\n".join(
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: r-{v}, namespace: web, "
        f"labels: {{app: r, v: '{v}'}}, {owner}}}\nspec: {{containers: [{{name: c}}]}}\n"
        f"status: {{podIP: 10.0.1.{v}, phase: Running}}"
        for v in (1, 2, 3)
    )
    session = world("{podSelector: {matchLabels: {v: '1'}}}", pods)
    answer = session.effective("web/r")
    assert [s.pods for s in answer.sections] == [("web/r-1",), ("web/r-2", "web/r-3")]
    assert [s.sides[0].isolated for s in answer.sections] == [True, False]


def test_only_pods_can_be_asked_about(healthy: Session) -> None:
    with pytest.raises(QuestionError, match="not a workload or pod"):
        healthy.effective("192.0.2.1")
    with pytest.raises(UnknownEndpointError):
        healthy.effective("web/nobody")


# ---------------------------------------------------------------- policies in words


def test_a_policy_says_whom_it_selects_and_admits(healthy: Session) -> None:
    found = healthy.describe_policy("evidence/evidence-api")
    assert found.selects == (
        "selects pods labelled app=evidence-api in namespace evidence: here evidence/evidence-api"
    )
    assert len(found.isolates) == 2
    rule = found.rules[0]
    assert rule.text == "app=case-api in namespace case-management may connect on TCP/8080"
    assert rule.span is not None
    assert not rule.inert


def test_a_rule_that_matches_nobody_is_inert(broken: Session) -> None:
    found = broken.describe_policy("enforcement/enforcement-api")
    assert [(r.direction.value, r.inert) for r in found.rules] == [
        ("ingress", True),
        ("egress", False),
    ]
    assert [f.code for f in found.findings] == ["NPS011"]


def test_dns_is_missed_only_where_nobody_lets_it_out(healthy: Session, broken: Session) -> None:
    good = topics(healthy.describe_policy("payments/default-deny"))["dns"]
    assert good == ["DNS: it does not let UDP port 53 and TCP port 53 out; payments/allow-dns does"]
    (bad,) = topics(broken.describe_policy("payments/default-deny"))["dns"]
    assert "no policy does for payments/payments-api: name lookups fail" in bad
    assert "dns" not in topics(healthy.describe_policy("payments/allow-dns"))


def test_a_rule_to_one_pod_on_every_port_is_not_dns() -> None:
    spec = (
        "{podSelector: {matchLabels: {app: front}}, policyTypes: [Egress], "
        "egress: [{to: [{podSelector: {matchLabels: {app: front}}}]}]}"
    )
    assert "name lookups fail" in topics(world(spec).describe_policy("web/p"))["dns"][0]
    everywhere = "{podSelector: {}, policyTypes: [Egress], egress: [{}]}"
    assert "dns" not in topics(world(everywhere).describe_policy("web/p"))


def test_the_other_direction_is_named_with_who_governs_it(healthy: Session) -> None:
    (text,) = topics(healthy.describe_policy("web/allow-dns"))["direction"]
    assert text.startswith("ingress: it does not restrict who connects")
    assert "web/default-deny" in text
    (alone,) = topics(world("{podSelector: {}}").describe_policy("web/p"))["direction"]
    assert (
        alone == "egress: it does not restrict what these pods connect to, and no other policy does"
    )


def test_declared_ports_that_stay_closed_are_named(healthy: Session) -> None:
    (text, _) = topics(healthy.describe_policy("evidence/evidence-api"))["ports"]
    assert "TCP/9090 (metrics), which evidence/allow-metrics-scrape opens" in text
    spec = "{podSelector: {}, ingress: [{ports: [{port: 81}]}]}"
    (closed,) = topics(world(spec).describe_policy("web/p"))["ports"]
    assert closed.endswith("they also declare TCP/80 (http), which no policy opens")


def test_outside_callers_are_mentioned_unless_admitted(healthy: Session) -> None:
    assert "outside" not in topics(healthy.describe_policy("platform-ingress/public-gateway"))
    (text,) = topics(healthy.describe_policy("evidence/evidence-api"))["outside"]
    assert "admits none" in text


def test_a_rule_for_everybody_leaves_little_to_say() -> None:
    spec = "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}"
    found = topics(world(spec).describe_policy("web/p"))
    assert not {"ports", "outside", "dns", "direction"} & found.keys()
    assert "other nodes" not in " ".join(found["node"])


def test_what_one_policy_opens_another_cannot_close(healthy: Session) -> None:
    (text,) = topics(healthy.describe_policy("web/default-deny"))["union"]
    assert "web/case-portal" in text
    (alone,) = topics(world("{podSelector: {}}").describe_policy("web/p"))["union"]
    assert "also selected" not in alone


def test_pods_on_their_nodes_network_are_named() -> None:
    found = world("{podSelector: {matchLabels: {app: front}}}").describe_policy("web/p")
    assert "web/agent" in topics(found)["host-network"][0]
    assert "HOSTNETWORK" in [c.id for c in found.caveats]


def test_an_enforcer_that_does_nothing_is_all_there_is_to_say(healthy: Session) -> None:
    session = world("{podSelector: {matchLabels: {app: front}}}", profile="flannel")
    found = session.describe_policy("web/p")
    assert [str(w.workload) for w in found.subject.workloads] == ["web/front"]
    assert [limit.topic for limit in found.limits] == ["enforcement"]
    assert "enforcement" in topics(healthy.describe_policy("web/default-deny"))
    known = world("{podSelector: {}}", profile="calico").describe_policy("web/p")
    assert "enforcement" not in topics(known)


def test_a_policy_that_selects_nobody_says_so() -> None:
    found = world("{podSelector: {matchLabels: {app: frnt}}}").describe_policy("web/p")
    assert found.subject.nothing
    assert "web/front is labelled app=front" in found.selects
    assert "protects nobody" in topics(found)["subject"][0]


def test_a_policy_is_found_by_name(healthy: Session) -> None:
    assert str(healthy.describe_policy("case-portal").policy) == "web/case-portal"
    assert str(healthy.describe_policy("allow-dns", "audit").policy) == "audit/allow-dns"
    with pytest.raises(QuestionError, match="names"):
        healthy.describe_policy("allow-dns")
    with pytest.raises(UnknownEndpointError) as raised:
        healthy.describe_policy("web/case-portl")
    assert "web/case-portal" in (raised.value.help or "")


@pytest.mark.parametrize("profile", ["generic", "calico@3.32", "cilium@1.19", "kube-router"])
def test_every_policy_and_workload_of_the_example_is_described(profile: str) -> None:
    session = load(str(ROOT / "examples" / "case-management"), profile=profile)
    for policy in session.policies.policies:
        assert session.describe_policy(str(policy.id)).limits
    for workload in session.world.workloads:
        for section in session.effective(str(workload)).sections:
            assert len(section.sides) == 2
