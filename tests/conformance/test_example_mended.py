"""The example with six mistakes, through the command line: examined, mended, and held to its tests.

The edges are written down here by hand: those that the mistakes of its README close, and the one
that the first of them opens.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cli import ROOT, Ran, run_cloison
from tests.support.doctoring import applied

BROKEN = Path("examples") / "case-management-broken"
CAUSES = {
    ("SEL004", "F8", "40-evidence.yaml", 296),
    ("SEL003", "F5", "31-enforcement.yaml", 194),
    ("DNS001", "F1", "32-payments.yaml", 10),
    ("CAN001", "F6", "30-case-management.yaml", 398),
    ("SCR009", "F3", "50-audit.yaml", 10),
    ("PRT001", "F5", "31-enforcement.yaml", 204),
}
OPENED = {
    "case-management/case-api enforcement/enforcement-api TCP/8080",
    "case-management/case-api-canary 10.42.15.0-10.42.15.15 TCP/5432",
    "case-management/case-api-canary audit/audit-writer TCP/8080",
    "case-management/case-api-canary egress-system/egress-proxy TCP/3128",
    "case-management/case-api-canary enforcement/enforcement-api TCP/8080",
    "case-management/case-api-canary evidence/evidence-api TCP/8080",
    "case-management/case-api-canary payments/payments-api TCP/8080",
    "enforcement/enforcement-api audit/audit-writer TCP/8080",
    "monitoring/prometheus audit/audit-writer TCP/9090",
    "payments/payments-api kube-system/coredns TCP/53 UDP/53",
    "web/case-portal case-management/case-api-canary TCP/8080",
}
CLOSED = {"case-management/path-prober evidence/evidence-api TCP/8080"}


def told(ran: Ran) -> dict[str, Any]:
    """Return what a command said as JSON."""
    assert ran.out, ran.err
    answer: dict[str, Any] = json.loads(ran.out)
    return answer


@pytest.fixture(scope="module")
def examined() -> dict[str, Any]:
    """What the doctor says of the example."""
    ran = run_cloison("doctor", "-f", str(BROKEN), "-o", "json")
    assert ran.exit == 1
    return told(ran)


@pytest.fixture(scope="module")
def mended(examined: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with everything applied that is proposed, in the order in which it is printed."""
    here = ROOT / BROKEN
    texts = {each.name: each.read_text("utf-8") for each in sorted(here.glob("[0-9]*.yaml"))}
    proposed = [mend["manifest"] for each in examined["findings"] for mend in each["mend"]]
    assert all(proposed)
    into = tmp_path_factory.mktemp("mended")
    (into / "all.yaml").write_text(applied(texts, proposed)["mended.yaml"], "utf-8")
    (into / "tests.yaml").write_text((here / "tests.yaml").read_text("utf-8"), "utf-8")
    return into


def test_every_planted_cause_is_named_once_and_mended(examined: dict[str, Any]) -> None:
    found = [
        (each["code"], each["mode"], Path(each["file"]).name, each["line"])
        for each in examined["findings"]
    ]
    assert sorted(found) == sorted(CAUSES)
    assert all(each["mend"] for each in examined["findings"])


def test_what_is_mended_passes_its_tests(mended: Path) -> None:
    assert run_cloison("verify", "-f", str(BROKEN)).exit == 1
    ran = run_cloison("verify", "-f", str(mended))
    assert ran.exit == 0, ran.out + ran.err


def test_nothing_is_left_to_say_of_what_is_mended(mended: Path) -> None:
    ran = run_cloison("doctor", "-f", str(mended), "-o", "json")
    assert ran.exit == 0
    assert told(ran)["findings"] == []


def test_the_difference_is_exactly_the_mended_edges(mended: Path) -> None:
    answer = told(run_cloison("diff", str(BROKEN), str(mended), "-o", "json"))
    assert {_edge(each) for each in answer["opened"]} == OPENED
    assert {_edge(each) for each in answer["closed"]} == CLOSED
    assert answer["changed"] == []


def test_the_difference_is_that_to_the_good_example(mended: Path) -> None:
    answer = told(run_cloison("diff", "examples/case-management", str(mended), "-o", "json"))
    assert [answer[kind] for kind in ("opened", "closed", "changed")] == [[], [], []]


def test_labels_and_annotations_of_what_is_changed_stay(mended: Path) -> None:
    given = _policies(*sorted((ROOT / BROKEN).glob("[0-9]*.yaml")))
    now = _policies(mended / "all.yaml")
    assert given.keys() <= now.keys()
    for name, before in given.items():
        kept = {key: before.get(key) for key in ("labels", "annotations")}
        assert {key: now[name].get(key) for key in kept} == kept, name


def test_what_is_accepted_is_in_no_manifest(tmp_path: Path) -> None:
    settings = tmp_path / "cloison.yaml"
    settings.write_text("suppressions: [{code: PRT001, reason: tried here}]\n", "utf-8")
    ran = run_cloison("doctor", "-f", str(BROKEN), "-o", "json", "--config", str(settings))
    proposed = {
        each["code"]: yaml.safe_load(mend["manifest"])
        for each in told(ran)["findings"]
        for mend in each["mend"]
    }
    assert proposed.keys() == {code for code, *_ in CAUSES} - {"PRT001"}
    assert len(proposed["SEL003"]["spec"]["egress"]) == 1


def test_what_makes_one_workload_suffer_can_be_asked_alone() -> None:
    ran = run_cloison("doctor", "-f", str(BROKEN), "-w", "payments/payments-api", "-o", "json")
    assert [each["code"] for each in told(ran)["findings"]] == ["DNS001"]


def _policies(*files: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what is said of every NetworkPolicy besides its specification."""
    return {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each["metadata"]
        for file in files
        for each in yaml.safe_load_all(file.read_text("utf-8"))
        if each and each["kind"] == "NetworkPolicy"
    }


def _edge(edge: dict[str, Any]) -> str:
    ports = [f"{each['protocol']}/{each['from']}" for each in edge["traffic"]]
    return " ".join((_end(edge["src"]), _end(edge["dst"]), *ports))


def _end(end: dict[str, Any]) -> str:
    if end["kind"] == "workload":
        return f"{end['namespace']}/{end['name']}"
    return ", ".join(end["ranges"])
