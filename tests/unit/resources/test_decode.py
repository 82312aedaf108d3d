"""Typed objects from documents and from raw items."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloison.base import Severity
from cloison.resources.decode import decode, decode_raw
from cloison.resources.documents import Document, RawObject
from cloison.resources.objects import (
    ContainerKind,
    ContainerPort,
    Controller,
    OwnerReference,
    Pod,
    PodShape,
)
from cloison.resources.options import FieldValidation, ReadOptions
from cloison.resources.pool import Pool
from tests.unit.resources.loading import (
    OPTIONS,
    both,
    codes,
    documents,
    points,
    raw_of,
    read,
    read_raw,
)

LIVE_POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web-7d4f-abcde",
        "namespace": "shop",
        "uid": "c0ffee",
        "labels": {"pod-template-hash": "7d4f", "app": "web", "empty": None},
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "Other", "name": "x", "uid": "1"},
            {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "name": "web-7d4f",
                "uid": "2",
                "controller": True,
            },
        ],
        "deletionTimestamp": "2026-01-01T00:00:00Z",
    },
    "spec": {
        "nodeName": "n1",
        "serviceAccountName": "web",
        "containers": [
            {"name": "a", "ports": [{"containerPort": 80, "name": "http"}, None]},
            {"name": "b", "ports": [{"containerPort": 53, "protocol": "UDP"}]},
            None,
        ],
        "initContainers": [
            {"name": "i", "ports": [{"containerPort": 1}]},
            {"name": "s", "restartPolicy": "Always", "ports": [{"containerPort": 2}]},
        ],
    },
    "status": {
        "phase": "Running",
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
        "hostIP": "192.0.2.1",
        "hostIPs": [{"ip": "192.0.2.1"}],
    },
}


def never() -> Document:
    raise AssertionError("an unremarkable item was located")


def test_a_live_pod() -> None:
    pod = both(LIVE_POD)
    assert isinstance(pod, Pod)
    assert pod.shape == PodShape(
        labels={"app": "web", "empty": "", "pod-template-hash": "7d4f"},
        ports=(
            ContainerPort(80, "TCP", "http"),
            ContainerPort(53, "UDP"),
            ContainerPort(1, "TCP", None, ContainerKind.INIT),
            ContainerPort(2, "TCP", None, ContainerKind.SIDECAR),
        ),
        service_account="web",
        node="n1",
    )
    assert list(pod.shape.labels) == ["app", "empty", "pod-template-hash"]
    assert pod.addresses == points("10.0.0.1", "fd00::1")
    assert pod.host_addresses == points("192.0.2.1")
    assert pod.owner == OwnerReference("apps/v1", "ReplicaSet", "web-7d4f")
    assert (pod.phase, pod.terminating, pod.finished) == ("Running", True, False)


def test_bulk_decoding_does_not_locate() -> None:
    raw = raw_of(LIVE_POD)
    data = RawObject(raw.file, 7, 5, raw.api_version, raw.kind, raw.data, never)
    decoded = decode_raw(data, OPTIONS)
    assert isinstance(decoded.resource, Pod)
    assert str(decoded.resource.span) == "in.json:7:5"


def test_defaults_of_a_pod_written_by_hand() -> None:
    pod = read("{apiVersion: v1, kind: Pod, metadata: {name: a}}").resource
    assert isinstance(pod, Pod)
    assert pod.namespace == "default"
    assert pod.shape == PodShape({})
    assert (pod.addresses, pod.phase, pod.owner) == ((), None, None)


def test_the_default_namespace_is_an_option() -> None:
    pod = read("{apiVersion: v1, kind: Pod, metadata: {name: a}}", ReadOptions(namespace="x"))
    assert isinstance(pod.resource, Pod)
    assert pod.resource.namespace == "x"


def test_old_names_of_fields_count() -> None:
    pod = read(
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {serviceAccount: old},"
        " status: {podIP: 10.0.0.1, hostIP: 192.0.2.1}}"
    ).resource
    assert isinstance(pod, Pod)
    assert pod.shape.service_account == "old"
    assert (pod.addresses, pod.host_addresses) == (points("10.0.0.1"), points("192.0.2.1"))


def test_a_host_network_pod_has_the_addresses_of_its_node() -> None:
    pod = read(
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {hostNetwork: true},"
        " status: {hostIP: 192.0.2.1}}"
    ).resource
    assert isinstance(pod, Pod)
    assert pod.shape.host_network
    assert pod.addresses == points("192.0.2.1")


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0", "10.0.0.256", "x", "fd00::1%eth0", "010.0.0.1"),
        # Addresses that reach no pod in particular.
        *("0.0.0" + ".0", "127.0.0.1", "127.255.0.9", "224.0.0.5", "239.1.2.3", "255.255.255.255"),
        *("::", "::1", "fe80::2", "ff02::1"),
    ],
)
def test_an_address_that_is_none_is_left_out_with_a_warning(address: str) -> None:
    decoded = read(
        f"{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, status: {{podIP: '{address}'}}}}"
    )
    assert isinstance(decoded.resource, Pod)
    assert decoded.resource.addresses == ()
    (found,) = decoded.diagnostics
    assert (found.code, found.severity) == ("OBJ010", Severity.WARNING)
    assert found.span is not None
    assert found.span.column > 1


@pytest.mark.parametrize(
    "port",
    [
        "{containerPort: 0}",
        "{containerPort: 65536}",
        "{containerPort: -1}",
        "{containerPort: 80, protocol: tcp}",
        "{containerPort: 80, name: HTTP}",
        "{containerPort: 80, name: '80'}",
        "{containerPort: 80, name: a--b}",
        "{containerPort: 80, name: sixteen-letters1}",
    ],
)
def test_a_port_the_server_refuses_refuses_the_pod(port: str) -> None:
    decoded = read(
        "{apiVersion: v1, kind: Pod, metadata: {name: a},"
        f" spec: {{containers: [{{ports: [{port}]}}]}}}}"
    )
    assert decoded.resource is None
    assert codes(decoded.diagnostics) == ["OBJ009"]


def controller(kind: str, api_version: str, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c"}]}}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "x", "namespace": "shop"},
        "spec": {"template": template, **spec},
    }


@pytest.mark.parametrize(
    ("kind", "api_version", "spec", "replicas"),
    [
        ("Deployment", "apps/v1", {}, 1),
        ("Deployment", "apps/v1", {"replicas": 0}, 0),
        ("StatefulSet", "apps/v1", {"replicas": 3}, 3),
        ("ReplicaSet", "apps/v1", {}, 1),
        ("ReplicationController", "v1", {}, 1),
        ("DaemonSet", "apps/v1", {}, None),
        ("Job", "batch/v1", {}, None),
        ("Rollout", "argoproj.io/v1alpha1", {"replicas": 2}, 2),
        ("DeploymentConfig", "apps.openshift.io/v1", {}, None),
        ("Service", "serving.knative.dev/v1", {}, None),
    ],
)
def test_controllers(
    kind: str, api_version: str, spec: dict[str, Any], replicas: int | None
) -> None:
    found = both(controller(kind, api_version, **spec))
    assert isinstance(found, Controller)
    assert (found.kind, found.api_version, found.namespace) == (kind, api_version, "shop")
    assert found.shape.labels == {"app": "x"}
    assert found.replicas == replicas


def test_a_cron_job_keeps_its_template_one_level_down() -> None:
    job = controller("Job", "batch/v1")["spec"]
    item = controller("CronJob", "batch/v1")
    item["spec"] = {"schedule": "* * * * *", "jobTemplate": {"spec": job}}
    assert both(item).shape.labels == {"app": "x"}


@pytest.mark.parametrize(
    ("conditions", "finished"),
    [
        ([], False),
        ([{"type": "Complete", "status": "True"}], True),
        ([{"type": "Failed", "status": "True"}], True),
        ([{"type": "Complete", "status": "False"}, None], False),
        ([{"type": "Suspended", "status": "True"}], False),
    ],
)
def test_a_job_is_finished_when_its_conditions_say_so(
    conditions: list[Any], *, finished: bool
) -> None:
    item = {**controller("Job", "batch/v1"), "status": {"conditions": conditions}}
    assert both(item).finished is finished


def test_a_kind_without_a_pod_template_is_not_understood() -> None:
    item = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "a"}}
    assert both(item) is None
    assert not read_raw(item).understood


def test_secrets_are_never_opened() -> None:
    raw = RawObject("in.json", 1, 1, "v1", "Secret", memoryview(b"{not json"), never)
    decoded = decode_raw(raw, OPTIONS)
    assert (decoded.resource, decoded.understood, decoded.diagnostics) == (None, False, ())


def test_policies_and_pod_templates_are_known_but_not_ours() -> None:
    for api_version, kind in (("networking.k8s.io/v1", "NetworkPolicy"), ("v1", "PodTemplate")):
        item = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}
        assert both(item) is None
        assert read_raw(item).understood


def test_a_foreign_kind_may_have_fields_of_its_own() -> None:
    item = controller("Rollout", "argoproj.io/v1alpha1", strategy={"canary": {}})
    item["spec"]["template"]["spec"]["ownField"] = 1
    decoded = read_raw(item)
    assert isinstance(decoded.resource, Controller)
    assert decoded.diagnostics == ()


def test_a_foreign_kind_with_a_broken_template_is_absent() -> None:
    item = controller("Rollout", "argoproj.io/v1alpha1")
    item["spec"]["template"]["spec"]["hostNetwork"] = "yes"
    assert both(item) is None
    assert codes(read_raw(item).diagnostics) == ["OBJ003"]
    odd = controller("Rollout", "argoproj.io/v1alpha1", replicas="two")
    assert both(odd) is None
    assert codes(read_raw(odd).diagnostics) == ["OBJ003"]


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("extensions/v1beta1", "Deployment"),
        ("apps/v1beta2", "StatefulSet"),
        ("apps/v1beta1", "Deployment"),
        ("batch/v1beta1", "CronJob"),
    ],
)
def test_an_api_version_that_is_gone_is_read_with_a_warning(api_version: str, kind: str) -> None:
    item = controller(kind, api_version, rollbackTo={"revision": 1})
    assert isinstance(both(item), Controller)
    (found,) = read_raw(item).diagnostics
    assert (found.code, found.severity) == ("OBJ007", Severity.WARNING)
    assert read_raw(item, ReadOptions(kubernetes=(1, 15))).diagnostics == ()


def test_a_kind_in_the_wrong_group_is_absent() -> None:
    item = controller("Deployment", "v1")
    assert both(item) is None
    (found,) = read_raw(item).diagnostics
    assert (found.code, found.help) == ("OBJ008", "write `apiVersion: apps/v1`")


def test_a_document_without_a_kind_is_told() -> None:
    assert codes(read("{apiVersion: v1}").diagnostics) == ["OBJ001"]
    assert codes(read("{a: b}").diagnostics) == ["OBJ001"]


def test_an_item_without_a_kind_takes_what_its_list_says() -> None:
    (document,) = documents("{metadata: {name: a}}")
    assert isinstance(decode(document, OPTIONS, api_version="v1", kind="Pod").resource, Pod)


def test_repeated_values_are_one_object() -> None:
    pool = Pool()
    raws = [raw_of(json.loads(json.dumps(LIVE_POD)), line=line) for line in (1, 2)]
    one, two = (decode_raw(raw, OPTIONS, pool).resource for raw in raws)
    three = decode(raws[0].locate(), OPTIONS, pool).resource
    assert isinstance(one, Pod)
    assert isinstance(two, Pod)
    assert isinstance(three, Pod)
    assert one.shape is two.shape is three.shape
    assert one.owner is two.owner is three.owner
    assert one.host_addresses is two.host_addresses
    other = json.loads(json.dumps(LIVE_POD))
    other["spec"]["nodeName"] = "n2"
    four = decode_raw(raw_of(other), OPTIONS, pool).resource
    assert isinstance(four, Pod)
    assert four.shape.labels is one.shape.labels
    assert four.shape.ports is one.shape.ports


NAUGHTY = st.sampled_from(
    [None, "", "x", "Bad Name", 0, 1, 1.0, 1.5, -1, True, [], {}, [None], {"a": None}, ["x"],
     "10.0.0.1", "300.1.1.1", "TCP", "tcp", "Always", 2**70]
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for step, inner in below:
        found.append((*path, step))
        if isinstance(inner, dict | list):
            found += places(inner, (*path, step))
    return found


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.sampled_from(places(LIVE_POD)[2:]), NAUGHTY), max_size=2),
    options=st.sampled_from([OPTIONS, ReadOptions(field_validation=FieldValidation.STRICT)]),
    odd=st.booleans(),
)
def test_both_ways_of_reading_give_equal_objects(
    changes: list[tuple[tuple[Any, ...], Any]],
    options: ReadOptions,
    *,
    odd: bool,
) -> None:
    item = json.loads(json.dumps(LIVE_POD))
    if odd:
        del item["metadata"]["uid"]
        item["spec"]["oddField"] = 1
    for path, value in changes:
        at = item
        for step in path[:-1]:
            below = at.get(step) if isinstance(at, dict) else None
            if isinstance(at, list) and isinstance(step, int) and step < len(at):
                below = at[step]
            at = below if isinstance(below, dict | list) else {}
        if isinstance(at, dict) or (isinstance(path[-1], int) and path[-1] < len(at)):
            at[path[-1]] = value
    both(item, options)
