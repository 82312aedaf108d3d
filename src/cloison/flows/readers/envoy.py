"""Access logs of Envoy, as Istio has them written: the default line of text, or JSON.

A call through two sidecars is told twice: by the caller's (`outbound`) and by the called one's
(`inbound`). Both lines tell the ends of the connection between the sidecars, so they can be told to
be of one call; the caller's own connection to its sidecar never leaves the pod.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from cloison.flows.reader import BadRecordError, Decode, Head, Options, Reader
from cloison.flows.readers.times import microseconds
from cloison.flows.readers.values import address, number, port, text
from cloison.flows.readers.wrapped import samples, unwrapped
from cloison.flows.schema import Flow, Record, Verdict

_FIELDS: Final = (
    r'\[(?P<start_time>[^\]]+)\] "(?P<request>(?:[^"\\]|\\.)*)" (?P<response_code>\d+|-)'
    r" (?P<response_flags>\S+) (?P<response_code_details>\S+) (?P<termination>\S+)"
    r' "(?P<failure>(?:[^"\\]|\\.)*)" (?P<bytes_received>\d+|-) (?P<bytes_sent>\d+|-)'
    r" (?P<duration>\d+|-) (?P<upstream_time>\S+)"
    r' "(?P<forwarded>[^"]*)" "(?P<agent>(?:[^"\\]|\\.)*)" "(?P<request_id>[^"]*)"'
    r' "(?P<authority>(?:[^"\\]|\\.)*)" "(?P<upstream_host>[^"]*)" (?P<upstream_cluster>\S+)'
    r" (?P<upstream_local_address>\S+) (?P<downstream_local_address>\S+)"
    r" (?P<downstream_remote_address>\S+) (?P<requested_server_name>\S+) (?P<route_name>\S+)"
)
_LINE: Final = re.compile(_FIELDS)
_DENIED: Final = "rbac_access_denied"
# Flags by which Envoy says that it did not reach what it called (Envoy, Access logging, "Response
# flags"): no healthy host, failed or reset connection, no route, overflow.
_FAILED: Final = {"UH", "UF", "UR", "UC", "NR", "NC", "UO", "UT", "URX", "DF"}
_SERVICE: Final = re.compile(r"^(?P<name>[^.]+)\.(?P<ns>[^.]+)\.svc(?:\..*)?$")
_PARTS: Final = 4


class _Json(msgspec.Struct):
    start_time: str
    method: str | None = None
    path: str | None = None
    authority: str | None = None
    response_code: int | str | None = None
    response_flags: str | None = None
    response_code_details: str | None = None
    upstream_host: str | None = None
    upstream_cluster: str | None = None
    upstream_local_address: str | None = None
    downstream_local_address: str | None = None
    downstream_remote_address: str | None = None
    requested_server_name: str | None = None
    bytes_received: int | str | None = None
    bytes_sent: int | str | None = None


def _suits(head: Head) -> float:
    for line in head.lines[:20]:
        if b'"upstream_cluster"' in line and b'"start_time"' in line:
            return 0.95
    return 0.95 if any(_LINE.match(text) for text, _ in samples(head)) else 0.0


def _open(_head: Head, options: Options) -> Decode:
    decoder = msgspec.json.Decoder(_Json)

    def decode(line: bytes) -> Iterator[Record]:
        if b'"upstream_cluster"' in line:
            try:
                read = decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise BadRecordError(str(error)) from None
        else:
            read = _of_text(unwrapped(line)[0])
        yield _flow(read, options.cluster)

    return decode


def _of_text(line: str) -> _Json:
    found = _LINE.match(line)
    if found is None:
        raise BadRecordError("the line is not in Envoy's default format")
    told = found.groupdict()
    method, _, rest = told["request"].partition(" ")
    known = {name: told[name] for name in _Json.__struct_fields__ if name in told}
    return _Json(**known, method=method, path=rest.rpartition(" ")[0])


def _flow(said: _Json, cluster: str | None) -> Flow:
    way, service_port, host = _cluster(said.upstream_cluster or "", "|")
    inbound = way == "inbound"
    asked = text(said.requested_server_name)
    if inbound and (asked or "").startswith("outbound_"):
        # What sidecars call one another by: the caller's name of the cluster.
        _, service_port, host = _cluster(asked or "", "_.")
        asked = None
    came = None if inbound else _address(said.upstream_local_address)
    src_ip, src_port = came if came and came[0] else _address(said.downstream_remote_address)
    called = said.downstream_local_address if inbound else said.upstream_host
    dst_ip, dst_port = _address(called)
    service = _SERVICE.match(host)
    details = said.response_code_details or ""
    name = asked or text(said.authority)
    outside = () if inbound or service or name is None else (name.rpartition(":")[0] or name,)
    return Flow(
        time=microseconds(said.start_time),
        verdict=_verdict(details, said.response_flags or ""),
        deny_reason=text(details) if _DENIED in details else None,
        observer="dst" if inbound else "src",
        direction="ingress" if inbound else "egress",
        initiator="known",
        proto="TCP",
        src_cluster=cluster,
        src_ip=src_ip,
        src_port=src_port,
        dst_cluster=cluster,
        dst_ip=dst_ip,
        dst_port=dst_port,
        svc_ns=service["ns"] if service else None,
        svc_name=service["name"] if service else None,
        svc_port=port(service_port) if service else None,
        names=outside,
        http_method=text(said.method),
        http_path=(said.path or "").partition("?")[0][:1024] or None,
        http_host=text(said.authority),
        http_code=number(said.response_code, most=999),
        bytes=(number(said.bytes_received) or 0) + (number(said.bytes_sent) or 0),
    )


def _cluster(said: str, separator: str) -> tuple[str, str, str]:
    """Return direction, port and host of a cluster as Istio names them."""
    parts = said.split(separator)
    return (parts[0], parts[1], parts[3]) if len(parts) == _PARTS else ("", "", "")


def _address(said: str | None) -> tuple[str | None, int | None]:
    if not said or said == "-":
        return None, None
    where, _, number_ = said.rpartition(":")
    if not where:
        return None, None
    return address(where.strip("[]")), port(number_)


def _verdict(details: str, flags: str) -> Verdict:
    if _DENIED in details:
        return "denied"
    return "error" if _FAILED & set(flags.split(",")) else "allowed"


READER = Reader(
    "envoy",
    "Envoy access logs",
    _suits,
    _open,
    "istio/istio.io content/en/docs/tasks/observability/logs/access-log",
)
