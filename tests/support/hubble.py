"""Lines of an exporter of Hubble, for tests of whatever reads files."""

import json
import random
from datetime import UTC, datetime
from typing import Any

SYN = {"SYN": True}


def line(number: int, start: int = 1_699_999_200) -> bytes:
    """Return a line, the same for the same number; no two numbers are of one connection."""
    chance = random.Random(number)
    src, dst = chance.randrange(6), chance.randrange(6)
    denied = chance.random() < 0.1
    flow = {
        "time": _time(start + chance.randrange(3 * 3600), number),
        "verdict": "DROPPED" if denied else "FORWARDED",
        "IP": {"source": f"10.0.0.{src + 1}", "destination": f"10.0.1.{dst + 1}"},
        "l4": {"TCP": {"source_port": 1024 + number, "destination_port": 80, "flags": SYN}},
        "source": _end(src),
        "destination": _end(dst),
        "node_name": f"node-{dst % 2}",
        "event_type": {"type": 5},
        "traffic_direction": "INGRESS",
        "is_reply": False,
        "Type": "L3_L4",
    }  # fmt: skip
    if denied:
        flow["drop_reason_desc"] = "POLICY_DENIED"
    return json.dumps({"flow": flow, "node_name": f"node-{dst % 2}"}).encode() + b"\n"


def lines(first: int, last: int) -> bytes:
    """Return lines of numbers, the last left out."""
    return b"".join(line(number) for number in range(first, last))


def trace(source: str, destination: str, time: int, ports: tuple[int, int], **more: Any) -> str:
    """Return a line about a packet that arrived at a pod.

    Args:
        source: Who sent it, as `namespace/deployment`.
        destination: Who got it.
        time: When, in seconds since 1970.
        ports: The sender's port and the one it was sent to.
        more: Fields of the flow, and `flags` of TCP.
    """
    flags = more.pop("flags", None)
    tcp = {"source_port": ports[0], "destination_port": ports[1]}
    flow = {
        "time": _time(time, 0),
        "verdict": "FORWARDED",
        "IP": {"source": _ip(source), "destination": _ip(destination), "ipVersion": "IPv4"},
        "l4": {"TCP": {**tcp, **({"flags": flags} if flags else {})}},
        "source": _pod(source),
        "destination": _pod(destination),
        "Type": "L3_L4",
        "event_type": {"type": 4},
        "traffic_direction": "INGRESS",
        "trace_observation_point": "TO_ENDPOINT",
        "node_name": "node-1",
        "is_reply": False,
        **more,
    }
    return json.dumps({"flow": flow, "node_name": "node-1", "time": flow["time"]})


def _ip(name: str) -> str:
    return f"10.1.0.{sum(name.encode()) % 250 + 1}"


def _pod(name: str) -> dict[str, object]:
    namespace, _, own = name.partition("/")
    return {
        "identity": 10_000 + sum(name.encode()),
        "namespace": namespace,
        "labels": [f"k8s:app={own}", f"k8s:io.kubernetes.pod.namespace={namespace}"],
        "pod_name": f"{own}-5b8d9c7f6d-abcde",
        "workloads": [{"name": own, "kind": "Deployment"}],
    }


def _end(number: int) -> dict[str, object]:
    return {
        "namespace": "shop",
        "pod_name": f"app-{number}-x",
        "labels": [f"k8s:app=app-{number}"],
        "workloads": [{"name": f"app-{number}", "kind": "Deployment"}],
    }


def _time(seconds: int, number: int) -> str:
    whole = datetime.fromtimestamp(seconds, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{number % 1_000_000:06d}123Z"
