"""Defects that other recommenders have, or had: ours must have none of them."""

import random
import re
from ipaddress import ip_network

import pytest
import yaml

from cloison.analyses.recommend.model import Asking
from tests.support.recommending import (
    HABIT,
    applied,
    cluster,
    end,
    passes,
    recommended,
    seen,
    service,
    text_of,
    workload,
)

WEB, API = workload("web/portal", 8080), workload("shop/api", 8080, 9090)


def test_tcp_and_udp_of_one_port_are_two_rules() -> None:
    """Inspektor Gadget keys peers without their protocol: TCP/53 beside UDP/53 is dropped."""
    resolver = workload("infra/resolver", 53, "53/UDP")
    session = cluster(WEB, resolver)
    rows = [
        seen("web/portal", "infra/resolver", 53, protocol="UDP"),
        seen("web/portal", "infra/resolver", 53, protocol="TCP"),
    ]
    after = applied(session, recommended(session, rows))
    assert passes(after, "web/portal", "infra/resolver", "53/UDP")
    assert passes(after, "web/portal", "infra/resolver", "53/TCP")


def test_lookups_are_let_through_by_udp_and_tcp_to_the_resolver_alone() -> None:
    """np-guard's rule for DNS is UDP only, to any namespace, and only beside other egress."""
    session = cluster(WEB, workload("other/listener", 53, "53/UDP"))
    after = applied(session, recommended(session, []))
    for port in ("53/UDP", "53/TCP"):
        assert passes(after, "web/portal", "kube-system/coredns", port)
        assert not passes(after, "web/portal", "other/listener", port)


def test_lookups_are_by_the_labels_of_the_resolvers_pods() -> None:
    """Inspektor Gadget took the labels of the Service for those of its pods."""
    session = cluster(WEB)
    told = text_of(recommended(session, []))
    assert "k8s-app: kube-dns" in told
    assert "10.96.0.10" not in told


def test_ipv6_never_has_a_prefix_of_32() -> None:
    """Kubescape and Inspektor Gadget write every single address with /32."""
    session = cluster(WEB)
    rows = [seen("web/portal", "2001:db8::7", 443), seen("web/portal", "203.0.113.7", 443)]
    found = recommended(session, rows)
    blocks = set(re.findall(r"cidr: \"?([0-9a-f.:/]+)", text_of(found)))
    assert blocks == {"2001:db8::7/128", "203.0.113.7/32"}
    assert not found.proof.lost


def test_a_direction_that_nobody_saw_keeps_what_the_platform_needs() -> None:
    """Inspektor Gadget shuts a direction that it saw nothing of, and probes and scrapes with it."""
    probe = {"readinessProbe": {"httpGet": {"path": "/", "port": 8080}}}
    session = cluster(workload("web/portal", 8080, container=probe))
    rows = [seen("node", "web/portal", 8080)]
    for target in ("networkpolicy", "cilium", "calico"):
        found = recommended(session, rows, target)
        assert [each.role for each in found.fused.platform] == ["probes"]
        assert not found.proof.lost
        assert found.proved


def test_every_port_and_every_address_of_a_pair_is_kept() -> None:
    """Theia drops duplicates by pair of labels: all but one port and address are lost."""
    session = cluster(WEB, API)
    rows = [seen("web/portal", "shop/api", port) for port in (8080, 9090)]
    rows += [seen("web/portal", f"203.0.113.{n}", port) for n in (5, 77) for port in (443, 25)]
    found = recommended(session, rows)
    after = applied(session, found)
    assert not found.proof.lost
    for port in ("8080", "9090"):
        assert passes(after, "web/portal", "shop/api", port)
    for port in ("443", "25"):
        assert passes(after, "web/portal", "203.0.113.5", port)
        assert passes(after, "web/portal", "203.0.113.77", port)
        assert not passes(after, "web/portal", "203.0.113.6", port)


def test_namespaces_are_by_the_label_that_every_cluster_has() -> None:
    """Theia selects namespaces by a label `name`, which no stock cluster has."""
    session = cluster(WEB, API)
    found = recommended(session, [seen("web/portal", "shop/api", 8080)])
    told = text_of(found)
    assert "kubernetes.io/metadata.name: web" in told
    assert not re.search(r"namespaceSelector:\n\s+matchLabels:\n\s+name:", told)


def test_every_namespace_gets_a_default_deny() -> None:
    """Theia writes none for Kubernetes: what it recommends restricts those that are named only."""
    session = cluster(WEB, API, workload("shop/idle", 8080))
    found = recommended(session, [seen("web/portal", "shop/api", 8080)])
    denies = [each.sheet.namespace for each in found.result.files if not each.sheet.workloads]
    assert denies == ["shop", "web"]
    assert not passes(applied(session, found), "web/portal", "shop/idle", "8080")


