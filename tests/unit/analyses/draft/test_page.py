"""The file that a draft becomes."""

import random
import re
from pathlib import Path

import pytest

from cloison.analyses.draft.page import page
from cloison.intent.model import Contract
from tests.support.cli import ROOT, run_cloison
from tests.support.smallworlds import (
    Manifest,
    listening,
    peer,
    policy,
    rule,
    service,
    text,
    thing,
    variables,
    workload,
)
from tests.unit.analyses.draft.drafting import drafted
from tests.unit.intent.said import reading

WORLD: tuple[Manifest, ...] = (
    workload("front-end", ports=listening(80)),
    service("front-end", type="NodePort"),
    workload("orders", env=variables(MAIL_URL="https://mail.example.com", Q_ADDR="gone:1")),
    workload("orders-db", image="mongo", ports=listening(27017)),
    workload("twin", env=variables(F_ADDR="front-end:80")),
    workload("twin", kind="StatefulSet", env=variables(F_ADDR="front-end:80")),
    policy(to={"app": "orders"}, ingress=[rule("from", peer(app="twin"), ports=(80,))]),
)
PROMETHEUS = thing(
    "Prometheus",
    "k8s",
    "m",
    api="monitoring.coreos.com/v1",
    spec={"podMonitorSelector": {}, "podMonitorNamespaceSelector": {}},
)
MONITOR = thing(
    "PodMonitor",
    "web",
    "a",
    api="monitoring.coreos.com/v1",
    spec={
        "selector": {"matchLabels": {"app": "front-end"}},
        "podMetricsEndpoints": [{"portNumber": 80}],
    },
)


@pytest.fixture
def manifests(tmp_path: Path) -> str:
    file = tmp_path / "in.yaml"
    file.write_text(text(*WORLD))
    return str(file)


def test_it_reads_back_as_the_same_contract() -> None:
    found = drafted(*WORLD, PROMETHEUS, MONITOR)
    back = reading(page(found))
    assert back.diagnostics == ()
    assert back.contract == found.contract


def test_suggestions_read_back_once_their_signs_are_taken_away() -> None:
    found = drafted(*WORLD)
    assert found.suggested
    lines = page(found).splitlines()
    start = next(n for n, line in enumerate(lines) if "To confirm" in line)
    confirmed = [re.sub(r"^  # (- |  )", r"  \1", line) for line in lines[start:]]
    back = reading("\n".join((*lines[:start], *confirmed)))
    assert back.diagnostics == ()
    entries = (*found.contract.dependencies, *(each.entry for each in found.suggested))
    assert back.contract.dependencies == entries


def test_a_draft_of_suggestions_only_has_a_head_for_them() -> None:
    found = drafted(workload("orders"), workload("orders-db", ports=listening(5432)))
    said = page(found)
    assert "  # dependencies:\n  # To confirm" in said
    assert reading(said).diagnostics == ()
    assert reading(said.replace("  # dependencies:", "  dependencies:")).diagnostics == ()


def test_of_nothing_it_is_an_empty_contract() -> None:
    found = drafted(thing("ConfigMap", "x", "a"))
    assert reading(page(found)).contract == Contract(("drafted",))


def test_the_order_of_the_input_does_not_show() -> None:
    places = re.compile(r" \(in\.yaml:\d+\)")
    first = places.sub("", page(drafted(*WORLD)))
    shuffled = list(WORLD)
    random.Random(8).shuffle(shuffled)
    assert places.sub("", page(drafted(*shuffled))) == first


def test_names_that_do_not_print_stay_on_their_line() -> None:
    web = workload("web", args=["--x=http://mail.example.com", "--\u2028=http://a.example.com"])
    assert reading(page(drafted(web))).diagnostics == ()


def test_other_formats_carry_the_evidence(manifests: str) -> None:
    for output, said in (("json", '"confidence"'), ("csv", "confidence"), ("text", "to confirm")):
        ran = run_cloison("contract", "init", "-f", manifests, "-o", output)
        assert ran.exit == 0
        assert said in ran.out


def test_no_file_is_written_over(manifests: str, tmp_path: Path) -> None:
    target = tmp_path / "contract.yaml"
    asked = ("contract", "init", "-f", manifests, "--output-file", str(target))
    assert run_cloison(*asked).exit == 0
    first = target.read_text()
    assert reading(first).contract.dependencies
    target.write_text("mine")
    refused = run_cloison(*asked)
    assert refused.exit == 2
    assert "exists" in refused.err
    assert target.read_text() == "mine"
    assert run_cloison(*asked, "--force").exit == 0
    assert target.read_text() == first


def test_the_example_is_drafted_and_checks_without_errors(tmp_path: Path) -> None:
    copy = tmp_path / "manifests"
    copy.mkdir()
    for file in (ROOT / "examples" / "case-management").glob("[0-9]*.yaml"):
        (copy / file.name).write_bytes(file.read_bytes())
    target = tmp_path / "contract.yaml"
    asked = ("contract", "init", "-f", str(copy), "--output-file", str(target))
    assert run_cloison(*asked).exit == 0
    checked = run_cloison("contract", "check", "-f", str(copy), "--contract", str(target))
    assert checked.exit == 0, checked.out


def test_a_name_that_is_none_and_a_store_that_is_not_there(manifests: str, tmp_path: Path) -> None:
    asked = ("contract", "init", "-f", manifests)
    assert run_cloison(*asked, "--name", "A B").exit == 2
    assert run_cloison(*asked, "--flows", str(tmp_path / "none")).exit == 2
