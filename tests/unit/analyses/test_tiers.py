"""Reasons where tiers are asked in turn: who decided, who was not asked, what would help."""

import json

import pytest

import cloison
from cloison import Session
from cloison.analyses.ask import Explanation
from cloison.analyses.explain import PointAnswer
from cloison.analyses.walk import Came
from cloison.report import About, render

WORLD = """\
apiVersion: v1
kind: Namespace
metadata: {name: red, labels: {team: red}}
---
apiVersion: v1
kind: Namespace
metadata: {name: blue, labels: {team: blue}}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: red, labels: {app: api}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.2.1.1, podIPs: [{ip: 10.2.1.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: blue, labels: {app: web}}
spec: {nodeName: n2, containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.2.2.1, podIPs: [{ip: 10.2.2.1}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: red}
spec: {clusterIP: 10.96.0.9, selector: {app: api}, ports: [{port: 80}]}
"""
FROM_BLUE = "[{namespaces: {matchLabels: {team: blue}}}]"
EVERYBODY = "[{namespaces: {}}]"


def cluster(name: str, tier: str, priority: int, rules: str) -> str:
    return f"""\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {{name: {name}}}
spec:
  tier: {tier}
  priority: {priority}
  subject: {{namespaces: {{matchLabels: {{team: red}}}}}}
  {rules}
"""


def ingress(action: str, peers: str = FROM_BLUE) -> str:
    return f"ingress: [{{action: {action}, from: {peers}}}]"


def team(ingress: str, types: str = "[Ingress]") -> str:
    return f"""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: team, namespace: red}}
spec: {{podSelector: {{}}, policyTypes: {types}, ingress: {ingress}}}
"""


ON_80 = "[{from: [{namespaceSelector: {matchLabels: {team: blue}}}], ports: [{port: 80}]}]"
PASS = cluster("leave-blue", "Admin", 10, ingress("Pass"))
GUARD = cluster("guard", "Admin", 20, ingress("Deny", EVERYBODY))
BASE = cluster("base", "Baseline", 10, ingress("Deny", EVERYBODY))


def load(*policies: str) -> Session:
    return cloison.load_texts({"world.yaml": "---\n".join([WORLD, *policies])})


def entering(answer: Explanation) -> PointAnswer:
    assert answer.shown is not None
    return answer.shown.points[-1]


def outcomes(point: PointAnswer) -> list[tuple[str, Came | None]]:
    return [(tier.spec.name, tier.came) for tier in point.tiers]


def shown(session: Session, answer: Explanation) -> str:
    return "".join(render("why", answer, About("0", session.profile, "default")))


def test_the_walk_ends_where_the_decision_falls() -> None:
    session = load(PASS, GUARD, team(ON_80), BASE)
    answer = session.why("blue/web", "red/api:80")
    point = entering(answer)
    assert outcomes(point) == [
        ("admin", Came.PASSED),
        ("networkpolicy", Came.ALLOWED),
        ("baseline", None),
    ]
    assert answer.decided_by[-1] == "red/team ingress rule 1"
    assert {c.policy.id.name: c.reached for c in point.considered}["base"] is False
    text = shown(session, answer)
    assert "tier admin: passes it on" in text
    assert "ingress rule 1 passes every pod in namespaces labelled team=blue" in text
    assert "not asked any more: tier baseline (ClusterNetworkPolicy base)" in text


def test_a_tier_without_a_match_is_walked_through() -> None:
    answer = load(PASS, BASE).why("blue/web", "red/api:80")
    assert outcomes(entering(answer)) == [("admin", Came.PASSED), ("baseline", Came.DENIED)]
    answer = load(
        cluster(
            "other", "Admin", 1, ingress("Accept", "[{namespaces: {matchLabels: {team: green}}}]")
        )
    ).why("blue/web", "red/api:80")
    assert outcomes(entering(answer)) == [("admin", Came.UNMATCHED)]
    assert answer.decided_by[-1] == "default"


def test_only_the_networkpolicy_tier_is_told_as_ever() -> None:
    session = load(team(ON_80))
    text = shown(session, session.why("blue/web", "red/api:81"))
    assert "1 policy selects it and governs its ingress:" in text
    assert "tier" not in text


def test_a_guardrail_is_named_and_no_networkpolicy_proposed() -> None:
    session = load(GUARD, team(ON_80))
    answer = session.why("blue/web", "red/api:80")
    (decider,) = answer.deciders
    assert decider.text == "ClusterNetworkPolicy guard ingress rule 1"
    assert (decider.tier, str(decider.action)) == ("admin", "deny")
    (mend,) = answer.mend
    assert not mend.manifest
    assert mend.text.startswith("change ClusterNetworkPolicy guard ingress rule 1, which denies it")
    assert "red/team may still stop" in mend.text
    assert mend.line == decider.span.line if decider.span else None


