"""ClusterNetworkPolicies as Cilium takes them: equal priorities, and labels it does not see."""

import pytest

from cloison.app import Session, load_texts

WORLD = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x, labels: {app: a, pod-template-hash: h}}
spec: {containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.0.1.10}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: x, labels: {app: b}}
spec: {containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.0.1.11}
"""
POLICY = """---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: %s}
spec:
  tier: Admin
  priority: %d
  subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {%s}}}}
  ingress: [%s]
"""
RULE = "{action: %s, from: [{namespaces: {}}]}"
ISOLATED = """---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: x}
spec: {podSelector: {}}
"""
YES, NO, OPEN = "allowed", "denied", "undetermined"


def session(*policies: tuple[str, int, str, tuple[str, ...]], who: str) -> Session:
    text = WORLD + ISOLATED
    for name, priority, labels, actions in policies:
        rules = ", ".join(RULE % action for action in actions)
        text += POLICY % (name, priority, labels, rules)
    return load_texts({"a.yaml": text}, profile=who)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (("Accept",), ("Deny",), NO),
        (("Deny",), ("Accept",), NO),
        (("Pass",), ("Accept",), YES),
        (("Pass",), ("Deny",), NO),
        (("Pass",), ("Pass",), NO),
        (("Accept", "Deny"), ("Pass", "Accept"), YES),
        (("Pass",), ("Pass", "Accept"), NO),
    ],
)
def test_equal_priorities_are_tried_rule_by_rule(
    one: tuple[str, ...], other: tuple[str, ...], found: str
) -> None:
    policies = (("one", 5, "app: a", one), ("other", 5, "app: a", other))
    for order in (policies, policies[::-1]):
        told = session(*order, who="cilium@1.20")
        assert str(told.verdict("x/b", "x/a", "TCP", 80)) == found
        assert "PRIORITY_TIE" not in {c.id for c in told.why("x/b", "x/a", port=80).caveats}


def test_others_leave_it_open() -> None:
    policies = (("one", 5, "app: a", ("Accept",)), ("other", 5, "app: a", ("Deny",)))
    assert str(session(*policies, who="generic").verdict("x/b", "x/a", "TCP", 80)) == OPEN


def test_priorities_that_differ_count_before_rules() -> None:
    policies = (
        ("one", 4, "app: a", ("Accept",)),
        ("other", 5, "app: a", ("Deny",)),
        ("third", 5, "app: a", ("Pass",)),
    )
    assert str(session(*policies, who="cilium@1.20").verdict("x/b", "x/a", "TCP", 80)) == YES


@pytest.mark.parametrize(("who", "found"), [("cilium@1.20", NO), ("generic", YES)])
def test_labels_that_are_left_out_select_nobody(who: str, found: str) -> None:
    told = session(("one", 5, "pod-template-hash: h", ("Accept",)), who=who)
    assert str(told.verdict("x/b", "x/a", "TCP", 80)) == found


@pytest.mark.parametrize(
    ("peer", "carries"),
    [("networks: [0.0.0.0/0]", False), ("domainNames: [api.example.com]", True)],
)
def test_what_names_need_is_said_of_rules_with_names_only(peer: str, *, carries: bool) -> None:
    rule = f"{{action: Accept, to: [{{{peer}}}]}}"
    text = WORLD + (POLICY % ("p", 1, "app: a", rule)).replace("ingress:", "egress:")
    found = load_texts({"a.yaml": text}, profile="cilium@1.20").why("x/a", "203.0.113.9:443")
    assert ("NAMES_OPEN_DNS" in {each.id for each in found.caveats}) is carries
