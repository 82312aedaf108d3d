"""What a laboratory consists of, as plain values: they travel to the process that builds it."""

import msgspec

from cloison.probe.lab.rulings import NodeProxy


class Listen(msgspec.Struct, frozen=True):
    """A port that something listens on.

    Args:
        protocol: `TCP`, `UDP` or `SCTP`.
        port: Its number.
        name: What it is called, if anything.
    """

    protocol: str
    port: int
    name: str = ""


class Station(msgspec.Struct, frozen=True):
    """An end of connections: one network namespace.

    Args:
        name: What people call it and answers refer to: `web/case-portal`, `node:n1`, `outside`.
        node: The node that it runs on; its own name for a node, empty for the outside.
        addresses: Its addresses.
        listens: What listens there from the start.
        workload: The workload it stands for, as people write it; empty for others.
    """

    name: str
    node: str
    addresses: tuple[str, ...]
    listens: tuple[Listen, ...] = ()
    workload: str = ""


class ServicePort(msgspec.Struct, frozen=True):
    """A port of a Service and where it leads.

    Args:
        protocol: `TCP`, `UDP` or `SCTP`.
        port: The port of the Service.
        backends: Address and port of each endpoint.
        node_port: The port it has on every node; 0 for none.
    """

    protocol: str
    port: int
    backends: tuple[tuple[str, int], ...]
    node_port: int = 0


class ServicePlan(msgspec.Struct, frozen=True):
    """A Service with addresses of its own.

    Args:
        name: `namespace/name`.
        addresses: Its cluster addresses and external ones.
        ports: Its ports.
        outside: Those of its addresses that are for clients outside.
        local: Whether what comes from outside stays on the node it arrives at, under its own
            address (`externalTrafficPolicy: Local`).
        kept: Whether what pods send stays on their node (`internalTrafficPolicy: Local`).
    """

    name: str
    addresses: tuple[str, ...]
    ports: tuple[ServicePort, ...]
    outside: tuple[str, ...] = ()
    local: bool = False
    kept: bool = False


class Plan(msgspec.Struct, frozen=True):
    """A whole laboratory.

    Args:
        nodes: One router for each node.
        pods: One namespace each, behind the router of its node.
        outside: Addresses of external hosts, all in one namespace.
        services: Led to their endpoints by the router of whoever connects.
        names: DNS names and their addresses; `*` inside a name is not special.
        dns: Addresses that pods ask for names; empty for none.
        answering: Stations and ports where the lab's DNS server answers.
        rulesets: For each node, what its packet filter is told: an nftables script.
        proxies: What the proxies of nodes are told where the filter hands connections to them.
        caches: Addresses that every node has for itself, where it answers for names.
    """

    nodes: tuple[Station, ...]
    pods: tuple[Station, ...]
    outside: tuple[str, ...] = ()
    services: tuple[ServicePlan, ...] = ()
    names: dict[str, tuple[str, ...]] = {}
    dns: tuple[str, ...] = ()
    answering: tuple[tuple[str, int], ...] = ()
    rulesets: dict[str, str] = {}
    proxies: dict[str, NodeProxy] = {}
    caches: tuple[str, ...] = ()


class Ask(msgspec.Struct, frozen=True):
    """An HTTP request.

    Args:
        method: `GET`.
        path: With its query.
        host: Whom it is for.
        headers: Those that are sent besides.
    """

    method: str
    path: str
    host: str
    headers: tuple[tuple[str, str], ...] = ()


class Probe(msgspec.Struct, frozen=True):
    """A connection to try.

    Args:
        source: Name of the station that connects.
        address: The address it connects from.
        target: The address it connects to.
        protocol: `TCP`, `UDP`, `SCTP` or `ICMP`.
        port: The destination port; 0 for ICMP.
        source_port: The port it connects from; 0 for any.
        ask: What is asked for once it is connected; TCP only.
    """

    source: str
    address: str
    target: str
    protocol: str
    port: int
    source_port: int = 0
    ask: Ask | None = None


class Measured(msgspec.Struct, frozen=True):
    """What came of a probe.

    Args:
        outcome: `open` (something answered), `refused` (it arrived, nothing listens there),
            `forbidden` (a proxy refused the request), `dropped` (no answer in time), `no-route`
            (it could not be sent, or a router said so) or `failed` (the probe itself went wrong).
        detail: The system's words, where it has any.
        milliseconds: How long it took.
        attempts: How often it was tried.
    """

    outcome: str
    detail: str = ""
    milliseconds: float = 0.0
    attempts: int = 1

    @property
    def arrived(self) -> bool | None:
        """Whether packets went through; None where that is not known."""
        known = {"open": True, "refused": True, "forbidden": False, "dropped": False}
        return known.get(self.outcome)