def test_what_the_teams_tier_stops_is_mended_there() -> None:
    answer = load(PASS, GUARD, team("[]"), BASE).why("blue/web", "red/api:80")
    (mend,) = answer.mend
    assert mend.text == "add an ingress rule to NetworkPolicy red/team"
    again = load(PASS, GUARD, mend.manifest, BASE).why("blue/web", "red/api:80")
    assert str(again.verdict) == "allowed"


def test_a_later_tier_can_be_forestalled() -> None:
    (mend,) = load(BASE).why("blue/web", "red/api:80").mend
    assert "or let a NetworkPolicy that selects red/api allow it, which is asked first" in mend.text


def test_rules_of_equal_priority_that_disagree_are_both_named() -> None:
    accept = cluster("accept", "Admin", 20, ingress("Accept"))
    session = load(GUARD, accept)
    answer = session.why("blue/web", "red/api:80")
    assert str(answer.verdict) == "undetermined"
    assert [c.id for c in answer.caveats] == ["PRIORITY_TIE"]
    names = {d.policy.name for d in answer.deciders if d.policy}
    assert names == {"accept", "guard"}
    assert "stand equal and disagree" in " ".join(shown(session, answer).split())
    document = json.loads(
        "".join(render("why", answer, About("0", session.profile, "default"), "json"))
    )
    (tier,) = document["path"][0]["enforcementPoints"][1]["tiers"]
    assert tier["conflicts"] == [
        ["ClusterNetworkPolicy accept ingress rule 1", "ClusterNetworkPolicy guard ingress rule 1"]
    ]


def test_a_tie_that_agrees_in_the_end_is_none() -> None:
    passes = cluster("passes", "Admin", 20, ingress("Pass"))
    answer = load(GUARD, passes, BASE).why("blue/web", "red/api:80")
    assert str(answer.verdict) == "denied"
    assert "PRIORITY_TIE" not in [c.id for c in answer.caveats]


def test_isolation_of_the_other_direction_carries_its_caveat() -> None:
    egress = cluster("base", "Baseline", 10, f"egress: [{{action: Deny, to: {EVERYBODY}}}]")
    answer = load(egress, team("[]")).why("red/api", "blue/web:80")
    assert (str(answer.verdict), [c.id for c in answer.caveats]) == (
        "denied",
        ["BASELINE_DIRECTION"],
    )
    both = team("[]", "[Ingress, Egress]")
    assert "BASELINE_DIRECTION" not in [
        c.id for c in load(egress, both).why("red/api", "blue/web:80").caveats
    ]


def test_what_a_service_leads_back_is_policed_by_guardrails_only() -> None:
    own = load(GUARD).why("red/api", "red/api:80")
    assert (str(own.verdict), own.decided_by) == ("allowed", ("self", "self"))
    assert str(load(GUARD).why("red/api", "svc:red/api:80").verdict) == "denied"
    spared = load(team("[]")).why("red/api", "svc:red/api:80")
    assert str(spared.verdict) == "allowed"
    assert "self through a Service" in spared.decided_by
    assert "HAIRPIN" in [c.id for c in spared.caveats]


def test_a_name_nobody_resolved_leaves_it_open() -> None:
    names = cluster(
        "names",
        "Admin",
        1,
        "egress: [{action: Accept, to: [{domainNames: [example.com]}]}, "
        "{action: Deny, to: [{networks: [0.0.0.0/0]}]}]",
    )
    answer = load(names).why("red/api", "203.0.113.9:443")
    assert str(answer.verdict) == "undetermined"
    assert [c.id for c in answer.caveats] == ["NAME_NOT_RESOLVED"]


def test_effective_shows_what_each_tier_leaves() -> None:
    side = load(PASS, GUARD, team(ON_80), BASE).effective("red/api").sections[0].sides[0]
    assert [(t.name, t.asked) for t in side.tiers] == [
        ("admin", True),
        ("networkpolicy", True),
        ("baseline", False),
    ]
    assert side.tiers[0].otherwise == "everything else is left to what comes next"
    assert [(e.tier, str(e.action)) for e in side.entries if e.tier] == [
        ("admin", "pass"),
        ("admin", "deny"),
        ("networkpolicy", "allow"),
        ("baseline", "deny"),
    ]


