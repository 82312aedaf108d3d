"""Reading: null, absent, empty, old versions, and what has no business there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloison.base import Severity
from cloison.dialects import completed
from cloison.dialects.networkpolicy.decode import decode
from cloison.dialects.networkpolicy.model import LabelSelector, NetworkPolicyRule
from cloison.resources.documents import Document, Node
from cloison.resources.options import ReadOptions
from tests.support.documents import document
from tests.unit.dialects.helpers import HEAD, errors, options, policy, port, read


def test_absent_null_and_empty_are_kept_apart_where_authors_mean_something() -> None:
    assert policy("{}").egress is None
    assert policy("{egress: null}").egress is None
    assert policy("{egress: []}").egress == ()
    assert policy("{}").pod_selector is None
    assert policy("{podSelector: {}}").pod_selector == LabelSelector()
    assert policy("{podSelector: {matchLabels: null}}").pod_selector == LabelSelector()


def test_a_null_item_is_an_empty_item() -> None:
    assert policy("{ingress: [null]}").ingress == (NetworkPolicyRule(),)


def test_a_null_label_value_is_the_empty_text() -> None:
    found = policy("{podSelector: {matchLabels: {a: null}}}").pod_selector
    assert found == LabelSelector({"a": ""})


def test_the_namespace_comes_from_the_options_when_none_is_written() -> None:
    text = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n"
    found, _ = decode(document(text), ReadOptions(namespace="shop"))
    assert found is not None
    assert found.namespace == "shop"
    assert str(found) == "NetworkPolicy shop/p"


def test_objects_with_the_same_prefix_for_a_name_stay_two() -> None:
    text = HEAD.replace("name: p", "generateName: p-")
    found, _ = decode(document(f"\n{text}", "b.yaml"), options())
    other, _ = decode(document(text, "a.yaml"), options())
    assert found is not None
    assert other is not None
    assert found.name.startswith("p-*")
    assert found.name != other.name


def test_a_version_long_gone_is_read_with_a_warning() -> None:
    old = HEAD.replace("networking.k8s.io/v1", "extensions/v1beta1")
    found, diagnostics = decode(document(old + "spec: {egress: [{}]}\n"), options())
    assert found is not None
    assert found.egress == (NetworkPolicyRule(),)
    assert [d.severity for d in diagnostics] == [Severity.WARNING]
    assert "networking.k8s.io/v1" in (diagnostics[0].help or "")
    assert decode(document(old), options("1.15"))[1] == []


def test_a_version_that_never_was_is_refused() -> None:
    odd = HEAD.replace("networking.k8s.io/v1", "networking.k8s.io/v1beta1")
    found, diagnostics = decode(document(odd), options())
    assert found is None
    assert errors(diagnostics)


def test_an_item_of_a_typed_list_is_told_what_it_is() -> None:
    item = Document("l.yaml", document("metadata: {name: p}\n").root)
    told = completed(item, "networking.k8s.io/v1", "NetworkPolicy")
    assert told.root.plain() == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p"},
    }
    assert completed(told, "v1", "Pod") is told
    assert decode(told, options())[0] is not None


@pytest.mark.parametrize(
    "spec",
    [
        *("[]", "text", "{ingress: {}}", "{ingress: text}", "{ingress: [text]}"),
        *("{ingress: [{from: {}}]}", "{ingress: [{from: [5]}]}", "{podSelector: []}"),
        *("{podSelector: {matchLabels: {a: 1}}}", "{podSelector: {matchLabels: [a]}}"),
        *("{podSelector: {matchExpressions: {}}}", "{policyTypes: Ingress}", "{policyTypes: [1]}"),
        *(port("{port: true}"), port("{port: 80.5}"), port("{port: []}"), port("80")),
        *(port("{port: 80, endPort: http}"), port("{protocol: 6}"), port("{port: 99999999999}")),
        "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: 10.1.0.0/16}}]}]}",
        "{ingress: [{from: [{ipBlock: 10.0.0.0/8}]}]}",
    ],
)
def test_a_wrong_type_refuses_the_object_and_says_where(spec: str) -> None:
    found, diagnostics = read(spec)
    assert found is None
    assert errors(diagnostics)
    assert all(d.span is not None and d.span.line == 4 for d in diagnostics)


_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70000),
    st.floats(allow_nan=False),
    st.sampled_from(["", "a", "http", "10.0.0.0/8", "Ingress", "In", "TCP"]),
)
_KEYS = (
    *("spec", "podSelector", "ingress", "egress", "from", "to", "ports", "port", "endPort"),
    *("protocol", "ipBlock", "cidr", "except", "namespaceSelector", "matchLabels"),
    *("matchExpressions", "key", "operator", "values", "policyTypes", "metadata", "name"),
)


def _node(value: object) -> Node:
    if isinstance(value, dict):
        return Node({k: _node(v) for k, v in value.items()}, 1, 1)
    if isinstance(value, list):
        return Node([_node(v) for v in value], 1, 1)
    assert value is None or isinstance(value, str | int | float)
    return Node(value, 1, 1)


_trees = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    ),
    max_leaves=12,
)


@given(st.fixed_dictionaries({"metadata": _trees, "spec": _trees}))
def test_any_tree_gives_a_policy_or_a_reason(tree: dict[str, object]) -> None:
    kinded = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"} | tree
    found, diagnostics = decode(Document("t.yaml", _node(kinded)), options())
    assert found is not None or errors(diagnostics)
