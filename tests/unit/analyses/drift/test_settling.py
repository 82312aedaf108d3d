"""What settles a finding, both ways: policies and contracts that do what they are said to do."""

from dataclasses import replace

import pytest
import yaml

from cloison.analyses.drift.model import Change, Finding
from cloison.analyses.drift.scene import Live
from cloison.analyses.past.course import HOUR
from cloison.flows.health import Unheard
from tests.support.drifting import (
    BASE,
    DAY,
    START,
    WEEK,
    Heard,
    allow,
    contract,
    deny,
    flow,
    keys,
    look,
    past,
    policy,
    space,
    workload,
)

NEW = (space("new"), workload("new", "app"), workload("new", "other"))


def _one(*manifests: str, check: str, starts: str = "") -> Finding:
    found = look(manifests, past(days=0), check).findings
    (one,) = (each for each in found if str(each.key).startswith(starts))
    return one


# D4


@pytest.mark.parametrize("way", ["ingress", "egress"])
def test_a_workload_without_policy_is_settled_by_either_manifest(way: str) -> None:
    """With either of them it is restricted, or said to be open, and nothing else is touched."""
    key = f"D4|new/Deployment/app|{way}"
    sign = _one(*BASE, *NEW, check="D4", starts=key).sign
    assert sign.allow is not None
    assert sign.remove is not None
    for step in (sign.allow, sign.remove):
        made = yaml.safe_load(step.manifest)
        assert made["spec"]["podSelector"] == {"matchLabels": {"app": "app"}}
        left = keys(look((*BASE, *NEW, step.manifest), past(days=0), "D4").findings)
        assert key not in left
        assert f"D4|new/Deployment/other|{way}" in left
    assert yaml.safe_load(sign.allow.manifest)["spec"][way] == [{}]
    ports = {"egress": [{"ports": [{"protocol": p, "port": 53} for p in ("UDP", "TCP")]}]}
    assert yaml.safe_load(sign.remove.manifest)["spec"].get(way) == ports.get(way)


def test_a_workload_without_policy_shows_what_would_be_cut_off() -> None:
    """It is found in its manifest, and who calls it stands beside."""
    known = past(flow("shop/web", "new/app", range(10)), flow("new/app", "new/other", range(5)))
    found = {str(each.key): each.sign for each in look((*BASE, *NEW), known, "D4").findings}
    into = found["D4|new/Deployment/app|ingress"]
    assert [each.text for each in into.evidence] == [
        "no policy selects Deployment new/app",
        "10 connections from shop/web",
    ]
    assert into.place is not None
    assert into.place == into.evidence[0].span
    out = found["D4|new/Deployment/app|egress"]
    assert out.evidence[1].text == "5 connections to new/other"


def test_the_policy_that_restricts_the_other_way_is_named() -> None:
    """It is where the missing direction would be added."""
    half = policy("new", "half", "{podSelector: {}, policyTypes: [Ingress]}")
    sign = _one(*BASE, *NEW[:2], half, check="D4").sign
    assert sign.atom is not None
    assert sign.atom.text == "new/half restricts ingress of it only"
    assert sign.atom.span is not None
    assert sign.evidence[0].text == "no policy that selects it is for egress"


def test_many_without_policy_are_settled_each() -> None:
    """Put together, they keep the manifest of each."""
    many = (space("new"), *(workload("new", name) for name in ("a", "b", "c")))
    sign = _one(*BASE, *many, check="D4", starts="D4|new/*|ingress").sign
    assert sign.remove is not None
    left = keys(look((*BASE, *many, sign.remove.manifest), past(days=0), "D4").findings)
    assert left == ["D4|new/*|egress"]


# D6

RULE = "  namespaceLabels:\n    - {key: zone, values: [app], changedBy: [ops], required: true}\n"


def _labelled(value: str) -> tuple[str, ...]:
    said = {"zone": value} if value else {}
    from_app = allow("data", "in", "db", "from", "{namespaceSelector: {matchLabels: {zone: app}}}")
    out = allow("new", "out", "app", "to", "{}")
    named = contract("", RULE)
    return (*BASE, space("new", **said), workload("new", "app"), out, from_app, named)


def test_a_label_is_settled_by_what_the_contract_lacks() -> None:
    """The value, the user and the exception that are missing are added to the rule, no more."""
    by = Change(
        "patch namespaces new", START * HOUR, "eve", "new", "namespaces", "new", ("zone=dev",)
    )
    known = past(days=1, changes=(by,))
    found = look(_labelled("dev"), known, "D6", before=_labelled("app")).findings
    (sign,) = (each.sign for each in found)
    assert sign.allow is not None
    (entry,) = yaml.safe_load(sign.allow.manifest)
    assert entry == {"key": "zone", "values": ["app", "dev"], "changedBy": ["ops", "eve"]}
    assert sign.place is not None
    (gone,) = look(_labelled(""), past(days=1), "D6", before=_labelled("app")).findings
    assert gone.sign.allow is not None
    (entry,) = yaml.safe_load(gone.sign.allow.manifest)
    assert entry == {"key": "zone", "values": ["app"], "changedBy": ["ops"], "except": ["new"]}


