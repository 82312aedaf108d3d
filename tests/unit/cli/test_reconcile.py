"""`reconcile` from end to end: traffic is made up, read, and every planted cell is found."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from tests.support.cli import ROOT, Ran, run_cloison

NODES = ("--node-cidr", "192.0.2.8/29")
"""Where made-up nodes are: sources that record addresses only call them nothing else."""
EXAMPLE = ("-f", "examples/case-management", *NODES)
MORE = """
apiVersion: cloison.dev/v1alpha1
kind: Contract
metadata: {name: more}
spec:
  dependencies:
    - name: portal-to-payments
      from: web/case-portal
      to: payments/payments-api
      ports: [8080]
      owner: team-portal
      reason: The portal shows what is owed
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: too-much-out, namespace: sandbox}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: audit}}}]
      ports: [{port: 8080}, {port: 9411}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: too-much-in, namespace: audit}
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
    - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: sandbox}}}]
      ports: [{port: 8080}, {port: 9411}]
"""
UNUSED = ("enforcement/enforcement-api", "audit/audit-writer", "TCP/8080")
UNDOCUMENTED = ("sandbox/case-api", "audit/audit-writer", "TCP/8080")
ATTEMPTED = ("sandbox/case-api", "evidence/evidence-store", "TCP/9000")
BROKEN = ("web/case-portal", "payments/payments-api", "TCP/8080")
PLANTED = {
    "unused": [UNUSED],
    "undocumented": [UNDOCUMENTED],
    "attempted": [ATTEMPTED],
    "broken": [BROKEN],
}
EXCESS = ("sandbox/case-api", "audit/audit-writer", "9411")


def made(home: Path, *more: str, days: str = "1.5") -> tuple[Path, Path]:
    """Return a store of made-up flows, and the objects that are there besides."""
    extra = home / "more.yaml"
    extra.write_text(MORE, encoding="utf-8")
    named = ("-f", str(extra), "--days", days)
    ran = run_cloison("flows", "generate", *EXAMPLE, *named, *more)
    assert ran.exit == 0, ran.err
    flows = home / "flows.log"
    flows.write_text(ran.out, encoding="utf-8")
    store = home / "store"
    ran = run_cloison("flows", "ingest", str(flows), "--store", str(store))
    assert ran.exit == 0, ran.err
    return store, extra


def asked(store: Path, extra: Path, *more: str) -> Ran:
    """Run `reconcile` on the example and what is there besides."""
    named = ("-f", str(extra), "--store", str(store))
    return run_cloison("reconcile", *EXAMPLE, *named, *more)


def told(cells: list[dict[str, Any]], kind: str) -> list[tuple[str, str, str]]:
    """Return the cells of a kind, with the first of their ports."""
    return [
        (str(cell["srcName"]), str(cell["dstName"]), _traffic(cell))
        for cell in cells
        if cell["kind"] == kind
    ]


def _traffic(cell: dict[str, Any]) -> str:
    first = cell["traffic"][0]
    return f"{first['protocol']}/{first['from']}"


def _name(end: dict[str, Any]) -> str:
    if end["kind"] == "ip":
        return ", ".join(end["ranges"])
    return f"{end['namespace']}/{end['name']}"


def excess(found: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Return the edges of excess with the first of their ports."""
    return {
        (_name(src), _name(dst), str(traffic["from"]))
        for line in found["excess"]
        for src in line["src"]
        for dst in line["dst"]
        for traffic in line["traffic"]
    }


PLANT = (
    "--without",
    "measures-to-audit",
    "--also",
    "sandbox/case-api audit/audit-writer:8080",
    "--also",
    "sandbox/case-api evidence/evidence-store:9000",
)


@pytest.mark.parametrize(("form", "loss"), [("hubble", "0"), ("hubble", "0.1"), ("gke", "0.1")])
def test_every_kind_of_cell_is_exactly_where_it_was_planted(
    tmp_path: Path, form: str, loss: str
) -> None:
    store, extra = made(tmp_path, *PLANT, "--loss", loss, "-o", form)
    ran = asked(store, extra, "-o", "json")
    assert ran.exit == 1, ran.err
    found = json.loads(ran.out)
    cells = found["cells"]
    # Where a source says that it lost some, nobody knows what was not used.
    lossy = bool(found["flows"]["lost"])
    assert lossy == ((form, loss) == ("hubble", "0.1"))
    wanted = {("unobserved" if lossy and k == "unused" else k): v for k, v in PLANTED.items()}
    assert {kind: told(cells, kind) for kind in wanted} == wanted
    assert {c["kind"] for c in cells} == {*wanted, "healthy"}
    healthy = set(told(cells, "healthy"))
    assert ("web/case-portal", "case-management/case-api", "TCP/8080") in healthy
    assert ("a node", "web/case-portal", "TCP/8080") in healthy
    assert found["unplaced"] == []
    before = json.loads(run_cloison("reconcile", *EXAMPLE, "-o", "json").out)
    assert excess(found) - excess(before) == {EXCESS}
    assert excess(found) <= excess(before) | {EXCESS}
    # Made-up flows tell of no second half of what leaves the cluster.
    status = {(each["sort"] == "translation", each["status"]) for each in found["sources"]}
    assert status == {(False, "confirmed"), (True, "unseen")}


