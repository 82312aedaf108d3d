"""Addresses outside that are no peers as others are."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest

from cloison.analyses.reconcile.seen import Became
from tests.support.recommending import (
    applied,
    blocks_of,
    cluster,
    passes,
    recommended,
    seen,
    workload,
)

WEB = workload("web/portal", 8080)
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "node-2"},
    "spec": {"podCIDRs": ["10.1.2.0/24"]},
    "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.12"}]},
}
WIDTH = {4: 24, 6: 64}


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("169.254.169.254", "Cloud instance metadata IPv4"),
        ("fd00:ec2::254", "AWS instance metadata IPv6"),
        ("169.254.170.23", "EKS Pod Identity agent"),
        ("100.100.100.200", "Alibaba Cloud metadata"),
        ("168.63.129.16", "Azure WireServer / platform DNS"),
    ],
)
def test_who_asks_for_credentials_is_asked_about(address: str, name: str) -> None:
    session = cluster(WEB)
    found = recommended(session, [seen("web/portal", address, 80)])
    (question,) = found.fused.questions
    assert question.why.startswith(f"it is {name}, which hands out the credentials of ")
    assert question.write is not None
    assert not found.fused.backed
    assert not passes(applied(session, found), "web/portal", address, "80")


def test_credentials_are_named_where_policy_denied_them_too() -> None:
    row = seen("web/portal", "169.254.169.254", 80, became="denied")
    (question,) = recommended(cluster(WEB), [row]).fused.questions
    assert str(question.asking) == "denied"
    assert "; it is Cloud instance metadata IPv4, which hands out" in question.why


def test_other_ports_of_a_metadata_address_are_no_credentials() -> None:
    found = recommended(cluster(WEB), [seen("web/portal", "169.254.169.254", 9000)])
    (call,) = found.fused.backed
    assert call.notes == ("it is on the node itself, or its link",)
    assert call.review is None


@pytest.mark.parametrize("account_of", ["portal@shop.example", None])
def test_who_cannot_do_without_credentials_is_let_through(account_of: str | None) -> None:
    notes = {} if account_of is None else {"iam.gke.io/gcp-service-account": account_of}
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "portal",
            "namespace": "web",
            "annotations": notes,
        },
    }
    node = {**NODE, "spec": {"providerID": "gce://shop/zone/node-2"}}
    node["metadata"] = {"name": "node-2", "labels": {"cloud.google.com/gke-nodepool": "main"}}
    session = cluster(workload("web/portal", 8080, serviceAccountName="portal"), account, node)
    found = recommended(session, [seen("web/portal", "169.254.169.252", 988)])
    assert len(found.fused.questions) == (not notes)
    there = passes(applied(session, found), "web/portal", "169.254.169.252", "988")
    assert there == bool(notes)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "loopback never leaves the pod"),
        ("::1", "loopback never leaves the pod"),
        (str(IPv4Address(0)), "the address of nobody"),
        (str(IPv6Address(0)), "the address of nobody"),
        ("255.255.255.255", "broadcasts end at the pod's own link"),
        ("224.0.0.251", "up to the CNI: undetermined"),
        ("ff02::fb", "up to the CNI: undetermined"),
    ],
)
@pytest.mark.parametrize("became", ["allowed", "denied"])
def test_what_no_policy_is_about_is_set_aside(address: str, why: str, became: Became) -> None:
    session = cluster(WEB)
    row = replace(seen("web/portal", address, 5353, protocol="UDP"), became=became)
    found = recommended(session, [row])
    (aside,) = found.fused.aside
    assert why in aside.why
    assert aside.ends == ("web/portal", address)
    assert aside.ports == ("5353/UDP",)
    assert not found.fused.backed
    assert not found.fused.questions
    assert blocks_of(found) == []


def test_an_address_of_pods_that_nobody_held_is_a_question() -> None:
    session = cluster(WEB, NODE)
    rows = [seen("web/portal", f"10.1.2.{n}", 8080) for n in (250, 251)]
    rows.append(seen("10.1.2.99", "web/portal", 8080))
    found = recommended(session, rows)
    assert not found.fused.backed
    assert [each.ends for each in found.fused.questions] == [
        ("10.1.2.99", "web/portal"),
        ("web/portal", "10.1.2.250, 10.1.2.251"),
    ]
    for each in found.fused.questions:
        assert str(each.asking) == "stranger"
        assert "a pod's address that nobody held then: give `cloison flows ingest`" in each.why
        assert each.write is None
    assert blocks_of(found) == []


def test_an_address_beside_those_of_pods_is_a_question_where_nobody_says_their_range() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "one", "namespace": "shop", "labels": {"app": "one"}},
        "spec": {"containers": [{"name": "main", "image": "registry.example/one"}]},
        "status": {"podIP": "10.8.1.7", "podIPs": [{"ip": "10.8.1.7"}], "phase": "Running"},
    }
    session = cluster(WEB, pod)
    near, far = (seen("web/portal", f"10.8.{n}.40", 8080) for n in (1, 2))
    found = recommended(session, [near, far])
    (question,) = found.fused.questions
    assert "an address among those of pods, that nobody held then" in question.why
    assert "say --pod-cidr if it is no pod's" in question.why
    assert [each.cidr for each in blocks_of(found)] == ["10.8.2.40/32"]
    said = cluster(WEB, pod, pod_cidrs=("10.8.1.0/28",))
    assert [each.cidr for each in blocks_of(recommended(said, [near]))] == ["10.8.1.40/32"]


def test_scattered_private_addresses_are_single_ones_and_say_what_is_not_known() -> None:
    """A list with most of a block is shorter as everything with holes, and never written so."""
    session = cluster(WEB)
    rows = [seen("web/portal", f"10.77.3.{n}", 8443) for n in range(1, 201) if n % 7]
    found = recommended(session, rows)
    blocks = blocks_of(found)
    assert blocks
    assert all(ip_network(each.cidr).prefixlen >= WIDTH[4] and not each.holes for each in blocks)
    assert sum(ip_network(each.cidr).num_addresses for each in blocks) == len(rows)
    (call,) = found.fused.backed
    assert any("say --pod-cidr, --service-cidr, --node-cidr" in each for each in call.notes)


def test_what_was_only_audited_says_that_policy_would_deny_it() -> None:
    session = cluster(WEB, workload("shop/api", 8080))
    row = seen("web/portal", "shop/api", 8080, became="audited")
    (call,) = recommended(session, [row]).fused.backed
    assert call.notes == (
        f"policy audited {row.count} connections of it: enforced, it would have denied them",
    )
