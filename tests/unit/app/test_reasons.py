"""What answers say of what is not known, and of what was refused."""

import pytest

from cloison.app import load_texts
from cloison.base import UnknownEndpointError
from cloison.ir.fidelity import Verdict

WORLD = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x, labels: {app: a}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: odd, namespace: x, labels: {on: true}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: x}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to: [{ipBlock: {cidr: 0.0.0.0/0}}]
"""


def test_a_name_whose_family_alone_is_open_says_so() -> None:
    session = load_texts({"a.yaml": WORLD})
    answer = session.why("x/a", "dns:x.example.com", port=443)
    assert answer.verdict is Verdict.UNDETERMINED
    (note,) = [each for each in answer.notes if "--family" in each]
    assert "over IPv4 allowed and over IPv6 denied" in note
    one = session.why("x/a", "dns:x.example.com", port=443, family=4)
    assert not any("--family" in each for each in one.notes)


@pytest.mark.parametrize("name", ["x/odd", "x/pod/odd"])
def test_what_was_refused_is_pointed_at(name: str) -> None:
    session = load_texts({"a.yaml": WORLD})
    with pytest.raises(UnknownEndpointError) as raised:
        session.why("x/a", name, port=80)
    assert "Pod x/odd was refused at a.yaml" in str(raised.value.help)
    with pytest.raises(UnknownEndpointError) as raised:
        session.why("x/a", "x/nobody", port=80)
    assert "refused" not in str(raised.value.help)
