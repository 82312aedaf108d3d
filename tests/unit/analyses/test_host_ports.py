"""Ports of a node that lead to a pod: an answer about the node says that it may be the pod's."""

import pytest

from cloison.app import Session, load_texts

CLUSTER = """
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: taker, namespace: x}
spec:
  nodeName: n1
  containers: [{name: c, ports: [{containerPort: 80, hostPort: 8080}, {containerPort: 81}]}]
  initContainers: [{name: i, ports: [{containerPort: 82, hostPort: 8082}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: host, namespace: x}
spec:
  nodeName: n2
  hostNetwork: true
  containers: [{name: c, ports: [{containerPort: 9000, hostPort: 9000}]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: anywhere, namespace: x}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: c, ports: [{containerPort: 53, hostPort: 53, protocol: UDP}]}]}
"""


@pytest.fixture(scope="module")
def session() -> Session:
    return load_texts({"cluster.yaml": CLUSTER})


@pytest.mark.parametrize(
    ("node", "protocol", "port", "expected"),
    [
        ("n1", "TCP", 8080, True),
        ("n1", "TCP", None, True),
        ("n2", "TCP", 8080, False),
        ("n1", "UDP", 8080, False),
        ("n1", "TCP", 80, False),
        ("n1", "TCP", 8082, False),
        ("n2", "TCP", 9000, False),
        ("n1", "UDP", 53, True),
        ("n2", "UDP", 53, True),
    ],
)
def test_a_port_that_a_pod_takes_is_told(
    session: Session, node: str, protocol: str, port: int | None, *, expected: bool
) -> None:
    answer = session.why("203.0.113.9", f"node:{node}", port=port, protocol=protocol)
    assert ("HOST_PORT" in {each.id for each in answer.caveats}) is expected


def test_what_a_node_sends_has_nothing_to_do_with_it(session: Session) -> None:
    answer = session.why("node:n1", "x/taker", port=8080)
    assert "HOST_PORT" not in {each.id for each in answer.caveats}
