"""`reconcile` from end to end: traffic is made up, read, and every planted cell is found."""

import csv
import json
import re
from pathlib import Path
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
