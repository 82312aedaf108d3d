"""What stands around policies: what is exempt, against what some policy denies."""

import pytest

from cloison.app import Session, load_texts
from cloison.ir.surroundings import BEFORE

WORLD = """
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.11}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 192.0.2.12}]}
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x, labels: {app: a}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.0.1.10}
"""
DENY = """---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: guard, namespace: x}
spec:
  endpointSelector: {}
  %sDeny: [{%sEntities: [%s], toPorts: [{ports: [{port: "80", protocol: TCP}]}]}]
"""
OWN, OTHER = "192.0.2.11", "192.0.2.12"
YES, NO, OPEN = "allowed", "denied", "undetermined"


def session(direction: str, entity: str, **said: str) -> Session:
    side = "from" if direction == "ingress" else "to"
    text = WORLD + DENY % (direction, side, entity)
    settings = {name.replace("_", "-"): value for name, value in said.items()}
    return load_texts({"a.yaml": text}, profile="cilium@1.20", cilium=settings)


def verdict(found: Session, source: str, port: int) -> str:
    return str(found.verdict(source, "x/a", "TCP", port))


def test_without_a_denial_it_stands_before_everything() -> None:
    found = load_texts({"a.yaml": WORLD}, profile="cilium@1.20")
    assert BEFORE not in {tier.name for tier in found.policies.layers[0].tiers}
    assert not found.policies.policies
    assert verdict(found, OWN, 80) == YES


def test_a_denial_of_the_other_direction_changes_nothing() -> None:
    found = session("egress", "host")
    assert BEFORE not in {tier.name for tier in found.policies.layers[0].tiers}


@pytest.mark.parametrize(
    ("said", "first", "around", "port_80", "port_81"),
    [
        ({}, True, 2, OPEN, YES),
        ({"U1": "deny-wins"}, False, 1, NO, YES),
        ({"U1": "localhost-wins"}, False, 0, YES, YES),
        ({"allow_localhost": "policy"}, False, 0, NO, NO),
    ],
)
def test_a_denial_makes_policies_of_it(
    said: dict[str, str], *, first: bool, around: int, port_80: str, port_81: str
) -> None:
    found = session("ingress", "host", **said)
    assert (found.policies.layers[0].tiers[0].name == BEFORE) is first
    unstated = [each for each in found.policies.policies if not each.stated]
    assert len(unstated) == around
    assert not any(each.isolates for each in unstated)
    assert (verdict(found, OWN, 80), verdict(found, OWN, 81)) == (port_80, port_81)


def test_only_what_depends_on_the_question_carries_it() -> None:
    found = session("ingress", "host")
    said = {
        port: [each.id for each in found.why(OWN, "x/a", port=port).caveats] for port in (80, 81)
    }
    assert said == {80: ["cilium.U1"], 81: []}


def test_a_denial_of_others_leaves_the_own_node_in() -> None:
    found = session("ingress", "remote-node")
    assert [verdict(found, OWN, port) for port in (80, 81)] == [YES, YES]
    assert [verdict(found, OTHER, port) for port in (80, 81)] == [NO, NO]
