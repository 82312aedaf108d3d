"""Address families: what is known of a flow's family counts, and edges carry their caveats."""

import pytest

from cloison.app import Session, load_texts
from cloison.base import QuestionError
from cloison.ir.fidelity import Verdict

TEMPLATE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: t, namespace: b}
spec: {selector: {matchLabels: {app: t}}, template: {metadata: {labels: {app: t}}, spec: {}}}
---
apiVersion: v1
kind: Pod
metadata: {name: x, namespace: a, labels: {app: x}}
spec: {}
status: {podIP: 10.2.1.1, phase: Running}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: a}
spec:
  podSelector: {}
  ingress: [{from: [{ipBlock: {cidr: "CIDR"}}]}]
"""


def world(cidr: str) -> Session:
    return load_texts({"world.yaml": TEMPLATE.replace("CIDR", cidr)})


def test_a_block_of_the_other_family_admits_nobody_without_an_address() -> None:
    assert world("0.0.0.0/0").why("b/t", "a/x:80").verdict is Verdict.ALLOWED
    assert world("::/0").why("b/t", "a/x:80").verdict is Verdict.DENIED
    assert world("::/0").verdict("b/t", "a/x:80") is Verdict.DENIED


def test_a_family_that_an_end_lacks_cannot_be_asked_for() -> None:
    with pytest.raises(QuestionError, match="IPv6"):
        world("::/0").why("b/t", "a/x:80", family=6)


def test_policy_is_told_for_both_families_of_the_outside() -> None:
    ranges = [
        list(edge.src.addresses.ranges())
        for edge in world("2001:db8::/32").map()
        if edge.src.addresses is not None and edge.dst.name == "x"
    ]
    assert ranges == [["2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"]]


@pytest.mark.parametrize("name", ["a-twin", "z-twin"])
def test_what_is_told_of_a_pod_does_not_depend_on_a_twin_of_two_families(name: str) -> None:
    twin = f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: a, labels: {{app: x}}}}
spec: {{}}
status: {{podIPs: [{{ip: 10.2.1.2}}, {{ip: "2001:db8:1::2"}}], phase: Running}}
"""
    texts = {"world.yaml": TEMPLATE.replace("CIDR", "2001:db8::/32"), "twin.yaml": twin}
    ranges = [
        list(edge.src.addresses.ranges())
        for edge in load_texts(texts).map()
        if edge.src.addresses is not None and edge.dst.name == "x"
    ]
    assert ranges == [["2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"]]


def test_edges_say_that_an_address_was_taken_for_granted() -> None:
    session = world("0.0.0.0/0")
    (edge,) = (e for e in session.map() if (e.src.name, e.dst.name) == ("t", "x"))
    carried = {c.id for c in edge.caveats}
    assert carried == {"CNI_IPBLOCK_POD", "POD_ADDRESS_UNKNOWN"}
    assert carried == {c.id for c in session.why("b/t", "a/x:80").caveats}
