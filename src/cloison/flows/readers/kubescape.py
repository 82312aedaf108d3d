"""Kubescape: what its node agent learned of a workload's network neighbourhood.

Learned edges without times, in objects of the API server: JSON or YAML, one or a list.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.objects import objects
from cloison.flows.readers.values import address, port, protocol, text
from cloison.flows.schema import Entity, Flow, Record


class _Port(msgspec.Struct):
    name: str = ""
    protocol: str = ""
    port: int | None = None


class _Selector(msgspec.Struct, frozen=True):
    labels: dict[str, str] = msgspec.field(name="matchLabels", default_factory=dict)


class _Peer(msgspec.Struct, rename="camel"):
    type: str = ""
    identifier: str = ""
    dns: str = ""
    dns_names: list[str] | None = None
    ip_address: str = ""
    namespace_selector: _Selector | None = None
    pod_selector: _Selector | None = None
    ports: list[_Port] | None = None


class _Container(msgspec.Struct):
    ingress: list[_Peer] | None = None
    egress: list[_Peer] | None = None


class _Spec(msgspec.Struct, rename="camel"):
    containers: list[_Container] | None = None
    init_containers: list[_Container] | None = None
    ephemeral_containers: list[_Container] | None = None
    ingress: list[_Peer] | None = None
    egress: list[_Peer] | None = None
    match_labels: dict[str, str] | None = None


class _Metadata(msgspec.Struct):
    name: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}


class _Object(msgspec.Struct):
    kind: str = ""
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    spec: _Spec | None = None
    items: list[msgspec.Raw] | None = None


_KINDS: Final = {"NetworkNeighborhood", "NetworkNeighbors"}
_PREFIX: Final = "kubescape.io/workload-"
_NAMESPACE: Final = "kubernetes.io/metadata.name"


def _suits(head: Head) -> float:
    if b"kubescape" not in head.data:
        return 0.0
    if any(kind.encode() in head.data for kind in _KINDS):
        return 0.95
    # Prose about it is no object of it.
    object_ = b"apiVersion" in head.data and b"kind" in head.data
    return 0.5 if object_ else 0.0


def _open(_head: Head, options: Options) -> Decode:
    decoder = msgspec.json.Decoder(_Object)

    def one(data: bytes) -> Iterator[Record]:
        try:
            read = decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadRecordError(str(error)) from None
        for item in read.items or ():
            yield from one(bytes(item))
        if read.kind in _KINDS:
            yield from _flows(read, options.cluster)

    def decode(data: bytes) -> Iterator[Record]:
        for document in objects(data):
            yield from one(document)

    return decode


def _flows(read: _Object, cluster: str | None) -> Iterator[Record]:
    said = {
        key.removeprefix(_PREFIX): value
        for key, value in read.metadata.labels.items()
        if key.startswith(_PREFIX)
    }
    spec = read.spec or _Spec()
    own = {
        "ns": text(said.get("namespace") or read.metadata.namespace),
        "workload": text(said.get("name")) or text(read.metadata.name),
        "kind": text(said.get("kind")),
    }
    groups = [
        _Container(spec.ingress, spec.egress),
        *(spec.containers or ()),
        *(spec.init_containers or ()),
        *(spec.ephemeral_containers or ()),
    ]
    for group in groups:
        for peer in group.ingress or ():
            yield from _peer(own, peer, cluster, inward=True)
        for peer in group.egress or ():
            yield from _peer(own, peer, cluster, inward=False)


def _peer(
    own: dict[str, str | None], peer: _Peer, cluster: str | None, *, inward: bool
) -> Iterator[Record]:
    selected = peer.pod_selector is not None or peer.namespace_selector is not None
    namespace = peer.namespace_selector.labels if peer.namespace_selector else {}
    labels = peer.pod_selector.labels if peer.pod_selector else {}
    entity: Entity = "pod" if selected else "world"
    names = tuple(
        name.rstrip(".") for name in (peer.dns, *(peer.dns_names or ())) if name.rstrip(".")
    )
    # Without a namespace selector a peer stands in the workload's own namespace.
    home = own["ns"] if peer.namespace_selector is None else namespace.get(_NAMESPACE)
    mine, other = ("dst", "src") if inward else ("src", "dst")
    for at in peer.ports or [_Port()]:
        flow = Flow(
            time=None,
            verdict="allowed",
            observer="learned",
            initiator="known",
            direction="ingress" if inward else "egress",
            proto=protocol(at.protocol or "-"),
            dst_port=port(at.port),
            names=() if inward else names,
        )
        setattr(flow, f"{mine}_entity", "pod")
        setattr(flow, f"{mine}_cluster", cluster)
        for key, value in own.items():
            setattr(flow, f"{mine}_{key}", value)
        setattr(flow, f"{other}_entity", entity)
        if selected:
            setattr(flow, f"{other}_ns", home)
            told = tuple(sorted(f"{key}={value}" for key, value in labels.items()))
            setattr(flow, f"{other}_labels", told)
        if peer.ip_address:
            setattr(flow, f"{other}_ip", address(peer.ip_address))
        yield flow


READER = Reader(
    "kubescape",
    "Kubescape network neighbourhoods",
    _suits,
    _open,
    "kubescape/storage artifacts/networkneighborhood",
    "whole",
)
