"""Made-up traffic as Cilium's Hubble exports it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from cloison.flows.generator.export.lost import lost
from cloison.flows.generator.model import Connection, Made, Place, Plan, Pod

_CLUSTER = "k8s:io.cilium.k8s.policy.cluster=default"
_RESERVED = {"world": (2, "reserved:world"), "host": (1, "reserved:host")}
_APISERVER = (7, "reserved:kube-apiserver")
_HOUR = 3_600_000_000
_VERDICT, _TRACE, _DROP = 5, 4, 1


def lines(plan: Plan, connections: Iterable[Connection]) -> Iterator[str]:
    """Yield lines of an exporter: verdicts where policy decided, and packets that were traced.

    What is lost in an hour is told at its end, in one line for each node.
    """
    missing: Counter[str] = Counter()
    hour = plan.start // _HOUR
    for connection in connections:
        if connection.time // _HOUR > hour and missing:
            yield from _lost(plan, hour, missing)
            missing.clear()
        hour = connection.time // _HOUR
        for number, (kind, flow) in enumerate(_events(connection)):
            flow["uuid"] = f"00000000-0000-4000-8{number:03x}-{connection.serial:012x}"
            if lost(plan, connection, kind):
                missing[flow["node_name"]] += 1
                continue
            node = f"default/{flow['node_name']}"
            yield _json({"flow": flow, "node_name": node, "time": flow["time"]})
    yield from _lost(plan, hour, missing)


def _events(of: Connection) -> Iterator[tuple[str, dict[str, Any]]]:
    if not of.allowed:
        yield "drop", _denied(of)
        return
    if not of.swapped:
        if isinstance(of.src, Pod):
            yield "verdict-out", _verdict(of, "EGRESS")
        if isinstance(of.dst, Pod):
            yield "verdict-in", _verdict(of, "INGRESS")
        opening = {"flags": {"SYN": True}} if of.call.protocol == "TCP" else {}
        yield "open", _trace(of, opening, is_reply=False)
    answer = _trace(of, {"flags": {"ACK": True}} if of.call.protocol == "TCP" else {})
    if not of.swapped:
        answer["is_reply"] = True
    answer["source"], answer["destination"] = answer["destination"], answer["source"]
    ip = answer["IP"]
    ip["source"], ip["destination"] = ip["destination"], ip["source"]
    (ports,) = answer["l4"].values()
    there = ports["source_port"], ports["destination_port"]
    ports["destination_port"], ports["source_port"] = there
    names = answer.pop("destination_names", None)
    if names:
        answer["source_names"] = names
    yield "answer", answer


def _common(of: Connection, where: Pod | Place) -> dict[str, Any]:
    node = where.node if isinstance(where, Pod) else "node-1"
    flow: dict[str, Any] = {
        "time": _stamp(of.time),
        "verdict": "FORWARDED",
        "IP": {"source": of.seen_ip, "destination": of.dst_ip, "ipVersion": "IPv4"},
        "l4": {of.call.protocol: {"source_port": of.src_port, "destination_port": of.call.port}},
        "source": _end(of.src, translated=of.seen_ip != of.src_ip),
        "destination": _end(of.dst),
        "Type": "L3_L4",
        "node_name": node,
    }
    if isinstance(of.dst, Place) and of.dst.dns:
        flow["destination_names"] = [of.dst.dns]
    if of.call.service is not None:
        service = of.call.service
        flow["destination_service"] = {"name": service.name, "namespace": service.namespace}
    return flow


def _verdict(of: Connection, way: str) -> dict[str, Any]:
    where = of.src if way == "EGRESS" else of.dst
    return _common(of, where) | {
        "event_type": {"type": _VERDICT},
        "traffic_direction": way,
        "policy_match_type": 4,
        "is_reply": False,
    }


def _trace(of: Connection, more: dict[str, Any], *, is_reply: bool | None = None) -> dict[str, Any]:
    where = of.dst if isinstance(of.dst, Pod) else of.src
    flow = _common(of, where) | {
        "event_type": {"type": _TRACE},
        "traffic_direction": "INGRESS" if isinstance(of.dst, Pod) else "EGRESS",
        "trace_observation_point": "TO_ENDPOINT" if isinstance(of.dst, Pod) else "TO_STACK",
    }
    (ports,) = flow["l4"].values()
    ports.update(more)
    if is_reply is not None:
        flow["is_reply"] = is_reply
    return flow


def _denied(of: Connection) -> dict[str, Any]:
    at_source = of.call.denied_at == "src"
    way = "EGRESS" if at_source else "INGRESS"
    flow = _common(of, of.src if at_source else of.dst) | {
        "verdict": "DROPPED",
        "drop_reason": 133,
        "drop_reason_desc": "POLICY_DENIED",
        "event_type": {"type": _DROP, "sub_type": 133},
        "traffic_direction": way,
    }
    (ports,) = flow["l4"].values()
    if of.call.protocol == "TCP":
        ports["flags"] = {"SYN": True}
    namespace, _, name = (of.call.denied or "").partition("/")
    if name:
        key = "egress_denied_by" if at_source else "ingress_denied_by"
        flow[key] = [{"name": name, "namespace": namespace, "kind": "NetworkPolicy"}]
    return flow


def _end(end: Pod | Place, *, translated: bool = False) -> dict[str, Any]:
    if translated:
        return {"identity": 6, "labels": ["reserved:remote-node"]}
    if isinstance(end, Place):
        known, label = _APISERVER if end.entity == "apiserver" else _RESERVED[end.entity]
        return {"identity": known, "labels": [label]}
    made: Made = end.made
    own = [f"k8s:{label}" for label in end.labels]
    namespace = f"k8s:io.kubernetes.pod.namespace={made.namespace}"
    return {
        "ID": 1 + sum(end.name.encode()) % 4000,
        "identity": 10_000 + sum(f"{made.namespace}/{end.labels}".encode()) % 50_000,
        "cluster_name": "default",
        "namespace": made.namespace,
        "labels": sorted([*own, _CLUSTER, namespace]),
        "pod_name": end.name,
        "workloads": [{"name": made.name, "kind": made.kind}],
    }


def _lost(plan: Plan, hour: int, missing: Mapping[str, int]) -> Iterator[str]:
    time = _stamp(max(plan.start, (hour + 1) * _HOUR - 1))
    for node, number in sorted(missing.items()):
        event = {"source": "HUBBLE_RING_BUFFER", "num_events_lost": str(number)}
        yield _json({"lost_events": event, "node_name": f"default/{node}", "time": time})


def _stamp(time: int) -> str:
    seconds, rest = divmod(time, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}000Z"


def _json(what: object) -> str:
    return msgspec.json.encode(what).decode()
