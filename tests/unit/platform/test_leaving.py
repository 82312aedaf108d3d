"""Nodes that traffic leaves the cluster by."""

from cloison.app import load_texts
from cloison.platform.routes.leaving import leaving

WORLD = """
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {egress: "yes"}}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
---
apiVersion: v1
kind: Namespace
metadata: {name: pay, labels: {team: pay}}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: pay, labels: {app: api}}
spec: {containers: [{name: c, image: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: host, namespace: pay, labels: {app: api}}
spec: {hostNetwork: true, containers: [{name: c, image: c}]}
---
apiVersion: cilium.io/v2
kind: CiliumEgressGatewayPolicy
metadata: {name: crm}
spec:
  selectors:
  - podSelector: {matchLabels: {app: api}}
    namespaceSelector: {matchLabels: {team: pay}}
  destinationCIDRs: ["203.0.113.0/24"]
  excludedCIDRs: ["203.0.113.8/29"]
  egressGateway: {nodeSelector: {matchLabels: {egress: "yes"}}, egressIP: 192.0.2.9}
"""


def test_a_gateway_takes_the_traffic_of_pods_that_it_selects() -> None:
    world = load_texts({"a.yaml": WORLD}).world
    (found,) = leaving(world)
    assert (found.nodes, found.addresses) == (("n1",), ("192.0.2.9",))
    assert found.seen == "seen outside as 192.0.2.9"
    assert str(found.destinations) == "203.0.113.0/29, 203.0.113.16-203.0.113.255"
    taken = {
        endpoint.name: found.takes(world, endpoint)
        for workload in world.workloads.values()
        for endpoint in workload.endpoints
    }
    assert taken == {"pay/api": True, "pay/host": False}


def test_a_way_says_where_it_leaves() -> None:
    session = load_texts({"a.yaml": WORLD}, names={"crm.example": ("203.0.113.20",)})
    answer = session.why("pay/api", "dns:crm.example", port=443)
    *_, last = answer.ways[0].hops
    assert last.why == (
        "CiliumEgressGatewayPolicy crm leads it out through node n1, seen outside as 192.0.2.9",
    )
    unknown = session.why("pay/api", "dns:other.example", port=443).ways[0].hops[-1]
    assert "may lead it out" in unknown.why[0]


def test_selectors_see_what_cilium_adds_to_labels_of_pods() -> None:
    added = (
        "{app: api, io.kubernetes.pod.namespace: pay, "
        "io.cilium.k8s.policy.serviceaccount: default, io.cilium.k8s.namespace.labels.team: pay}"
    )
    other = added.replace("namespace: pay", "namespace: other")
    for labels, taken in ((added, True), (other, False)):
        text = WORLD.replace("matchLabels: {app: api}", f"matchLabels: {labels}")
        world = load_texts({"a.yaml": text}).world
        (found,) = leaving(world)
        pods = (e for w in world.workloads.values() for e in w.endpoints if e.name == "pay/api")
        assert [found.takes(world, each) for each in pods] == [taken]


def test_a_way_to_an_address_says_where_it_leaves() -> None:
    session = load_texts({"a.yaml": WORLD})
    (way,) = session.why("pay/api", "203.0.113.20", port=443).ways
    assert way.hops[0].why == (
        "CiliumEgressGatewayPolicy crm leads it out through node n1, seen outside as 192.0.2.9",
    )
    assert session.why("pay/api", "203.0.113.9", port=443).ways == ()
    assert session.why("pay/host", "203.0.113.20", port=443).ways == ()
