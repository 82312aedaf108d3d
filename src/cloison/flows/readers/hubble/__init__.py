"""Cilium's Hubble: lines of its exporter, and of `hubble observe -o json`.

The same records come from Hubble Relay, as messages (`flows.relay`). Azure's container network
logs are the exporter's, and Retina's are of the same form.
"""

import msgspec

from cloison.flows.reader import Decode, Head, Options, Reader
from cloison.flows.readers.hubble.decode import opened

_FEW = 20
_ENVELOPE = frozenset(
    {
        *("node_status", "nodeStatus", "lost_events", "lostEvents"),
        *("agent_event", "agentEvent", "debug_event", "debugEvent"),
    }
)
_OWN = frozenset(
    {
        *("IP", "l4", "Type", "verdict", "event_type", "eventType", "drop_reason_desc"),
        *("dropReasonDesc", "traffic_direction", "trafficDirection", "is_reply", "isReply"),
    }
)


def suits(head: Head) -> float:
    """Return how sure it is that a file is Hubble's: by the fields of its first lines."""
    best = 0.0
    for line in head.lines[:_FEW]:
        try:
            said = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            inner = said.get("flow")
            flow = (
                said if inner is None else msgspec.json.decode(inner, type=dict[str, msgspec.Raw])
            )
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if _ENVELOPE & said.keys() and inner is None:
            best = max(best, 0.9)
        else:
            # A bare flow looks more like anybody's than one in its envelope.
            own = len(_OWN & flow.keys()) if inner is not None or "verdict" in flow else 0
            best = max(best, min(1.0, own / 3) * (0.98 if inner is not None else 0.95))
    return best


def _open(_head: Head, options: Options) -> Decode:
    return opened(options)


READER = Reader(
    "hubble", "Cilium Hubble", suits, _open, "cilium/cilium api/v1/flow/flow.proto, v1.19.4"
)
