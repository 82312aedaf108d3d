"""The World that resources add up to."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloison.algebra import parse_address
from cloison.base import Diagnostic, Severity, Span
from cloison.resources.decode import decode
from cloison.resources.inventory import Inventory, unused_kinds
from cloison.resources.objects import NAMESPACE_NAME_LABEL
from cloison.resources.pool import Pool
from cloison.resources.world import Workload, WorkloadId, World
from tests.unit.resources.loading import OPTIONS, codes, documents, shared, world


def pod(name: str, owner: str = "", labels: str = "{app: web}", **more: str) -> str:
    """Return a pod of namespace shop; `owner` is `Kind/name`, `more` are ip, phase, spec."""
    kind, _, owner_name = owner.partition("/")
    refs = f"[{{apiVersion: x/v1, kind: {kind}, name: {owner_name}, controller: true}}]"
    lines = {"phase": more.get("phase"), "podIP": more.get("ip"), "hostIP": more.get("host")}
    status = ", ".join(f"{key}: {value}" for key, value in lines.items() if value)
    return (
        f"---\n{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: shop,"
        f" labels: {labels}, ownerReferences: {refs if owner else '[]'}}},"
        f" spec: {more.get('spec', '{}')}, status: {{{status}}}}}\n"
    )


def maker(
    kind: str, name: str, owner: str = "", labels: str = "{app: web}", extra: str = ""
) -> str:
    """Return a controller of namespace shop."""
    api_version = {
        "Deployment": "apps/v1",
        "StatefulSet": "apps/v1",
        "ReplicaSet": "apps/v1",
        "Job": "batch/v1",
        "CronJob": "batch/v1",
    }.get(kind, "example.com/v1")
    owner_kind, _, owner_name = owner.partition("/")
    refs = f"[{{apiVersion: y/v1, kind: {owner_kind}, name: {owner_name}, controller: true}}]"
    template = f"template: {{metadata: {{labels: {labels}}}, spec: {{containers: []}}}}"
    if kind == "CronJob":
        template = f"jobTemplate: {{spec: {{{template}}}}}"
    head, _, tail = extra.partition("|")
    return (
        f"---\n{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: {name},"
        f" namespace: shop, ownerReferences: {refs if owner else '[]'}}},"
        f" spec: {{{template}{head}}}{tail}}}\n"
    )


FINISHED = "|, status: {conditions: [{type: Complete, status: 'True'}]}"


def names(built: World) -> list[str]:
    """Return the workloads as `Kind/name`."""
    return [f"{id_.kind}/{id_.name}" for id_ in built.workloads]


def only(built: World) -> Workload:
    """Return the only workload."""
    (workload,) = built.workloads.values()
    return workload


def pods(workload: Workload) -> list[str | None]:
    """Return the names of its endpoints' pods."""
    return [endpoint.pod for endpoint in workload.endpoints]


def test_a_template_makes_one_endpoint_without_address() -> None:
    workload = only(world(maker("Deployment", "web", extra=", replicas: 3")).world)
    (endpoint,) = workload.endpoints
    assert (endpoint.pod, endpoint.addresses, endpoint.labels) == (None, (), {"app": "web"})
    assert (workload.replicas, workload.inferred) == (3, False)
    assert workload.span == Span("a.yaml", 2, 1)
    assert endpoint.name == "shop/web"


def test_live_pods_replace_the_template() -> None:
    built = world(
        maker("Deployment", "web")
        + maker("ReplicaSet", "web-5f", owner="Deployment/web")
        + maker("ReplicaSet", "web-4e", owner="Deployment/web", extra=", replicas: 0")
        + pod("web-5f-b", owner="ReplicaSet/web-5f", ip="10.0.0.2", phase="Running")
        + pod("web-5f-a", owner="ReplicaSet/web-5f", ip="10.0.0.1", phase="Running")
    )
    assert names(built.world) == ["Deployment/web"]
    assert pods(only(built.world)) == ["web-5f-a", "web-5f-b"]
    assert only(built.world).endpoints[0].addresses == (parse_address("10.0.0.1"),)
    assert built.diagnostics == ()


