"""Hubble's messages as JSON spells them.

Names are as in the protocol, or in the camel case that protobuf's own JSON writes. Both spellings
are fields, so that nobody has to say which it is.

Numbers of 64 bits may be texts, enumerations names or numbers, and what is zero or empty is left
out. What no column wants is not named here, and is skipped.

Source: cilium/cilium api/v1/{flow/flow.proto,observer/observer.proto,relay/relay.proto}, v1.19.4.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Raw

Name = Annotated[str, Meta(max_length=1024)]
Port = Annotated[int, Meta(ge=0, le=65535)]
Small = Annotated[int, Meta(ge=0, le=(1 << 31) - 1)]
Many = Annotated[list[Name], Meta(max_length=1024)]
Enum = Small | Name
Number = Annotated[int, Meta(ge=0, le=(1 << 53) - 1)] | Annotated[str, Meta(max_length=20)]
Told = bool | None

NOTHING = Raw(b"")


class Wrapped(msgspec.Struct, gc=False):
    """A truth value that can be absent, as some print it."""

    value: bool = False


class Addresses(msgspec.Struct, gc=False):
    """The message `IP`."""

    source: Name = ""
    destination: Name = ""


class Flags(msgspec.Struct, gc=False):
    """The message `TCPFlags`."""

    SYN: bool = False
    ACK: bool = False


class Ports(msgspec.Struct, gc=False):
    """The messages `TCP`, `UDP` and `SCTP`."""

    source_port: Port = 0
    sourcePort: Port = 0
    destination_port: Port = 0
    destinationPort: Port = 0
    flags: Flags | None = None


class Icmp(msgspec.Struct, gc=False):
    """The messages `ICMPv4` and `ICMPv6`."""

    type: Small = 0
    code: Small = 0


class Transport(msgspec.Struct, gc=False):
    """The message `Layer4`: one of its fields."""

    TCP: Ports | None = None
    UDP: Ports | None = None
    SCTP: Ports | None = None
    ICMPv4: Icmp | None = None
    ICMPv6: Icmp | None = None
    VRRP: Raw = NOTHING
    IGMP: Raw = NOTHING


class Workload(msgspec.Struct, gc=False):
    """The message `Workload`."""

    name: Name = ""
    kind: Name = ""


class Endpoint(msgspec.Struct, gc=False):
    """The message `Endpoint`."""

    identity: Small = 0
    cluster_name: Name = ""
    clusterName: Name = ""
    namespace: Name = ""
    labels: Many | None = None
    pod_name: Name = ""
    podName: Name = ""
    workloads: list[Workload] | None = None


class Service(msgspec.Struct, gc=False):
    """The message `Service`."""

    name: Name = ""
    namespace: Name = ""


class EventType(msgspec.Struct, gc=False):
    """The message `CiliumEventType`."""

    type: Small = 0


class Policy(msgspec.Struct, gc=False):
    """The message `Policy`."""

    name: Name = ""
    namespace: Name = ""
    labels: Many | None = None
    kind: Name = ""


class Dns(msgspec.Struct, gc=False):
    """The message `DNS`."""

    query: Name = ""


class Header(msgspec.Struct, gc=False):
    """The message `HTTPHeader`."""

    key: str = ""
    value: str = ""


class Http(msgspec.Struct, gc=False):
    """The message `HTTP`."""

    code: Small = 0
    method: Name = ""
    url: str = ""
    headers: list[Header] | None = None


class Application(msgspec.Struct, gc=False):
    """The message `Layer7`."""

    type: Enum = 0
    dns: Dns | None = None
    http: Http | None = None


class Aggregate(msgspec.Struct, gc=False):
    """The message `Aggregate`: how many flows an exporter made into this one."""

    ingress_flow_count: Number = 0
    ingressFlowCount: Number = 0
    egress_flow_count: Number = 0
    egressFlowCount: Number = 0
    unknown_direction_flow_count: Number = 0
    unknownDirectionFlowCount: Number = 0


class Packet(msgspec.Struct, gc=False):
    """The message `Flow`."""

    time: Name | None = None
    uuid: Name = ""
    verdict: Enum = 0
    drop_reason: Small = 0
    dropReason: Small = 0
    IP: Addresses | None = None
    l4: Transport | None = None
    source: Raw = NOTHING
    destination: Raw = NOTHING
    Type: Enum = 0
    node_name: Name = ""
    nodeName: Name = ""
    source_names: Many | None = None
    sourceNames: Many | None = None
    destination_names: Many | None = None
    destinationNames: Many | None = None
    l7: Application | None = None
    reply: Told = None
    event_type: EventType | None = None
    eventType: EventType | None = None
    source_service: Service | None = None
    sourceService: Service | None = None
    destination_service: Service | None = None
    destinationService: Service | None = None
    traffic_direction: Enum = 0
    trafficDirection: Enum = 0
    policy_match_type: Small = 0
    policyMatchType: Small = 0
    trace_observation_point: Enum = 0
    traceObservationPoint: Enum = 0
    trace_reason: Enum = 0
    traceReason: Enum = 0
    drop_reason_desc: Enum = 0
    dropReasonDesc: Enum = 0
    is_reply: bool | Wrapped | None = None
    isReply: bool | Wrapped | None = None
    egress_allowed_by: Raw = NOTHING
    egressAllowedBy: Raw = NOTHING
    ingress_allowed_by: Raw = NOTHING
    ingressAllowedBy: Raw = NOTHING
    egress_denied_by: Raw = NOTHING
    egressDeniedBy: Raw = NOTHING
    ingress_denied_by: Raw = NOTHING
    ingressDeniedBy: Raw = NOTHING
    aggregate: Aggregate | None = None
    extensions: Raw = NOTHING


class Status(msgspec.Struct, gc=False):
    """The message `NodeStatusEvent`."""

    state_change: Enum = 0
    stateChange: Enum = 0
    node_names: Many | None = None
    nodeNames: Many | None = None
    message: str = ""


class Lost(msgspec.Struct, gc=False):
    """The message `LostEvent`."""

    source: Enum = 0
    num_events_lost: Number = 0
    numEventsLost: Number = 0
    first: Name | None = None
    last: Name | None = None


class Line(msgspec.Struct, gc=False):
    """The messages `ExportEvent` and `GetFlowsResponse`."""

    flow: Packet | None = None
    node_status: Status | None = None
    nodeStatus: Status | None = None
    lost_events: Lost | None = None
    lostEvents: Lost | None = None
    agent_event: Raw = NOTHING
    agentEvent: Raw = NOTHING
    debug_event: Raw = NOTHING
    debugEvent: Raw = NOTHING
    node_name: Name = ""
    nodeName: Name = ""
    time: Name | None = None
