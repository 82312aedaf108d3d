"""Pods that operators make of resources: the data, and what of it is in an input."""

from typing import Any

import pytest

from cloison.platform.components import known
from cloison.platform.made import Made, made, rows, with_made
from cloison.resources.declared import KEPT
from tests.support.platforms import workload, world

MONITORING = "monitoring.coreos.com/v1"


def resource(api: str, kind: str, name: str = "main", **more: Any) -> dict[str, Any]:
    """Return a custom resource; `labels` are its own."""
    meta = {"name": name, "namespace": "a", "labels": more.pop("labels", {})}
    return {"apiVersion": api, "kind": kind, "metadata": meta, "spec": more}


def only(*objects: Any) -> Made:
    (one,) = made(world(*objects))
    return one


def test_every_row_is_of_a_kind_that_is_kept_and_of_a_known_component() -> None:
    ids = {each.id for each in known()}
    assert len({(each.group, each.kind) for each in rows()}) == len(rows()) >= 15
    for row in rows():
        assert KEPT[row.group, row.kind], "pods live in a namespace"
        assert row.component is None or row.component in ids
        assert row.labels
        assert set(row.known_by) <= set(row.labels)
        assert " " not in row.pods
        assert "/" in row.source


def test_an_alertmanager_has_the_labels_and_ports_that_its_operator_gives_it() -> None:
    labels = {"app.kubernetes.io/component": "alert-router", "alertmanager": "not so"}
    one = only(resource(MONITORING, "Alertmanager", podMetadata={"labels": labels}, replicas=3))
    assert str(one.id) == "a/alertmanager-main (assumed)"
    assert one.labels["alertmanager"] == "main"
    assert one.labels["app.kubernetes.io/component"] == "alert-router"
    assert (one.ports[0].number, one.ports[0].name) == (9093, "web")
    assert (one.replicas, one.host_network, one.component) == (3, False, "metrics-alertmanager")


def test_a_resource_may_name_ports_and_the_network_of_nodes() -> None:
    one = only(resource(MONITORING, "Prometheus", portName="http", hostNetwork=True))
    assert one.ports[0].name == "http"
    assert one.workload.endpoints[0].shape.host_network


@pytest.mark.parametrize(
    ("labels", "count"),
    [
        ({"app.kubernetes.io/name": "alertmanager"}, 0),
        ({"app.kubernetes.io/name": "alertmanager", "alertmanager": "main"}, 0),
        ({"app.kubernetes.io/name": "alertmanager", "alertmanager": "other"}, 1),
        ({"app.kubernetes.io/name": "grafana"}, 1),
    ],
)
def test_pods_of_the_input_count_before_those_to_come(labels: dict[str, str], count: int) -> None:
    pods = workload("x", namespace="a", labels=labels)
    assert len(made(world(resource(MONITORING, "Alertmanager"), pods))) == count


def test_replicas_of_every_set_count() -> None:
    sets = [{"name": "masters", "count": 3}, {"name": "data", "count": 2}]
    api = "elasticsearch.k8s.elastic.co/v1"
    assert only(resource(api, "Elasticsearch", nodeSets=sets)).replicas == 5
    assert only(resource(api, "Elasticsearch", nodeSets=[{"count": "x"}])).replicas is None
    assert only(resource(api, "Elasticsearch", nodeSets="x")).replicas is None


def test_a_sidecar_is_no_pod_of_its_own() -> None:
    api = "opentelemetry.io/v1beta1"
    assert made(world(resource(api, "OpenTelemetryCollector", mode="sidecar"))) == ()
    one = only(resource(api, "OpenTelemetryCollector", mode="deployment"))
    assert one.labels["app.kubernetes.io/instance"] == "a.main"


def test_labels_of_some_resources_are_those_of_their_pods() -> None:
    one = only(resource("rabbitmq.com/v1beta1", "RabbitmqCluster", labels={"team": "x"}))
    assert one.labels["team"] == "x"
    assert "team" not in only(resource(MONITORING, "Alertmanager", labels={"team": "x"})).labels


def test_an_inventory_with_them_says_which_they_are() -> None:
    here = world(resource("postgresql.cnpg.io/v1", "Cluster", "pg", instances=3))
    there, found = with_made(here)
    (name,) = found
    assert not here.workloads
    assert there.workloads[name].replicas == 3
    assert there.workloads[name].endpoints[0].labels["cnpg.io/cluster"] == "pg"
    assert "a" in there.namespaces
    assert with_made(here, {"st-cloudnative-pg": None}) == (here, {})