def test_a_replica_set_that_is_missing_is_seen_through() -> None:
    hashed = "{app: web, pod-template-hash: 5f}"
    built = world(pod("web-5f-a", owner="ReplicaSet/web-5f", labels=hashed))
    workload = only(built.world)
    assert workload.id == WorkloadId("shop", "web", "Deployment")
    assert (workload.inferred, workload.span) == (True, None)


def test_a_replica_set_is_not_seen_through_without_its_hash() -> None:
    assert names(world(pod("a", owner="ReplicaSet/web-5f")).world) == ["ReplicaSet/web-5f"]
    other = "{pod-template-hash: '77'}"
    assert names(world(pod("a", owner="ReplicaSet/web-5f", labels=other)).world) == [
        "ReplicaSet/web-5f"
    ]


def test_other_missing_owners_are_inferred_by_their_name() -> None:
    built = world(pod("db-0", owner="StatefulSet/db") + pod("c-1", owner="Job/c-29000000"))
    assert names(built.world) == ["Job/c-29000000", "StatefulSet/db"]
    assert all(workload.inferred for workload in built.world.workloads.values())


def test_a_deployment_that_is_missing_takes_the_template_of_its_replica_set() -> None:
    built = world(
        maker("ReplicaSet", "web-1", owner="Deployment/web", labels="{v: a}", extra=", replicas: 0")
        + maker("ReplicaSet", "web-2", owner="Deployment/web", labels="{v: b}")
    )
    workload = only(built.world)
    assert workload.id.kind == "Deployment"
    assert workload.inferred
    assert [dict(e.labels) for e in workload.endpoints] == [{"v": "b"}]


def test_jobs_of_a_cron_job_are_not_workloads() -> None:
    built = world(
        maker("CronJob", "nightly")
        + maker("Job", "nightly-1", owner="CronJob/nightly", extra=FINISHED)
        + pod("nightly-1-x", owner="Job/nightly-1", phase="Succeeded", ip="10.0.0.1")
    )
    workload = only(built.world)
    assert workload.id.kind == "CronJob"
    assert pods(workload) == [None]
    assert [e.pod for e in workload.finished] == ["nightly-1-x"]


def test_jobs_of_somebody_else_are_workloads() -> None:
    assert names(world(maker("Job", "step", owner="Workflow/flow")).world) == ["Job/step"]


def test_a_stateful_set_that_an_operator_owns_is_a_workload() -> None:
    built = world(
        maker("StatefulSet", "db", owner="Postgres/db") + pod("db-0", owner="StatefulSet/db")
    )
    assert names(built.world) == ["StatefulSet/db"]


def test_a_custom_resource_that_owns_a_controller_makes_no_pods_itself() -> None:
    built = world(maker("App", "web") + maker("Deployment", "web-d", owner="App/web"))
    assert names(built.world) == ["Deployment/web-d"]
    round_ = maker("A", "a", owner="B/b") + maker("B", "b", owner="A/a")
    assert names(world(round_).world) == ["A/a", "B/b"]


def test_a_static_pod_is_not_its_node() -> None:
    text = pod("etcd-n1", owner="Node/n1").replace("x/v1", "v1")
    assert names(world(text).world) == ["Pod/etcd-n1"]


def test_owners_in_a_circle_end() -> None:
    built = world(
        maker("ReplicaSet", "a", owner="ReplicaSet/b")
        + maker("ReplicaSet", "b", owner="ReplicaSet/a")
        + pod("p", owner="ReplicaSet/a")
    )
    assert sum(len(w.endpoints) for w in built.world.workloads.values()) >= 1


