"""The field table knows the fields, types and null rules of real objects."""

import json
from importlib.resources import files

import pytest

from cloison.resources.kinds import BY_TYPE, KINDS, misplaced, mistyped
from cloison.resources.schema import Shape, schema


def test_every_kind_we_read_is_in_the_table() -> None:
    assert {info.type for info in KINDS.values()} <= schema().types.keys()
    assert "PodTemplate" in BY_TYPE


def test_the_table_names_the_client_it_is_made_from() -> None:
    assert schema().client.startswith("kubernetes ")


@pytest.mark.parametrize(
    ("path", "shape", "code"),
    [
        ("NetworkPolicy.spec.ingress.from.ipBlock.except", Shape.LIST, "s"),
        ("NetworkPolicy.spec.ingress.ports.port", Shape.ONE, "x"),
        ("Deployment.spec.template.spec.containers.resources.limits", Shape.MAP, "q"),
        ("Pod.spec.volumes.emptyDir.sizeLimit", Shape.ONE, "q"),
        ("Pod.metadata.managedFields.fieldsV1", Shape.ONE, "*"),
        ("Service.spec.ports.targetPort", Shape.ONE, "x"),
        ("CronJob.spec.jobTemplate.spec.template.spec.hostNetwork", Shape.ONE, "b"),
        ("EndpointSlice.endpoints.conditions.ready", Shape.ONE, "b"),
        ("Node.status.capacity", Shape.MAP, "q"),
    ],
)
def test_types_at_depth(path: str, shape: Shape, code: str) -> None:
    root, *steps = path.split(".")
    struct = schema().types[root]
    for step in steps[:-1]:
        inner = struct.fields[step].struct
        assert inner is not None
        struct = inner
    field = struct.fields[steps[-1]]
    assert (field.shape, field.code) == (shape, code)


def test_the_data_is_sorted() -> None:
    data = json.loads(files("cloison.resources").joinpath("schema.json").read_text("utf-8"))
    assert list(data["types"]) == sorted(data["types"])
    assert all(list(fields) == sorted(fields) for fields in data["types"].values())


def test_a_built_in_kind_in_the_wrong_version_is_told() -> None:
    assert misplaced("v1", "Deployment") == "apps/v1"
    assert misplaced("apps/v1", "Deployment") is None
    assert misplaced("serving.knative.dev/v1", "Service") is None
    assert misplaced("v1", "DeploymentConfig") is None


def test_a_kind_that_is_nearly_a_built_in_one_is_taken_for_a_slip() -> None:
    assert mistyped("networking.k8s.io/v1", "networkpolicy") == "NetworkPolicy"
    assert mistyped("apps/v1", "Deploymnet") == "Deployment"
    for real in ("Service", "ServiceCIDR", "ServiceList", "Ingress", "NetworkPolicyList"):
        assert mistyped("v1", real) is None
        assert mistyped("networking.k8s.io/v1", real) is None
    assert mistyped("example.com/v1", "NetworkPolcy") is None
    for kind in ("Endpoints", "ControllerRevision", "PersistentVolume", "ConfigMap", "Secret"):
        assert mistyped("v1", kind) is None
        assert mistyped("apps/v1", kind) is None
