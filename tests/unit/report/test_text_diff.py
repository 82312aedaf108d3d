"""A diff as people read it."""

from typing import Any

import pytest

import cloison
from cloison.analyses.diff import together
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


def test_policies_without_effect_are_counted_and_not_listed() -> None:
    lines = text(grown("one", "[]"), grown("two", "[]"))
    assert lines[0] == "no difference in connectivity; 1 policy differs without effect"
    assert "POLICIES" not in lines


def test_nothing_read_is_no_cluster_without_differences() -> None:
    empty = cloison.load_texts({"empty.yaml": ""})
    assert text(empty, empty)[0] == "no workload was read, so there is nothing to compare"


def teams(number: int, *policies: dict[str, Any]) -> cloison.Session:
    """Return two workloads in each of many namespaces."""
    objects = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": f"team-{team}"},
            "spec": {
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "c", "image": "i"}]},
                },
            },
        }
        for team in range(number)
        for name in ("web", "db")
    ]
    return cloison.load_objects([*objects, *policies])


def policy(team: int, name: str, subject: dict[str, Any], *peers: str) -> dict[str, Any]:
    ingress = [{"from": [{"podSelector": {"matchLabels": {"app": app}}} for app in peers]}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": f"team-{team}"},
        "spec": {
            "podSelector": subject,
            "policyTypes": ["Ingress"],
            "ingress": ingress if peers else [],
        },
    }


def test_that_every_pair_is_closed_is_said_in_a_line() -> None:
    denied = [policy(team, "deny", {}) for team in range(12)]
    diff = teams(12).diff(teams(12, *denied))
    lines = text(teams(12), teams(12, *denied))
    closed = lines[: lines.index("")]
    assert [line for line in closed if line.startswith("  - ")] == [
        "  - * -> *: any",
        "  - outside (any address) -> *: any",
        "  - each of * -> its own replicas: any",
    ]
    names = "team-0/deny, team-1/deny, team-10/deny, team-11/deny and 8 more"
    assert f"    after:  ingress isolated by {names}" in closed
    assert all(line.joint for line in diff.lines)
    everybody = next(line for line in diff.lines if line.pairs > len(diff.ends))
    assert everybody.reasons == together(
        each.reasons for each in diff if each.src.kind == "workload" and each.src != each.dst
    )
    assert f"0 edges opened, 0 changed, {sum(line.pairs for line in diff.lines)} closed" in lines


def test_who_is_meant_is_told_by_who_is_not() -> None:
    web = {"matchLabels": {"app": "web"}}
    denied = policy(0, "deny", web, "db")
    lines = text(teams(12), teams(12, denied))
    assert "  - * but team-0/db -> team-0/web: any" in lines


def test_of_very_many_lines_those_that_say_most_are_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cloison.report.text.diff._LINES", 2)
    denied = [policy(team, "deny", {}) for team in range(12)]
    lines = text(teams(12), teams(12, *denied))
    closed = lines[: lines.index("")]
    assert [line for line in closed if line.startswith("  - ")] == ["  - * -> *: any"]
    assert closed[-1] == "    and 48 edges more; -o json or -o csv lists them"