def test_a_finished_job_has_no_endpoints() -> None:
    built = world(
        maker("Job", "migrate", extra=FINISHED)
        + pod("migrate-x", owner="Job/migrate", phase="Succeeded")
    )
    workload = only(built.world)
    assert (workload.endpoints, [e.pod for e in workload.finished]) == ((), ["migrate-x"])


def test_a_job_with_only_failed_pods_will_try_again() -> None:
    built = world(maker("Job", "migrate") + pod("x", owner="Job/migrate", phase="Failed"))
    assert pods(only(built.world)) == [None]


def test_a_deployment_with_only_failed_pods_falls_back_to_its_template() -> None:
    built = world(
        maker("Deployment", "web")
        + maker("ReplicaSet", "web-5f", owner="Deployment/web")
        + pod("web-5f-a", owner="ReplicaSet/web-5f", phase="Failed")
    )
    workload = only(built.world)
    assert pods(workload) == [None]
    assert workload.finished[0].finished


def test_bare_pods() -> None:
    built = world(pod("shell", phase="Running") + pod("done", phase="Succeeded"))
    done, shell = built.world.workloads.values()
    assert (done.id.kind, done.endpoints, len(done.finished)) == ("Pod", (), 1)
    assert (shell.id.kind, pods(shell), shell.inferred) == ("Pod", ["shell"], False)
    assert shell.span == shell.endpoints[0].span


def test_pods_that_wait_for_an_address_are_left_out_while_others_have_one() -> None:
    waiting = pod("a", owner="StatefulSet/db", phase="Pending")
    running = pod("b", owner="StatefulSet/db", phase="Running", ip="10.0.0.1")
    assert pods(only(world(waiting + running).world)) == ["b"]
    alone = only(world(waiting).world)
    assert pods(alone) == ["a"]
    assert alone.endpoints[0].pending


def test_pods_with_different_labels_are_different_endpoints() -> None:
    built = world(
        pod("a", owner="StatefulSet/db", labels="{i: '0'}")
        + pod("b", owner="StatefulSet/db", labels="{i: '1'}")
    )
    assert [dict(e.labels) for e in only(built.world).endpoints] == [{"i": "0"}, {"i": "1"}]


def test_namespaces_that_are_only_lived_in_are_made() -> None:
    built = world(pod("a") + "---\n{apiVersion: v1, kind: Namespace, metadata: {name: empty}}")
    assert list(built.world.namespaces) == ["empty", "shop"]
    implied = built.world.namespaces["shop"]
    assert (implied.labels, implied.span) == ({NAMESPACE_NAME_LABEL: "shop"}, None)
    assert built.world.namespaces["empty"].span is not None


def test_namespaces_that_policies_mention_are_made() -> None:
    inventory = Inventory()
    inventory.mention("policed")
    assert list(inventory.build().world.namespaces) == ["policed"]


def test_nodes_that_only_pods_mention_are_made() -> None:
    spec = "{nodeName: n1}"
    built = world(pod("a", spec=spec, host="192.0.2.1") + pod("b", spec=spec, host="192.0.2.1"))
    node = built.world.nodes["n1"]
    assert (node.addresses, node.span) == ((parse_address("192.0.2.1"),), None)


def test_a_node_keeps_what_it_says_of_itself() -> None:
    built = world(
        "{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {z: a}},"
        " status: {addresses: [{type: InternalIP, address: 192.0.2.9}]}}\n"
        + pod("a", spec="{nodeName: n1}", host="192.0.2.1")
        + pod("h", spec="{nodeName: n1, hostNetwork: true}")
    )
    node = built.world.nodes["n1"]
    assert node.addresses == (parse_address("192.0.2.9"),)
    assert node.labels == {"z": "a"}
    host = built.world.workloads[WorkloadId("shop", "h", "Pod")].endpoints[0]
    assert host.addresses == node.addresses


SERVICE = (
    "{{apiVersion: v1, kind: Service, metadata: {{name: web}}, spec: {{ports: [{{port: {}}}]}}}}"
)


