"""Whatever an object holds, reading it ends in diagnostics and never in an exception."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cloison.resources.decode import decode, decode_raw
from cloison.resources.documents import Document, Node, Value
from cloison.resources.inventory import Inventory
from cloison.resources.kinds import KINDS
from cloison.resources.schema import schema
from tests.unit.resources.loading import OPTIONS, raw_of

TYPES = ("Pod", "PodSpec", "ObjectMeta", "Container", "ServiceSpec", "PodStatus", "NodeStatus")
FIELDS = {field for name in TYPES for field in schema().types[name].fields}
WORDS = sorted(FIELDS | {"jobTemplate", "template", "replicas", "conditions", "addresses"})
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["web", "10.0.0.1", "TCP", "True", "Job"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=3)), inner, max_size=4),
    ),
    max_leaves=12,
)
KIND = st.sampled_from([*KINDS, ("example.com/v1", "Own"), ("v1", "Secret"), ("apps/v1", "Pod")])
BODY = st.dictionaries(
    st.sampled_from(["spec", "status", "metadata", "endpoints", "ports"]), VALUES, max_size=4
)


def to_node(value: Any) -> Node:
    """Return plain values as nodes."""
    held: Value = value
    if isinstance(value, dict):
        held = {key: to_node(inner) for key, inner in value.items()}
    elif isinstance(value, list):
        held = [to_node(inner) for inner in value]
    return Node(held, 1, 1)


@settings(max_examples=300, deadline=None)
@given(kind=KIND, body=BODY, named=st.booleans())
def test_reading_never_fails(kind: tuple[str, str], body: dict[str, Any], *, named: bool) -> None:
    item = {**body, "apiVersion": kind[0], "kind": kind[1]}
    if named and "metadata" not in item:
        item["metadata"] = {"name": "web"}
    decoded = decode(Document("a.json", to_node(item)), OPTIONS)
    bulk = decode_raw(raw_of(json.loads(json.dumps(item))), OPTIONS)
    assert (decoded.resource is None) == (bulk.resource is None)
    assert decoded.understood == bulk.understood
    inventory = Inventory()
    inventory.take(decoded)
    inventory.take(decoded)
    assert inventory.build().diagnostics == ()
