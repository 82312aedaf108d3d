"""The Kubernetes audit log: who changed which label or policy, and who called the API server.

Where it holds Pods as answered, it tells who held which address when.
"""

from collections.abc import Iterator
from typing import Annotated, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from cloison.flows.pods import workload_of
from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.times import microseconds
from cloison.flows.readers.values import address, text
from cloison.flows.schema import Change, Flow, Identity, Labels, Record


class _User(msgspec.Struct, frozen=True):
    username: str = ""


class _Reference(msgspec.Struct, frozen=True, rename="camel"):
    resource: str = ""
    namespace: str = ""
    name: str = ""
    api_group: str = ""
    subresource: str = ""


class _Status(msgspec.Struct, frozen=True):
    code: Annotated[int, msgspec.Meta(ge=0, le=999)] = 0


class _Owner(msgspec.Struct, frozen=True):
    kind: str = ""
    name: str = ""
    controller: bool = False


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    namespace: str = ""
    labels: dict[str, str | None] | None = None
    owner_references: tuple[_Owner, ...] = ()
    creation_timestamp: str | None = None


class _Address(msgspec.Struct, frozen=True):
    ip: str = ""


class _PodStatus(msgspec.Struct, frozen=True):
    pod_ip: str = msgspec.field(name="podIP", default="")
    pod_ips: tuple[_Address, ...] = msgspec.field(name="podIPs", default=())
    start_time: str | None = msgspec.field(name="startTime", default=None)
    phase: str = ""


class _PodSpec(msgspec.Struct, frozen=True):
    host_network: bool = msgspec.field(name="hostNetwork", default=False)


class _DeleteOptions(msgspec.Struct, frozen=True):
    dry_run: tuple[str, ...] | None = msgspec.field(name="dryRun", default=None)


class _Object(msgspec.Struct, frozen=True):
    kind: str = ""
    metadata: _Metadata = _Metadata()
    status: msgspec.Raw = msgspec.Raw(b"")
    spec: msgspec.Raw = msgspec.Raw(b"")


class _Event(msgspec.Struct, rename="camel"):
    stage: str = ""
    request_uri: str = msgspec.field(name="requestURI", default="")
    verb: str = ""
    audit_id: str = msgspec.field(name="auditID", default="")
    user: _User = _User()
    source_ips: tuple[str, ...] = msgspec.field(name="sourceIPs", default=())
    user_agent: str = ""
    object_ref: _Reference = _Reference()
    response_status: _Status = _Status()
    request_received_timestamp: str = ""
    request_object: msgspec.Raw = msgspec.Raw(b"")
    response_object: msgspec.Raw = msgspec.Raw(b"")


_WRITES: Final = {"create", "update", "patch", "delete", "deletecollection"}
_ACCOUNT: Final = "system:serviceaccount:"
_REFUSED: Final = 400
_HASH: Final = "pod-template-hash"
_FINISHED: Final = {"Succeeded", "Failed"}


def _suits(head: Head) -> float:
    told = [line for line in head.lines[:5] if b'"audit.k8s.io/' in line]
    return 0.97 if told else 0.0


def _open(_head: Head, options: Options) -> Decode:
    events = msgspec.json.Decoder(_Event)
    objects = msgspec.json.Decoder(_Object)

    def whole(data: msgspec.Raw) -> _Object | None:
        try:
            return objects.decode(data) if data else None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return (
                None  # a patch, or an object cut short: the event itself still tells who and what
            )

    def decode(line: bytes) -> Iterator[Record]:
        try:
            event = events.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadRecordError(str(error)) from None
        if event.stage != "ResponseComplete":
            return
        time = microseconds(event.request_received_timestamp)
        yield from _called(event, time, options.cluster)
        if event.verb not in _WRITES or _dry(event):
            return
        after = whole(event.response_object)
        sent = whole(event.request_object)
        yield _change(event, time, after or sent)
        if event.object_ref.resource == "pods" and after is not None and after.kind == "Pod":
            yield from _identities(event, time, after, options.cluster)

    return decode


