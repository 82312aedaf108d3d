"""D-READ: objects that cannot be read are told of, and nothing breaks on them."""

import pytest

from cloison.platform import calls, certificates, monitors, rbac, webhooks
from tests.support.doctoring import examined
from tests.support.smallworlds import Manifest, found, text, thing, workload

MONITORING = "monitoring.coreos.com/v1"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (
            thing("ServiceMonitor", "x", "a", api=MONITORING, spec={"endpoints": 3}),
            "ServiceMonitor a/x cannot be read: spec.endpoints: expected `array | null`, got `int`",
        ),
        (
            thing("Prometheus", "x", "a", api=MONITORING, spec=[]),
            "Prometheus a/x cannot be read: spec: expected `object | null`, got `array`",
        ),
        (
            thing("Ingress", "x", "a", api="networking.k8s.io/v1", spec={"rules": {}}),
            "Ingress a/x cannot be read: spec.rules: expected `array | null`, got `object`",
        ),
        (
            thing("Gateway", "x", "a", api="gateway.networking.k8s.io/v1", spec={"listeners": "x"}),
            "Gateway a/x cannot be read: spec.listeners: expected `array | null`, got `str`",
        ),
    ],
)
def test_what_is_wrong_is_said(item: Manifest, said: str) -> None:
    (one,) = found("D-READ", item)
    assert one.message == said
    assert one.code == "OBJ003"
    assert one.span is not None


@pytest.mark.parametrize("spec", [3, [], {"x": []}, "a", None, [[1]], {"": {"": None}}])
def test_whatever_objects_hold_no_check_breaks(spec: object) -> None:
    kinds = {
        kind: None
        for reader in (calls, certificates, monitors, rbac, webhooks)
        for kind in reader.SHAPES
    }
    fields = ("spec", "data", "rules", "subjects", "roleRef", "webhooks")
    objects = [
        thing(kind, "x", "a", api=f"{group}/v1" if group else "v1", **dict.fromkeys(fields, spec))
        for group, kind in kinds
    ]
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "k"}}}]
    app = workload("web", env=env, envFrom=[{"configMapRef": {"name": "x"}}])
    told = examined(text(*objects, app))
    assert {each.check for each in told} <= {"D-READ"}
