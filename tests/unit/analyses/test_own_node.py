"""A cache for names on the own node: an address to some enforcers, and the node to others."""

import pytest

from cloison.app import Session, load_texts
from cloison.app.doctor import doctor
from cloison.ir.fidelity import Verdict

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
spec: {podCIDRs: [10.42.0.0/24]}
status: {addresses: [{type: InternalIP, address: 192.168.1.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {%s containers: [{name: c, image: example/c}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kubelet-config, namespace: kube-system}
data: {kubelet: "clusterDNS: [169.254.20.10]"}
---
"""
CIDR = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: dns, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to: [{ipBlock: {cidr: 169.254.20.10/32}}]
      ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
"""
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: dns, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress]}
"""
HOST = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: dns, namespace: shop}
spec:
  endpointSelector: {}
  egress: [{toEntities: [host], toPorts: [{ports: [{port: "53", protocol: ANY}]}]}]
"""
LOOKUP = ("shop/web", "169.254.20.10")


def session(policy: str, cni: str, spec: str = "", **cilium: str) -> Session:
    return load_texts({"all.yaml": WORLD % spec + policy}, profile=cni, cilium=cilium)


@pytest.mark.parametrize("spec", ["", "nodeName: n1,"])
@pytest.mark.parametrize(
    ("cni", "by_block", "closed"),
    [
        ("generic", Verdict.ALLOWED, Verdict.DENIED),
        ("calico@3.32", Verdict.ALLOWED, Verdict.DENIED),
        ("kube-router", Verdict.ALLOWED, Verdict.DENIED),
        # Its agents let the node's own address through, and no other that it has.
        ("aws-vpc-cni", Verdict.ALLOWED, Verdict.DENIED),
        # Its chain is in the path of what is forwarded: what ends at the node passes it by.
        ("azure-npm", Verdict.ALLOWED, Verdict.ALLOWED),
        ("cilium@1.19", Verdict.DENIED, Verdict.DENIED),
    ],
)
def test_what_a_cache_on_the_node_is_to_enforcers(
    cni: str, by_block: Verdict, closed: Verdict, spec: str
) -> None:
    assert session(CIDR, cni, spec).why(*LOOKUP, port="53/UDP").verdict is by_block
    assert session(DENY, cni, spec).why(*LOOKUP, port="53/UDP").verdict is closed


@pytest.mark.parametrize("spec", ["", "nodeName: n1,"])
def test_to_cilium_it_is_the_host(spec: str) -> None:
    there = session(HOST, "cilium@1.19", spec)
    assert there.why(*LOOKUP, port="53/UDP").verdict is Verdict.ALLOWED
    assert there.why(*LOOKUP, port="80").verdict is Verdict.DENIED
    assert not doctor(there)
    other = session(HOST.replace("[host]", "[remote-node]"), "cilium@1.19", spec)
    assert other.why(*LOOKUP, port="53/UDP").verdict is Verdict.DENIED


def test_blocks_may_be_set_to_match_nodes_under_cilium() -> None:
    there = session(CIDR, "cilium@1.19", **{"policy-cidr-match-mode": "nodes"})
    assert there.why(*LOOKUP, port="53/UDP").verdict is Verdict.ALLOWED


def test_what_an_answer_stands_on_that_goes_by_the_address() -> None:
    by_block = session(CIDR, "generic").why(*LOOKUP, port="53/UDP")
    assert [each.id for each in by_block.caveats] == ["CNI_IPBLOCK_NODE"]
    closed = session(DENY, "generic").why(*LOOKUP, port="53/UDP")
    assert [each.id for each in closed.caveats] == ["OWN_NODE_EGRESS"]
    calico = session(CIDR, "calico@3.32").why(*LOOKUP, port="53/UDP")
    assert "ENDPOINT_TO_HOST" in [each.id for each in calico.caveats]


def test_the_doctor_proposes_the_address_and_the_node() -> None:
    shut = HOST.replace("host", "remote-node")
    (found,) = doctor(session(shut, "cilium@1.19"))
    assert found.code == "DNS001"
    (mend,) = found.mend
    assert "169.254.20.10/32" in mend.manifest
    assert "- host\n" in mend.manifest
    (plain,) = doctor(session(DENY, "calico@3.32"))
    assert "169.254.20.10/32" in plain.mend[0].manifest
    assert "select" in plain.help


def test_other_addresses_on_the_link_are_no_node() -> None:
    there = session(HOST, "cilium@1.19")
    assert there.why("shop/web", "169.254.9.9", port="53/UDP").verdict is Verdict.DENIED


INGRESS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: in, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
  ingress: [{from: [%s]}]
---
"""
HOSTED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: agent, namespace: shop}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {hostNetwork: true, containers: [{name: c, image: example/c}]}
---
"""
N2 = """
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: %s}]}
---
"""


@pytest.mark.parametrize(
    ("blocks", "other", "verdict"),
    [
        (("192.168.1.0/24",), "192.168.1.2", Verdict.ALLOWED),
        (("192.168.1.1/32", "192.168.1.2/32"), "192.168.1.2", Verdict.ALLOWED),
        (("192.168.1.1/32",), "192.168.1.2", Verdict.UNDETERMINED),
        (("10.0.0.0/8",), "192.168.1.2", Verdict.DENIED),
        (("0.0.0.0/0",), "192.168.1.2", Verdict.ALLOWED),
    ],
)
def test_who_is_on_some_node_has_the_address_of_one(
    blocks: tuple[str, ...], other: str, verdict: Verdict
) -> None:
    peers = ", ".join(f"{{ipBlock: {{cidr: {each}}}}}" for each in blocks)
    text = WORLD % "nodeName: n1," + HOSTED + N2 % other + INGRESS % peers
    nodes = ("192.168.1.1/32", f"{other}/32")
    session = load_texts({"all.yaml": text}, profile="kube-router", node_cidrs=nodes)
    answer = session.why("shop/agent", "shop/web")
    told = {each.id for each in answer.caveats}
    # The pod's own node gets in whatever rules say, so that denial stays open.
    wanted = Verdict.UNDETERMINED if verdict is Verdict.DENIED else verdict
    assert answer.verdict is wanted
    assert ("NODE_ADDRESS_UNKNOWN" in told) is (blocks == ("192.168.1.1/32",))
