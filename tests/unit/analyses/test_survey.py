"""The map where the pods of one workload differ."""

from cloison.algebra import TrafficSet
from cloison.app import load_texts

SOURCE = """
apiVersion: v1
kind: Pod
metadata: {name: caller, namespace: x, labels: {role: caller}}
spec: {nodeName: n1, containers: [{name: c, image: example/c:1}]}
status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}]}
"""


def replica(owner: str, number: int, kind: str, address: str) -> str:
    return f"""---
apiVersion: v1
kind: Pod
metadata:
  name: {owner}-{number}
  namespace: x
  labels: {{kind: {kind}}}
  ownerReferences:
    - {{apiVersion: apps/v1, kind: StatefulSet, name: {owner}, uid: {owner}, controller: true}}
spec: {{nodeName: n1, containers: [{{name: c, image: example/c:1}}]}}
status: {{phase: Running, podIP: {address}, podIPs: [{{ip: {address}}}]}}
"""


def policy(kind: str, *ports: int) -> str:
    listed = ", ".join(f"{{port: {port}}}" for port in ports)
    return f"""---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {kind}, namespace: x}}
spec:
  podSelector: {{matchLabels: {{kind: {kind}}}}}
  ingress:
    - from: [{{podSelector: {{matchLabels: {{role: caller}}}}}}]
      ports: [{listed}]
"""


def test_a_workload_keeps_its_edge_when_its_pods_equal_another_in_traffic() -> None:
    text = "".join(
        [
            SOURCE,
            replica("first", 0, "a", "10.0.0.2"),
            replica("first", 1, "c", "10.0.0.3"),
            replica("second", 0, "b", "10.0.0.4"),
            replica("second", 1, "c", "10.0.0.5"),
            policy("a", 80),
            policy("b", 80, 443),
            policy("c", 443),
        ]
    )
    found = load_texts({"x.yaml": text}).map()
    (caller,) = (place for place, end in enumerate(found.ends) if end.name == "caller")
    ((passage, places),) = found.rows[caller].items()
    assert {found.ends[place].name for place in places} == {"first", "second"}
    tcp = {port for port in (80, 443, 8080) if TrafficSet.ports("TCP", port) <= passage.allowed}
    assert tcp == {80, 443}
