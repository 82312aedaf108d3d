"""A Hubble that can be stopped, overrun and cut off: a real gRPC server with rings of flows."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from cloison.flows.relay.messages import METHOD, REQUEST, RESPONSE, kind

SECOND = 1_000_000_000


def message(node: str, seconds: float, **said: Any) -> Any:
    """Return a message of `GetFlows`, of which fields are given by name."""
    made: Any = kind(RESPONSE)()
    _fill(made, {"node_name": node, "time": moment(seconds), **said})
    return made


def moment(seconds: float) -> dict[str, int]:
    """Return a time as its message has it."""
    whole = int(seconds)
    return {"seconds": whole, "nanos": round((seconds - whole) * SECOND)}


def flow(node: str, seconds: float, uuid: str = "", **said: Any) -> Any:
    """Return a flow from a web server to its API, seen on a node at a time."""
    told = {
        "time": moment(seconds),
        "uuid": uuid,
        "node_name": node,
        "verdict": 1,
        "IP": {"source": "10.0.1.7", "destination": "10.0.2.9"},
        "l4": {"TCP": {"source_port": 40000, "destination_port": 8080, "flags": {"SYN": True}}},
        "source": {"identity": 4242, "namespace": "shop", "pod_name": "web-6b687c8dcb-zn5s2"},
        "destination": {"identity": 4243, "namespace": "shop", "pod_name": "api-0"},
        "event_type": {"type": 4},
        "traffic_direction": 2,
        "is_reply": {"value": False},
    }
    return message(node, seconds, flow={**told, **said})


def _fill(made: Any, said: Mapping[str, Any]) -> None:
    for name, value in said.items():
        if isinstance(value, Mapping):
            getattr(made, name).SetInParent()
            _fill(getattr(made, name), value)
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, Mapping):
                    _fill(getattr(made, name).add(), one)
                else:
                    getattr(made, name).append(one)
        else:
            setattr(made, name, value)


@dataclass
class Ring:
    """What a server holds, and what it was asked.

    Args:
        held: Messages in the order they came about.
        cuts: After how many messages each call breaks; the calls after these do not.
        code: How they break.
        asked: What each call asked for.
        busy: Calls tell what they have and then wait, until the server stops.
    """

    held: list[Any] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
    asked: list[Any] = field(default_factory=list)
    busy: bool = False
    stopped: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
        """Tell what is held since the time that was asked for."""
        self.asked.append(request)
        cut = self.cuts.pop(0) if self.cuts else None
        since = request.since.seconds * SECOND + request.since.nanos
        told = [one for one in self.held if one.time.seconds * SECOND + one.time.nanos >= since]
        for number, one in enumerate(told):
            if number == cut:
                break
            yield one.SerializeToString()
        if cut is not None:
            context.abort(self.code, "cut off")
        if self.busy:
            self.stopped.wait()


@contextmanager
def serving(
    ring: Ring, keys: grpc.ServerCredentials | None = None, port: int = 0
) -> Iterator[tuple[int, grpc.Server]]:
    """Serve a ring on the loopback address; yield the port and the server."""
    server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 1)])
    handler = grpc.unary_stream_rpc_method_handler(
        ring.answer,
        request_deserializer=kind(REQUEST).FromString,
        response_serializer=lambda data: data,
    )
    _, service, method = METHOD.split("/")
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, {method: handler})]
    )
    address = f"127.0.0.1:{port}"
    bound = (
        server.add_insecure_port(address) if keys is None else server.add_secure_port(address, keys)
    )
    server.start()
    try:
        yield bound, server
    finally:
        kill(server, ring)


def kill(server: grpc.Server, ring: Ring) -> None:
    """Stop a server in the middle of whatever it tells."""
    ended = server.stop(None)
    ring.stopped.set()
    ended.wait()
