"""Messages of Hubble's protocol, made when they are needed.

Only fields that a record is read from stand here, by name, type and number. Enumerations are the
integers they travel as. A field that is not here, or that a later version adds, is skipped.

Source: cilium/cilium api/v1/{flow/flow.proto,observer/observer.proto,relay/relay.proto}, v1.19.4.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache, partial
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

METHOD: Final = "/observer.Observer/GetFlows"
"""The call that streams flows; Relay and the agent of a node both serve it."""

REQUEST: Final = "GetFlowsRequest"
RESPONSE: Final = "GetFlowsResponse"

_FIELDS: Final[Mapping[str, str]] = {
    REQUEST: "number:uint64=1 first:bool=9 follow:bool=3 since:Timestamp=7 until:Timestamp=8",
    RESPONSE: "flow:Flow=1 node_status:NodeStatusEvent=2 lost_events:LostEvent=3"
    " node_name:string=1000 time:Timestamp=1001",
    "NodeStatusEvent": "state_change:int32=1 node_names:string*=2 message:string=3",
    "LostEvent": "source:int32=1 num_events_lost:uint64=2 first:Timestamp=4 last:Timestamp=5",
    "Flow": "time:Timestamp=1 uuid:string=34 verdict:int32=2 drop_reason:uint32=3 IP:IP=5"
    " l4:Layer4=6 source:Endpoint=8 destination:Endpoint=9 Type:int32=10 node_name:string=11"
    " source_names:string*=13 destination_names:string*=14 l7:Layer7=15 reply:bool=16"
    " event_type:CiliumEventType=19 source_service:Service=20 destination_service:Service=21"
    " traffic_direction:int32=22 policy_match_type:uint32=23 trace_observation_point:int32=24"
    " trace_reason:int32=36 drop_reason_desc:int32=25 is_reply:BoolValue=26"
    " egress_allowed_by:Policy*=21001 ingress_allowed_by:Policy*=21002"
    " egress_denied_by:Policy*=21004 ingress_denied_by:Policy*=21005 aggregate:Aggregate=21007"
    " extensions:Any=150000",
    "IP": "source:string=1 destination:string=2",
    "Layer4": "TCP:TCP=1 UDP:Ports=2 ICMPv4:Icmp=3 ICMPv6:Icmp=4 SCTP:Ports=5 VRRP:Empty=6"
    " IGMP:Empty=7",
    "TCP": "source_port:uint32=1 destination_port:uint32=2 flags:TCPFlags=3",
    "TCPFlags": "SYN:bool=2 ACK:bool=5",
    "Ports": "source_port:uint32=1 destination_port:uint32=2",
    "Icmp": "type:uint32=1 code:uint32=2",
    "Endpoint": "identity:uint32=2 namespace:string=3 labels:string*=4 pod_name:string=5"
    " workloads:Workload*=6 cluster_name:string=7",
    "Workload": "name:string=1 kind:string=2",
    "Layer7": "type:int32=1 dns:DNS=100 http:HTTP=101",
    "DNS": "query:string=1",
    "HTTP": "code:uint32=1 method:string=2 url:string=3 headers:HTTPHeader*=5",
    "HTTPHeader": "key:string=1 value:string=2",
    "CiliumEventType": "type:int32=1",
    "Service": "name:string=1 namespace:string=2",
    "Policy": "name:string=1 namespace:string=2 labels:string*=3 kind:string=5",
    "Aggregate": "ingress_flow_count:uint32=1 egress_flow_count:uint32=2"
    " unknown_direction_flow_count:uint32=3",
    "BoolValue": "value:bool=1",
    # Of what anybody may attach, only what kind of thing it is.
    "Any": "type_url:string=1",
    "Timestamp": "seconds:int64=1 nanos:int32=2",
    "Empty": "",
}
_PACKAGE: Final = "hubble"
_Field = descriptor_pb2.FieldDescriptorProto
_TYPES: Final = {
    "string": _Field.TYPE_STRING,
    "bool": _Field.TYPE_BOOL,
    "int32": _Field.TYPE_INT32,
    "uint32": _Field.TYPE_UINT32,
    "int64": _Field.TYPE_INT64,
    "uint64": _Field.TYPE_UINT64,
}


@cache
def kind(name: str) -> type[Message]:
    """Return the class of a message.

    Args:
        name: `REQUEST`, `RESPONSE`, or what is in them.
    """
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="hubble", package=_PACKAGE, syntax="proto3")
    for name in _FIELDS:
        message = file.message_type.add(name=name)
        for field, (type_, number, repeated) in _fields(name).items():
            label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
            made = message.field.add(name=field, number=number, label=label)
            if type_ in _TYPES:
                made.type = _TYPES[type_]
            else:
                made.type = _Field.TYPE_MESSAGE
                made.type_name = f".{_PACKAGE}.{type_}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _fields(name: str) -> dict[str, tuple[str, int, bool]]:
    """Return the fields of a message: type, number, and whether there may be several."""
    found = {}
    for text in _FIELDS[name].split():
        field, _, told = text.partition(":")
        type_, _, number = told.partition("=")
        found[field] = (type_.removesuffix("*"), int(number), type_.endswith("*"))
    return found


Value = Any
"""What JSON holds."""


def rendered(name: str, message: Message) -> dict[str, Value]:
    """Return a message as the JSON that Hubble's own tools print, with numbers for enumerations.

    Args:
        name: The message's name.
        message: One of that name.

    Raises:
        OverflowError: it holds a time that no calendar has.
    """
    parts = _parts(name)
    return {field.name: parts[field.name](value) for field, value in message.ListFields()}


@cache
def _parts(name: str) -> dict[str, Callable[[Value], Value]]:
    found: dict[str, Callable[[Value], Value]] = {}
    for field, (type_, _, repeated) in _fields(name).items():
        part = _SPECIAL.get(type_, _as_it_is if type_ in _TYPES else partial(rendered, type_))
        found[field] = partial(_several, part) if repeated else part
    return found


def _as_it_is(value: Value) -> Value:
    return value


def _several(part: Callable[[Value], Value], values: Iterable[Value]) -> list[Value]:
    return [part(value) for value in values]


def _truth(value: Value) -> bool:
    return bool(value.value)


def _moment(value: Value) -> str:
    return f"{_second(value.seconds)}.{value.nanos:09}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat().removesuffix("+00:00")


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SPECIAL: Final = {"BoolValue": _truth, "Timestamp": _moment}
