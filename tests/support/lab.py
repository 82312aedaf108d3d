"""A small cluster with addresses, the plan that would build it, and labs that are none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from cloison.algebra import address_text
from cloison.analyses.applied import Applied, Changed, Deed, Done, Held
from cloison.analyses.matrix import Expect, Row
from cloison.analyses.measured import MeasuredMatrix
from cloison.analyses.traced import Trace
from cloison.app import Session, load_objects
from cloison.base import SourceError, Span
from cloison.dialects.nftables import counter_name
from cloison.probe.lab.measure import run
from cloison.probe.lab.plan import (
    Listen,
    Measured,
    Plan,
    Probe,
    ServicePlan,
    ServicePort,
    Station,
)
from cloison.probe.lab.seen import Seen
from cloison.probe.lab.trace import trace
from tests.oracle.raw import Manifest

OPEN, DROPPED = Measured("open"), Measured("dropped")


def pod(
    name: str,
    *addresses: str,
    ports: Mapping[int, str] | None = None,
    node: str = "n1",
    namespace: str = "web",
) -> Manifest:
    """Return a running pod that is labelled with its name."""
    said = [{"containerPort": port, "name": text} for port, text in (ports or {}).items()]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i", "ports": said}]},
        "status": {
            "phase": "Running",
            "podIP": addresses[0],
            "podIPs": [{"ip": each} for each in addresses],
        },
    }


def node(name: str, *addresses: str) -> Manifest:
    """Return a node."""
    said = [{"type": "InternalIP", "address": each} for each in addresses]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "status": {"addresses": said},
    }


def policy(name: str, app: str, **spec: object) -> Manifest:
    """Return a NetworkPolicy about the pods of one label in `web`."""
    selector = {"podSelector": {"matchLabels": {"app": app}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "web"},
        "spec": {**selector, **spec},
    }


def service(name: str, app: str, address: str, port: int, target: int) -> Manifest:
    """Return a Service in `web`."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "web"},
        "spec": {
            "clusterIP": address,
            "clusterIPs": [address],
            "selector": {"app": app},
            "ports": [{"port": port, "targetPort": target, "protocol": "TCP"}],
        },
    }


def session(*objects: Manifest) -> Session:
    """Load manifests under the `generic` profile."""
    return load_objects(list(objects), profile="generic")


def plan(of: Session, outside: tuple[str, ...] = ()) -> Plan:
    """Return the plan of a world in which everybody has addresses."""
    stations = [
        Station(
            endpoint.name,
            endpoint.shape.node or "",
            tuple(map(address_text, endpoint.addresses)),
            tuple(Listen(each.protocol, each.number, each.name or "") for each in endpoint.ports),
            str(endpoint.workload),
        )
        for workload in of.world.workloads.values()
        for endpoint in workload.endpoints
    ]
    nodes = [
        Station(f"node:{each.name}", each.name, tuple(map(address_text, each.addresses)))
        for each in of.world.nodes.values()
    ]
    services = [
        ServicePlan(
            f"{each.namespace}/{each.name}",
            each.cluster_ips,
            tuple(
                ServicePort(
                    port.protocol,
                    port.port,
                    tuple(
                        (address_text(e.addresses[0]), int(port.target or port.port))
                        for w in of.world.workloads.values()
                        for e in w.endpoints
                        if (each.selector or {}).items() <= e.labels.items()
                    ),
                )
                for port in each.ports
            ),
        )
        for each in of.world.services.values()
    ]
    return Plan(tuple(nodes), tuple(stations), outside, tuple(services))


class Told:
    """A lab that answers as it is told to.

    Args:
        answer: What comes of a probe.
        rules: Keys of the rules that count each probe, on the first node.
        deaf: Where nothing can listen, with the reason.
    """

    def __init__(
        self,
        answer: Callable[[Probe], Measured],
        *rules: str,
        deaf: Mapping[tuple[str, str, int], str] | None = None,
    ) -> None:
        self.deaf = deaf or {}
        self.answer = answer
        self.rules = rules
        self.sent: list[Probe] = []
        self.opened: list[tuple[str, str, int]] = []

    def probe(self, probes: Sequence[Probe]) -> list[Measured]:
        """Answer."""
        self.sent += probes
        return [self.answer(probe) for probe in probes]

    def listen(self, station: str, protocol: str, port: int) -> None:
        """Note that a listener was wanted."""
        if (station, protocol, port) in self.deaf:
            raise SourceError(self.deaf[station, protocol, port])
        self.opened.append((station, protocol, port))

    def counters(self) -> Mapping[str, Mapping[str, int]]:
        """Return how often each rule has counted."""
        return {"node:n1": {counter_name(key): len(self.sent) for key in self.rules}}


