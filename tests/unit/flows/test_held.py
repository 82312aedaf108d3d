"""Until when somebody held an address, and what becomes of flows of those who hold it later."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cloison.flows.columns import gather
from cloison.flows.edges import edges
from cloison.flows.engines.duck import Duck
from cloison.flows.expressions.identities import ANY, segments
from cloison.flows.reader import Head, Options
from cloison.flows.readers import reader
from cloison.flows.schema import Change, Identity
from cloison.flows.store.ingest import Wanted, ingest
from cloison.flows.store.rolling import refresh
from cloison.flows.store.writer import writer
from tests.support.cli import plain_environment, run_here

IP = "10.1.0.4"
Held = list[tuple[int, int | None, str]]


def _is(name: str, since: int, until: int | None = None, **more: Any) -> Identity:
    given = {"ns": "web", "pod": f"{name}-1", "workload": name, "kind": "Deployment", **more}
    return Identity(ip=given.pop("ip", IP), since=since, until=until, **given)


def _listed(name: str, since: int, **more: Any) -> Identity:
    return _is(name, since, snapshot=True, **more)


NODE: dict[str, Any] = {"ip": "10.9.9.9", "ns": None, "pod": None, "kind": "Node"}
OTHER: dict[str, Any] = {"ip": "10.1.0.99"}
SHARED: dict[str, Any] = {"host_network": True}
SERVICE: dict[str, Any] = {"pod": None, "kind": "Service"}


@pytest.mark.parametrize(
    ("said", "held"),
    [
        # The audit log tells of an end, and of who holds it later.
        ([_is("a", 10), _is("a", 10, 20), _is("b", 30)], [(10, 20, "a"), (30, None, "b")]),
        # The last word on an end counts: a pod is asked to go before it goes.
        ([_is("a", 10, 20), _is("a", 10, 21), _is("a", 10)], [(10, 21, "a")]),
        # Another pod begins, and nobody told of the end.
        (
            [_is("a", 10), _is("b", 30), _is("c", 40, 50)],
            [(10, 30, "a"), (30, 40, "b"), (40, 50, "c")],
        ),
        # It holds it again.
        (
            [_is("a", 10), _is("b", 30), _is("a", 40)],
            [(10, 30, "a"), (30, 40, "b"), (40, None, "a")],
        ),
        # A snapshot names another pod, the same one, or only its neighbours.
        ([_listed("a", 10), _listed("b", 30)], [(10, 30, "a"), (30, None, "b")]),
        ([_listed("a", 10), _listed("a", 30)], [(10, None, "a")]),
        ([_listed("a", 10), _listed("z", 30, **OTHER)], [(10, 30, "a")]),
        ([_is("a", 10), _listed("z", 30, **OTHER), _is("a", 10, 40)], [(10, 40, "a")]),
        # One of another namespace or cluster says nothing of this one; with nodes it does.
        ([_listed("a", 10), _listed("z", 30, **OTHER, ns="data")], [(10, None, "a")]),
        ([_listed("a", 10), _listed("z", 30, **OTHER, cluster="b")], [(10, None, "a")]),
        (
            [_listed("a", 10), _listed("z", 30, **OTHER, ns="data"), _listed("n", 30, **NODE)],
            [(10, 30, "a")],
        ),
        # Of Services it says nothing unless it holds some.
        ([_listed("s", 10, **SERVICE), _listed("a", 30, **OTHER)], [(10, None, "s")]),
        # Pods in a node's network share its address, and a pod ends none of a Service.
        ([_is("a", 10, **SHARED), _is("b", 30, **SHARED)], [(10, None, "host")]),
        ([_is("s", 10, **SERVICE), _is("b", 30)], [(10, 30, "s"), (30, None, "2")]),
        # What is known to overlap is ambiguous, and what two snapshots' pods have at once too.
        ([_is("a", 10, 30), _is("b", 20)], [(10, 20, "a"), (20, 30, "2"), (30, None, "b")]),
        ([_listed("a", 10), _listed("b", 10)], [(10, None, "2")]),
        ([_is("a", 10, cluster="x"), _is("b", 20, cluster="y")], [(10, 20, "a"), (20, None, "2")]),
    ],
)  # fmt: skip
def test_an_address_is_held_until_somebody_knows_better(said: list[Identity], held: Held) -> None:
    for order in permutations(said):
        table = pa.Table.from_batches([gather(order)["identity"]])
        found = [row for row in segments(table).to_pylist() if row["of"] == ANY]
        assert _joined(found) == held


def _joined(rows: list[dict[str, Any]]) -> Held:
    """Return the intervals of the address with who held it, adjacent ones as one."""
    found: Held = []
    for row in rows:
        if row["ip"] != IP:
            continue
        name = row["workload"] or (row["entity"] if row["holders"] == 1 else str(row["holders"]))
        since, until = (row[column].microsecond for column in ("since", "until"))
        ends = until if row["until"].year < 2000 else None
        if found and found[-1][1:] == (since, name):
            since = found.pop()[0]
        found.append((since, ends, name))
    return found


def test_labels_that_change_make_no_second_pod() -> None:
    said = [_is("a", 10, labels=("app=a",)), _is("a", 10, labels=("app=a", "hold=1"))]
    (row,) = segments(pa.Table.from_batches([gather(said)["identity"]])).to_pylist()
    assert (row["holders"], row["pod"], row["labels"]) == (1, "a-1", None)


def _event(time: str, verb: str, name: str, **more: Any) -> dict[str, Any]:
    replicas = name.rpartition("-")[0]
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "stage": "ResponseComplete",
        "requestURI": f"/api/v1/namespaces/web/pods/{name}",
        "verb": verb,
        "user": {"username": "system:node:n1"},
        "objectRef": {"resource": "pods", "namespace": "web", "name": name},
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": f"2026-05-01T{time}:00Z",
        "responseObject": {
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": "web",
                "labels": {"pod-template-hash": replicas.rpartition("-")[2]},
                "ownerReferences": [{"kind": "ReplicaSet", "name": replicas, "controller": True}],
            },
            "status": {"podIP": IP, "startTime": more.pop("begun", f"2026-05-01T{time}:00Z")},
        },
        **more,
    }


PORTAL, BATCH = "portal-7c9d8f5b6-x2bcd", "batch-55dd66ff77-q9xwz"
BEGUN = {"begun": "2026-05-01T10:00:00Z"}
EVENTS = [
    _event("10:00", "patch", PORTAL),
    _event("11:00", "delete", PORTAL, **BEGUN),
    _event("11:10", "patch", BATCH),
]


def _agent(time: str, port: int) -> dict[str, Any]:
    return {
        "level": "info", "ts": f"2026-05-01T{time}:00.000Z", "logger": "ebpf-client",
        "msg": "Flow Info: ", "Src IP": IP, "Src Port": port, "Dest IP": "10.1.0.99",
        "Dest Port": 5432, "Proto": "TCP", "Verdict": "DENY",
    }  # fmt: skip


FLOWS = [_agent("10:30", 41_000), _agent("11:05", 41_001), _agent("11:30", 41_002)]
NAMED = {("portal", "Deployment", 0), (None, None, 0), ("batch", "Deployment", 0)}


def _lines(path: Path, of: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(each)}\n" for each in of))
    return path


def _named(store: Path) -> set[tuple[str | None, str | None, int]]:
    return {
        (row["src_workload"], row["src_kind"], row["ambiguous"]) for row in edges(store).to_pylist()
    }


def test_the_audit_log_says_who_held_a_reused_address(tmp_path: Path) -> None:
    """Whichever is read first, and also where hours had been summed up before the end was known."""
    flows = _lines(tmp_path / "agent.log", FLOWS)
    audits = [_lines(tmp_path / f"audit-{at}.log", [each]) for at, each in enumerate(EVENTS)]
    for number, order in enumerate(((flows, *audits), (*reversed(audits), flows))):
        store = tmp_path / f"store-{number}"
        engine = Duck(store / "scratch", threads=1)
        with writer(store) as held:
            for path in order:
                assert not ingest(held, path, Wanted()).new.bad
                refresh(held, engine)
        engine.close()
        assert _named(store) == NAMED


def test_a_snapshot_ends_what_it_does_not_name(tmp_path: Path) -> None:
    _lines(tmp_path / "agent.log", FLOWS)
    for name, pod in (("p1", PORTAL), ("p2", BATCH)):
        body = _event("10:00", "patch", pod)["responseObject"]
        status = {"podIP": IP, "podIPs": [{"ip": IP}], "phase": "Running"}
        whole = {**body, "apiVersion": "v1", "spec": {"containers": []}, "status": status}
        (tmp_path / f"{name}.json").write_text(json.dumps(whole))
    for line in (
        "agent.log -f p1.json --at 2026-05-01T10:00Z",
        "-f p2.json --at 2026-05-01T11:10Z",
    ):
        ran = run_here(("flows", "ingest", *line.split()), tmp_path, plain_environment())
        assert ran.exit == 0, ran.err
    found = edges(tmp_path / ".cloison" / "flows").to_pylist()
    # Nobody said that the first had gone before the second was seen: what is known last holds.
    assert {(row["src_workload"], row["count"], row["ambiguous"]) for row in found} == {
        ("portal", 2, 0),
        ("batch", 1, 0),
    }


@pytest.mark.parametrize(
    "more",
    [
        {"requestURI": "/api/v1/namespaces/web/pods/x?dryRun=All"},
        {"verb": "delete", "requestObject": {"kind": "DeleteOptions", "dryRun": ["All"]}},
    ],
)
def test_dry_runs_change_nothing(more: dict[str, Any]) -> None:
    decode = reader("audit").open(Head("audit.log", b"", ()), Options())
    dry = json.dumps({**_event("10:00", "patch", PORTAL), **more}).encode()
    wet = json.dumps(_event("10:00", "patch", PORTAL)).encode()
    assert list(decode(dry)) == []
    assert list(map(type, decode(wet))) == [Change, Identity]


@pytest.mark.parametrize(
    ("owner", "labels", "made"),
    [
        ({"kind": "ReplicaSet", "name": "web-7c9d8f5b6"}, {}, ("web", "Deployment")),
        (
            {"kind": "ReplicaSet", "name": "web-a1"},
            {"pod-template-hash": "a1"},
            ("web", "Deployment"),
        ),
        ({"kind": "ReplicaSet", "name": "web"}, {}, ("web", "ReplicaSet")),
        ({"kind": "Job", "name": "backup-29000000"}, {}, ("backup-29000000", "Job")),
        ({}, {}, (PORTAL, "Pod")),
    ],
)
def test_pods_are_named_by_what_made_them(
    owner: dict[str, str], labels: dict[str, str], made: tuple[str, str]
) -> None:
    decode = reader("audit").open(Head("audit.log", b"", ()), Options())
    event = _event("10:00", "patch", PORTAL)
    owners = [{**owner, "controller": True}] if owner else []
    event["responseObject"]["metadata"] |= {"ownerReferences": owners, "labels": labels}
    (_, held) = decode(json.dumps(event).encode())
    assert isinstance(held, Identity)
    assert (held.workload, held.kind) == made


def test_a_pod_that_is_done_holds_nothing() -> None:
    decode = reader("audit").open(Head("audit.log", b"", ()), Options())
    event = _event("10:00", "patch", PORTAL)
    event["responseObject"]["status"]["phase"] = "Succeeded"
    (change, held) = decode(json.dumps(event).encode())
    assert isinstance(change, Change)
    assert isinstance(held, Identity)
    assert held.until == change.time
