"""A diff as people read it."""

import cloison
from cloison.report import Look, render
from tests.unit.report.results import CORNERS, about, corners, worked_on

DENY = """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: RULE, namespace: a}
spec: {podSelector: {matchLabels: {app: many}}, policyTypes: [Ingress], ingress: [{from: PEERS}]}
"""


def text(before: cloison.Session, after: cloison.Session) -> list[str]:
    said = "".join(render("diff", before.diff(after), about(after), look=Look(width=110)))
    return said.splitlines()


def grown(name: str, peers: str) -> cloison.Session:
    policy = DENY.replace("RULE", name).replace("PEERS", peers)
    return cloison.load_texts({"corners.yaml": CORNERS + policy})


def test_what_was_opened_comes_first_and_lone_ends_are_summed_up() -> None:
    lines = text(corners(), worked_on())
    heads = [line.split(" ")[0] for line in lines if line[:1].isupper()]
    assert heads == ["OPENED", "CHANGED", "NEW", "GONE", "POLICIES"]
    assert "  ~ outside (198.51.100.0/24) -> a/one: + SCTP/10, - SCTP/9" in lines
    assert any(line.startswith("NEW a/new; ") for line in lines)
    assert "  changed: a/guard (corners.yaml:36)" in lines


def test_replicas_are_told_by_name_and_protocols_without_one_in_few_words() -> None:
    lines = text(corners(), grown("all", "[]"))
    assert "  ~ a/many -> its own replicas: - any but TCP, UDP and SCTP" in lines
    assert "    before: no policy isolates ingress" in lines
    assert "    after:  a/all ingress rule 1 (corners.yaml:48)" in lines
    closed = text(corners(), grown("nobody", "[{podSelector: {matchLabels: {app: x}}}]"))
    assert "  - a/many -> its own replicas: any" in closed
    assert "    after:  a/nobody isolates ingress (corners.yaml:45)" in closed


def test_policies_without_effect_are_said_to_be_so() -> None:
    lines = text(grown("one", "[]"), grown("two", "[]"))
    assert lines[:2] == ["POLICIES", "  renamed: a/one to a/two (corners.yaml:45)"]
    assert "no difference in connectivity; 1 policy differs without effect" in lines


def test_nothing_read_is_no_cluster_without_differences() -> None:
    empty = cloison.load_texts({"empty.yaml": ""})
    assert text(empty, empty)[0] == "no workload was read, so there is nothing to compare"
