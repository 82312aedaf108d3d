"""Typed objects from documents and from raw items."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloison.algebra import parse_address
from cloison.base import Severity
from cloison.resources.decode import decode, decode_raw
from cloison.resources.documents import Document, RawObject
from cloison.resources.objects import (
    ContainerKind,
    ContainerPort,
    Controller,
    EndpointSlice,
    Namespace,
    Node,
    OwnerReference,
    Pod,
    PodShape,
    Service,
    ServiceAccount,
    ServicePort,
    SliceEndpoint,
)
from cloison.resources.options import FieldValidation, ReadOptions
from cloison.resources.pool import Pool
from tests.unit.resources.loading import OPTIONS, codes, documents, raw_of, read, read_raw

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


def points(*texts: str) -> tuple[int, ...]:
    return tuple(map(parse_address, texts))


def both(item: dict[str, Any], options: ReadOptions = OPTIONS) -> Any:
    """Decode in bulk and by document, require equal objects, return the resource."""
    raw = raw_of(item)
    located = decode(raw.locate(), options)
    bulk = decode_raw(raw, options)
    assert bulk.resource == located.resource
    assert (bulk.api_version, bulk.kind, bulk.span) == (
        located.api_version,
        located.kind,
        located.span,
    )
    assert bulk.understood == located.understood
    # The one allowed difference: fields newer than the table, in what a server printed.
    printed = isinstance(item["metadata"], dict) and bool(item["metadata"].get("uid"))
    left_out = "OBJ002" if printed else ""
    assert [d for d in bulk.diagnostics if d.code != left_out] == [
        d for d in located.diagnostics if d.code != left_out
    ]
    return bulk.resource


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
    assert pod.resource is not None
    assert pod.resource.namespace == "x"  # type: ignore[union-attr]


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
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "b"}}
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


def test_namespaces_always_have_their_name_label() -> None:
    name = "kubernetes.io/metadata.name"
    plain = read("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
    assert isinstance(plain.resource, Namespace)
    assert (plain.resource.labels, plain.diagnostics) == ({name: "a"}, ())
    wrong = read(
        f"{{apiVersion: v1, kind: Namespace, metadata: {{name: a, labels: {{{name}: b, x: y}}}}}}"
    )
    assert isinstance(wrong.resource, Namespace)
    assert wrong.resource.labels == {name: "a", "x": "y"}
    assert codes(wrong.diagnostics) == ["OBJ011"]
    assert wrong.diagnostics[0].severity is Severity.WARNING


def test_nodes() -> None:
    node = both(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "n1", "labels": {"zone": "a"}},
            "spec": {"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24", "fd00::/64"]},
            "status": {
                "addresses": [
                    {"type": "InternalIP", "address": "192.0.2.1"},
                    {"type": "ExternalIP", "address": "198.51.100.1"},
                    {"type": "Hostname", "address": "n1"},
                ]
            },
        }
    )
    assert isinstance(node, Node)
    assert node.addresses == points("192.0.2.1", "198.51.100.1")
    assert node.pod_cidrs == ("10.1.0.0/24", "fd00::/64")
    odd = read("{apiVersion: v1, kind: Node, metadata: {name: n}, spec: {podCIDR: '10.1'}}")
    assert codes(odd.diagnostics) == ["OBJ010"]


def service(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def test_services() -> None:
    found = both(
        service(
            selector={"app": "web"},
            clusterIP="10.96.0.1",
            clusterIPs=["10.96.0.1", "fd00::9"],
            externalIPs=["198.51.100.7"],
            type="NodePort",
            externalTrafficPolicy="Local",
            ports=[
                {"port": 80, "targetPort": "http", "name": "http", "nodePort": 30080},
                {"port": 81, "targetPort": 8081, "protocol": "UDP"},
                {"port": 82},
            ],
        )
    )
    assert isinstance(found, Service)
    assert found.ports == (
        ServicePort(80, "TCP", "http", "http", 30080),
        ServicePort(81, "UDP", None, 8081),
        ServicePort(82),
    )
    assert found.selector == {"app": "web"}
    assert found.cluster_ips == ("10.96.0.1", "fd00::9")
    assert found.external_ips == ("198.51.100.7",)
    assert (found.external_traffic_policy, found.internal_traffic_policy) == ("Local", "Cluster")
    headless = both(service(clusterIP="None"))
    assert (headless.cluster_ips, headless.selector) == (("None",), None)
    assert both(service(selector={})).selector is None
    assert both(service(type="ExternalName", externalName="db.example")).external_name == (
        "db.example"
    )


@pytest.mark.parametrize(
    "spec",
    [
        {"ports": [{"port": 0}]},
        {"ports": [{"port": 80, "targetPort": "8080"}]},
        {"ports": [{"port": 80, "targetPort": 70000}]},
        {"ports": [{"port": 80, "protocol": "HTTP"}]},
        {"selector": {"a b": "c"}},
    ],
)
def test_services_the_server_refuses(spec: dict[str, Any]) -> None:
    assert both(service(**spec)) is None


def test_endpoint_slices() -> None:
    for version in ("discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"):
        item = {
            "apiVersion": version,
            "kind": "EndpointSlice",
            "metadata": {
                "name": "web-1",
                "namespace": "shop",
                "labels": {"kubernetes.io/service-name": "web"},
            },
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}, {"port": None}],
            "endpoints": [
                {
                    "addresses": ["10.0.0.1"],
                    "conditions": {"ready": True},
                    "targetRef": {"kind": "Pod", "name": "web-1", "namespace": "shop"},
                    "nodeName": "n1",
                },
                {"addresses": ["10.0.0.2"], "conditions": {"ready": False}},
                {"addresses": ["10.0.0.3"]},
            ],
        }
        found = both(item)
        assert isinstance(found, EndpointSlice)
        assert found.service == "web"
        assert found.ports == (ServicePort(8080, "TCP", "http"),)
        assert found.endpoints == (
            SliceEndpoint(("10.0.0.1",), True, "web-1", "n1"),
            SliceEndpoint(("10.0.0.2",), False),
            SliceEndpoint(("10.0.0.3",), True),
        )


def test_service_accounts() -> None:
    meta = {"name": "a", "namespace": "b", "labels": {"c": "d"}}
    found = both({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    assert isinstance(found, ServiceAccount)
    assert (found.namespace, found.name, found.labels) == ("b", "a", {"c": "d"})


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
    st.lists(st.tuples(st.sampled_from(places(LIVE_POD)[2:]), NAUGHTY), max_size=2),
    st.sampled_from([OPTIONS, ReadOptions(field_validation=FieldValidation.STRICT)]),
    st.booleans(),
)
def test_both_ways_of_reading_give_equal_objects(
    changes: list[tuple[tuple[Any, ...], Any]],
    options: ReadOptions,
    odd: bool,  # noqa: FBT001
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
