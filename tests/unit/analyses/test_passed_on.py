"""What nodes pass on to pods has the address of one of them: all of them are judged."""

import pytest

from cloison.app import Session, load_texts
from cloison.ir.fidelity import Verdict

PLACED = """
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: a, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, image: c}]}
status: {phase: Running, podIP: 10.0.0.2, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: a}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""


def node(name: str, address: str | None) -> str:
    status = f"status: {{addresses: [{{type: InternalIP, address: {address}}}]}}"
    return f"""
apiVersion: v1
kind: Node
metadata: {{name: {name}}}
{status if address else ""}
"""


def read(block: str, *nodes: str, profile: str = "generic") -> Session:
    policy = f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: web, namespace: a}}
spec: {{podSelector: {{}}, ingress: [{{from: [{{ipBlock: {{cidr: {block}}}}}]}}]}}
"""
    return load_texts({"a.yaml": "---\n".join((PLACED, policy, *nodes))}, profile=profile)


N1, N2 = node("n1", "10.1.0.1"), node("n2", "10.1.0.2")


@pytest.mark.parametrize(
    ("block", "verdict", "witnesses"),
    [
        ("10.1.0.0/24", Verdict.ALLOWED, ()),
        ("10.9.0.0/24", Verdict.DENIED, ()),
        ("10.1.0.2/32", Verdict.MIXED, ("n1", "n2")),
    ],
)
def test_every_node_of_the_input_is_judged(
    block: str, verdict: Verdict, witnesses: tuple[str, ...]
) -> None:
    answer = read(block, N1, N2).why("203.0.113.7", "svc:a/web", port=80)
    assert answer.verdict is verdict
    assert tuple(each.source.split()[-1] for each in answer.witnesses) == witnesses
    told = {each.id for each in answer.caveats}
    assert {"SNAT", "OVERLAY_SOURCE"} <= told
    assert "NODE_ADDRESS_UNKNOWN" not in told


def test_a_node_without_an_address_leaves_it_open_which_address_is_seen() -> None:
    answer = read("10.1.0.0/24", N1, node("n2", None)).why("203.0.113.7", "svc:a/web", port=80)
    assert "NODE_ADDRESS_UNKNOWN" in {each.id for each in answer.caveats}


def test_blocks_that_match_no_nodes_do_not_match_what_they_pass_on() -> None:
    session = read("10.1.0.0/24", N1, N2, profile="cilium@1.19")
    answer = session.why("203.0.113.7", "svc:a/web", port=80)
    assert answer.verdict is Verdict.DENIED


def test_a_mend_admits_every_node() -> None:
    (mend,) = read("10.9.0.0/24", N1, N2).why("203.0.113.7", "svc:a/web", port=80).mend
    assert "10.1.0.1/32" in mend.lines
    assert "10.1.0.2/32" in mend.lines