def test_the_rule_that_reads_the_label_is_named() -> None:
    """Of several, one of those by which edges came or went."""
    also = allow("shop", "also", "api", "from", "{namespaceSelector: {matchLabels: {zone: app}}}")
    quiet = past(days=1)
    now, then = (also, *_labelled("app")), (also, *_labelled("dev"))
    (found,) = look(now, quiet, "D6", before=then).findings
    assert found.sign.atom is not None
    assert "selects by it" in found.sign.atom.text
    assert found.sign.atom.span is not None


# D7


def test_an_agent_that_fails_says_whom_it_leaves_alone() -> None:
    """Policies of pods on its node may not be in force, and both ways are commands."""
    agent = (
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent, namespace: kube-system}\n"
        "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, "
        "spec: {hostNetwork: true, containers: [{name: c, image: i}]}}}\n"
    )
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: agent-x, namespace: kube-system, "
        "labels: {a: b}, ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: agent, "
        "uid: u, controller: true}]}\n"
        "spec: {hostNetwork: true, nodeName: n1, containers: [{name: c, image: i}]}\n"
        "status: {podIP: 192.0.2.1, conditions: [{type: Ready, status: 'False'}]}\n"
    )
    lives = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web-x, namespace: shop, labels: {app: web}}\n"
        "spec: {nodeName: n1, containers: [{name: c, image: i}]}\nstatus: {podIP: 10.0.0.9}\n"
    )
    sign = _one(*BASE, agent, pod, lives, check="D7").sign
    assert "pods of shop/web-x are on n1" in [each.text for each in sign.evidence]
    assert sign.atom is not None
    assert "may not be in force there" in sign.atom.text
    assert sign.place is not None
    assert sign.allow is not None
    assert "kubectl cordon n1" in sign.allow.text
    assert sign.remove is not None
    assert "kubectl -n kube-system delete pod agent-x" in sign.remove.text


NOW = (START + 2 * DAY) * HOUR
MINUTE = 60 * 1_000_000


@pytest.mark.parametrize(("minutes", "state"), [(4, "suspect"), (5, "confirmed")])
def test_a_relay_that_does_not_answer(minutes: int, state: str) -> None:
    """For a moment it may be restarting; after that nobody sees what happens."""
    live = Live("relay://here:4245", NOW, NOW - minutes * MINUTE, "UNAVAILABLE: gone")
    found = look(BASE, past(days=2), "D7", live=live)
    (one,) = (*found.findings, *found.suspects)
    assert (one.state, str(one.key)) == (state, "D7|relay:relay://here:4245|away")
    assert "UNAVAILABLE: gone" in one.sign.evidence[0].text
    assert one.sign.remove is not None
    assert "hubble-relay" in one.sign.remove.text


def test_a_relay_that_answers_is_no_finding() -> None:
    """Nor is a watch without one."""
    assert not look(BASE, past(days=2), "D7", live=Live("relay://here:4245", NOW)).findings


@pytest.mark.parametrize(
    ("minutes", "node", "counts"), [(5, None, True), (7, None, False), (7, "a", True)]
)
def test_hours_in_which_a_relay_was_away(minutes: int, node: str | None, *, counts: bool) -> None:
    """A tenth of an hour may be missing; of one node of two, twice that."""
    start = (START + WEEK + 20) * HOUR
    told = [Heard(name, hour, 10) for hour in range(14 * DAY) for name in ("a", "b")]
    seen = flow("shop/web", "shop/api", range(WEEK, 14 * DAY))
    known = past(seen, nodes=told)
    gap = Unheard(node, start, start + minutes * MINUTE)
    found = look((*BASE, deny("new"), space("new")), replace(known, gaps=(gap,)), "D3")
    assert found.covered == 14 * DAY - (not counts)


# Several at once


def test_several_callers_are_settled_each() -> None:
    """What lets the first one through is not all that it takes."""
    names = ("one", "two", "three", "four", "five", "six")
    many = tuple(workload("shop", name) for name in names)
    hours = range(14 * DAY - 12, 14 * DAY)
    seen = (flow(f"shop/{n}", "data/StatefulSet/db", hours, became="denied") for n in names)
    (found,) = look((*BASE, *many), past(*seen), "D2").findings
    assert len(found.members) == len(names)
    allow, remove = found.sign.allow, found.sign.remove
    assert allow is not None
    assert remove is not None
    told = [name for name in names if f"app: {name}\n" in allow.lines]
    assert len(told) == 4
    assert "likewise of 2 more" in allow.text
    # Each would hold one change only, and applied together only the last would be left.
    assert not allow.manifest
