"""Small random flows, in which everything happens that expressions tell apart."""

import random
from dataclasses import dataclass
from typing import Any

import msgspec

from cloison.flows.schema import Flow, Identity

START = 1_700_000_000_000_000
"""Some Tuesday, in microseconds."""

MINUTE = 60_000_000

LISTENING = frozenset({("TCP", 80), ("TCP", 8080), ("UDP", 53)})
IPS = ("10.0.0.1", "10.0.0.2", "10.0.0.9", "10.0.1.3", "2001:db8::1", "203.0.113.7")
VERDICTS = (*("allowed",) * 5, "denied", "denied", "audited", "error", "unknown", "unknown")
OBSERVERS = ("src", "src", "dst", "dst", "both", "node", "node", "proxy", "learned")
PORTS = (53, 80, 8080, 40_000, 40_001)
_SIDES = (("src", "dst"), ("dst", "src"))


@dataclass(frozen=True)
class Case:
    """Flows, and who held the addresses."""

    seed: int
    flows: list[Flow]
    identities: list[Identity]


def case(seed: int, size: int = 14) -> Case:
    """Return random flows of a seed. No two seeds share an address."""
    chance = random.Random(seed)
    names = [chance.sample(("a", "b", "c"), 1)[0] for _ in IPS]
    flows: list[Flow] = []
    for _ in range(chance.randint(1, size)):
        again = bool(flows) and chance.random() < 0.3
        flows.append(_again(chance, flows[-1]) if again else _flow(chance, names, seed))
    whole = [flow for flow in flows if flow.src_ip and flow.dst_ip and flow.src_port]
    if whole and chance.random() < 0.5:
        one = chance.choice(whole)
        flows += [_held(chance, one) for _ in range(chance.randint(1, 3))]
    identities = [_identity(chance, seed) for _ in range(chance.randint(0, 9))]
    # Every case knows of the same clusters.
    identities += [
        Identity(ip=f"10.9.9.9%{seed}", since=START, cluster=cluster, ns="shop", pod="z-1")
        for cluster in ("east", "west")
    ]
    return Case(seed, flows, identities)


def _flow(chance: random.Random, names: list[str], seed: int) -> Flow:
    src, dst = chance.choice(IPS), chance.choice(IPS)
    proto = chance.choice(("TCP", "TCP", "TCP", "UDP", "ICMP", None))
    ported = proto in {"TCP", "UDP"}
    time = START + chance.randint(0, 150) * MINUTE + chance.randint(0, 59_999_999)
    if chance.random() < 0.3:  # many at about the same time
        time = START + 30 * MINUTE + chance.randint(0, 15_000_000)
    given: dict[str, Any] = {
        "time": None if chance.random() < 0.04 else time,
        "end_time": time + MINUTE if chance.random() < 0.2 else None,
        "verdict": chance.choice(VERDICTS),
        "observer": chance.choice(OBSERVERS),
        "direction": chance.choice((None, None, "ingress", "egress")),
        "proto": proto,
        "count": chance.choice((1, 1, 1, 3)),
        "src_port": chance.choice(PORTS) if ported else None,
        "dst_port": chance.choice(PORTS) if ported else None,
        "icmp_type": chance.choice((0, 3, 8, 129)) if proto == "ICMP" else None,
        "is_reply": chance.choice((None, None, False, True)),
        "opens": chance.choice((None, None, False, True)),
        "initiator": chance.choice(("unknown",) * 6 + ("known", "inferred")),
        "bytes": chance.choice((None, 10, 1000)),
        "names": chance.choice(((), (), ("api.example.com",), ("b.example.com", "a.example.com"))),
        "svc_name": chance.choice((None, None, None, None, "web")),
        "obs_id": chance.choice((None, "x", "y")),
    }  # fmt: skip
    for side, ip in (("src", src), ("dst", dst)):
        # Some addresses pass on within the hour, or are of another cluster, too.
        later = ["c", "d", "d"] if ip == "10.0.0.9" and time > START + 40 * MINUTE else names[:3]
        given |= _end(chance, side, ip, later if ip == "10.0.0.9" else names)
        if f"{side}_ip" in given:
            given[f"{side}_ip"] = f"{ip}%{seed}"
    return Flow(**given)


