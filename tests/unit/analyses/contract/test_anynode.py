"""Guardrails about pods on nodes that nobody names, and about what is not there today."""

from pathlib import Path

import pytest

from cloison.analyses.contract.prove import Status
from tests.support.cli import Ran, run_cloison
from tests.unit.analyses.contract.test_check import checked, statuses
from tests.unit.intent.said import HEAD

HOST = """\
apiVersion: v1
kind: Namespace
metadata: {name: app}
---
apiVersion: v1
kind: Namespace
metadata: {name: data}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: batch, namespace: app}
spec:
  selector: {matchLabels: {app: batch}}
  template:
    metadata: {labels: {app: batch}}
    spec: {hostNetwork: true, containers: [{name: c, image: i}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: postgres, namespace: data}
spec:
  selector: {matchLabels: {app: postgres}}
  template:
    metadata: {labels: {app: postgres}}
    spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: postgres, namespace: data}
spec:
  podSelector: {matchLabels: {app: postgres}}
  policyTypes: [Ingress, Egress]
  ingress:
    - {from: [{ipBlock: {cidr: 10.9.0.0/16}}], ports: [{port: 9187}]}
  egress:
    - {to: [{ipBlock: {cidr: 10.9.0.0/16}}], ports: [{port: 9000}]}
"""
NODE = """\
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: ADDRESS}]}
"""


@pytest.mark.parametrize(
    ("address", "deny", "wanted"),
    [
        ("10.9.3.4", "from: app/batch, to: data/postgres", Status.UNDETERMINED),
        ("10.9.3.4", "from: 'any:app', to: data/postgres", Status.UNDETERMINED),
        ("10.9.3.4", "from: app/batch, to: data/postgres, ports: [9187]", Status.UNDETERMINED),
        ("10.9.3.4", "from: app/batch, to: data/postgres, ports: [5432]", Status.HOLDS),
        ("10.9.3.4", "from: data/postgres, to: app/batch", Status.UNDETERMINED),
        ("10.9.3.4", "from: data/postgres, to: app/batch, ports: [9187]", Status.HOLDS),
        ("10.9.3.4", "from: 'node:n1', to: data/postgres", Status.BROKEN),
        # No node that is known has an address that a rule lets in.
        ("10.8.3.4", "from: app/batch, to: data/postgres", Status.HOLDS),
        # Without any node, it may have any address.
        (None, "from: app/batch, to: data/postgres", Status.UNDETERMINED),
    ],
)
def test_a_named_pod_on_an_unknown_node_may_be_on_any(
    address: str | None, deny: str, wanted: Status
) -> None:
    world = HOST + (NODE.replace("ADDRESS", address) if address else "")
    found = checked(f"  guardrails: [{{name: g, reason: r, deny: {{{deny}}}}}]\n", world)
    assert statuses(found) == {"g": wanted}
    (proof,) = found.proofs
    if wanted is Status.UNDETERMINED:
        assert "NODE_ADDRESS_UNKNOWN" in {each.id for each in proof.caveats}
        assert str(proof.breaches[0].traffic) in ("TCP/9187", "TCP/9000")


@pytest.mark.parametrize(
    ("end", "message", "advice"),
    [
        ("'any:datum'", "no namespace here is called 'datum'", "did you mean `data`?"),
        ("'any:empty'", "no pod is in empty today", None),
        (
            "{namespace: app, selector: {app: bacth}}",
            "nothing matches pods labelled app=bacth in app today",
            None,
        ),
        (
            "{namespace: datum, selector: {app: batch}}",
            "no namespace here is called 'datum'",
            "did you mean `data`?",
        ),
        (
            "{namespaceSelector: {team: sec}}",
            "nothing matches pods in namespaces labelled team=sec today",
            None,
        ),
    ],
)
def test_an_end_that_nobody_is_at_today_is_said(end: str, message: str, advice: str | None) -> None:
    world = f"{HOST}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: empty}}\n"
    spec = f"  guardrails: [{{name: g, deny: {{from: {end}, to: data/postgres}}}}]\n"
    found = checked(spec, world)
    (note,) = (each for each in found.findings if each.code == "CON104")
    assert note.message == f"the guardrail 'g' names what is not there: {message}"
    assert note.severity == "info"
    assert note.span is not None
    assert advice in (None, note.help)
    there = checked("  guardrails: [{name: g, deny: {from: 'any:app', to: data/postgres}}]\n", HOST)
    assert "CON104" not in {each.code for each in there.findings}


def ran(home: Path, spec: str) -> Ran:
    """Run `contract check` on a contract."""
    (home / "world.yaml").write_text(HOST, encoding="utf-8")
    (home / "contract.yaml").write_text(f"{HEAD}spec:\n{spec}", encoding="utf-8")
    named = ("-f", str(home / "world.yaml"), "-f", str(home / "contract.yaml"))
    return run_cloison("contract", "check", *named)


def test_text_says_the_column_of_what_is_wrong(tmp_path: Path) -> None:
    spec = (
        "  dependencies: [{name: d, from: app/batch, to: data/gone, prts: [1]}]\n"
        "  guardrails: [{name: g, deny: {from: app/batch, to: data/postgres}}]\n"
    )
    text = ran(tmp_path, spec).out
    assert f"undetermined: g ({tmp_path}/contract.yaml:6:16)" in text
    assert f"  --> {tmp_path}/contract.yaml:5:60\n" in text
