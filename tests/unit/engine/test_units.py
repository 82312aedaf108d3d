"""Who has some labels, asked of a table of units."""

import pytest

from cloison.app import load_objects
from cloison.engine.units import UnitTable
from tests.oracle.raw import Manifest

LABELS = {
    "a": {"app": "web", "tier": "front"},
    "b": {"app": "web"},
    "c": {"tier": "front"},
}


def pod(namespace: str, name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": LABELS[name]},
        "spec": {"containers": [{"name": "main", "image": "registry.example/app:1"}]},
    }


@pytest.fixture(scope="module")
def table() -> UnitTable:
    return load_objects(
        [pod(home, name) for home in ("one", "two") for name in LABELS]
    ).engine.table


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({"app": "web"}, ["a", "b"]),
        ({"tier": "front"}, ["a", "c"]),
        ({"app": "web", "tier": "front"}, ["a"]),
        ({"app": "db"}, []),
        ({"app": "web", "other": "x"}, []),
    ],
)
@pytest.mark.parametrize("home", ["one", "two", "none"])
def test_all_labels_have_to_be_there(
    table: UnitTable, home: str, labels: dict[str, str], names: list[str]
) -> None:
    found = [table.endpoints[index] for index in table.wearing(home, labels.items())]
    expected = names if home != "none" else []
    assert [each.name for each in found] == [f"{home}/{name}" for name in expected]
    # What was worked out for one question answers the next.
    assert table.wearing(home, labels.items()) == table.wearing(home, labels.items())