@pytest.mark.parametrize("target", ["networkpolicy", "cilium", "calico"])
def test_names_and_order_are_the_same_whatever_order_flows_come_in(target: str) -> None:
    """Theia gives policies random names: every run is a new difference."""
    session = cluster(WEB, API, workload("shop/db", 5432))
    rows = [
        seen("web/portal", "shop/api", 8080),
        seen("shop/api", "shop/db", 5432),
        *(seen("shop/api", f"203.0.113.{n}", 443) for n in range(1, 9)),
        seen("198.51.100.9", "web/portal", 8080),
        seen("shop/db", "web/portal", 8080, [30], "denied"),
    ]
    first = recommended(session, rows, target)
    for number in range(3):
        mixed = list(rows)
        random.Random(number).shuffle(mixed)
        again = recommended(session, mixed, target)
        assert [e.text for e in again.result.files] == [e.text for e in first.result.files]
        assert [e.entry for e in again.fused.backed] == [e.entry for e in first.fused.backed]
        assert [e.ends for e in again.fused.questions] == [e.ends for e in first.fused.questions]


def test_a_peer_without_a_port_is_not_lost_silently() -> None:
    """Kubescape loses external peers without ports when it merges rules by port."""
    session = cluster(WEB)
    row = seen("web/portal", "203.0.113.7", 0)
    found = recommended(session, [row])
    assert [str(each.asking) for each in found.fused.questions] == ["stranger"]
    assert found.fused.questions[0].count == row.count


def test_labels_are_compared_whole() -> None:
    """KubeArmor compares labels by substring: `app=a` then selects `app=ab`."""
    first = workload("shop/a", 8080, labels={"app": "a"})
    second = workload("shop/ab", 8080, labels={"app": "ab"})
    session = cluster(WEB, first, second)
    after = applied(session, recommended(session, [seen("web/portal", "shop/a", 8080)]))
    assert passes(after, "web/portal", "shop/a", "8080")
    assert not passes(after, "web/portal", "shop/ab", "8080")


def test_workloads_that_share_labels_are_told_apart() -> None:
    """Copied labels, or the first that fits, select more than one workload."""
    both = {"app": "case", "tier": "back"}
    one = workload("shop/one", 8080, labels={**both, "release": "one"})
    two = workload("shop/two", 8080, labels={**both, "release": "two"})
    session = cluster(WEB, one, two)
    after = applied(session, recommended(session, [seen("web/portal", "shop/one", 8080)]))
    assert passes(after, "web/portal", "shop/one", "8080")
    assert not passes(after, "web/portal", "shop/two", "8080")


def test_workloads_of_one_name_in_two_namespaces_are_two() -> None:
    """np-guard keys workloads by their bare name."""
    session = cluster(WEB, workload("one/api", 8080), workload("two/api", 8080))
    after = applied(session, recommended(session, [seen("web/portal", "one/api", 8080)]))
    assert passes(after, "web/portal", "one/api", "8080")
    assert not passes(after, "web/portal", "two/api", "8080")


def test_no_traffic_is_a_policy_that_says_what_it_shuts() -> None:
    """Kguardian writes a policy without rules or types: it reads as inert and shuts ingress."""
    session = cluster(workload("web/idle", 8080))
    found = recommended(session, [])
    for each in found.result.files:
        for policy in yaml.safe_load_all(each.text):
            assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_many_ports_stay_those_ports() -> None:
    """NeuVector takes more than 20 ports for any."""
    ports = range(7000, 7050, 2)
    session = cluster(WEB, workload("shop/many", *ports))
    rows = [seen("web/portal", "shop/many", port) for port in ports]
    after = applied(session, recommended(session, rows))
    assert all(passes(after, "web/portal", "shop/many", str(port)) for port in ports)
    assert not any(passes(after, "web/portal", "shop/many", str(port + 1)) for port in ports)


def test_consecutive_ports_are_a_range_only_where_each_is_declared() -> None:
    """A range that nobody declares would hold ports that nobody saw or serves."""
    session = cluster(WEB, workload("shop/many", *range(7000, 7006)))
    rows = [seen("web/portal", "shop/many", port) for port in range(7000, 7006)]
    assert "endPort: 7005" in text_of(recommended(session, rows))
    bare = cluster(WEB, workload("shop/many", 80))
    assert "endPort" not in text_of(recommended(bare, rows))


