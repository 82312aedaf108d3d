"""Flows of Calico as JSON spells them: in both spellings of protobuf's, and in Whisker's own.

Sources: projectcalico/calico goldmane/proto/api.proto and whisker-backend/pkg/apis/v1; tigera/docs
calico-enterprise/observability/elastic/flow/datatypes.mdx.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Raw

Name = Annotated[str, Meta(max_length=1024)]
Number = Annotated[int, Meta(ge=-(1 << 53), lt=1 << 53)] | Annotated[str, Meta(max_length=32)]
Enum = int | Name
Many = Annotated[tuple[Name, ...], Meta(max_length=1024)]

NOTHING = Raw(b"")


class Hit(msgspec.Struct, gc=False):
    """A policy that a flow met, and what it did. Source: the message `PolicyHit`."""

    kind: Enum = ""
    namespace: Name = ""
    name: Name = ""
    tier: Name = ""
    action: Enum = ""
    rule_index: Number = 0
    ruleIndex: Number = 0
    trigger: "Hit | None" = None


class Trace(msgspec.Struct, gc=False):
    """The message `PolicyTrace`; Whisker's names for its two lists are shorter."""

    enforced: list[Hit | None] | None = None
    enforced_policies: list[Hit | None] | None = None
    enforcedPolicies: list[Hit | None] | None = None
    pending: list[Hit | None] | None = None
    pending_policies: list[Hit | None] | None = None
    pendingPolicies: list[Hit | None] | None = None


class Key(msgspec.Struct, gc=False):
    """The message `FlowKey`, and the fields that Whisker spells as it does."""

    source_name: Name = ""
    sourceName: Name = ""
    source_namespace: Name = ""
    sourceNamespace: Name = ""
    source_type: Enum = 0
    sourceType: Enum = 0
    dest_name: Name = ""
    destName: Name = ""
    dest_namespace: Name = ""
    destNamespace: Name = ""
    dest_type: Enum = 0
    destType: Enum = 0
    dest_port: Number = 0
    destPort: Number = 0
    dest_service_name: Name = ""
    destServiceName: Name = ""
    dest_service_namespace: Name = ""
    destServiceNamespace: Name = ""
    dest_service_port: Number = 0
    destServicePort: Number = 0
    proto: Name = ""
    reporter: Enum = ""
    action: Enum = ""
    policies: Raw = NOTHING


class Whisker(Key, gc=False):
    """A flow of Whisker's API."""

    protocol: Name = ""
    start_time: Name = ""
    end_time: Name = ""
    source_labels: Annotated[str, Meta(max_length=1 << 16)] | Many | None = None
    dest_labels: Annotated[str, Meta(max_length=1 << 16)] | Many | None = None
    packets_in: Number | None = None
    packets_out: Number | None = None
    bytes_in: Number | None = None
    bytes_out: Number | None = None


class Goldmane(msgspec.Struct, gc=False):
    """The message `Flow`."""

    Key: Key
    start_time: Number = 0
    startTime: Number = 0
    end_time: Number = 0
    endTime: Number = 0
    source_labels: Many | None = None
    sourceLabels: Many | None = None
    dest_labels: Many | None = None
    destLabels: Many | None = None
    packets_in: Number = 0
    packetsIn: Number = 0
    packets_out: Number = 0
    packetsOut: Number = 0
    bytes_in: Number = 0
    bytesIn: Number = 0
    bytes_out: Number = 0
    bytesOut: Number = 0
    num_connections_started: Number = 0
    numConnectionsStarted: Number = 0


class Result(msgspec.Struct, gc=False):
    """The message `FlowResult`."""

    flow: Goldmane


class Listed(msgspec.Struct, gc=False):
    """The message `FlowListResult`, and Whisker's list; or neither, as a flow of its own."""

    flows: list[Result] | None = None
    items: list[Whisker] | None = None
    flow: Goldmane | None = None
    Key: Raw = NOTHING


class Labels(msgspec.Struct, gc=False):
    """Labels as the index of Calico Enterprise nests them."""

    labels: Many | None = None


class Lists(msgspec.Struct, gc=False):
    """Policies of a flow of Calico Enterprise, `index|tier|policy|action|rule` each."""

    enforced_policies: Many | None = None
    pending_policies: Many | None = None
    all_policies: Many | None = None


class Enterprise(msgspec.Struct, gc=False):
    """A flow log of Calico Enterprise or Cloud. `-` is absent, null was aggregated away."""

    start_time: Number | None = None
    end_time: Number | None = None
    source_ip: Name | None = None
    source_name: Name | None = None
    source_name_aggr: Name | None = None
    source_namespace: Name | None = None
    source_port: Number | None = None
    source_type: Name | None = None
    source_labels: Labels | None = None
    dest_ip: Name | None = None
    dest_name: Name | None = None
    dest_name_aggr: Name | None = None
    dest_namespace: Name | None = None
    dest_port: Number | None = None
    dest_type: Name | None = None
    dest_labels: Labels | None = None
    dest_service_namespace: Name | None = None
    dest_service_name: Name | None = None
    dest_service_port_num: Number | None = None
    dest_domains: Many | None = None
    proto: Enum | None = None
    action: Name | None = None
    reporter: Name | None = None
    policies: Lists | None = None
    bytes_in: Number | None = None
    bytes_out: Number | None = None
    packets_in: Number | None = None
    packets_out: Number | None = None
    num_flows: Number | None = None
    num_flows_started: Number | None = None
    host: Name | None = None
    cluster: Name | None = None