def obedient(of: Session) -> Callable[[Probe], Measured]:
    """Return what a kernel answers that does what the engine says."""

    def answer(probe: Probe) -> Measured:
        said = of.verdict(probe.address, probe.target, probe.protocol, probe.port)
        return OPEN if str(said) == "allowed" else DROPPED

    return answer


CLUSTER = session(
    node("n1", "10.9.0.1"),
    node("n2", "10.9.0.2"),
    pod("front", "10.1.0.1"),
    pod("api", "10.1.0.2", ports={8080: "http", 9090: "metrics"}, node="n2"),
    pod("other", "10.1.0.3"),
    service("api", "api", "10.8.0.1", 80, 8080),
    policy(
        "api",
        "api",
        policyTypes=["Ingress"],
        ingress=[
            {
                "from": [{"podSelector": {"matchLabels": {"app": "front"}}}],
                "ports": [{"port": 8080}],
            }
        ],
    ),
    policy("front", "front", policyTypes=["Egress"], egress=[{"ports": [{"port": 8080}]}]),
)
"""`front` may reach `api` on 8080, and anybody on 8080; `other` may reach everybody but `api`."""


def row(source: str, destination: str, expect: Expect | None, port: str | None = "8080") -> Row:
    """Return a row about TCP."""
    return Row(f"{source} to {destination}", source, destination, expect, port)


OPEN_ROW = row("web/front", "web/api", Expect.ALLOW)
CLOSED_ROW = row("web/other", "web/api", Expect.DENY)


def matrix() -> MeasuredMatrix:
    """Return a measurement in which all is well."""
    rows = (OPEN_ROW, CLOSED_ROW, row("web/other", "web/api", None, None))
    return run(Told(obedient(CLUSTER)), CLUSTER.engine, plan(CLUSTER), rows)


def odd_matrix() -> MeasuredMatrix:
    """Return a measurement in which everything occurs that can go wrong."""
    wanted = replace(
        OPEN_ROW, why="it shows <what> the api gives it", span=Span("in/tests.yaml", 7, 5)
    )
    rows = (
        wanted,
        CLOSED_ROW,
        row("web/other", "web/front", Expect.ALLOW, "80"),
        row("web/other", "203.0.113.7", Expect.ALLOW, "443"),
        row("node:n1", "web/other", Expect.DENY, "80"),
        row("web/api", "127.0.0.1", Expect.ALLOW, "80"),
        row("web/nobody", "web/api", Expect.ALLOW),
    )
    came = {
        ("10.1.0.1", "10.1.0.2"): DROPPED,
        ("10.1.0.3", "203.0.113.7"): Measured("no-route", "no route to host"),
        ("10.1.0.3", "10.1.0.1"): Measured("refused"),
    }
    lab = Told(lambda probe: came.get((probe.address, probe.target), OPEN), _FRONT)
    notes = ("the world was built small",)
    return run(lab, CLUSTER.engine, plan(CLUSTER), rows, notes=notes)


_FRONT = "NetworkPolicy web/front egress 1"


def traced() -> Trace:
    """Return a trace in which the kernel met only half of what was predicted."""
    return trace(Told(lambda _: DROPPED, _FRONT), CLUSTER.engine, plan(CLUSTER), OPEN_ROW)


SEEN = Seen("mine", 1, plan(CLUSTER, ("203.0.113.1",)), 3, 0.5, answering=True, whole=False)
"""A lab as it shows itself."""


def applied() -> Applied:
    """Return a change after which not everything is as predicted."""
    done = (
        Done(Deed.REPLACED, "NetworkPolicy", "web/api"),
        Done(Deed.UNCHANGED, "NetworkPolicy", "web/front"),
        Done(Deed.APPLIED, "Tier", "first"),
    )
    first, second, third, *_ = odd_matrix().cells
    flows = (Changed(second, opened=False, held=Held.LIVED), Changed(first, opened=True))
    more = Changed(third, opened=True)
    return Applied(done, ("node:n1",), (*flows, more), 3, keeps=False, notes=("a note",))