def test_a_range_is_where_a_service_declares_its_ports_too() -> None:
    """Containers need not say where they listen; a Service that leads there says it."""
    fronts = [service(f"shop/m{n}", 80, n, {"app": "many"}) for n in range(7000, 7006)]
    session = cluster(WEB, workload("shop/many", 80), *fronts)
    rows = [seen("web/portal", "shop/many", port) for port in range(7000, 7006)]
    assert "endPort: 7005" in text_of(recommended(session, rows))


PASSIVE = [*range(30_000, 30_120), *range(30_140, 30_200)]
"""Ports that an FTP server chose for data, and that nothing declares."""


@pytest.mark.parametrize("peer", ["shop/ftp", "198.51.100.9"])
def test_many_ports_that_nothing_declares_are_one_question_with_a_range(peer: str) -> None:
    """Passive FTP as one rule per port, or as any port: the one breaks, the other opens all."""
    session = cluster(WEB, workload("shop/ftp", 80))
    rows = [seen("web/portal", peer, port) for port in [*PASSIVE, 21]]
    found = recommended(session, rows)
    assert [p.text for each in found.fused.backed for p in each.entry.ports] == ["21"]
    (question,) = found.fused.questions
    assert question.asking is Asking.UNCLEAR
    assert len(question.links) == len(PASSIVE)
    assert "on 180 ports that no container or Service declares" in question.why
    assert "30000-30199 would do, and holds 20 that were not seen" in question.why
    assert question.write is not None
    assert f"from: web/portal, to: {peer}, ports: [30000-30199]," in question.write
    assert found.proof.refused == len(PASSIVE)
    assert found.proved
    if "/" in peer:
        after = applied(session, found)
        assert passes(after, "web/portal", peer, "21")
        assert not passes(after, "web/portal", peer, "30000")


@pytest.mark.parametrize(("usual", "asking"), [([21], Asking.UNCLEAR), ([], Asking.PERSON)])
def test_ports_that_are_used_once_each_are_asked_about_by_their_range(
    usual: list[int], asking: Asking
) -> None:
    """One moment each looks like a person, unless both talk to one another all the time."""
    rows = [
        seen("web/portal", "198.51.100.9", port, {at * 37 % 168: 1})
        for at, port in enumerate(PASSIVE)
    ]
    rows += [seen("web/portal", "198.51.100.9", port) for port in usual]
    found = recommended(cluster(WEB), rows)
    (question,) = found.fused.questions
    assert question.asking is asking
    assert len(question.links) == len(PASSIVE)
    assert ("ports: [30000-30199]" in (question.write or "")) is bool(usual)


def test_the_entry_of_such_a_question_settles_it() -> None:
    rows = [seen("web/portal", "shop/ftp", port) for port in PASSIVE]
    parts = (WEB, workload("shop/ftp", 80))
    (question,) = recommended(cluster(*parts), rows).fused.questions
    (entry,) = yaml.safe_load(question.write or "")
    spaces = [{"match": {"namespace": each}} for each in ("web", "shop")]
    settled = cluster(*parts, contract={"workloads": spaces, "dependencies": [entry]})
    found = recommended(settled, rows)
    assert not found.fused.questions
    assert found.proved
    assert passes(applied(settled, found), "web/portal", "shop/ftp", "30130")


def test_ports_all_over_are_a_question_too_and_a_few_are_none() -> None:
    """Far from one another they are no range, and a rule for each is as good a guess as none."""
    session = cluster(WEB, workload("shop/rpc", 80))
    ports = range(2000, 2000 * 18, 2000)
    rows = [seen("web/portal", "shop/rpc", port) for port in ports]
    (question,) = recommended(session, rows).fused.questions
    assert len(question.links) == len(ports)
    few = recommended(session, rows[:16])
    assert not few.fused.questions
    assert [len(each.entry.ports) for each in few.fused.backed] == [16]


def test_ports_that_are_declared_are_let_through_however_many_they_are() -> None:
    session = cluster(WEB, workload("shop/ftp", *PASSIVE))
    found = recommended(session, [seen("web/portal", "shop/ftp", port) for port in PASSIVE])
    assert not found.fused.questions
    assert [[p.text for p in each.entry.ports] for each in found.fused.backed] == [
        ["30000-30119", "30140-30199"]
    ]


def test_private_addresses_stay_those_addresses() -> None:
    """Calico Enterprise takes one private address for all of RFC 1918."""
    session = cluster(WEB)
    rows = [seen("web/portal", f"10.9.8.{n}", 5432) for n in range(1, 9)]
    after = applied(session, recommended(session, rows))
    assert passes(after, "web/portal", "10.9.8.3", "5432")
    for other in ("10.9.8.200", "10.9.9.1", "172.16.0.1", "192.168.0.1"):
        assert not passes(after, "web/portal", other, "5432")


