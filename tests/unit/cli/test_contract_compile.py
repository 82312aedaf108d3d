"""`cloison contract compile`: what it writes where, and what it exits with."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from cloison.app.compile import COMPILER, mark
from tests.support.cli import ROOT, run_cloison

EXAMPLE = "examples/case-management"
WORLD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, image: i}]}
"""
HEAD = "---\napiVersion: cloison.dev/v1alpha1\nkind: Contract\nmetadata: {name: c}\nspec:\n"
CALL = HEAD + "  dependencies: [{name: d, from: shop/web, to: shop/db, ports: [5432]%s}]\n"
COMMAND = ("contract", "compile", "--to", "networkpolicy")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small cluster with a contract."""
    path = tmp_path / "world.yaml"
    path.write_text(WORLD + CALL % "")
    return path


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (CALL % "", (), 0),
        (CALL % ", http: {method: GET}", (), 1),
        (CALL % ", http: {method: GET}", ("--fail-on", "never"), 0),
        (CALL % ", http: {method: GET}", ("--to", "cilium"), 0),
        (CALL % ", direction: egress", (), 1),
        (CALL % ", expires: 2026-01-01", ("--today", "2026-01-02"), 0),
        (CALL % ", expires: 2026-01-01", ("--today", "2026-01-02", "--fail-on", "warning"), 1),
        (CALL % ", expirez: 2026-01-01", (), 2),
        (CALL % "", ("-n", "nowhere"), 2),
        (CALL % "", ("--force",), 2),
        (CALL % "", ("--to", "iptables"), 2),
        ("", (), 2),
    ],
)
def test_findings_decide_the_exit_code(text: str, options: tuple[str, ...], code: int) -> None:
    ran = run_cloison(*COMMAND, "-f", "-", *options, stdin=WORLD + text)
    assert ran.exit == code, ran.out + ran.err


def test_standard_output_is_for_kubectl() -> None:
    ran = run_cloison(*COMMAND, "-f", EXAMPLE)
    documents = list(yaml.safe_load_all(ran.out))
    assert {each["kind"] for each in documents} == {"NetworkPolicy"}
    assert "27 files, 27 policies in 12 namespaces" in ran.err
    assert run_cloison(*COMMAND, "-f", EXAMPLE).out == ran.out
    quiet = run_cloison(*COMMAND, "-f", EXAMPLE, "-q")
    assert (quiet.out, quiet.err) == (ran.out, "")


def test_json_keeps_to_its_schema() -> None:
    ran = run_cloison(*COMMAND, "-f", EXAMPLE, "-o", "json")
    said = json.loads(ran.out)
    schema = json.loads((ROOT / "src/cloison/report/schemas/compiled.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(said)
    assert said["target"] == "networkpolicy"
    assert [each["code"] for each in said["findings"]] == ["CON205"]
    assert said["refused"] == ["cases-to-payments"]
    both = next(f for f in said["files"] if f["path"] == "case-management/case-api.yaml")
    assert [each["name"] for each in both["workloads"]] == ["case-api", "case-api-canary"]


def test_files_are_written_once(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run_cloison(*COMMAND, "-f", str(source), "--out", str(out))
    assert first.exit == 0, first.err
    names = {each.relative_to(out).as_posix() for each in out.rglob("*") if each.is_file()}
    assert names == {"shop/_default-deny.yaml", "shop/web.yaml", "shop/db.yaml"}
    assert all((out / name).read_text().startswith(mark(COMPILER)) for name in names)
    before = (out / "shop/web.yaml").stat().st_mtime_ns
    again = run_cloison(*COMMAND, "-f", str(source), "--out", str(out))
    assert "(3 same)" in again.out
    assert (out / "shop/web.yaml").stat().st_mtime_ns == before


def test_what_others_wrote_is_left_alone(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "shop").mkdir(parents=True)
    theirs = out / "shop/db.yaml"
    theirs.write_text("mine\n")
    ran = run_cloison(*COMMAND, "-f", str(source), "--out", str(out))
    assert ran.exit == 2
    assert "was not written by cloison" in ran.err
    assert [each.name for each in out.rglob("*.yaml")] == ["db.yaml"]
    assert theirs.read_text() == "mine\n"
    forced = run_cloison(*COMMAND, "-f", str(source), "--out", str(out), "--force")
    assert forced.exit == 0
    assert theirs.read_text().startswith(mark(COMPILER))


def test_a_link_leads_nowhere(source: Path, tmp_path: Path) -> None:
    out, away = tmp_path / "out", tmp_path / "away"
    away.mkdir()
    out.mkdir()
    (out / "shop").symlink_to(away)
    ran = run_cloison(*COMMAND, "-f", str(source), "--out", str(out), "--force")
    assert ran.exit == 2
    assert "is a link" in ran.err
    assert not list(away.iterdir())


def test_what_is_gone_is_told(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_cloison(*COMMAND, "-f", str(source), "--out", str(out))
    source.write_text(source.read_text().replace("name: db", "name: store"))
    source.write_text(source.read_text().replace("shop/db", "shop/store"))
    (out / "shop/notes.yaml").write_text("theirs\n")
    ran = run_cloison(*COMMAND, "-f", str(source), "--out", str(out), "-o", "json")
    said = json.loads(ran.out)
    assert said["left"] == ["shop/db.yaml"]
    assert "CON212" in [each["code"] for each in said["findings"]]
    assert (out / "shop/db.yaml").exists()


def test_one_namespace_alone() -> None:
    ran = run_cloison(*COMMAND, "-f", EXAMPLE, "-n", "audit")
    documents = list(yaml.safe_load_all(ran.out))
    assert {each["metadata"]["namespace"] for each in documents} == {"audit"}
    assert "1 namespace" in ran.err