def test_the_same_object_twice_counts_once() -> None:
    built = world(SERVICE.format(80), SERVICE.format(80))
    assert built.diagnostics == ()
    assert len(built.world.services) == 1
    assert built.world.kinds == {"v1/Service": 2}


def test_two_objects_of_one_name_are_an_error_and_the_last_place_wins() -> None:
    for texts in ((80, 81, 80), (81, 81, 80), (82, 81, 80)):
        built = world(*(SERVICE.format(port) for port in texts))
        kept = built.world.services["default", "web"]
        assert kept.span.file == "c.yaml"
        assert kept.ports[0].port == 80
        assert set(codes(built.diagnostics)) == {"OBJ020"}
        for found in built.diagnostics:
            assert found.severity is Severity.ERROR
            assert found.object == "Service default/web"
            assert "c.yaml:1" in found.message
            assert found.span is not None
            assert found.span.file in ("a.yaml", "b.yaml")


def test_the_line_decides_as_a_number() -> None:
    text = SERVICE.format(1) + "\n---" * 1 + "\n" * 9 + SERVICE.format(2)
    assert world(text).world.services["default", "web"].ports[0].port == 2


def test_objects_that_only_share_a_generated_name_are_all_kept() -> None:
    text = maker("Job", "x").replace("name: x,", "generateName: run-,")
    other = maker("Job", "x", labels="{app: b}").replace("name: x,", "generateName: run-,")
    built = world(text + other)
    assert built.diagnostics == ()
    workload = only(built.world)
    assert workload.id.name == "run-"
    assert [dict(e.labels) for e in workload.endpoints] == [{"app": "web"}, {"app": "b"}]


def test_an_address_that_two_live_pods_have_is_a_warning() -> None:
    built = world(pod("a", ip="10.0.0.1") + pod("b", ip="10.0.0.1"))
    (found,) = built.diagnostics
    assert (found.code, found.severity) == ("OBJ021", Severity.WARNING)
    assert found.object == "Pod shop/b"
    assert "shop/a at a.yaml:2" in found.message


@pytest.mark.parametrize("more", [{"phase": "Succeeded"}, {"spec": "{hostNetwork: true}"}])
def test_addresses_of_finished_and_host_network_pods_may_repeat(more: dict[str, str]) -> None:
    assert world(pod("a", ip="10.0.0.1") + pod("b", ip="10.0.0.1", **more)).diagnostics == ()


def test_kinds_are_counted_and_the_unknown_ones_noted_once_each() -> None:
    pool, inventory = Pool(), Inventory()
    item = "---\n{{apiVersion: v1, kind: {}, metadata: {{name: a{}}}}}\n"
    text = "".join(item.format("LimitRange", i) for i in range(3)) + item.format("Pod", 1)
    found = documents(text)
    for document in reversed(found):
        inventory.take(decode(document, OPTIONS, pool))
    inventory.count("networking.k8s.io/v1", "NetworkPolicy", understood=True)
    assert inventory.build().world.kinds == {
        "networking.k8s.io/v1/NetworkPolicy": 1,
        "v1/LimitRange": 3,
        "v1/Pod": 1,
    }
    (note,) = unused_kinds(inventory.tallies())
    assert note.message == "3 objects of kind LimitRange (v1) are not used"
    assert (note.code, note.severity) == ("OBJ022", Severity.INFO)
    assert note.span == Span("in.yaml", 2, 1)