def test_every_cell_names_its_evidence(shared: tuple[Path, Path]) -> None:
    found = json.loads(asked(*shared, "-o", "json").out)
    one = {(c["srcName"], c["dstName"], c["kind"]): c for c in found["cells"]}
    broken = one[BROKEN[0], BROKEN[1], "broken"]
    assert [each["owner"] for each in broken["intended"]] == ["team-portal"]
    assert broken["intended"][0]["place"]["file"].endswith("more.yaml")
    assert broken["observed"]["denied"] > 0
    assert broken["observed"]["allowed"] == 0
    assert broken["observed"]["adapters"] == ["hubble"]
    assert broken["decidedBy"][0]["place"]["file"].startswith("examples/case-management/")
    assert broken["why"] == [BROKEN[0], f"{BROKEN[1]}:8080/TCP"]
    why = run_cloison("why", *broken["why"], *EXAMPLE)
    assert why.out.startswith("DENIED")
    undocumented = one[UNDOCUMENTED[0], UNDOCUMENTED[1], "undocumented"]
    assert undocumented["intended"] == []
    assert undocumented["observed"]["allowed"] > 0
    assert one[UNUSED[0], UNUSED[1], "unused"]["observed"] is None


def test_the_text_names_the_worst_first_and_the_command_that_shows_it(
    shared: tuple[Path, Path],
) -> None:
    out = asked(*shared).out
    first = out.index("broken: web/case-portal -> payments/payments-api on TCP/8080")
    order = ["attempted: sandbox", "undocumented: sandbox", "unused: enforcement", "excess:"]
    assert [first, *map(out.index, order)] == sorted([first, *map(out.index, order)])
    assert (
        "  see: cloison why web/case-portal payments/payments-api:8080/TCP "
        "-f examples/case-management "
    ) in out
    assert "healthy: " not in out
    # What is quiet and what is too much name their rules and commands as well.
    for edge, port in (
        (f"unused: {UNUSED[0]} -> {UNUSED[1]} on", "8080/TCP"),
        ("  sandbox/case-api -> audit/audit-writer on TCP/9411", "9411/TCP"),
    ):
        below = out[out.index(edge) :].split("see: ", 1)
        assert re.search(r"by: \S+ (in|e)gress rule \d+ \(\S+\)\s+\(\S+\.yaml:\d+\)", below[0])
        assert below[1].startswith("cloison why ")
        assert port in below[1].splitlines()[0]
    healthy = asked(*shared, "--kind", "healthy").out
    nodes = healthy.count("\nhealthy: a node -> ")
    assert nodes
    assert healthy.count("\nhealthy: ") == healthy.count("\n  see: ") + nodes
    for probed in re.findall(r"\nhealthy: a node -> .*?(?=\nhealthy|\n\n)", healthy, re.DOTALL):
        assert "\n  by: " in probed
    only = asked(*shared, "--kind", "attempted").out
    assert "attempted: " in only
    assert "undocumented: " not in only