def _dry(event: _Event) -> bool:
    """Return whether nothing was to be kept of a request."""
    try:
        if parse_qs(urlsplit(event.request_uri).query).get("dryRun"):
            return True
        if event.verb.startswith("delete") and event.request_object:
            sent = msgspec.json.decode(event.request_object, type=_DeleteOptions)
            return bool(sent.dry_run)
    except (ValueError, msgspec.MsgspecError):
        # No address, or no options, of a server's: the event itself tells who did what.
        return False
    return False


def _called(event: _Event, time: int, cluster: str | None) -> Iterator[Record]:
    if not event.source_ips:
        return
    # The last address is the one that the API server saw itself; those before it come from headers.
    namespace = None
    if event.user.username.startswith(_ACCOUNT):
        namespace = event.user.username.removeprefix(_ACCOUNT).partition(":")[0]
    yield Flow(
        time=time,
        verdict="allowed",
        observer="dst",
        initiator="known",
        direction="ingress",
        proto="TCP",
        src_cluster=cluster,
        src_ns=namespace,
        src_ip=address(event.source_ips[-1]),
        dst_cluster=cluster,
        dst_entity="apiserver",
        http_method=text(event.verb),
        http_code=event.response_status.code or None,
        obs_id=text(event.audit_id),
    )


def _change(event: _Event, time: int, seen: _Object | None) -> Change:
    ref = event.object_ref
    return Change(
        time=time,
        user=event.user.username[:1024],
        verb=event.verb,
        kind="/".join(filter(None, (ref.resource, ref.subresource)))[:1024],
        group=ref.api_group[:1024],
        ns=ref.namespace[:1024],
        name=(ref.name or (seen.metadata.name if seen else ""))[:1024],
        allowed=event.response_status.code < _REFUSED,
        source_ip=address(event.source_ips[-1]) if event.source_ips else None,
        agent=text(event.user_agent[:1024]),
        labels=_labels(seen) if seen and event.verb != "delete" else None,
    )


def _labels(seen: _Object) -> Labels:
    told = seen.metadata.labels or {}
    return tuple(sorted(f"{key}={value}" for key, value in told.items() if value is not None))


def _identities(event: _Event, time: int, pod: _Object, cluster: str | None) -> Iterator[Record]:
    try:
        status = msgspec.json.decode(pod.status or b"{}", type=_PodStatus)
        spec = msgspec.json.decode(pod.spec or b"{}", type=_PodSpec)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return
    held = {one.ip for one in status.pod_ips if one.ip} | ({status.pod_ip} - {""})
    workload, kind = _made_by(pod)
    # The status of a pod that is done still names what it had.
    over = event.verb == "delete" or status.phase in _FINISHED
    begun = status.start_time or pod.metadata.creation_timestamp
    for ip in sorted(held):
        yield Identity(
            ip=address(ip),
            since=min(microseconds(begun), time) if begun else time,
            until=time if over else None,
            cluster=cluster,
            ns=text(pod.metadata.namespace or event.object_ref.namespace),
            pod=text(pod.metadata.name),
            workload=text(workload),
            kind=text(kind),
            labels=_labels(pod),
            host_network=spec.host_network,
        )


def _made_by(pod: _Object) -> tuple[str, str]:
    """Return name and kind of what made a pod; a Deployment's where a ReplicaSet is between."""
    owner = next((one for one in pod.metadata.owner_references if one.controller), None)
    if owner is None:
        return pod.metadata.name, "Pod"
    suffix = f"-{(pod.metadata.labels or {}).get(_HASH) or ''}"
    if owner.kind != "ReplicaSet":
        return owner.name, owner.kind
    if suffix != "-" and owner.name.endswith(suffix):
        return owner.name.removesuffix(suffix), "Deployment"
    # Names as a Deployment's controller makes them, where the label was left out.
    named = workload_of(f"{owner.name}-*") or owner.name
    return (owner.name, owner.kind) if named == owner.name else (named, "Deployment")


READER = Reader(
    "audit",
    "Kubernetes audit log",
    _suits,
    _open,
    "kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/apis/audit/v1",
)
