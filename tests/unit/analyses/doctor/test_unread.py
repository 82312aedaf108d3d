"""D-READ: objects that cannot be read are told of, in the words of `validate`; nothing breaks."""

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
            "`spec.endpoints` is the number `3`, not a list",
        ),
        (
            thing("Prometheus", "x", "a", api=MONITORING, spec=[]),
            "`spec` is a list, not a mapping",
        ),
        (
            thing("Ingress", "x", "a", api="networking.k8s.io/v1", spec={"rules": {}}),
            "`spec.rules` is a mapping, not a list",
        ),
        (
            thing("Gateway", "x", "a", api="gateway.networking.k8s.io/v1", spec={"listeners": "x"}),
            "`spec.listeners` is the text `x`, not a list",
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
