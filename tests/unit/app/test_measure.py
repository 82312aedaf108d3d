"""What there is to say before anything is measured."""

import pytest

from cloison.app import load_texts
from cloison.app.measure import measure
from cloison.base import QuestionError

BAD = """
apiVersion: v1
kind: Pod
metadata: {name: a b, namespace: x}
spec: {containers: []}
---
apiVersion: v1
kind: Pod
metadata: {name: ../etc, namespace: x}
spec: {containers: []}
"""


def test_objects_that_are_refused_are_counted_where_nothing_is_left_to_measure() -> None:
    with pytest.raises(QuestionError, match=r"; 2 objects in it would be refused by the API"):
        measure(load_texts({"bad.yaml": BAD}))


def test_where_all_is_well_none_are_counted() -> None:
    with pytest.raises(QuestionError) as caught:
        measure(load_texts({"none.yaml": ""}))
    assert "refused" not in caught.value.message
