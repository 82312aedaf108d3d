"""Answers about flows, made by hand, for tests of what prints them."""

from datetime import UTC, datetime

from cloison.flows.answers import (
    Counted,
    Gap,
    Ingested,
    Lost,
    Node,
    Recorded,
    Run,
    Shared,
    Source,
    Status,
    Top,
)
from cloison.flows.store.manifest import Counts

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON.replace(hour=15)

RUN = Run(
    "flows",
    (
        Ingested("=a.log", "hubble", 0.9, (("aws-vpc", 0.85), ("json", 0.1)), Counts(9, 7, 1, 1)),
        Ingested("b.log", "hubble", before=Counts(4, 4)),
        Ingested("d.log", "hubble", new=Counts(2, 2), shared=Shared("old.log", 40, 3)),
        Ingested("c.bin", None, 0.0, problem="no reader suits it; name one with --reader"),
    ),
    identities=2,
    rolled=3,
)
STATUS = Status(
    "flows",
    12_345_678,
    9,
    (
        Source("hubble", 2, Counts(13, 11, 1, 1), 2, 2, NOON, LATER, (Gap(NOON, LATER),), 5),
        Source("gke", 1, Counts(), 0, 0, None, None, (), 0),
    ),
    (Node("n1", 11, 2, NOON, LATER), Node("n2", 0, 0, None, None)),
    (
        Lost("n1", "ring buffer", 40, 1, NOON, LATER),
        Lost(None, "", 0, 50, NOON, NOON),
    ),
    3,
    4,
    {"allowed": 5, "unknown": 2},
    {"known": 6, "unknown": 1},
    1,
    1,
    2,
)
TOP = Top(
    (
        Counted("shop/web", "shop/api", "TCP/8080", "allowed", True, 1200, 3, NOON, LATER),
        Counted("-x", "10.0.0.7", None, "denied", False, 1, 1, None, None),
    ),
    7,
    1300,
    1,
    2,
    3,
)
NOTHING = Top((), 0, 0, 0, 0, 0)
FLOWS = Recorded(
    ("time", "verdict"),
    (
        {
            "time": NOON.replace(tzinfo=None), "verdict": "allowed", "is_reply": True,
            "proto": "TCP", "observer": "src", "node": "n1", "adapter": "hubble", "count": 1,
            "src_ns": "shop", "src_pod": "web-1", "src_workload": "web", "src_ip": "10.0.0.1",
            "src_port": 40_000, "src_entity": "pod", "src_labels": ["app=web"], "dst_ns": None,
            "dst_pod": None, "dst_workload": None, "dst_ip": "=203.0.113.7", "dst_port": 443,
            "dst_entity": "world", "names": [],
        },
    ),
    more=True,
)  # fmt: skip
