"""Where pods say that they listen."""

from dataclasses import replace

import pytest

from cloison.analyses.past.link import Link
from cloison.analyses.past.listening import Listening
from cloison.analyses.reconcile.seen import NODES
from cloison.resources.objects import ContainerPort, PodShape, Service, ServicePort
from cloison.resources.runtime import Container, Probe, ProbeRole, ProbeWay, Runtime
from cloison.resources.world import Workload, World
from tests.support.past import HERE, linked, outside, pods, seen, workload

DB = workload("shop/db")
RUN = Runtime(
    (Container("c", probes=(Probe(ProbeRole.READINESS, ProbeWay.HTTP, 8086),)),),
    annotations=(("prometheus.io/port", "9187"), ("example.com/port", "pg")),
)
SHAPE = PodShape({"app": "db"}, (ContainerPort(5432, name="pg"),), runtime=RUN)


def of(known: Workload, shape: PodShape) -> Workload:
    return replace(known, endpoints=(replace(known.endpoints[0], shape=shape),))


def link(to: Workload, port: int, protocol: str = "TCP") -> Link:
    (found,) = linked(seen("shop/api", pods(to), [1], port=port, protocol=protocol))
    return found


@pytest.mark.parametrize(
    ("port", "protocol", "said"),
    [
        (5432, "TCP", True),  # a container
        (5432, "UDP", False),
        (8086, "TCP", True),  # a probe
        (9187, "TCP", True),  # an annotation
        (7000, "TCP", True),  # a Service leads there
        (80, "TCP", False),  # that is the Service's own port
        (7001, "TCP", True),  # clients of a headless Service call the pods themselves
        (7002, "TCP", False),  # a Service of others
        (22, "TCP", False),
    ],
)
def test_what_is_said(port: int, protocol: str, *, said: bool) -> None:
    db = of(DB, SHAPE)
    services = [
        Service("shop", "db", HERE, selector={"app": "db"}, ports=(ServicePort(80, target=7000),)),
        Service(
            "shop",
            "all",
            HERE,
            selector={"app": "db"},
            ports=(ServicePort(7001, target="pg"),),
            cluster_ips=("None",),
        ),
        Service("shop", "web", HERE, selector={"app": "web"}, ports=(ServicePort(7002),)),
        Service("web", "db", HERE, selector={"app": "db"}, ports=(ServicePort(7002),)),
    ]
    world = World(workloads={db.id: db}, services={(e.namespace, e.name): e for e in services})
    assert Listening(world).said(link(db, port, protocol)) is said


def test_of_nodes_and_of_what_is_outside_nobody_can_tell() -> None:
    listening = Listening(World())
    host = workload("kube-system/proxy", host_network=True)
    rows = [seen("shop/api", to, [1]) for to in (NODES, outside("192.0.2.1"), pods(host))]
    ping = seen("shop/api", pods(DB), [1], port=-1)
    assert all(listening.said(each) for each in linked(*rows, ping))
    assert not listening.said(link(DB, 8080))
