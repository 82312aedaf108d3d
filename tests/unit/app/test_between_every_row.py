"""Every row of the sheet about implementations: what each profile makes of it, and of each pair.

Where the sheet stands beside the checkout, its rows are parsed: each is a case here, or has its
reason for being none. A case has one manifest and one question; every profile's verdict on that is
written down, and of two profiles with different ones the comparison finds the edge. Differences
are symmetric, and depend on the two verdicts only: one pair stands for all with the same two.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from cloison.analyses.between import Between
from cloison.app import Session, load_texts
from cloison.app.between import compare, pair_of, sides
from cloison.platform import profile
from cloison.platform.facts import differing
from tests.unit.app.between_rows import CASES, EVERY, WORLD, Case

SHEET = Path(__file__).resolve().parents[4] / "shared" / "semantics" / "kubernetes.md"


SAME = "every profile says the same"
STATE = "about connections that are open or pods that start: no edge says it"
TOLD = "told beside the edges"
UNSEEN = "about what is logged, or how much there may be: no verdict"

NO_CASE = {
    "E1 endPort": SAME,
    "E1 SCTP": TOLD,
    "E2 endPort / SCTP": TOLD,
    "E1 ClusterIP in egress ipBlock": TOLD,
    "E2 ClusterIP in egress": TOLD,
    "E1 own node → pod": SAME,
    "E1 Hairpin via Service": TOLD,
    "E1 Policy change vs established": TOLD,
    "E2 Established on change": TOLD,
    "E1 New pod before programming": STATE,
    "E2 Start-up": TOLD,
    "E1 Agent down": TOLD,
    "E1 Deny logs": UNSEEN,
    "E2 Deny logs": UNSEEN,
    "E2 NodePort / LoadBalancer": TOLD,
    "E2 IP families": TOLD,
    "E2 Limits": UNSEEN,
    "E3 5": TOLD,
    "E3 10": TOLD,
}
"""Rows that are no verdict on an edge, and why."""

TOLD_BY = (
    ("E1 SCTP", "cilium@1.19", "kube-router", "sctp"),
    ("E1 SCTP", "calico@3.32", "antrea", "sctp"),
    ("E3 8", "calico@3.32", "generic", ""),
    ("E2 endPort / SCTP", "cilium@1.19", "aws-vpc-cni", "sctp"),
    ("E1 ClusterIP in egress ipBlock", "kube-router", "antrea", "known-SERVICE_RANGE_BYPASS"),
    ("E2 ClusterIP in egress", "aws-vpc-cni", "antrea", "known-PRE_NAT_EGRESS"),
    ("E1 Hairpin via Service", "calico@3.32", "cilium@1.19", "returned"),
    ("E1 Policy change vs established", "calico@3.32", "cilium@1.19", "keeps-connections"),
    ("E2 Established on change", "aws-vpc-cni", "cilium@1.19", "keeps-connections"),
    ("E2 Start-up", "aws-vpc-cni", "cilium@1.19", "known-START_WINDOW"),
    ("E1 Agent down", "kube-network-policies", "cilium@1.19", "known-FAIL_OPEN"),
    ("E2 NodePort / LoadBalancer", "azure-npm", "cilium@1.19", "known-SNAT_BYPASS"),
    ("E2 IP families", "azure-npm", "generic", "known-IPV4_ONLY"),
    ("E2 IP families", "aws-vpc-cni", "generic", "known-ONE_FAMILY"),
    ("E3 5", "kube-network-policies", "antrea", "noted-AdminNetworkPolicy-ADMIN_POLICY_IMAGE"),
    ("E3 10", "antrea", "generic", "noted-ClusterNetworkPolicy-Admin-PORT_NAME_PROTOCOL"),
    ("E3 10", "antrea", "generic", "unknown-ClusterNetworkPolicy-Admin"),
    ("E1 pod → own node", "calico@3.32", "cilium@1.19", "own-node-then"),
    ("E1 CNP v1alpha2", "cilium@1.20", "antrea", "noted-ClusterNetworkPolicy-Admin-NAMES_OPEN_DNS"),
)
"""Rows that no edge shows in a cluster like ours, and the fact by which a pair tells of them."""


def _policy(spec: str) -> str:
    if spec.lstrip().startswith("apiVersion"):
        return spec
    head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    return f"{head}metadata: {{name: p, namespace: shop}}\nspec: {spec}\n"


@cache
def _session(place: int, name: str) -> Session:
    case = CASES[place]
    texts = {"world.yaml": WORLD, "policy.yaml": _policy(case.spec)}
    return load_texts(texts, profile=name, **case.settings)


def _verdict(place: int, name: str) -> str:
    case = CASES[place]
    source, destination, protocol, port = case.asked
    session = _session(place, name)
    if case.only and not name.startswith(case.only):
        session = sides(session, *pair_of(f"{name},{case.only}"))[0]
    if protocol == "ICMP":
        return str(session.verdict(source, destination, port=f"icmp/{port}/0"))
    return str(session.verdict(source, destination, protocol, port))


@pytest.mark.parametrize("place", range(len(CASES)), ids=[case.name for case in CASES])
def test_what_every_profile_makes_of_it(place: int) -> None:
    wanted = {name: said for said, names in CASES[place].verdicts.items() for name in names}
    assert set(wanted) == set(EVERY)
    assert {name: _verdict(place, name) for name in EVERY} == wanted


def _pairs(case: Case) -> Iterator[tuple[str, str]]:
    """Yield one pair of profiles for every two verdicts, and the whole of what one brings in."""
    for (_, ones), (_, others) in combinations(sorted(case.verdicts.items()), 2):
        found = [
            (one, other)
            for one in ones
            for other in others
            if not case.only or {one.split("@")[0], other.split("@")[0]} & {case.only}
        ]
        yield from found[-1:]


def _found(place: int, one: str, other: str) -> Between:
    session = _session(place, one)
    return compare(*sides(session, *pair_of(f"{one},{other}")))


@pytest.mark.parametrize("place", range(len(CASES)), ids=[case.name for case in CASES])
def test_a_pair_with_two_verdicts_finds_the_edge(place: int) -> None:
    case = CASES[place]
    source, destination, protocol, port = case.asked
    traffic = "ICMP" if protocol == "ICMP" else f"{protocol}/{port}"
    said = {name: verdict for verdict, names in case.verdicts.items() for name in names}
    for one, other in _pairs(case):
        found = _found(place, one, other)
        edges = [
            each
            for each in found.differences
            if source in map(str, each.sources)
            and any(_is(str(end), destination) for end in each.destinations)
            and (str(each.first), str(each.second)) == (said[one], said[other])
        ]
        if protocol == "ICMP" and {said[one], said[other]} == {"denied", "undetermined"}:
            # Maps leave out what nobody defines, and what is denied, so no edge can show that.
            assert "other-protocols" in {fact.id for fact in found.aside}
            continue
        assert edges, f"{one}, {other}: {traffic}"
        assert all(each.facts for each in edges), f"{one}, {other}"


def _is(end: str, wanted: str) -> bool:
    """Whether an end is who is asked about, or may hold an address."""
    return end == wanted or (wanted[0].isdigit() and ("." in end or ":" in end))


@pytest.mark.parametrize(("row", "one", "other", "fact"), TOLD_BY)
def test_what_no_edge_shows_is_a_fact(row: str, one: str, other: str, fact: str) -> None:
    assert row
    facts = {each.id for each in differing(profile(one), profile(other))}
    assert not fact or fact in facts


SECTION = re.compile(r"^### (E[123])\.[^\n]*\n(.*?)(?=^### |\Z)", re.DOTALL | re.MULTILINE)


def sheet_rows() -> list[str]:
    """Return the rows of E1 to E3, by section and first cell, or number."""
    text = SHEET.read_text(encoding="utf-8")
    found = []
    for section, body in SECTION.findall(text):
        for line in body.splitlines():
            cells = [each.strip() for each in line.strip("|").split("|")]
            numbered = re.match(r"(\d+)\. ", line)
            if numbered:
                found.append(f"{section} {numbered[1]}")
            elif line.startswith("|") and cells[0] not in ("Behaviour", "---"):
                found.append(f"{section} {cells[0]}")
    return found


@pytest.mark.skipif(not SHEET.exists(), reason="the sheet is not beside the checkout")
def test_no_row_of_the_sheet_is_left_out() -> None:
    rows = sheet_rows()
    here = {row for case in CASES for row in case.rows} | set(NO_CASE)
    assert len(rows) > len(EVERY)
    assert [row for row in rows if row not in here] == []
    assert sorted(here - set(rows)) == []


def test_every_row_without_a_case_has_its_fact() -> None:
    told = {row for row, *_ in TOLD_BY}
    assert [row for row, why in NO_CASE.items() if why == TOLD and row not in told] == []