def _again(chance: random.Random, flow: Flow) -> Flow:
    """Return what is seen of the same two ends some seconds before or after, either way."""
    times = {} if flow.time is None else {"time": flow.time + chance.randint(-15, 15) * 900_000}
    found = msgspec.structs.replace(
        flow,
        **times,
        end_time=None,
        verdict=chance.choice(("allowed", "allowed", "denied", "denied", "error")),
        observer=chance.choice(("src", "dst", "node")),
        is_reply=None,
        opens=chance.choice((None, None, None, True)),
        initiator=chance.choice(("unknown", "unknown", "inferred", "known")),
    )
    if chance.random() < 0.5:
        return found
    columns = [name[4:] for name in Flow.__struct_fields__ if name.startswith("src_")]
    ends = ((f"{here}_{each}", f"{there}_{each}") for each in columns for here, there in _SIDES)
    return msgspec.structs.replace(found, **{here: getattr(found, there) for here, there in ends})


def _held(chance: random.Random, flow: Flow) -> Flow:
    """Return what is seen of the same addresses and ports, of which one is told as another's."""
    side, name = chance.choice(("src", "dst")), chance.choice(("a", "b", "c", "d"))
    workload = name if chance.random() < 0.7 else None
    told = {
        "entity": "pod",
        "cluster": chance.choice(("east", "east", "west", None)),
        "ns": "shop",
        "pod": f"{name}-1" if workload is None or chance.random() < 0.7 else None,
        "workload": workload,
        "kind": workload and "Deployment",
        "labels": chance.choice(((), (f"app={name}",))),
    }
    times = {} if flow.time is None else {"time": flow.time + chance.randint(-5, 20) * MINUTE}
    found: Flow = msgspec.structs.replace(
        flow,
        **times,
        end_time=None,
        verdict=chance.choice(("allowed", "allowed", "denied", "audited")),
        **{f"{side}_{column}": value for column, value in told.items()},
    )
    return found


def _end(chance: random.Random, side: str, ip: str, names: list[str]) -> dict[str, Any]:
    entity = chance.choice(("pod", "pod", "unknown", "world", "host", "service"))
    found: dict[str, Any] = {f"{side}_entity": entity}
    if chance.random() < 0.85:
        found[f"{side}_ip"] = ip
    if entity == "pod" and chance.random() < 0.6:
        name = names[IPS.index(ip)]
        found |= {f"{side}_ns": "shop", f"{side}_pod": f"{name}-1", f"{side}_cluster": "east"}
        if chance.random() < 0.1:
            found |= {f"{side}_ns": chance.choice((None, "prod")), f"{side}_pod": None}
        if chance.random() < 0.15:
            found[f"{side}_cluster"] = chance.choice((None, "west"))
        if chance.random() < 0.6:
            found |= {f"{side}_workload": name, f"{side}_kind": "Deployment"}
        if chance.random() < 0.5:
            own = (f"app={name}",)
            found[f"{side}_labels"] = chance.choice((own, own, (), (*own, "hash=1")))
    return found


def _identity(chance: random.Random, seed: int) -> Identity:
    since = START + chance.randint(-60, 150) * MINUTE
    until = since + chance.randint(1, 120) * MINUTE if chance.random() < 0.4 else None
    listed = until is None and chance.random() < 0.5
    if listed:  # several at the same time
        since = START + chance.choice((-20, 20, 60)) * MINUTE
    kind = chance.choice(("Deployment", "Deployment", "Deployment", "Service", "Node"))
    name = chance.choice(("a", "b", "c"))
    pod = kind == "Deployment"
    return Identity(
        ip=f"{chance.choice(IPS)}%{seed}",
        since=since,
        until=until,
        cluster=chance.choice(("east", "east", "west", None)),
        snapshot=listed,
        ns=None if kind == "Node" else "shop",
        pod=f"{name}-1" if pod else None,
        workload=name,
        kind=kind,
        labels=(f"app={name}",) if pod else None,
        host_network=kind == "Node" or (pod and chance.random() < 0.2),
    )
