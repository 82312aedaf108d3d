"""A candidate as the whole set of policies: what else the source holds stays."""

from pathlib import Path

import cloison

BASE = """
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: shop, labels: {app: one}}
spec: {containers: [{name: c, image: example.org/c}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: old, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: old}
spec: {selector: all(), types: [Ingress]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata: {name: partners, labels: {who: partner}}
spec: {nets: [203.0.113.0/24]}
---
apiVersion: projectcalico.org/v3
kind: Tier
metadata: {name: platform}
spec: {order: 10}
"""
NEW = """
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: platform.new}
spec:
  tier: platform
  order: 1
  selector: all()
  types: [Egress]
  egress: [{action: Allow, destination: {selector: who == 'partner'}}]
"""


def written(home: Path, name: str, text: str) -> str:
    path = home / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_policies_go_and_what_they_refer_to_stays(tmp_path: Path) -> None:
    base, new = written(tmp_path, "base.yaml", BASE), written(tmp_path, "new.yaml", NEW)
    before, after = cloison.what_if(base, apply=[new], whole=True, profile="calico@3.32")
    assert {str(each.id) for each in before.policies.policies} == {"shop/old", "old"}
    assert {str(each.id) for each in after.policies.policies} == {"platform.new"}
    assert after.world.workloads.keys() == before.world.workloads.keys()
    assert str(after.verdict("shop/one", "203.0.113.9", port=443)) == "allowed"
    assert str(after.verdict("shop/one", "198.51.100.9", port=443)) == "denied"


def test_an_overlay_keeps_the_others(tmp_path: Path) -> None:
    base, new = written(tmp_path, "base.yaml", BASE), written(tmp_path, "new.yaml", NEW)
    _, after = cloison.what_if(base, apply=[new], profile="calico@3.32")
    names = {str(each.id) for each in after.policies.policies}
    assert names == {"shop/old", "old", "platform.new"}
