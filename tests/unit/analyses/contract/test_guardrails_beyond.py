"""Guardrails about everything: protocols that no contract has a word for, many names of ports."""

from typing import Any

import pytest

from cloison.analyses.contract.ends import Ends
from cloison.analyses.contract.placed import Placed
from cloison.analyses.contract.prove import NOT_ALL_TRIED, Proof, Status, prove
from cloison.app import load_objects
from cloison.app.session import Session
from cloison.ir.fidelity import Verdict
from tests.support.session import load
from tests.unit.intent.said import of_spec

Object = dict[str, Any]
NAMES = ("n1", "n2", "n3", "n4", "n5")


def space(name: str) -> Object:
    labels = {"kubernetes.io/metadata.name": name}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def pod(namespace: str, name: str) -> Object:
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": []}}


def calico(*rules: Object) -> Session:
    """Return a world of two namespaces in which Calico rules are about the pods of one."""
    policy = {
        "apiVersion": "projectcalico.org/v3",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": "a"},
        "spec": {"selector": "all()", "types": ["Ingress"], "ingress": list(rules)},
    }
    objects = [space("a"), space("z"), pod("a", "one"), pod("z", "other"), policy]
    return load_objects(objects, profile="calico@3.32")


def proof(session: Session, **written: object) -> Proof:
    reading = of_spec({"guardrails": [{"name": "g", **written}]})
    assert not reading.diagnostics
    contract = reading.contract
    (only,) = prove(contract, Ends(session.names, Placed.of(contract, session.world))).proofs
    return only


@pytest.mark.parametrize("protocol", [47, 4, "UDPLite"])
def test_a_protocol_without_a_word_breaks_what_forbids_everything(protocol: object) -> None:
    session = calico({"action": "Allow", "protocol": protocol})
    found = proof(session, deny={"from": "z/other", "to": "a/one"})
    assert found.status is Status.BROKEN
    source, destination = found.breaches[0].why
    assert destination.startswith("a/one:proto/")
    assert session.why(source, destination).verdict is Verdict.ALLOWED
    # Who asks about ports means these alone.
    ported = proof(session, deny={"from": "z/other", "to": "a/one", "ports": [80]})
    assert ported.status is Status.HOLDS


def test_what_nobody_can_say_of_other_protocols_is_named() -> None:
    deny = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny", "namespace": "a"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    session = load([space("a"), space("z"), pod("a", "one"), pod("z", "other"), deny])
    found = proof(session, deny={"from": "z/other", "to": "a/one"})
    assert found.status is Status.HOLDS
    assert "NON_L4" in [each.id for each in found.caveats]
    asked = session.why("z/other", "a/one:proto/47")
    assert asked.verdict is Verdict.UNDETERMINED


def test_many_names_of_ports_that_only_close_leave_nothing_open() -> None:
    session = calico(
        {"action": "Allow", "source": {"namespaceSelector": "projectcalico.org/name == 'z'"}},
        {"action": "Deny", "protocol": "TCP", "destination": {"ports": list(NAMES)}},
    )
    only = {"from": "any:z", "to": "any:a", "ports": [80]}
    assert proof(session, only=only).status is Status.HOLDS
    through = calico(
        {"action": "Deny", "protocol": "TCP", "destination": {"ports": list(NAMES)}},
        {"action": "Allow"},
    )
    assert proof(through, only=only).status is Status.BROKEN


def test_many_names_of_which_not_every_set_is_tried_are_said() -> None:
    names = {"protocol": "TCP", "destination": {"ports": list(NAMES)}}
    here = {"source": {"namespaceSelector": "projectcalico.org/name == 'z'"}}
    session = calico({"action": "Deny", **names}, {"action": "Allow", **here, **names})
    found = proof(session, only={"from": "any:z", "to": "any:a", "ports": [80]})
    assert found.status is Status.UNDETERMINED
    assert found.message == NOT_ALL_TRIED
    assert "names of more than four ports" in (found.help or "")
