"""How workloads are commonly named, and what a name then suggests. No more than suggestions.

The words are those of public example applications and charts: GoogleCloudPlatform/
microservices-demo, microservices-demo/microservices-demo, istio/istio samples/bookinfo,
GoogleCloudPlatform/bank-of-anthos, FudanSELab/train-ticket, bitnami/charts.
"""

import re
from collections.abc import Mapping
from typing import Final

_STORES: Final = (
    "cache",
    "cassandra",
    "database",
    "db",
    "elasticsearch",
    "kafka",
    "mariadb",
    "memcached",
    "minio",
    "mongo",
    "mongodb",
    "mysql",
    "mysqldb",
    "nats",
    "pg",
    "postgres",
    "postgresql",
    "queue",
    "rabbitmq",
    "redis",
    "store",
    "valkey",
)
_ENDING: Final = re.compile(rf"(?P<owner>[a-z0-9-]+?)-(?P<what>{'|'.join(_STORES)})")
_PRODUCTS: Final = tuple(sorted({*_STORES} - {"cache", "database", "db", "pg", "queue", "store"}))
"""Those that stand before the name of whom they serve, too: `redis-cart`."""
_FRONTED: Final = re.compile(rf"(?P<what>{'|'.join(_PRODUCTS)})-(?P<owner>[a-z0-9-]+)")
_VERSION: Final = re.compile(r"-v\d{1,3}$")
_SERVING: Final = re.compile(r"[-_]?(?:service|svc|server|api|app)$")
NEVER_FRONT: Final = frozenset(
    {21, 22, 23, 25, 111, 135, 139, 389, 445, 636, 873, 1433, 1521, 2049, 2181, 2375, 2376, 2379}
    | {2380, 3306, 3389, 4222, 5432, 5671, 5672, 5900, 5984, 6379, 6443, 7000, 9042, 9092, 9200}
    | {9300, 10250, 11211, 15672, 26257, 27017}
)
"""Ports of databases, brokers, file shares and administrators, where no user comes in."""

_FRONT: Final = re.compile(
    r"front-?end|.*-front-?end|front-?end-.*|web|.*-web|web-?ui|ui|.*-ui|ui-.*|gateway|.*-gateway"
    r"|api-?gateway|.*page|.*portal|.*storefront|bff|.*-bff|edge-.*|www"
)
_WORKER: Final = re.compile(
    r"queue-?master|.*-?worker|worker-.*|.*-?consumer|consumer-.*|.*-?processor|.*-listener"
    r"|.*-subscriber"
)
_DRIVER: Final = re.compile(
    r"load-?gen(?:erator)?(?:-.*)?|load-?test(?:-.*)?|.*-load-?test|k6|locust"
)
_BROKERS: Final = ("activemq", "artemis", "kafka", "nats", "pulsar", "rabbitmq", "redpanda")
_GROUPS: Final = ("team", "owner")


def plain(name: str) -> str:
    """Return a name without a version at its end, which blue and green releases have.

    >>> plain("reviews-v2")
    'reviews'
    """
    return _VERSION.sub("", name)


def owner_of_store(name: str) -> str | None:
    """Return whom a store serves, by its name; None where it says no one.

    >>> owner_of_store("orders-db"), owner_of_store("redis-cart"), owner_of_store("orders")
    ('orders', 'cart', None)
    """
    words = store_words(name)
    return words[0] if words is not None else None


def named_store(name: str) -> bool:
    """Return whether a name says that something is a store, a cache or a queue.

    >>> named_store("orders-db"), named_store("postgres"), named_store("restore")
    (True, True, False)
    """
    return plain(name) in _STORES or store_words(name) is not None


def store_words(name: str) -> tuple[str, str] | None:
    """Return whom a store serves and what it is, by its name.

    >>> store_words("session-db")
    ('session', 'db')
    """
    found = _ENDING.fullmatch(plain(name)) or _FRONTED.fullmatch(plain(name))
    return (found["owner"], found["what"]) if found is not None else None


def stem(name: str) -> str:
    """Return the part of a name that says what it is about.

    >>> stem("cartservice"), stem("orders-api"), stem("ratings-v1")
    ('cart', 'orders', 'ratings')
    """
    short = _SERVING.sub("", plain(name))
    return short or plain(name)


def named_front(name: str) -> bool:
    """Return whether a name says that something is what users see.

    >>> named_front("front-end"), named_front("productpage-v1"), named_front("payment")
    (True, True, False)
    """
    return _FRONT.fullmatch(plain(name)) is not None


def named_worker(name: str) -> bool:
    """Return whether a name says that something works off a queue.

    >>> named_worker("queue-master"), named_worker("payment")
    (True, False)
    """
    return _WORKER.fullmatch(plain(name)) is not None


def named_driver(name: str) -> bool:
    """Return whether a name says that something plays users to try an application.

    >>> named_driver("loadgenerator"), named_driver("loader")
    (True, False)
    """
    return _DRIVER.fullmatch(plain(name)) is not None


def is_broker(component: str) -> bool:
    """Return whether a known store hands on messages, by its id.

    >>> is_broker("st-plain-rabbitmq"), is_broker("st-plain-redis")
    (True, False)
    """
    return any(word in component for word in _BROKERS)


def team(labels: Mapping[str, str]) -> str | None:
    """Return whose something is, by its labels; None where none says so."""
    return next((labels[key] for key in _GROUPS if key in labels), None)