def test_one_public_address_is_not_everywhere() -> None:
    """Calico Enterprise opens a port to everywhere for one public address."""
    session = cluster(WEB)
    after = applied(session, recommended(session, [seen("web/portal", "203.0.113.7", 443)]))
    assert passes(after, "web/portal", "203.0.113.7", "443")
    assert not passes(after, "web/portal", "198.51.100.1", "443")


def test_blocks_are_never_wider_than_their_floor() -> None:
    """A prefix without a floor grows to all there is."""
    session = cluster(WEB)
    some = [(block, n) for block in (112, 114) for n in range(0, 256, 2)]
    rows = [seen("web/portal", f"203.0.{block}.{n}", 443) for block, n in some]
    told = text_of(recommended(session, rows))
    blocks = {ip_network(text) for text in re.findall(r"cidr: ([0-9./]+)", told)}
    assert blocks == {ip_network("203.0.112.0/24"), ip_network("203.0.114.0/24")}


def test_a_service_port_is_written_as_the_pods_port_and_named() -> None:
    """Policies see pods' ports: the Service's own port lets nothing through."""
    session = cluster(
        WEB,
        workload("shop/api", 8080),
        service("shop/api", 80, 8080, {"app": "api"}, clusterIP="10.96.0.20"),
    )
    found = recommended(session, [seen("web/portal", "shop/api", 8080)])
    assert "# Service shop/api port 80 (main)" in text_of(found)
    assert passes(applied(session, found), "web/portal", "shop/api", "8080")


def test_a_denied_flow_is_a_question_and_stays_shut() -> None:
    """A tool that learns from every flow lets through what policy stopped."""
    session = cluster(WEB, API, workload("shop/db", 5432))
    rows = [
        seen("web/portal", "shop/api", 8080),
        seen("web/portal", "shop/db", 5432, HABIT, "denied"),
    ]
    found = recommended(session, rows)
    (question,) = found.fused.questions
    assert (str(question.asking), question.ends) == ("denied", ("web/portal", "shop/db"))
    assert question.denied == len(HABIT) * 2
    assert question.write is not None
    assert "from: web/portal, to: shop/db, ports: [5432]" in question.write
    assert not passes(applied(session, found), "web/portal", "shop/db", "5432")
    assert (found.proof.refused, found.proof.leaks) == (1, ())


def test_a_persons_shell_and_a_scan_are_questions_and_stay_shut() -> None:
    """A one-off that got through is no habit."""
    many = [workload(f"shop/w{n}", 8080) for n in range(10)]
    session = cluster(WEB, API, workload("shop/db", 5432), *many)
    rows = [
        seen("web/portal", "shop/api", 8080),
        seen("shop/api", "shop/db", 5432),
        seen("web/portal", "shop/db", 5432, {50: 1}),
        *(seen("shop/db", f"shop/w{n}", 8080, {60: 1}) for n in range(10)),
    ]
    found = recommended(session, rows)
    kinds = {str(each.asking): each for each in found.fused.questions}
    assert set(kinds) == {"person", "scan"}
    assert len(kinds["scan"].links) == len(many)
    after = applied(session, found)
    assert not passes(after, "web/portal", "shop/db", "5432")
    assert not any(passes(after, "shop/db", f"shop/w{n}", "8080") for n in range(10))


def test_policies_of_today_are_no_evidence() -> None:
    """What is open today and nobody uses is what least privilege is about."""
    today = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "wide", "namespace": "shop"},
        "spec": {
            "podSelector": {},
            "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": 8080}]}],
        },
    }
    session = cluster(WEB, API, workload("other/thing", 8080), today)
    found = recommended(session, [seen("web/portal", "shop/api", 8080)])
    assert [str(each.entry) for each in found.fused.backed] == ["web/portal -> shop/api on 8080"]
    assert not passes(applied(session, found), "other/thing", "shop/api", "8080")
    assert found.proof.closed


def test_a_name_is_a_name_where_the_language_has_names() -> None:
    """Addresses of a name move; where names can be said, they are."""
    session = cluster(WEB)
    rows = [
        seen("web/portal", end(f"203.0.113.{n}", host="api.example.com"), 443) for n in range(3)
    ]
    rows.append(seen("web/portal", "203.0.113.1", 443))
    named = recommended(session, rows, "cilium")
    assert "matchName: api.example.com" in text_of(named)
    assert "203.0.113" not in text_of(named)
    assert not named.proof.lost
    plain = recommended(session, rows)
    assert set(re.findall(r"cidr: ([0-9./]+)", text_of(plain))) == {"203.0.113.0/30"}
    (call,) = plain.fused.backed
    assert call.widened == 1
    assert call.notes[0] == "it is api.example.com, whose addresses may move"
