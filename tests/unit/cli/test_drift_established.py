"""D8 by way of a store: records show which connections are held against policies."""

import json
from pathlib import Path

from tests.support.cli import run_cloison
from tests.support.drifting import BASE, allow, contract, pods, workload
from tests.support.hubble import SYN, trace

DAY = 1_767_571_200
"""2026-01-05, in seconds."""
HOURS = 60
CHANGED = 20
"""The hour in which the rules are taken away by which `api` and `web` called `db` and `cache`."""
ACK = {"ACK": True}
CLUSTER = (*BASE, workload("data", "cache"), contract())
RULES = (
    allow("shop", "out", "api", "to", pods("cache", zone="data"), 6379),
    allow("shop", "more", "web", "to", pods("cache", zone="data"), 6379),
    allow("data", "in", "cache", "from", "{namespaceSelector: {}}", 6379),
)


def _audit() -> str:
    return json.dumps(
        {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Metadata",
            "auditID": "1",
            "stage": "ResponseComplete",
            "verb": "delete",
            "user": {"username": "someone"},
            "sourceIPs": ["192.0.2.60"],
            "objectRef": {
                "resource": "networkpolicies",
                "apiGroup": "networking.k8s.io",
                "apiVersion": "v1",
                "namespace": "data",
                "name": "in",
            },
            "responseStatus": {"code": 200},
            "requestReceivedTimestamp": f"2026-01-05T{CHANGED}:05:00.000000Z",
        }
    )


def test_what_was_open_before_a_change_does_not_contradict_it(tmp_path: Path) -> None:
    """`api` keeps a connection of old; `web` opens one in each hour."""
    lines = []
    for hour in range(HOURS):
        time = DAY + hour * 3600 + 1800
        kept = {"flags": ACK if hour else SYN}
        lines.append(trace("shop/api", "data/cache", time, (41_000, 6379), **kept))
        lines.append(trace("shop/web", "data/cache", time, (41_000 + hour, 6379), flags=SYN))
    (tmp_path / "flows.log").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    (tmp_path / "audit.log").write_text(f"{_audit()}\n", "utf-8")
    for name, manifests in (("before", (*CLUSTER, *RULES)), ("after", CLUSTER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "all.yaml").write_text("---\n".join(manifests), "utf-8")
    ran = run_cloison("flows", "ingest", "--store", "st", "flows.log", "audit.log", cwd=tmp_path)
    assert ran.exit == 0, ran.err
    said = ("-f", "after", "--against", "before", "--store", "st", "--check", "D8")
    found = run_cloison("drift", *said, "--today", "2026-01-07", "-o", "json", cwd=tmp_path)
    told = json.loads(found.out)
    assert [each["key"] for each in told["findings"]] == [
        "D8|shop/Deployment/web|data/Deployment/cache|TCP|6379"
    ]
    assert found.exit == 1
    assert not told["suspects"]
    assert any("go on from before" in each["reason"] for each in told["notJudged"])
