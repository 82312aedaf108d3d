"""Checks that look at the cluster: what they find, and what is no drift for all its looks."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from cloison.analyses.drift.model import Change
from cloison.analyses.past.course import HOUR
from cloison.base import Severity
from tests.support.drifting import (
    BASE,
    DAY,
    START,
    Heard,
    allow,
    contract,
    deny,
    flow,
    keys,
    look,
    past,
    pods,
    policy,
    remembering,
    space,
    texts,
    workload,
)

MONTH = 35
EVERY = range(MONTH * DAY)


# D1


def test_no_longer_used() -> None:
    """A rule that was used every hour, and not for two weeks, is not needed any more."""
    known = past(flow("shop/web", "shop/api", range(400)), days=MONTH)
    found = look((*BASE, contract()), known, "D1")
    assert keys(found.findings) == [
        "D1|NetworkPolicy/shop/api-in|ingress from app=web in its own namespace shop||TCP/80",
        "D1|NetworkPolicy/shop/web-out|egress to app=api in its own namespace shop||TCP/80",
    ]
    assert found.findings[0].sign.atom is not None
    assert found.findings[0].sign.remove is not None


def test_used_rules_are_used() -> None:
    """What is used now is not told."""
    known = past(flow("shop/web", "shop/api", EVERY), days=MONTH)
    assert not look((*BASE, contract()), known, "D1").findings


def test_seldom_is_not_never() -> None:
    """A rule used every tenth day is unused after a month without, not after two weeks."""
    known = past(
        flow("shop/web", "shop/api", range(0, 480, 240)),
        flow("shop/web", "data/StatefulSet/db", EVERY, became="denied"),
        days=MONTH,
    )
    assert not look((*BASE, contract()), known, "D1").findings


def test_never_used_takes_longer() -> None:
    """Of what never was used nobody knows how often it would be."""
    idle = allow("shop", "api-more", "api", "from", pods("web"), 8080)
    seen = flow("shop/web", "shop/api", EVERY)
    month = look((*BASE, idle, contract()), past(seen, days=MONTH), "D1")
    assert [k.partition("|")[2][:27] for k in keys(month.findings)] == [
        "NetworkPolicy/shop/api-more"
    ]
    assert not look((*BASE, idle, contract()), past(seen, days=20), "D1").findings


def test_unwatched_hours_are_not_quiet_ones() -> None:
    """Only covered time counts as time without use."""
    gaps = range(400, 800)
    known = past(flow("shop/web", "shop/api", range(400)), days=MONTH, gaps=gaps)
    assert not look((*BASE, contract()), known, "D1").findings


def test_break_glass_is_not_meant_to_be_used() -> None:
    """A policy for emergencies says so."""
    said = "policy.cloison.dev/break-glass: 'yes'"
    glass = allow("shop", "glass", "api", "from", pods("web"), 8080, annotations=said)
    known = past(flow("shop/web", "shop/api", EVERY), days=MONTH)
    found = look((*BASE, glass, contract()), known, "D1")
    assert not found.findings
    assert [each.count for each in found.unjudged] == [1]


def test_a_job_has_to_run_twice() -> None:
    """Until it has, nobody can say that it does not use what is there for it."""
    rule = allow("shop", "cron-out", "cron", "to", pods("api"), 80)
    cron = workload("shop", "cron", "CronJob")
    web = flow("shop/web", "shop/api", EVERY)
    once = flow("shop/CronJob/cron", "shop/web", [300])
    thrice = flow("shop/CronJob/cron", "shop/web", [300, 500, 700])
    for runs, wanted in ((once, 0), (thrice, 1)):
        found = look((*BASE, cron, rule, contract()), past(web, runs, days=MONTH), "D1")
        named = [key for key in keys(found.findings) if "cron-out" in key]
        assert len(named) == wanted


def test_rules_of_unheard_pods_are_not_judged() -> None:
    """Where no source tells of the pods, nobody knows what they use."""
    known = past(flow("shop/web", "shop/web", EVERY, 81), days=MONTH)
    found = look((*BASE, contract()), known, "D1")
    assert "web-out" in " ".join(keys(found.findings))
    assert "api-in" not in " ".join(keys(found.findings))


def test_what_another_rule_allows_too_is_redundant() -> None:
    """Both are told, each with the other."""
    more = allow("shop", "api-too", "api", "from", pods("web"), 80)
    known = past(flow("shop/web", "shop/api", range(400)), days=MONTH)
    found = look((*BASE, more, contract()), known, "D1")
    assert "redundant with shop/api-too ingress rule 1" in texts(found.findings)
    assert "redundant with shop/api-in ingress rule 1" in texts(found.findings)


# D4


def test_without_policy() -> None:
    """By direction: nothing restricts what comes, and nothing what goes."""
    new = (space("new"), workload("new", "app"))
    found = look((*BASE, *new), past(), "D4")
    assert keys(found.findings) == [
        "D4|new/Deployment/app|egress",
        "D4|new/Deployment/app|ingress",
    ]
    half = allow("new", "in", "app", "from", "{podSelector: {}}")
    assert keys(look((*BASE, *new, half), past(), "D4").findings) == [
        "D4|new/Deployment/app|egress"
    ]


def test_what_was_so_before_is_not_new() -> None:
    """It is told, and does not count."""
    new = (space("new"), workload("new", "app"))
    found = look((*BASE, *new), past(), "D4", before=(*BASE, *new))
    assert len(found.findings) == 2
    assert not found.new


@pytest.mark.parametrize(
    "made",
    [
        workload("new", "app", host=True),
        workload(
            "new", "app", "Job", more="status: {conditions: [{type: Complete, status: 'True'}]}\n"
        ),
        workload("kube-system", "app"),
    ],
    ids=["on its node's network", "a Job that is done", "an exempt namespace"],
)
def test_workloads_that_policies_cannot_or_need_not_cover(made: str) -> None:
    """They are no drift."""
    found = look((*BASE, space("new"), space("kube-system"), made), past(), "D4")
    assert not found.findings


# D5

TYPO = policy("shop", "typo", "{podSelector: {matchLabels: {app: wep}}, policyTypes: [Ingress]}")


def test_policies_and_peers_that_select_nobody() -> None:
    """A policy is told as one, whatever its rules say."""
    peer = allow("shop", "peer", "api", "from", pods("wep"))
    found = look((*BASE, TYPO, peer), past(), "D5")
    assert keys(found.findings) == [
        "D5|NetworkPolicy/shop/typo",
        "D5|NetworkPolicy/shop/peer|ingress app=wep in its own namespace shop||TCP/80",
    ]


@pytest.mark.parametrize(
    "made",
    [
        workload("shop", "wep", replicas=0),
        workload("shop", "wep", "CronJob"),
        workload("shop", "wep", host=True),
    ],
    ids=["scaled to zero", "once a day", "on its node's network"],
)
def test_templates_are_somebody(made: str) -> None:
    """What does not run now is selected all the same."""
    assert not look((*BASE, TYPO, made), past(), "D5").findings


def test_default_deny_of_an_empty_namespace() -> None:
    """It waits for who comes."""
    assert not look((*BASE, space("new"), deny("new")), past(), "D5").findings


# D6

OPS = (space("ops"), workload("ops", "tool"))
FROM_APP = allow(
    "data", "from-app", "db", "from", "{namespaceSelector: {matchLabels: {zone: app}}}", 5432
)
LABELLED = (space("ops", zone="app"), workload("ops", "tool"))


def test_a_label_that_opens() -> None:
    """What the change opens is told, and by whom it was made."""
    change = Change(
        "patch namespaces ops", (START + 9) * HOUR, "eve", "ops", "namespaces", "ops", ("zone=app",)
    )
    known = past(changes=(change,))
    found = look((*BASE, *LABELLED, FROM_APP), known, "D6", before=(*BASE, *OPS, FROM_APP))
    (one,) = found.findings
    assert str(one.key) == "D6|ops|zone||app"
    assert "it opens ops/tool -> data/db" in texts(found.findings)
    assert "eve did it" in texts(found.findings)
    assert one.sign.remove is not None
    assert one.sign.remove.text == "kubectl label namespace ops zone-"


def test_a_label_that_closes() -> None:
    """So is what it closes."""
    found = look((*BASE, *OPS, FROM_APP), past(), "D6", before=(*BASE, *LABELLED, FROM_APP))
    assert "it closes ops/tool -> data/db" in texts(found.findings)


def test_labels_that_nobody_uses() -> None:
    """Cosmetic labels, and those that change nothing, are silent."""
    cosmetic = (space("ops", team="blue"), workload("ops", "tool"))
    assert not look((*BASE, *cosmetic, FROM_APP), past(), "D6", before=(*BASE, *OPS)).findings
    empty = (space("ops", zone="app"),)
    before = (*BASE, space("ops"), FROM_APP)
    assert not look((*BASE, *empty, FROM_APP), past(), "D6", before=before).findings


def test_against_the_label_schema() -> None:
    """A value that the contract does not know, or a hand that it does not allow, is drift."""
    schema = (
        "  namespaceLabels:\n"
        "    - {key: zone, values: [app, data], owner: o, changedBy: [platform]}\n"
    )
    wrong = (space("ops", zone="wrong"), workload("ops", "tool"))
    said = contract(more=schema)
    found = look((*BASE, *wrong, FROM_APP, said), past(), "D6", before=(*BASE, *OPS, said))
    assert "the contract knows no zone=wrong" in texts(found.findings)
    change = Change("patch", (START + 9) * HOUR, "eve", "ops", "namespaces", "ops", ("zone=data",))
    allowed = (space("ops", zone="data"), workload("ops", "tool"))
    found = look(
        (*BASE, *allowed, FROM_APP, said),
        past(changes=(change,)),
        "D6",
        before=(*BASE, *OPS, said),
    )
    assert "lets platform change it, and not eve" in texts(found.findings)


def test_labels_as_the_last_run_saw_them() -> None:
    """Without an earlier version, what is remembered is compared; it stays a finding."""
    _, memory = remembering((*BASE, *OPS, FROM_APP), past(), "D6")
    found, memory = remembering((*BASE, *LABELLED, FROM_APP), past(), "D6", memory=memory)
    assert len(found.new) == 1
    found, _ = remembering((*BASE, *LABELLED, FROM_APP), past(), "D6", memory=memory)
    assert (len(found.findings), len(found.new)) == (1, 0)


def test_a_new_namespace_with_a_label_that_opens() -> None:
    """Whoever may make namespaces must not get in by a label; what it opens is told."""
    found = look((*BASE, *LABELLED, FROM_APP), past(), "D6", before=(*BASE, FROM_APP))
    (one,) = found.findings
    assert (str(one.key), one.sign.severity) == ("D6|ops|zone||app", Severity.ERROR)
    assert "was not there before and has zone=app" in texts(found.findings)
    assert "it opens ops/tool -> data/db" in texts(found.findings)
    assert one.sign.remove is not None
    assert one.sign.remove.text == "kubectl label namespace ops zone-"
    schema = "  namespaceLabels:\n    - {key: zone, values: [app, data], owner: o}\n"
    said = contract(more=schema)
    found = look((*BASE, *LABELLED, FROM_APP, said), past(), "D6", before=(*BASE, FROM_APP, said))
    assert [each.sign.severity for each in found.findings] == [Severity.WARNING]


@pytest.mark.parametrize(
    "new",
    [OPS, (space("ops", team="blue"), workload("ops", "tool")), (space("ops", zone="app"),)],
    ids=["no label", "a label that nobody uses", "nobody there"],
)
def test_a_new_namespace_that_opens_nothing(new: tuple[str, ...]) -> None:
    """New namespaces are no drift by themselves."""
    assert not look((*BASE, *new, FROM_APP), past(), "D6", before=(*BASE, FROM_APP)).findings


def test_a_new_namespace_stays_a_finding() -> None:
    """Until somebody takes the label off, or accepts it."""
    _, memory = remembering((*BASE, FROM_APP), past(), "D6")
    now = (*BASE, *LABELLED, FROM_APP)
    found, memory = remembering(now, past(), "D6", memory=memory)
    assert keys(found.new) == ["D6|ops|zone||app"]
    found, memory = remembering(now, past(), "D6", memory=memory)
    assert (keys(found.findings), found.new) == (["D6|ops|zone||app"], ())
    found, _ = remembering((*BASE, *OPS, FROM_APP), past(), "D6", memory=memory)
    assert not found.findings


def test_a_label_that_a_policy_begins_to_use() -> None:
    """It was there in the last run, whoever used it; old memories cannot tell."""
    _, memory = remembering((*BASE, *OPS), past(), "D6")
    assert memory.labels["shop"]["zone"] == "app"
    new = (*BASE, *OPS, FROM_APP)
    assert not look(new, past(), "D6", memory=memory).findings
    old = replace(memory, labels={name: {} for name in memory.labels}, every_label=False)
    found = look(new, past(), "D6", memory=old)
    assert not found.findings
    assert sum(each.count for each in found.unjudged) > 0


def test_labels_are_remembered_by_runs_that_do_not_look() -> None:
    """Only a run that compares them may take new ones for what was."""
    _, memory = remembering((*BASE, *OPS, FROM_APP), past(), "D6")
    _, memory = remembering((*BASE, *LABELLED, FROM_APP), past(), "D4", memory=memory)
    assert look((*BASE, *LABELLED, FROM_APP), past(), "D6", memory=memory).new


# D7


def test_nobody_watches_any_more() -> None:
    """A day without a word from anybody is told; a look back at what was recorded is none."""
    end = (START + 14 * DAY) * HOUR
    known = past()
    for days, wanted in ((0, []), (1, []), (2, ["D7|flows|silent"]), (100, ["D7|flows|silent"])):
        day = date(2026, 1, 15) + timedelta(days=days)
        found = look(BASE, known, "D7", today=day, until=None)
        assert keys(found.findings) == wanted
        assert keys(look(BASE, known, "D7", today=day, until=end).findings) == []
    late = look(BASE, known, "D7", until=None)
    assert "since 2026-01-15 00:00Z" in texts(late.new)


def _agents(ready: int, *nodes: str) -> tuple[str, ...]:
    more = f"status: {{desiredNumberScheduled: 3, numberReady: {ready}}}\n"
    made = workload("kube-system", "agent", "DaemonSet", host=True, more=more)
    return (*BASE, space("kube-system"), made, *nodes)


def _node(name: str, *, resting: bool = False) -> str:
    spec = "{unschedulable: true}" if resting else "{}"
    return f"apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def test_agents_that_are_not_ready() -> None:
    """Its status says how many are not."""
    found = look(_agents(2), past(), "D7")
    assert keys(found.findings) == ["D7|DaemonSet/kube-system/agent"]
    assert "2 of 3 pods" in found.findings[0].sign.message
    assert not look(_agents(3), past(), "D7").findings


def test_cordoned_nodes_are_not_failing() -> None:
    """An agent may be down while its node is; where nobody says whose it is, it is told."""
    down = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: agent-1, namespace: kube-system, "
        "labels: {app: agent}, ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, "
        "name: agent, controller: true, uid: u}]}\n"
        "spec: {nodeName: n1, hostNetwork: true, containers: [{name: c, image: i}]}\n"
        "status: {phase: Running, conditions: [{type: Ready, status: 'False'}]}\n"
    )
    here, rests = _node("n1"), _node("n1", resting=True)
    assert not look(_agents(2, rests, down), past(), "D7").findings
    assert look(_agents(2, here, down), past(), "D7").findings
    assert look(_agents(1, rests, down), past(), "D7").findings
    assert look(_agents(2, rests), past(), "D7").findings


def _heard(silent: range, *, lost: range = range(0), each: int = 20) -> list[Heard]:
    rows = []
    for hour in range(14 * DAY):
        rows.append(Heard("n1", hour, each))
        if hour not in silent:
            rows.append(Heard("n2", hour, each, each if hour in lost else 0))
    return rows


def test_a_node_that_fell_silent() -> None:
    """Nothing is heard of it for hours, while others tell of flows."""
    known = past(nodes=_heard(range(330, 336)))
    found = look((*BASE, _node("n1"), _node("n2")), known, "D7")
    assert keys(found.findings) == ["D7|node:n2|silent"]


def test_a_quiet_node_is_not_silent() -> None:
    """Where little happens, an hour or two without it happen by chance."""
    few = [Heard("n2", hour, 1) for hour in range(0, 336, 2)]
    known = past(nodes=[*(Heard("n1", hour, 20) for hour in range(336)), *few])
    assert not look((*BASE, _node("n1"), _node("n2")), known, "D7").findings
    short = past(nodes=_heard(range(330, 332)))
    assert not look((*BASE, _node("n1"), _node("n2")), short, "D7").findings


def test_drained_and_removed_nodes_are_not_silent() -> None:
    """They have nothing to tell."""
    known = past(nodes=_heard(range(330, 336)))
    drained = (*BASE, _node("n1"), _node("n2", resting=True))
    assert not look(drained, known, "D7").findings
    assert not look((*BASE, _node("n1")), known, "D7").findings


def test_nodes_by_their_addresses() -> None:
    """Some records name nodes so; the input tells which are still there."""
    rows = [
        replace(each, node={"n1": "192.0.2.1", "n2": "192.0.2.2"}[each.node or ""])
        for each in _heard(range(330, 336))
    ]
    nodes = [
        _node(name) + f"status: {{addresses: [{{type: InternalIP, address: {address}}}]}}\n"
        for name, address in (("n1", "192.0.2.1"), ("n2", "192.0.2.2"))
    ]
    found = look((*BASE, *nodes), past(nodes=rows), "D7")
    assert keys(found.findings) == ["D7|node:192.0.2.2|silent"]
    assert not look((*BASE, nodes[0]), past(nodes=rows), "D7").findings


def test_a_node_that_loses_more_than_it_did() -> None:
    """A rise is told, what was always lost is not."""
    rising = past(nodes=_heard(range(0), lost=range(330, 336), each=60))
    assert keys(look(BASE, rising, "D7").findings) == ["D7|node:n2|losing"]
    always = past(nodes=_heard(range(0), lost=range(336), each=60))
    assert not look(BASE, always, "D7").findings


def test_a_quiet_node_that_loses_much() -> None:
    """Its hours with little in them are what is usual; what is always lost is not told."""
    quiet = _heard(range(0), each=10)
    flood = [replace(each, lost=900) if _late(each) else each for each in quiet]
    (found,) = look(BASE, past(nodes=flood), "D7").findings
    assert str(found.key) == "D7|node:n2|losing"
    assert found.sign.message.endswith("in 24 hours, usually 0%")
    always = [replace(each, lost=900) if each.node == "n2" else each for each in quiet]
    assert not look(BASE, past(nodes=always), "D7").findings


def test_a_node_that_loses_most_where_it_always_lost_much() -> None:
    """Three times as much as two fifths there cannot be: half of what was left is a rise."""
    usual = [replace(each, lost=40) for each in _heard(range(0), each=60) if each.node == "n2"]
    assert not look(BASE, past(nodes=usual), "D7").findings
    worse = [replace(each, lost=600) if _late(each) else each for each in usual]
    assert keys(look(BASE, past(nodes=worse), "D7").findings) == ["D7|node:n2|losing"]


def _late(told: Heard) -> bool:
    return told.node == "n2" and told.hour >= 13 * DAY


def test_hours_of_great_loss_are_not_judged() -> None:
    """Where half was lost, what was seen says little, and what was not nothing."""
    denied = flow("shop/web", "data/StatefulSet/db", range(330, 336), 5432, "denied")
    known = past(denied, nodes=_heard(range(0), lost=range(330, 336), each=60))
    found = look((*BASE, contract()), known, "D2")
    assert not found.findings
    assert [each.count for each in found.unjudged] == [6]
    assert found.covered == 14 * DAY - 6


# D8, of the cluster


def test_nobody_enforces() -> None:
    """Policies that nobody enforces are told as one finding."""
    found = look(BASE, past(), "D8", said={"profile": "flannel"})
    assert keys(found.findings) == ["D8|cluster|plugin"]
    assert not look(BASE, past(), "D8").findings


AUDIT = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\n"
    "data: {policy-audit-mode: 'true'}\n"
)


def test_audit_mode() -> None:
    """What is only reported is not enforced."""
    found = look((*BASE, AUDIT), past(), "D8", said={"profile": "cilium"})
    assert keys(found.findings) == ["D8|cluster|audit of networkpolicy"]
    assert not look(BASE, past(), "D8", said={"profile": "cilium"}).findings


# D9
