"""Calls to ports that nodes take for a Service: who gets them, and whom the pods see."""

import pytest

from cloison.app import Session, load_texts
from cloison.ir.fidelity import Verdict
from cloison.report import PLAIN, render
from tests.unit.report.results import about

NODES = "---".join(
    f"""
apiVersion: v1
kind: Node
metadata: {{name: n{number}}}
status: {{addresses: [{{type: InternalIP, address: 10.1.0.{number}}}]}}
"""
    for number in (1, 2, 3)
)
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: a, labels: {{app: {name}}}}}
spec: {{{node}containers: [{{name: c, image: c}}]}}
status: {{phase: Running, podIP: {address}, conditions: [{{type: Ready, status: "True"}}]}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: a}}
spec:
  type: NodePort
  externalTrafficPolicy: {policy}
  selector: {{app: web}}
  ports: [{{port: 80, targetPort: 8080, nodePort: 30080}}]
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: web, namespace: a}}
spec: {{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{rule}]}}
"""
NOBODY = "{from: [{podSelector: {matchLabels: {app: nobody}}}]}"
CLIENT = "{from: [{podSelector: {matchLabels: {app: client}}}]}"


def read(
    rule: str, policy: str = "Cluster", node: str = "nodeName: n1, ", more: str = ""
) -> Session:
    texts = (
        NODES,
        POD.format(name="web", node=node, address="10.0.1.2"),
        POD.format(name="client", node="nodeName: n2, ", address="10.0.2.2"),
        SERVICE.format(policy=policy),
        INGRESS.format(rule=rule),
        *([more] if more else []),
    )
    return load_texts({"a.yaml": "---".join(texts)})


def block(address: str) -> str:
    return f"{{from: [{{ipBlock: {{cidr: {address}/32}}}}]}}"


@pytest.mark.parametrize(
    ("rule", "node", "verdict"),
    [
        # Elsewhere than on the node that is dialled, that node's address is seen.
        (block("10.1.0.2"), "n2", Verdict.ALLOWED),
        (block("10.1.0.2"), "n3", Verdict.DENIED),
        (block("203.0.113.9"), "n2", Verdict.DENIED),
        # On it, it is the pod's own node, or the client before its address gives way.
        (NOBODY, "n1", Verdict.UNDETERMINED),
        (block("203.0.113.9"), "n1", Verdict.ALLOWED),
    ],
)
def test_the_node_that_is_dialled_is_seen(rule: str, node: str, verdict: Verdict) -> None:
    answer = read(rule).why("203.0.113.9", f"node:{node}", port=30080)
    assert answer.verdict is verdict
    told = {each.id for each in answer.caveats}
    assert ("NODE_PORT_ORDER" in told) is (verdict is Verdict.UNDETERMINED)


def test_a_pod_that_may_be_anywhere_may_be_on_the_node() -> None:
    answer = read(NOBODY, node="").why("203.0.113.9", "node:n1", port=30080)
    assert answer.verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize(
    ("rule", "node", "verdict"),
    [
        (CLIENT, "n1", Verdict.ALLOWED),
        # Led on to every pod, or dropped on a node that has none.
        (CLIENT, "n3", Verdict.UNDETERMINED),
        (NOBODY, "n3", Verdict.DENIED),
    ],
)
def test_a_pod_calls_a_port_that_stays_on_its_node(rule: str, node: str, verdict: Verdict) -> None:
    # Pods of the node itself let it in: what is asked is of another.
    answer = read(rule, "Local").why("a/client", f"node:{node}", port=30080)
    assert answer.verdict is verdict
    told = {each.id for each in answer.caveats}
    assert ("NODE_PORT_LOCAL" in told) is (verdict is Verdict.UNDETERMINED)
    assert not any(way.stop for way in answer.ways)


def test_only_pods_of_the_node_get_what_stays_there() -> None:
    other = POD.format(name="web", node="nodeName: n2, ", address="10.0.2.3")
    other = other.replace("{name: web, namespace", "{name: other, namespace")
    session = read(block("203.0.113.9"), "Local", more=other)
    for node, pod in (("n1", "a/web"), ("n2", "a/other")):
        answer = session.why("203.0.113.9", f"node:{node}", port=30080)
        assert [case.case.destination.text for case in answer.cases] == [pod]


def test_what_leaves_the_caller_may_be_to_the_node_still() -> None:
    leaving = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: client, namespace: a}
spec:
  podSelector: {matchLabels: {app: client}}
  policyTypes: [Egress]
  egress: [{to: [PEER]}]
"""
    for peer, verdict in (
        ("{podSelector: {matchLabels: {app: web}}}", Verdict.UNDETERMINED),
        ("{podSelector: {matchLabels: {app: nobody}}}", Verdict.DENIED),
    ):
        session = read("{}", more=leaving.replace("PEER", peer))
        assert session.why("a/client", "node:n3", port=30080).verdict is verdict


def test_examples_follow_the_sentence_that_announces_them() -> None:
    session = read(block("10.1.0.2"))
    answer = session.why("203.0.113.9", "svc:a/web", port=80)
    assert answer.verdict is Verdict.MIXED
    said = "".join(render("why", answer, about(session), "text", PLAIN)).splitlines()
    place = next(number for number, line in enumerate(said) if line.endswith("For example:"))
    assert said[place + 1].startswith("  denied: ")
    assert said[place + 2].startswith("  allowed: ")
    assert said[place + 3].startswith("note: ")
