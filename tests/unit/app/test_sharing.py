"""What repeats within a load is held once."""

import tracemalloc

from cloison.algebra import NO_ADDRESSES, NO_TRAFFIC
from cloison.app import load_texts
from cloison.base import Sharing

OBJECTS = """\
apiVersion: v1
kind: Service
metadata: {{name: app-{i}, namespace: team}}
spec:
  selector: {{app: app-{i}}}
  ports: [{{port: 80, targetPort: http}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: app-{i}, namespace: team}}
spec:
  podSelector: {{matchLabels: {{app: app-{i}}}}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{{namespaceSelector: {{matchLabels: {{team: web}}}}}}]
    ports: [{{port: 8080}}]
  egress:
  - to: [{{ipBlock: {{cidr: 192.0.2.0/24, except: [192.0.2.1/32]}}}}]
---
"""
MOST_BYTES = 5_000
"""Of one Service and one policy, twice what they take; without sharing they take as much again."""


def text(count: int) -> str:
    return "".join(OBJECTS.format(i=i) for i in range(count))


def test_policies_share_the_matches_they_have_in_common() -> None:
    one, two = load_texts({"all.yaml": text(2)}).policies.policies
    assert one.isolates is two.isolates
    for first, second in zip(one.rules, two.rules, strict=True):
        assert first.peers[0].match is second.peers[0].match
        assert first.traffic is second.traffic
        assert first.span != second.span


def test_objects_share_labels_and_ports_with_one_another() -> None:
    session = load_texts({"all.yaml": text(2)})
    assert session.objects is not None
    one, two = session.objects["networkpolicy"][1]
    services = session.world.services
    assert one.pod_selector.match_labels is services["team", "app-0"].selector
    assert one.policy_types is two.policy_types
    assert one.labels is two.annotations
    assert one.egress[0].peers[0].ip_block.except_ is two.egress[0].peers[0].ip_block.except_
    assert services["team", "app-0"].ports is services["team", "app-1"].ports


def test_a_policy_stays_small() -> None:
    manifests = text(200)
    load_texts({"first.yaml": text(1)})  # tables and imports are no policy's
    tracemalloc.start()
    try:
        session = load_texts({"all.yaml": manifests})
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(session.policies.policies) == 200
    assert held / 200 < MOST_BYTES


def test_values_of_different_types_are_never_taken_for_each_other() -> None:
    share = Sharing()
    assert NO_TRAFFIC == NO_ADDRESSES
    assert share(NO_TRAFFIC) is NO_TRAFFIC
    assert share(NO_ADDRESSES) is NO_ADDRESSES