@pytest.mark.parametrize(
    ("version", "kind", "severity"),
    [
        ("example.com/v1", "TrafficPolicy", Severity.WARNING),
        ("example.com/v1", "PeerPermissions", Severity.WARNING),
        ("example.com/v1", "ServiceIntentions", Severity.WARNING),
        ("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", Severity.WARNING),
        ("policy/v1beta1", "PodSecurityPolicy", Severity.INFO),
        ("policy/v1", "PodDisruptionBudget", Severity.INFO),
        ("kyverno.io/v1", "ClusterPolicy", Severity.INFO),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", Severity.INFO),
        ("iam.cnrm.cloud.google.com/v1beta1", "IAMPolicy", Severity.INFO),
        ("gateway.networking.k8s.io/v1", "BackendTLSPolicy", Severity.INFO),
    ],
)
def test_unknown_kinds_that_may_restrict_are_not_called_harmless(
    version: str, kind: str, severity: Severity
) -> None:
    inventory = Inventory()
    inventory.count(version, kind, Span("in.yaml", 1, 1))
    (note,) = unused_kinds(inventory.tallies())
    assert (note.code, note.severity) == ("OBJ022", severity)
    serious = note.effect == "if it restricts traffic, answers do not know it"
    assert serious is (severity is Severity.WARNING)


CLUSTER = (
    maker("Deployment", "web")
    + maker("Deployment", "web", labels="{app: other}")
    + maker("ReplicaSet", "web-5f", owner="Deployment/web")
    + maker("ReplicaSet", "api-1", owner="Deployment/api", extra=", replicas: 0")
    + maker("ReplicaSet", "api-2", owner="Deployment/api", extra=", replicas: 0")
    + maker("CronJob", "nightly")
    + maker("Job", "nightly-1", owner="CronJob/nightly")
    + maker("App", "app")
    + maker("Deployment", "app-d", owner="App/app")
    + pod("web-5f-a", owner="ReplicaSet/web-5f", ip="10.0.0.1", host="192.0.2.1",
          spec="{nodeName: n1}")
    + pod("web-5f-b", owner="ReplicaSet/web-5f", ip="10.0.0.1", host="192.0.2.2",
          spec="{nodeName: n1}")
    + pod("web-5f-b", owner="ReplicaSet/web-5f", ip="10.0.0.3")
    + pod("lost", owner="ReplicaSet/x-5f", labels="{pod-template-hash: 5f}", phase="Pending")
    + pod("host", spec="{nodeName: n1, hostNetwork: true}")
    + pod("run", ip="10.0.0.1").replace("name: run,", "generateName: run-,")
    + pod("run", ip="10.0.0.9").replace("name: run,", "generateName: run-,")
    + "---\n{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {a: b}}}\n"
    + "---\n{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {a: c}}}\n"
    + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n"
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 30))
def test_reading_order_never_shows(seed: int) -> None:
    def read(*, shuffled: bool) -> tuple[str, str, str]:
        pool, inventory = Pool(), Inventory()
        found = documents(CLUSTER)
        if shuffled:
            random.Random(seed).shuffle(found)
        for document in found:
            inventory.take(decode(document, OPTIONS, pool))
        built = inventory.build()
        return repr(built.world), repr(built.diagnostics), repr(unused_kinds(inventory.tallies()))

    assert read(shuffled=True) == read(shuffled=False)


APPS = shared("data/apps")


@pytest.mark.skipif(not APPS.exists(), reason="the shared material is not there")
@pytest.mark.parametrize(
    ("app", "workloads"),
    [
        ("bank-of-anthos", 9),
        ("bookinfo", 6),
        ("kube-prometheus", 6),
        ("online-boutique", 12),
        ("sock-shop", 14),
        ("recipes", 0),
    ],
)
def test_real_applications_load_without_a_word(app: str, workloads: int) -> None:
    pool, inventory = Pool(), Inventory()
    said: list[Diagnostic] = []
    for path in sorted((APPS / app).rglob("*.y*ml")):
        for document in documents(path.read_text("utf-8"), path.name):
            decoded = decode(document, OPTIONS, pool)
            said += decoded.diagnostics
            inventory.take(decoded)
    built = inventory.build()
    assert [*said, *built.diagnostics] == []
    assert len(built.world.workloads) == workloads
    assert all(len(w.endpoints) == 1 for w in built.world.workloads.values())
