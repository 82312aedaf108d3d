"""Policies we did not write: all are read, and every suspicion about them is true."""

from pathlib import Path

import pytest

from cloison.base import Severity
from cloison.dialects import Surroundings
from cloison.dialects.networkpolicy.decode import decode
from cloison.dialects.networkpolicy.model import NetworkPolicy
from cloison.dialects.networkpolicy.suspicious import suspicious
from cloison.ir.profile import Profile
from cloison.resources.options import ReadOptions
from tests.support.documents import documents, world

APPS = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "apps"

pytestmark = pytest.mark.skipif(not APPS.exists(), reason="the public manifests are not here")


def load(app: str) -> tuple[list[NetworkPolicy], str]:
    policies, rest = [], []
    for path in sorted((APPS / app).rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        rest.append(text)
        for each in documents(text, path.name):
            kind = each.root.get("kind")
            if kind is not None and kind.value == "NetworkPolicy":
                policy, diagnostics = decode(each, ReadOptions())
                assert policy is not None, diagnostics
                assert diagnostics == []
                policies.append(policy)
    return policies, "\n---\n".join(rest)


@pytest.mark.parametrize(
    ("app", "count", "warnings"),
    [
        # The published policies select `cart`, the pods are labelled `carts`; nothing is
        # labelled `cortex`.
        (
            "sock-shop",
            13,
            {
                ("NPS010", "cart-access"),
                ("NPS011", "carts-db-access"),
                ("NPS011", "cortex-access"),
            },
        ),
        # Pods of Prometheus and Alertmanager are made by the operator: no warning.
        ("kube-prometheus", 8, set()),
        ("online-boutique", 13, set()),
        ("recipes", 15, set()),
    ],
)
def test_suspicions_are_few_and_true(app: str, count: int, warnings: set[tuple[str, str]]) -> None:
    policies, text = load(app)
    assert len(policies) == count
    found = suspicious(policies, Surroundings(world(text), Profile("generic", "any", (), "")))
    said = {
        (d.code, (d.object or "").rpartition("/")[2])
        for d in found
        if d.severity is Severity.WARNING
    }
    assert said == warnings