@pytest.mark.parametrize(
    ("more", "exit_"),
    [
        (("--fail-on", "never"), 0),
        (("--fail-on", "contradicted"), 0),
        (("--fail-on", "unused"), 1),
    ],
)
def test_the_exit_code_says_whether_there_is_a_cell_to_fail_on(
    shared: tuple[Path, Path], more: tuple[str, ...], exit_: int
) -> None:
    assert asked(*shared, *more).exit == exit_


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a store that several tests read."""
    return made(tmp_path_factory.mktemp("shared"), *PLANT)


def test_the_same_input_gives_the_same_answer(shared: tuple[Path, Path]) -> None:
    one, other = asked(*shared, "-o", "json"), asked(*shared, "-o", "json")
    assert one.out == other.out
    rows = asked(*shared, "-o", "csv").out.splitlines()
    assert rows[0].startswith("kind,source,destination,traffic,permitted")
    cells = json.loads(one.out)["cells"]
    assert [row.partition(",")[0] for row in rows[1 : len(cells) + 1]] == [c["kind"] for c in cells]


def test_the_page_needs_nothing_else_and_holds_every_cell(shared: tuple[Path, Path]) -> None:
    page = asked(*shared, "-o", "html").out
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    cells = json.loads(asked(*shared, "-o", "json").out)["cells"]
    assert page.count('<tr class="cell ') == len(cells)
    assert "cloison why web/case-portal payments/payments-api:8080/TCP" in page
    lines = json.loads(asked(*shared, "-o", "json").out)["excess"]
    rows = [line for line in page.splitlines() if line.startswith('<tr class="excess" id="x')]
    assert len(rows) == sum(line["verdict"] == "allowed" for line in lines)
    assert all("cloison why " in row and ".yaml:" in row for row in rows)
    assert 'class="excess k-excess" href="#x' in page


def test_markdown_holds_what_is_wrong_with_the_command_that_shows_it(
    shared: tuple[Path, Path],
) -> None:
    ran = asked(*shared, "-o", "md")
    assert ran.exit == 1
    lines = ran.out.splitlines()
    assert lines[0] == "### What is meant, permitted and seen"
    assert "#### Broken: 1 cell" in lines
    row = next(line for line in lines if line.startswith("| `web/case-portal` | `payments/"))
    assert "portal-to-payments (team-portal)" in row
    assert "`cloison why web/case-portal payments/payments-api:8080/TCP" in row
    assert row.count(" | ") == 6
    unused = next(line for line in lines if line.startswith(f"| `{UNUSED[0]}` | `{UNUSED[1]}`"))
    assert ".yaml:" in unused
    assert f"`cloison why {UNUSED[0]} {UNUSED[1]}:8080/TCP" in unused
    beyond = next(
        line for line in lines if line.startswith("| `case-management/path-prober` | `tele")
    )
    assert "(examples/case-management/" in beyond
    assert "`cloison why case-management/path-prober telemetry/otel-collector:4317/TCP" in beyond
    counts = json.loads(asked(*shared, "-o", "json").out)["counts"]
    assert f"<details><summary>Healthy: {counts['healthy']} cells</summary>" in lines
    tables = [line for line in lines if line.startswith("| ") and "From |" not in line]
    assert len(tables) >= sum(counts.values())
    assert "- **Least privilege**" in ran.out
    only = asked(*shared, "-o", "md", "--kind", "attempted").out
    assert "#### Attempted: 1 cell" in only
    assert "Broken: 1 cell" not in only


def test_the_matrix_has_a_letter_for_each_pair(shared: tuple[Path, Path]) -> None:
    out = asked(*shared, "--matrix").out
    assert "B broken" in out
    assert "x excess" in out
    assert "h healthy" in out
    only = asked(*shared, "--matrix", "--kind", "excess").out
    rows = {line.split()[0]: line.split()[2:] for line in only.splitlines() if " x" in line}
    # Who has nothing but excess has a row, too.
    assert "x" in rows["case-management/path-prober"]
    ran = asked(*shared, "--matrix", "-o", "json")
    assert ran.exit == 2


def test_without_flows_nothing_is_called_unused() -> None:
    ran = run_cloison("reconcile", *EXAMPLE, "-o", "json", cwd=ROOT)
    assert ran.exit == 0
    found = json.loads(ran.out)
    assert found["flows"] is None
    assert found["counts"]["unused"] == 0
    assert found["counts"]["unobserved"] == len(found["cells"])
    assert "what is observed is not known" in run_cloison("reconcile", *EXAMPLE).out


def test_a_time_without_flows_is_said(shared: tuple[Path, Path]) -> None:
    store, extra = shared
    ran = asked(store, extra, "--since", "1990-01-01", "--until", "1990-01-02")
    assert "there are no flows of 1990-01-01T00:00:00Z to 1990-01-02T00:00:00Z in" in _line(ran.out)
    assert "excess: permitted, and nobody means it; whether it is used is not known" in ran.out
    found = json.loads(asked(store, extra, "--until", "1990-01-02", "-o", "json").out)
    assert found["flows"]["connections"] == 0
    assert {each["unobserved"] for each in found["excess"]} == {True}
    assert not {each["kind"] for each in found["cells"]} & {"unused", "healthy"}
    ran = asked(store, extra, "--since", "1990-01-02", "--until", "1990-01-01")
    assert ran.exit == 2
    assert "--since is not before --until" in ran.err


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


def test_the_table_names_the_command_with_its_sources(shared: tuple[Path, Path]) -> None:
    rows = list(csv.DictReader(asked(*shared, "-o", "csv").out.splitlines()))
    asks = [row["why"] for row in rows if row["why"]]
    assert asks
    assert all(each.endswith(f"-f {shared[1]} --node-cidr 192.0.2.8/29") for each in asks)
    assert {row["covered"] for row in rows} <= {"yes", "no"}
    assert all(row["decided_by"] for row in rows)
    assert all(row["why"] for row in rows if row["source"] != "a node")


def test_a_store_or_contract_that_is_not_there_is_said(tmp_path: Path) -> None:
    ran = run_cloison("reconcile", *EXAMPLE, "--store", str(tmp_path / "none"))
    assert ran.exit == 2
    assert "cloison flows ingest" in ran.err
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n")
    ran = run_cloison("reconcile", "-f", str(tmp_path / "a.yaml"))
    assert ran.exit == 2
    assert "there is no contract" in ran.err


def test_traffic_of_what_is_not_there_cannot_be_made() -> None:
    ran = run_cloison("flows", "generate", *EXAMPLE, "--without", "nobody")
    assert ran.exit == 2
    assert "no dependency of the contract is called 'nobody'" in ran.err
    ran = run_cloison("flows", "generate", *EXAMPLE, "--also", "web/case-portal")
    assert ran.exit == 2
    ran = run_cloison("flows", "generate", *EXAMPLE, "--also", "web/nobody audit/audit-writer:1")
    assert ran.exit == 2
