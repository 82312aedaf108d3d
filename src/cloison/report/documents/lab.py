"""`lab up` and `lab status` as published."""

from collections.abc import Iterator, Sequence
from typing import Literal

from cloison.probe.lab.plan import ServicePlan, Station
from cloison.probe.lab.seen import Seen
from cloison.report.about import About
from cloison.report.documents import parts


class ListenSaid(parts.Base, frozen=True):
    """A port that something listens on; `name` is what the pod calls it, if anything."""

    protocol: str
    port: int
    name: str | None


class StationSaid(parts.Base, frozen=True):
    """A node or a pod of a lab, under the name that `lab exec` takes."""

    name: str
    node: str
    workload: str | None
    addresses: list[str]
    listens: list[ListenSaid]


class BackendSaid(parts.Base, frozen=True):
    """Where a port of a Service leads."""

    address: str
    port: int


class ServicePortSaid(parts.Base, frozen=True):
    """A port of a Service; `nodePort` is the port it has on every node, if any."""

    protocol: str
    port: int
    node_port: int | None
    backends: list[BackendSaid]


class ServiceSaid(parts.Base, frozen=True):
    """A Service with addresses of its own."""

    namespace: str
    name: str
    addresses: list[str]
    ports: list[ServicePortSaid]


class ProxiedSaid(parts.Base, frozen=True):
    """Pods whose HTTP requests the proxy of a node reads, as they leave or enter."""

    node: str
    direction: Literal["egress", "ingress"]
    pods: list[str]


class Built(parts.Envelope, frozen=True):
    """A lab that runs.

    `outside` are the external hosts with an address of their own, `names` what DNS names stand for,
    and `dns` whom pods ask for them; both are empty where nobody answers.
    """

    name: str
    nodes: list[StationSaid]
    pods: list[StationSaid]
    services: list[ServiceSaid]
    outside: list[str]
    dns: list[str]
    names: dict[str, list[str]]
    listening: int
    proxied: list[ProxiedSaid]


DOCUMENT = Built


def document(result: Seen, about: About) -> Built:
    """Return a lab as published."""
    plan = result.plan
    named = plan.names if result.answering else {}
    return Built(
        schema_version=parts.SCHEMA_VERSION,
        tool=parts.tool(about),
        profile=parts.profile(about),
        diagnostics=list(parts.findings(about)),
        name=result.name,
        nodes=[_station(each) for each in plan.nodes],
        pods=[_station(each) for each in plan.pods],
        services=[_service(each) for each in plan.services],
        outside=list(plan.outside),
        dns=list(plan.dns) if result.answering else [],
        names={name: list(addresses) for name, addresses in named.items()},
        listening=result.listening,
        proxied=[
            ProxiedSaid(
                node=each.node,
                direction="egress" if each.direction == "egress" else "ingress",
                pods=list(each.pods),
            )
            for each in result.proxied
        ],
    )


def _station(known: Station) -> StationSaid:
    return StationSaid(
        name=known.name,
        node=known.node,
        workload=known.workload or None,
        addresses=list(known.addresses),
        listens=[ListenSaid(x.protocol, x.port, x.name or None) for x in known.listens],
    )


def _service(known: ServicePlan) -> ServiceSaid:
    namespace, _, name = known.name.partition("/")
    ports = [
        ServicePortSaid(
            protocol=port.protocol,
            port=port.port,
            node_port=port.node_port or None,
            backends=[BackendSaid(address, number) for address, number in port.backends],
        )
        for port in known.ports
    ]
    return ServiceSaid(namespace=namespace, name=name, addresses=list(known.addresses), ports=ports)


HEADER = ("kind", "name", "node", "addresses", "ports")


def rows(result: Seen) -> Iterator[Sequence[object]]:
    """Iterate over nodes, pods and Services."""
    plan = result.plan
    for kind, stations in (("node", plan.nodes), ("pod", plan.pods)):
        for each in stations:
            ports = " ".join(f"{x.protocol}/{x.port}" for x in each.listens)
            yield kind, each.name, each.node, " ".join(each.addresses), ports
    for service in plan.services:
        ports = " ".join(f"{x.protocol}/{x.port}" for x in service.ports)
        yield "service", service.name, "", " ".join(service.addresses), ports
