"""What is written is read back as the same policy."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cloison.dialects.networkpolicy import model
from cloison.dialects.networkpolicy.decode import decode
from cloison.dialects.networkpolicy.write import plain_to_yaml, to_dict, to_yaml
from tests.support.documents import document
from tests.unit.dialects.helpers import options, policy

words = st.one_of(
    st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?", fullmatch=True),
    st.sampled_from(["y", "no", "On", "null", "1e3", "0o17", "08", "0x1f", "1_000", "2020-01-01"]),
)
keys = st.one_of(words, st.builds("{}/{}".format, st.sampled_from(["a.b", "x"]), words))
requirements = st.one_of(
    st.builds(
        model.LabelSelectorRequirement,
        keys,
        st.sampled_from(["In", "NotIn"]),
        st.lists(st.one_of(words, st.just("")), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(model.LabelSelectorRequirement, keys, st.sampled_from(["Exists", "DoesNotExist"])),
)
labels = st.dictionaries(keys, st.one_of(words, st.just("")), max_size=3)
selectors = st.builds(model.LabelSelector, labels, st.lists(requirements, max_size=2).map(tuple))
blocks = st.sampled_from(
    [
        model.IPBlock("10.0.0.0/8"),
        model.IPBlock("0.0.0.0/0", ("10.0.0.0/8", "192.168.0.0/16")),
        model.IPBlock("::/0", ("fd00::/8",)),
        model.IPBlock("010.1.2.3/8"),
    ]
)
peers = st.one_of(
    st.builds(model.NetworkPolicyPeer, selectors),
    st.builds(model.NetworkPolicyPeer, st.none(), selectors),
    st.builds(model.NetworkPolicyPeer, selectors, selectors),
    st.builds(model.NetworkPolicyPeer, st.none(), st.none(), blocks),
)
protocols = st.sampled_from([None, "TCP", "UDP", "SCTP"])
ports = st.one_of(
    st.builds(model.NetworkPolicyPort, protocols),
    st.builds(model.NetworkPolicyPort, protocols, st.sampled_from(["http", "on", "e1", "0x1f"])),
    st.builds(model.NetworkPolicyPort, protocols, st.integers(1, 65535)),
    st.builds(model.NetworkPolicyPort, protocols, st.integers(1, 80), st.integers(80, 65535)),
)


def lists(items: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(st.none(), st.lists(items, max_size=2).map(tuple))


rules = st.builds(model.NetworkPolicyRule, lists(peers), lists(ports))
policies = st.builds(
    model.NetworkPolicy,
    namespace=st.sampled_from(["x", "on", "123"]),
    name=st.sampled_from(["p", "no", "1e3", "a.b"]),
    pod_selector=st.one_of(st.none(), selectors),
    policy_types=st.sampled_from([None, (), ("Ingress",), ("Egress",), ("Ingress", "Egress")]),
    ingress=lists(rules),
    egress=lists(rules),
    labels=labels,
    annotations=st.dictionaries(words, st.text(max_size=12), max_size=2),
)


@given(policies)
def test_round_trip(written: model.NetworkPolicy) -> None:
    text = to_yaml(written)
    found, diagnostics = decode(document(text), options())
    assert found == written, (text, diagnostics)
    assert to_yaml(found) == text
    assert yaml.safe_load(text) is not None


@given(policies)
def test_the_text_and_the_plain_values_agree(written: model.NetworkPolicy) -> None:
    assert document(to_yaml(written)).root.plain() == to_dict(written)


def test_what_it_looks_like() -> None:
    found = policy(
        "{podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress], ingress: [{ports: "
        "[{port: 8080, protocol: TCP}], from: [{podSelector: {matchLabels: {app: web}}, "
        "namespaceSelector: {matchLabels: {team: 'on'}}}, {ipBlock: {cidr: 10.0.0.0/8}}]}]}",
        name="api",
    )
    assert (
        to_yaml(found)
        == """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: api
  namespace: x
spec:
  podSelector:
    matchLabels:
      app: api
  policyTypes:
  - Ingress
  ingress:
  - from:
    - namespaceSelector:
        matchLabels:
          team: "on"
      podSelector:
        matchLabels:
          app: web
    - ipBlock:
        cidr: 10.0.0.0/8
    ports:
    - protocol: TCP
      port: 8080
"""
    )


@pytest.mark.parametrize(
    "text", ["y", "NO", "1e3", "08", "0o17", "12:30", "=", "<<", "~", "", "a: b"]
)
def test_what_a_reader_could_mistake_is_quoted(text: str) -> None:
    assert plain_to_yaml({"k": text}) == f'k: "{text}"\n'


def test_order_of_labels_does_not_show() -> None:
    one = model.NetworkPolicy("x", "p", model.LabelSelector({"a": "1", "b": "2"}))
    two = model.NetworkPolicy("x", "p", model.LabelSelector({"b": "2", "a": "1"}))
    assert to_yaml(one) == to_yaml(two)
