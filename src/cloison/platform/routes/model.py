"""Entries, the rules behind them, and who serves them: what every routing API comes to.

An entry takes connections in and opens new ones to backends. Policies of the backend see whoever
serves the entry, never the client.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cloison.base import Span
from cloison.ir.fidelity import Caveat
from cloison.resources.declared import Declared
from cloison.resources.world import WorkloadId


class EntryKind(StrEnum):
    """What an entry is written as."""

    GATEWAY = "Gateway"
    INGRESS = "Ingress"
    ROUTE = "Route"


class Dials(StrEnum):
    """How who serves an entry reaches a backend."""

    ENDPOINTS = "endpoints"
    """The pods' own addresses and ports."""
    SERVICE = "service"
    """The Service's address and port, translated on the way."""
    NODE_PORT = "nodePort"
    """A node, which leads on to a pod."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that an entry takes connections on.

    Args:
        name: Its name; empty where it has none.
        port: The port that clients dial.
        protocol: `HTTP`, `HTTPS`, `TLS`, `TCP` or `UDP`.
        hostname: The only host it is for; None for every one.
        span: Where it is written.
    """

    name: str
    port: int
    protocol: str
    hostname: str | None = None
    span: Span | None = None

    @property
    def transport(self) -> str:
        """TCP or UDP."""
        return "UDP" if self.protocol == "UDP" else "TCP"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why nothing arrives, though no policy is to blame.

    Args:
        reason: A short name, as a status would say it: `RefNotPermitted`.
        text: What is missing, in a sentence without its end.
        help: What to do.
        span: Where.
        source: Who says so.
        caveat: What the input may only lack: then whether anything arrives is not known. None
            where nothing does for certain.
    """

    reason: str
    text: str
    help: str
    span: Span | None = None
    source: str | None = None
    caveat: Caveat | None = None


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a rule leads.

    Args:
        namespace: Of the Service.
        service: Its name.
        port: The Service's port, by number or name; None where the rule says none.
        endpoint_port: Whether `port` is one of the endpoints instead.
        weight: Its share; 0 gets nothing.
        mirror: Whether it gets copies only.
        span: Where it is written.
        stop: Why nothing arrives there.
    """

    namespace: str
    service: str
    port: int | str | None = None
    endpoint_port: bool = False
    weight: int = 1
    mirror: bool = False
    span: Span | None = None
    stop: Stop | None = None


class PathKind(StrEnum):
    """How a path of a rule is meant."""

    EXACT = "exact"
    """It itself."""
    PREFIX = "prefix"
    """It, and what is below it."""
    OWN = "own"
    """As whoever serves the entry means it: a prefix or a pattern, say."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule asks of a request; all of it has to hold.

    Args:
        path: The path, as written.
        kind: How that is meant.
        method: The method; None for every one.
        headers: Headers with the values they must have; None for a pattern.
        query: Parameters of the query, likewise.
    """

    path: str = "/"
    kind: PathKind = PathKind.PREFIX
    method: str | None = None
    headers: tuple[tuple[str, str | None], ...] = ()
    query: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class RouteRule:
    """A rule of a route, behind some listeners.

    Args:
        route: What it is a rule of: `HTTPRoute web/portal`.
        listeners: The listeners it is behind.
        hosts: Hosts it is for; empty for every one.
        paths: What of a request it is for, as written: `/api`, `/api*` for a prefix.
        backends: Where it leads.
        span: Where it is written.
        answers: Whether whoever serves the entry answers by itself, with a redirect.
        passthrough: Whether TLS passes to the backend unopened.
        matches: What of a request it is for, one of them; empty for every request.
        created: When its route was created, as written; None where nothing says that.
        last: Whether it is for what no other rule is for.
    """

    route: str
    listeners: tuple[Listener, ...]
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    backends: tuple[Backend, ...] = ()
    span: Span | None = None
    answers: bool = False
    passthrough: bool = False
    matches: tuple[Match, ...] = ()
    created: str | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as it is written, before anybody is found who serves it.

    Args:
        kind: What it is written as.
        item: The object.
        class_name: Its class; None where it names none and there is no default.
        controller: The controller of that class, where the input says so.
        listeners: Its ports.
        rules: What is behind them.
        addresses: Addresses and host names that it asks for or has.
        settings: Objects with settings of whoever serves it, its own before those of its class:
            kind, namespace and name.
    """

    kind: EntryKind
    item: Declared
    class_name: str | None
    controller: str | None
    listeners: tuple[Listener, ...]
    rules: tuple[RouteRule, ...]
    addresses: tuple[str, ...] = ()
    settings: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Supposed:
    """Pods that whoever serves an entry has as its product ships it, and the input does not hold.

    Args:
        component: The component, by its id.
        namespace: Where they live.
        labels: Their labels.
        host_network: Whether they use their node's network.
    """

    component: str
    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    host_network: bool = False


@dataclass(frozen=True, slots=True)
class Plane:
    """Who serves an entry, as enforcement points see it. Of the first four at most one is given.

    Args:
        workloads: Its pods.
        blocks: Addresses of a load balancer that dials by itself; with `on_nodes`, those that it
            dials nodes from.
        apart: An end that the enforcer has for it besides pods: `reserved:ingress`.
        supposed: The pods it would have, where the input holds none of them.
        on_nodes: Whether its connections come from a node's address.
        ports: Ports of its pods by port of the listener; the same where one is missing.
        dials: How it reaches backends.
        name: What to call it: `ingress-nginx`.
        why: What says so.
        span: Where.
        service: The Service that leads to it, where the entry names one: (namespace, name).
        caveats: What stays unclear.
        somewhere: The pods it would have, where none is in the input and nobody says their
            namespace, which is left empty then.
        elsewhere: Addresses that its requests never come from, where its own are not known.
        unknown: Whether it is only that somebody serves the entry, of whom nothing is known.
    """

    name: str
    why: str
    workloads: tuple[WorkloadId, ...] = ()
    blocks: tuple[str, ...] = ()
    apart: str | None = None
    supposed: Supposed | None = None
    on_nodes: bool = False
    ports: Mapping[int, int] = field(default_factory=dict, hash=False)
    dials: Dials = Dials.ENDPOINTS
    span: Span | None = None
    service: tuple[str, str] | None = None
    caveats: tuple[Caveat, ...] = ()
    somewhere: Supposed | None = None
    elsewhere: tuple[str, ...] = ()
    unknown: bool = False

    @property
    def assumed(self) -> bool:
        """Whether nothing in the input is it."""
        return self.supposed is not None


@dataclass(frozen=True, slots=True)
class Entry:
    """Where traffic comes in.

    Args:
        kind: What it is written as.
        namespace: Where it lives.
        name: Its name.
        class_name: Its class; None where it names none.
        listeners: Its ports.
        rules: What is behind them.
        planes: Who serves it; several where the input does not say which, none where nobody does.
        span: Where it is written.
    """

    kind: EntryKind
    namespace: str
    name: str
    class_name: str | None
    listeners: tuple[Listener, ...]
    rules: tuple[RouteRule, ...]
    planes: tuple[Plane, ...]
    span: Span

    def __str__(self) -> str:
        """Render as `Gateway web/public`."""
        return f"{self.kind} {self.namespace}/{self.name}"
