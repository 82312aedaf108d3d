"""D-PEER: replicas among themselves, and nobody else (P76 to P78)."""

from typing import Any

import pytest

from cloison.app import load_texts
from tests.support.doctoring import examined, mended
from tests.support.smallworlds import (
    Manifest,
    found,
    listening,
    peer,
    policy,
    rule,
    service,
    text,
    workload,
)

READY: dict[str, Any] = {"readinessProbe": {"tcpSocket": {"port": 6379}}}
EARLY = {"publishNotReadyAddresses": True}


def redis(*, replicas: int = 3, **more: Any) -> Manifest:
    """Return a Redis in cluster mode."""
    args = ["--cluster-enabled", "yes"]
    said = {"image": "docker.io/library/redis:8", "args": args, **more}
    return workload("redis", "a", "StatefulSet", replicas=replicas, **said)


def rabbit() -> Manifest:
    """Return what the operator of RabbitMQ makes."""
    labels = {
        "app.kubernetes.io/component": "rabbitmq",
        "app.kubernetes.io/name": "mq",
        "app.kubernetes.io/part-of": "rabbitmq",
    }
    ports = listening((4369, "epmd"), (5672, "amqp"), (15672, "management"))
    return workload(
        "mq",
        "a",
        "StatefulSet",
        replicas=3,
        image="rabbitmq:4",
        ports=ports,
        pod={"labels": labels},
    )


def among(name: str, *ports: int | str, key: str = "app") -> Manifest:
    """Return a policy that lets pods of a label talk to each other on ports."""
    own = peer(**{key: name})
    said = [rule("from", own, ports=ports)], [rule("to", own, ports=ports)]
    return policy(to={key: name}, ingress=said[0], egress=said[1])


def told(*objects: Manifest) -> list[str]:
    """Return the codes of what is found."""
    return [each.code for each in found("D-PEER", *objects)]


def test_the_bus_of_a_redis_cluster_is_a_port_of_its_own() -> None:
    here = text(redis(), among("redis", 6379))
    first = examined(here, "D-PEER")
    assert [(e.code, str(e.severity)) for e in first] == [("PEE001", "error")]
    assert "TCP/16379 (cluster bus (client port + 10000))" in first[0].message
    assert examined(mended({"all.yaml": here}, first)["mended.yaml"], "D-PEER") == ()
    assert told(redis(), among("redis", 6379, 16379)) == []


def test_one_replica_has_nobody_to_talk_to() -> None:
    assert told(redis(replicas=1), among("redis", 6379)) == []
    plain = workload("redis", "a", "StatefulSet", replicas=3, image="redis")
    assert told(plain, among("redis", 6379)) == []


def test_names_of_ports_miss_what_nobody_declares() -> None:
    key = "app.kubernetes.io/name"
    (one,) = found("D-PEER", rabbit(), among("mq", "epmd", "amqp", key=key))
    assert one.code == "PEE001"
    assert one.message.endswith("on TCP/25672 (distribution)")
    assert told(rabbit(), among("mq", 4369, 5672, 25672, key=key)) == []


def spilo() -> Manifest:
    """Return what the operator of Zalando makes."""
    labels = {"application": "spilo", "cluster-name": "db"}
    said = {"replicas": 2, "image": "ghcr.io/zalando/spilo-17:4", "pod": {"labels": labels}}
    return workload("db", "a", "StatefulSet", **said)


def test_a_whole_namespace_is_more_than_its_replicas() -> None:
    everybody = policy(ingress=[{"from": [{"podSelector": {}}]}])
    (one,) = found("D-PEER", spilo(), workload("app"), everybody)
    assert (one.code, str(one.severity)) == ("PEE002", "warning")
    assert one.message.startswith("a/app may reach a/db on TCP/8008 (Patroni REST)")
    assert one.evidence[0].text == "a/p ingress rule 1 lets it in"


def test_clients_on_the_port_for_clients_are_welcome() -> None:
    own = [
        rule("from", peer(application="spilo"), ports=(5432, 8008)),
        rule("from", peer(app="app"), ports=(5432,)),
    ]
    assert told(spilo(), workload("app"), policy(to={"application": "spilo"}, ingress=own)) == []


def test_anybody_outside_is_named_too() -> None:
    (one,) = found("D-PEER", spilo(), workload("app"), policy(ingress=[{}]))
    assert "any address outside" in one.message


def test_who_no_policy_restricts_is_another_matter() -> None:
    assert told(spilo(), workload("app")) == []


@pytest.mark.parametrize(("more", "codes"), [({}, ["PEE003"]), (EARLY, [])])
def test_replicas_have_names_before_they_are_ready(more: dict[str, Any], codes: list[str]) -> None:
    names = service("redis", "a", {"port": 6379}, clusterIP="None", **more)
    assert told(redis(**READY), names) == codes
    assert told(redis(), names) == []


