"""What a trace expects of counters: rules that take note, rules in doubt, and nothing at all."""

import pytest

from cloison.app import load_objects
from cloison.engine.resolve import end_key
from cloison.ir.policy import Direction
from cloison.probe.lab.trace import trace
from tests.support.lab import OPEN, Told, node, obedient, plan, pod, row, session

LOGGED = load_objects(
    [
        node("n1", "10.9.0.1"),
        pod("front", "10.1.0.1"),
        pod("api", "10.1.0.2"),
        {
            "apiVersion": "projectcalico.org/v3",
            "kind": "NetworkPolicy",
            "metadata": {"name": "default.api", "namespace": "web"},
            "spec": {
                "selector": "app == 'api'",
                "types": ["Ingress"],
                "ingress": [
                    {"action": "Log"},
                    {"action": "Deny", "protocol": "TCP", "destination": {"ports": [81]}},
                    {"action": "Allow"},
                ],
            },
        },
    ],
    profile="calico@3.32",
)
RULE = "CalicoNetworkPolicy web/default.api ingress {}"


@pytest.mark.parametrize(("port", "decides"), [("80", 3), ("81", 2)])
def test_a_rule_that_takes_note_counts_besides_what_decides(port: str, decides: int) -> None:
    asked = row("web/front", "web/api", None, port)
    keys = [RULE.format(1), RULE.format(decides)]
    found = trace(Told(obedient(LOGGED), *keys), LOGGED.engine, plan(LOGGED), asked)
    assert [[c.key for c in met.counted] for met in found.met] == [[key] for key in keys]
    assert found.agrees


def test_a_rule_that_takes_note_does_not_stand_for_what_decides() -> None:
    asked = row("web/front", "web/api", None, "80")
    found = trace(Told(obedient(LOGGED), RULE.format(1)), LOGGED.engine, plan(LOGGED), asked)
    assert [met.agrees for met in found.met] == [True, False]
    assert not found.same_way


ALONE = session(
    node("n1", "10.9.0.1"),
    pod("front", "10.1.0.1"),
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "front", "namespace": "web"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    },
)


def test_what_a_pod_says_to_itself_meets_no_rule() -> None:
    asked = row("web/front", "web/front", None, "80")
    found = trace(Told(lambda _: OPEN), ALONE.engine, plan(ALONE), asked)
    assert found.met == ()
    assert found.agrees


def test_a_rule_that_counts_what_a_pod_says_to_itself_is_told() -> None:
    asked = row("web/front", "web/front", None, "80")
    key = end_key("networkpolicy", Direction.EGRESS)
    found = trace(Told(lambda _: OPEN, key), ALONE.engine, plan(ALONE), asked)
    assert not found.agrees
