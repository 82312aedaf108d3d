"""`reconcile` where sources lost something, or told nothing for a while."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from tests.support.cli import run_cloison
from tests.unit.cli.test_reconcile import MORE, PLANT, UNUSED, asked, made, told


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a store that several tests read."""
    return made(tmp_path_factory.mktemp("shared"), *PLANT)


def _line(text: str) -> str:
    return " ".join(text.split())


LOST = {
    "lost_events": {"source": "PERF_EVENT_RING_BUFFER", "num_events_lost": "5000"},
    "node_name": "n1",
    "time": "2026-01-01T11:00:01Z",
}


def test_what_sources_lost_is_said(shared: tuple[Path, Path], tmp_path: Path) -> None:
    store, extra = copytree(shared[0], tmp_path / "store"), shared[1]
    lost = tmp_path / "lost.jsonl"
    lost.write_text(json.dumps(LOST) + "\n", encoding="utf-8")
    ran = run_cloison("flows", "ingest", str(lost), "--store", str(store), "--reader", "hubble")
    assert ran.exit == 0, ran.err
    found = json.loads(asked(store, extra, "-o", "json").out)
    (loss,) = found["flows"]["lost"]
    assert (loss["events"], loss["node"], loss["since"]) == (5000, "n1", "2026-01-01T11:00:01Z")
    assert not told(found["cells"], "unused")
    assert UNUSED in told(found["cells"], "unobserved")
    later = json.loads(asked(store, extra, "--since", "2026-01-01T12:00", "-o", "json").out)
    assert later["flows"]["lost"] == []
    ran = asked(store, extra)
    assert "5,000 lost by sources (lost in PERF_EVENT_RING_BUFFER)" in _line(ran.out)


def events(made_up: tuple[Path, Path]) -> Path:
    """Return the flows that were read into a store."""
    return made_up[0].with_name("flows.log")


def told_of(home: Path, path: Path, keep: Callable[[dict[str, Any]], bool]) -> Path:
    """Return made-up flows without those that are not to be kept."""
    lines = path.read_text(encoding="utf-8").splitlines()
    left = home / "left.log"
    kept = [line for line in lines if keep(json.loads(line))]
    assert len(kept) < len(lines)
    left.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return left


def again(home: Path, every: Path, keep: Callable[[dict[str, Any]], bool]) -> Path:
    """Return a store of some flows, without those that are not to be kept."""
    store = home / "left"
    flows = told_of(home, every, keep)
    ran = run_cloison("flows", "ingest", str(flows), "--store", str(store))
    assert ran.exit == 0, ran.err
    return store


def test_hours_of_which_nobody_told_anything_are_no_proof_of_disuse(
    shared: tuple[Path, Path], tmp_path: Path
) -> None:
    extra = shared[1]
    quiet = ("2026-01-01T09", "2026-01-01T10")
    store = again(tmp_path, events(shared), lambda e: not e["time"].startswith(quiet))
    found = json.loads(asked(store, extra, "-o", "json").out)
    (gap,) = found["flows"]["lost"]
    assert gap == {
        "events": 0,
        "reason": "hubble",
        "node": None,
        "sampled": 1,
        "since": "2026-01-01T09:00:00Z",
        "until": "2026-01-01T11:00:00Z",
        "gap": True,
    }
    assert not told(found["cells"], "unused")
    assert UNUSED in told(found["cells"], "unobserved")
    text = _line(asked(store, extra).out)
    assert "not one record of 2026-01-01T09:00:00Z to 2026-01-01T11:00:00Z (hubble)" in text
    later = json.loads(asked(store, extra, "--since", "2026-01-01T11:00", "-o", "json").out)
    assert later["flows"]["lost"] == []
    assert UNUSED in told(later["cells"], "unused")


PLACED = """
apiVersion: v1
kind: Node
metadata: {{name: {node}}}
---
apiVersion: v1
kind: Pod
metadata:
  name: measures-{number}
  namespace: enforcement
  labels: {{app: measures-{number}}}
spec: {{nodeName: {node}, containers: [{{name: c, image: x}}]}}
---
apiVersion: cloison.dev/v1alpha1
kind: Contract
metadata: {{name: measures-{number}}}
spec:
  dependencies:
    - {{name: own-{number}, from: enforcement/measures-{number}, to: enforcement/ledger-{number},
       ports: [7777], reason: r}}
---
apiVersion: v1
kind: Pod
metadata:
  name: ledger-{number}
  namespace: enforcement
  labels: {{app: ledger-{number}}}
spec: {{nodeName: {node}, containers: [{{name: c, image: x}}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: measures-{number}, namespace: enforcement}}
spec:
  podSelector: {{matchExpressions: [{{key: app, operator: In,
    values: [measures-{number}, ledger-{number}]}}]}}
  policyTypes: [Ingress, Egress]
  ingress: [{{}}]
  egress: [{{}}]
---
"""
MADE_NODES = ("192.0.2.11", "192.0.2.12", "192.0.2.13")


def _placed(home: Path) -> Path:
    """Return two workloads on nodes of their own, both seen and with a quiet entry."""
    extra = home / "more.yaml"
    more = "".join(PLACED.format(node=n, number=at) for at, n in enumerate(MADE_NODES[:2]))
    extra.write_text(f"{MORE}---{more}", encoding="utf-8")
    return extra


def test_what_one_node_did_not_tell_counts_for_who_is_there(
    shared: tuple[Path, Path], tmp_path: Path
) -> None:
    flows, extra = tmp_path / "flows.log", _placed(tmp_path)
    lines = events(shared).read_text(encoding="utf-8").splitlines()
    model = next(
        e
        for e in map(json.loads, lines)
        if e.get("flow", {}).get("destination", {}).get("namespace") == "audit"
    )
    for number in range(2):
        flow = json.loads(json.dumps(model))
        pod = flow["flow"]["source"]
        pod |= {"namespace": "enforcement", "pod_name": f"measures-{number}"}
        pod["labels"] = [
            f"k8s:app=measures-{number}",
            "k8s:io.kubernetes.pod.namespace=enforcement",
        ]
        pod["workloads"] = [{"name": f"measures-{number}", "kind": "Pod"}]
        flow["flow"]["IP"]["source"] = f"10.244.7.{number}"
        lines.append(json.dumps(flow))
    flows.write_text("\n".join(lines) + "\n", encoding="utf-8")
    quiet = MADE_NODES[0]

    def keep(event: dict[str, Any]) -> bool:
        named = str(event["node_name"]).rpartition("/")[2] == quiet
        return not (named and event["time"].startswith("2026-01-01T15"))

    found = json.loads(asked(again(tmp_path, flows, keep), extra, "-o", "json").out)
    assert [(e["node"], e["gap"]) for e in found["flows"]["lost"]] == [(quiet, True)]
    kinds = {(c["srcName"], c["dstName"]): c["kind"] for c in found["cells"]}
    assert kinds["enforcement/measures-0", "enforcement/ledger-0"] == "unobserved"
    assert kinds["enforcement/measures-1", "enforcement/ledger-1"] == "unused"
    # Where the pods of others are is not known, so it may have been there.
    assert kinds[UNUSED[:2]] == "unobserved"