def test_effective_of_the_teams_tier_alone_is_as_ever() -> None:
    side = load(team(ON_80)).effective("red/api").sections[0].sides[0]
    assert not side.tiers
    assert side.isolated


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("Accept", "may connect on any traffic"),
        ("Deny", "may not connect on any traffic"),
        ("Pass", "may connect on any traffic is left to the next tier"),
    ],
)
def test_a_policy_in_words_says_what_its_rules_do(action: str, says: str) -> None:
    session = load(cluster("p", "Admin", 15, ingress(action)), PASS, GUARD, team(ON_80))
    found = session.describe_policy("p")
    assert found.rules[0].text.endswith(says)
    assert found.place == (
        "stands in tier admin",
        "in its tier it comes after ClusterNetworkPolicy leave-blue",
        "in its tier it comes before ClusterNetworkPolicy guard",
        "what tier admin does not decide is left to tier networkpolicy (red/team)",
    )


def test_a_policy_can_be_called_with_its_kind() -> None:
    session = load(PASS, team("[]"))
    for name in ("ClusterNetworkPolicy leave-blue", "clusternetworkpolicy/leave-blue"):
        assert session.describe_policy(name).policy.name == "leave-blue"
    assert session.describe_policy("networkpolicy/red/team").policy.name == "team"


def test_a_networkpolicy_says_who_is_asked_before_and_after() -> None:
    place = load(GUARD, team(ON_80), BASE).describe_policy("red/team").place
    guard = "tier admin (ClusterNetworkPolicy guard)"
    assert place == (
        f"stands in tier networkpolicy, asked after {guard} and only about what is left then",
        "tier baseline (ClusterNetworkPolicy base) is never asked where it isolates",
    )


SETS = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot, namespace: blue, labels: {role: bot}}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata: {name: partners, labels: {role: partner}}
spec: {nets: [203.0.113.0/24]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: few}
spec:
  selector: app == 'api'
  types: [Ingress]
  ingress:
    - {action: Allow, source: {selector: role == 'partner', notNets: [203.0.113.128/25]}}
    - {action: Allow, source: {serviceAccounts: {names: [robot], selector: role == 'bot'}}}
    - {action: Log}
"""


def calico(*policies: str) -> Session:
    return cloison.load_texts({"world.yaml": "---\n".join([WORLD, *policies])}, profile="calico")


def test_address_groups_and_accounts_are_said_in_words() -> None:
    found = calico(SETS).describe_policy("few")
    texts = [rule.text for rule in found.rules]
    partners = "(role=partner in every namespace or address groups labelled role=partner)"
    robot = "every pod of service account robot labelled role=bot in every namespace"
    assert texts == [
        f"{partners} and also 0.0.0.0/0 except 203.0.113.128/25 may connect on any traffic",
        f"{robot} may connect on any traffic",
        "what everybody sends on any traffic is logged, and the next rule is asked",
    ]
    (groups,) = found.rules[0].entries
    assert groups.resolved.text == "outside the cluster 203.0.113.0/25"


def test_what_is_only_logged_is_missed_all_the_same() -> None:
    point = entering(calico(SETS).why("203.0.113.200", "red/api:80"))
    (only,) = point.considered
    assert [rule.index for rule in only.matched] == [3]
    assert only.miss_rule == 1
    assert only.nearest_miss is not None
    assert only.nearest_miss.endswith("203.0.113.200 is outside that block")


def test_an_account_that_was_not_read_carries_its_caveat() -> None:
    answer = calico(SETS).why("blue/web", "red/api:80")
    assert [c.id for c in answer.caveats] == ["ACCOUNT_LABELS_UNKNOWN"]
    assert entering(answer).considered[0].nearest_miss is not None
    (mend,) = answer.mend
    assert mend.text.startswith("let GlobalNetworkPolicy few allow TCP/80 from app=web")
    assert not mend.manifest


def test_an_address_may_be_a_nodes_where_no_node_was_read() -> None:
    rules = "egress: [{action: Deny, to: [{nodes: {}}]}]"
    found = load(cluster("no-nodes", "Admin", 10, rules))
    asked = found.why("red/api", "10.1.0.9:80")
    assert asked.verdict == "allowed"
    assert "NODES_UNKNOWN" in {caveat.id for caveat in asked.caveats}
    about = "ingress: [{action: Deny, from: [{namespaces: {}}]}]"
    other = load(cluster("pods", "Admin", 10, about)).why("red/api", "10.1.0.9:80")
    assert "NODES_UNKNOWN" not in {caveat.id for caveat in other.caveats}