STORES: dict[str, tuple[int, int | None]] = {
    "rabbitmq:4-management": (5672, 25672),
    "docker.io/bitnami/rabbitmq@sha256:0": (5672, 4369),
    "registry.test:5000/mirror/cassandra:5": (9042, 7000),
    "quay.io/strimzi/kafka:0.40": (9092, 9091),
    "confluentinc/cp-kafka:7.9": (19092, None),
    "docker.elastic.co/elasticsearch/elasticsearch:9": (9200, 9300),
    "mysql:8": (33060, None),
    "bitnami/mariadb-galera:12": (3306, 4567),
    "mongo:8": (9216, None),
    "quay.io/coreos/etcd": (2379, 2380),
    "zookeeper:3.9": (2181, 3888),
    "redis:8": (9121, None),
    "postgres:18": (9187, None),
    "ghcr.io/zalando/spilo-17:4": (5432, 8008),
    "nats:2": (4222, 6222),
    "hashicorp/consul:1.22": (8500, None),
    "hashicorp/vault:1.21": (8200, 8201),
    "minio/minio": (9001, None),
    "clickhouse/clickhouse-server:26": (8123, 9009),
}
"""By image: a port for clients, and one for replicas alone if there is any."""


@pytest.mark.parametrize("image", STORES)
def test_stores_are_known_by_their_image(image: str) -> None:
    client, _ = STORES[image]
    ports = listening(client, 9090, 9091, 9092, 9094)
    said = {"replicas": 3, "image": image, "ports": ports}
    store = workload("store", "a", "StatefulSet", **said)
    clients = rule("from", peer(app="app"), ports=(client,))
    objects = (store, service("store", "a", {"port": client}, clusterIP="None"), workload("app"))
    forgets = policy(to={"app": "store"}, ingress=[clients])
    here = text(*objects, forgets)
    (one,) = first = examined(here, "D-PEER")
    assert (one.code, str(one.severity), str(one.mode)) == ("PEE001", "warning", "F5")
    assert examined(mended({"all.yaml": here}, first)["mended.yaml"], "D-PEER") == ()


@pytest.mark.parametrize("image", [image for image, (_, own) in STORES.items() if own])
def test_nobody_else_gets_at_ports_between_replicas(image: str) -> None:
    _, own = STORES[image]
    said = {"replicas": 3, "image": image, "ports": listening(9091)}
    store = workload("store", "a", "StatefulSet", **said)
    itself = rule("from", peer(app="store"))
    more = rule("from", peer(app="app"), ports=(own or 0,))
    open_to = policy(to={"app": "store"}, ingress=[itself, more])
    (one,) = found("D-PEER", store, workload("app"), open_to)
    assert one.code == "PEE002"
    assert f"a/app may reach a/store on TCP/{own}" in one.message


def test_what_only_looks_like_a_store_is_none() -> None:
    own = policy(to={"app": "store"}, ingress=[])
    for image in ("prom/mysqld-exporter", "example.org/redis-commander", "rabbitmq-exporter:1"):
        store = workload("store", "a", "StatefulSet", replicas=3, image=image)
        assert told(store, own) == []
    caches = workload("store", replicas=3, image="redis:8")
    assert told(caches, own) == []


def test_ports_that_products_listen_on_are_declared_enough() -> None:
    here = text(redis(ports=listening(6379)), among("redis", 6379))
    first = examined(here, "D-PEER")
    assert [each.code for each in first] == ["PEE001"]
    after = examined(mended({"all.yaml": here}, first)["mended.yaml"], "D-PEER", "D-PORT")
    assert [each.code for each in after] == []


@pytest.mark.parametrize("ports", [(5432, 8008), ()])
def test_what_is_between_replicas_is_taken_out_of_the_rules_of_others(ports: Any) -> None:
    to = {"application": "spilo"}
    who = rule("from", peer(app="app"), peer(**to), ports=ports)
    here = text(spilo(), workload("app"), policy(to=to, ingress=[who]))
    (first,) = examined(here, "D-PEER")
    assert first.code == "PEE002"
    after = mended({"all.yaml": here}, [first])["mended.yaml"]
    assert examined(after, "D-PEER") == ()
    answer = load_texts({"all.yaml": after}).why("a/app", "a/db", port=5432)
    assert str(answer.verdict) == "allowed"


def test_the_operator_of_a_store_gets_at_its_replicas() -> None:
    operator = workload("operator", "b", pod={"labels": {"name": "postgres-operator"}})
    own = policy(to={"application": "spilo"}, ingress=[rule("from", peer(application="spilo"))])
    here = text(spilo(), operator, own)
    (first,) = examined(here, "D-PEER")
    assert (first.code, str(first.severity)) == ("PEE004", "error")
    assert first.message == ("b/operator runs a/db and cannot reach it on TCP/8008 (Patroni REST)")
    assert examined(mended({"all.yaml": here}, [first])["mended.yaml"], "D-PEER") == ()
    assert told(spilo(), workload("operator", "b"), own) == []


@pytest.mark.parametrize(("said", "codes"), [("yes", ["PEE001"]), ("no", [])])
def test_a_mounted_file_says_that_a_redis_is_a_cluster(said: str, codes: list[str]) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "redis", "namespace": "a"},
        "data": {"redis.conf": f"port 6379\ncluster-enabled {said}\n"},
    }
    volumes = {"volumes": [{"name": "c", "configMap": {"name": "redis"}}]}
    store = workload("redis", "a", "StatefulSet", replicas=3, image="redis:8", pod=volumes)
    assert told(store, config, among("redis", 6379)) == codes
