"""Where pod addresses come from, by what the input says, and what verdicts make of it."""

from typing import Any

import pytest

from cloison.app import Session, load_texts
from cloison.ir.fidelity import Verdict

NODES = """
apiVersion: v1
kind: Node
metadata: {name: n1}
spec: {podCIDR: 10.244.1.0/24, podCIDRs: [10.244.1.0/24]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
spec: {podCIDR: 10.244.2.0/24, podCIDRs: [10.244.2.0/24]}
"""
WORLD = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x, labels: {app: a}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: x, labels: {app: b}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: x}
spec:
  podSelector: {matchLabels: {app: a}}
  policyTypes: [Egress]
  egress:
  - to: [{ipBlock: BLOCK}]
"""
KUBEADM = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kubeadm-config, namespace: kube-system}
data:
  ClusterConfiguration: |
    networking:
      podSubnet: 10.244.0.0/16
"""
CONTROLLER = """
apiVersion: v1
kind: Pod
metadata: {name: kube-controller-manager-n1, namespace: kube-system}
spec:
  hostNetwork: true
  containers:
  - name: kube-controller-manager
    image: registry.k8s.io/kube-controller-manager:v1.35.0
    command: [kube-controller-manager, --cluster-cidr=10.244.0.0/16]
"""
FLANNEL = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-flannel-cfg, namespace: kube-flannel}
data:
  net-conf.json: '{"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}'
"""
POOL = """
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: default-ipv4-ippool}
spec: {cidr: 10.244.0.0/16}
"""
OPENSHIFT = """
apiVersion: config.openshift.io/v1
kind: Network
metadata: {name: cluster}
spec: {networkType: OVNKubernetes, clusterNetwork: [{cidr: 10.244.0.0/16, hostPrefix: 23}]}
"""
CILIUM = """
apiVersion: v1
kind: ConfigMap
metadata: {name: cilium-config, namespace: kube-system}
data: {ipam: MODE, cluster-pool-ipv4-cidr: 10.244.0.0/16}
"""
INTERNET = "{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}"


def read(*more: str, block: str = INTERNET, **said: Any) -> Session:
    """Read a cluster of two pods, one of which may go to a block only."""
    text = "\n---\n".join((WORLD.replace("BLOCK", block), *more))
    return load_texts({"a.yaml": text}, **said)


@pytest.mark.parametrize(
    "said", [KUBEADM, CONTROLLER, FLANNEL, POOL, OPENSHIFT, CILIUM.replace("MODE", "cluster-pool")]
)
def test_what_the_cluster_hands_out_is_known(said: str) -> None:
    session = read(NODES, said)
    assert session.settings.pod_cidrs == ("10.244.0.0/16",)
    assert session.settings.pod_cidrs_from
    if session.profile.block_matches_pods:
        assert session.why("x/a", "x/b", port=443).verdict is Verdict.DENIED


@pytest.mark.parametrize(
    ("block", "verdict"),
    [
        (INTERNET, Verdict.UNDETERMINED),
        ("{cidr: 10.0.0.0/8}", Verdict.UNDETERMINED),
        ("{cidr: 10.244.1.0/24}", Verdict.UNDETERMINED),
        ("{cidr: 0.0.0.0/0, except: [192.168.0.0/16]}", Verdict.ALLOWED),
        ("{cidr: 192.168.0.0/16}", Verdict.DENIED),
    ],
)
def test_nodes_leave_open_where_pods_of_others_are(block: str, verdict: Verdict) -> None:
    session = read(NODES, block=block)
    assert (session.settings.pod_cidrs, len(session.settings.likely_pods)) == ((), 2)
    answer = session.why("x/a", "x/b", port=443)
    assert answer.verdict is verdict
    ids = {each.id for each in answer.caveats}
    assert ("POD_RANGE_LIKELY" in ids) == (verdict is Verdict.UNDETERMINED)


def test_what_somebody_says_counts_for_more() -> None:
    session = read(NODES, KUBEADM, pod_cidrs=("172.16.0.0/16",))
    assert session.settings.pod_cidrs == ("172.16.0.0/16",)
    assert session.why("x/a", "x/b", port=443).verdict is Verdict.ALLOWED


@pytest.mark.parametrize("mode", ["cluster-pool", "eni"])
def test_a_plugin_with_addresses_of_its_own_takes_none_of_the_nodes(mode: str) -> None:
    said = CILIUM.replace("MODE", mode).replace("cluster-pool-ipv4-cidr: 10.244.0.0/16", "x: y")
    settings = read(NODES, KUBEADM, said).settings
    assert (settings.pod_cidrs, settings.likely_pods) == ((), ())


def test_cilium_may_take_those_of_the_nodes() -> None:
    settings = read(NODES, KUBEADM, CILIUM.replace("MODE", "kubernetes")).settings
    assert settings.pod_cidrs == ("10.244.0.0/16",)


def test_what_is_no_block_tells_nothing() -> None:
    odd = KUBEADM.replace("10.244.0.0/16", "10.244.0.0/77")
    assert read(odd).settings.pod_cidrs == ()
