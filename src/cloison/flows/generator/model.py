"""What traffic is made of: workloads, who calls whom how often, and what goes wrong meanwhile."""

from dataclasses import dataclass
from typing import Literal

Rhythm = Literal["chatty", "rare", "daily", "weekly", "month-end", "once"]
"""How often: many times an hour; every few days; at a set hour of each day, of each Monday or of a
month's last day; a single time."""

Sort = Literal["legitimate", "attack", "person"]
"""Why: the application does it; an attacker looks around; a person runs `curl` in a pod's shell."""


@dataclass(frozen=True, slots=True)
class Made:
    """A workload that traffic is made for.

    Args:
        namespace: Where it runs.
        name: Its name.
        kind: What makes its pods, such as `Deployment`.
        labels: Labels of its pods, as `key=value`, sorted.
        replicas: How many pods there are at once.
        host_network: Whether its pods have their node's address.
    """

    namespace: str
    name: str
    kind: str = "Deployment"
    labels: tuple[str, ...] = ()
    replicas: int = 2
    host_network: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """An end that is no workload: an address outside with the names it is called by, or a node.

    Args:
        name: What it is called here.
        ips: Its addresses; a call goes to or comes from one of them.
        dns: The name it is looked up by, if any.
        entity: What it is, as the schema says it.
    """

    name: str
    ips: tuple[str, ...]
    dns: str | None = None
    entity: Literal["world", "host", "apiserver"] = "world"


@dataclass(frozen=True, slots=True)
class Service:
    """The Service by which a workload is called."""

    namespace: str
    name: str
    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class Call:
    """One end calls another, again and again.

    Args:
        src: Who calls.
        dst: Who is called.
        port: The port of the pod or place that is called.
        protocol: `TCP`, `UDP` or `SCTP`.
        rhythm: How often.
        per_hour: For `chatty`: calls in an hour of the day's middle; at night there are fewer.
        at: For `daily`, `weekly`, `month-end`: the hour of the day, UTC; for `once`: hours after
            the start.
        service: Service it is called by; `None` where pods are called themselves.
        sort: Why.
        since: Hours after the start before which it does not happen.
        until: Hours after the start from which on it does not happen any more.
        denied: Name of the policy that denies it, as `namespace/name`; `None` where it gets
            through; empty where the lack of an allowing rule denies it.
        denied_since: Hours after the start from which on it is denied.
        denied_at: Which end's policy denies it.
    """

    src: Made | Place
    dst: Made | Place
    port: int
    protocol: str = "TCP"
    rhythm: Rhythm = "chatty"
    per_hour: float = 6.0
    at: float = 2.0
    service: Service | None = None
    sort: Sort = "legitimate"
    since: float = 0.0
    until: float = 1e9
    denied: str | None = None
    denied_since: float = 0.0
    denied_at: Literal["src", "dst"] = "dst"


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rolling update: pods of a workload are replaced by new ones with other labels.

    Args:
        workload: Whose pods.
        at: Hours after the start.
        labels: Labels of the new pods.
    """

    workload: Made
    at: float
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Traffic to be made.

    Args:
        calls: Who calls whom.
        start: Its first moment, in microseconds since 1970, UTC.
        hours: How long it goes on.
        seed: Another seed makes other traffic of the same shape.
        nodes: Addresses of nodes; pods are spread over them.
        rollouts: Rolling updates meanwhile. Addresses that become free are given to the next new
            pods, of whatever workload.
        translated: Ends outside whose calls arrive with a node's address, by name.
        loss: Share of records that are lost on the way.
        swapped: Share of connections of which only a packet back is recorded, with no word on
            which way it went.
    """

    calls: tuple[Call, ...]
    start: int
    hours: float
    seed: int = 0
    nodes: tuple[str, ...] = ("192.0.2.11", "192.0.2.12", "192.0.2.13")
    rollouts: tuple[Rollout, ...] = ()
    translated: frozenset[str] = frozenset()
    loss: float = 0.0
    swapped: float = 0.0


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that lived in made-up traffic, from `since` until `until`, in microseconds."""

    made: Made
    name: str
    ip: str
    node: str
    labels: tuple[str, ...]
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Connection:
    """What really happened, once.

    Args:
        time: When, in microseconds.
        call: Of what it is one time.
        src: The pod or place that opened it.
        src_ip: Address it was opened from, before any translation.
        seen_ip: Address that it arrived with.
        src_port: Its source port.
        dst: The pod or place that was called.
        dst_ip: Address of that.
        allowed: Whether it got through.
        swapped: Whether only a packet back is recorded.
        serial: A number of its own, from 0.
    """

    time: int
    call: Call
    src: Pod | Place
    src_ip: str
    seen_ip: str
    src_port: int
    dst: Pod | Place
    dst_ip: str
    allowed: bool
    swapped: bool
    serial: int
