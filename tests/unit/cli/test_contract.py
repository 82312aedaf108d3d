"""`cloison contract check`: what it takes, and what it exits with."""

import json
from pathlib import Path

import pytest
from junitparser import JUnitXml

from tests.support.cli import run_cloison

EXAMPLE = "examples/case-management"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: c, image: i}]}
"""
HEAD = "---\napiVersion: cloison.dev/v1alpha1\nkind: Contract\nmetadata: {name: c}\nspec:\n"
DUE = HEAD + "  externals: [{name: mail, names: [a.b], owner: o, review: 2027-01-01}]\n"
BROKEN = HEAD + "  guardrails: [{name: g, deny: {to: shop/web}}]\n"
GONE = HEAD + "  guardrails: [{name: g, deny: {to: shop/gone}}]\n"
FAULTY = HEAD + "  guardrails: [{name: g, deny: {too: shop/web}}]\n"


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (HEAD + "  owner: o\n", (), 0),
        (BROKEN, (), 1),
        (BROKEN, ("--fail-on", "never"), 0),
        (GONE, (), 2),
        (FAULTY, (), 2),
        (DUE, ("--today", "2027-01-01", "--fail-on", "warning"), 0),
        (DUE, ("--today", "2027-01-02", "--fail-on", "warning"), 1),
        (DUE, ("--today", "2027-01-02"), 0),
        (DUE, ("--today", "tomorrow"), 2),
        ("", (), 2),
    ],
)
def test_findings_decide_the_exit_code(text: str, options: tuple[str, ...], code: int) -> None:
    ran = run_cloison("contract", "check", "-f", "-", *options, stdin=POD + text)
    assert ran.exit == code, ran.out + ran.err


def test_a_contract_of_its_own_is_named(tmp_path: Path) -> None:
    world, contract = tmp_path / "world.yaml", tmp_path / "contract.yaml"
    world.write_text(POD)
    contract.write_text(BROKEN)
    ran = run_cloison("contract", "check", "-f", str(world), "--contract", str(contract))
    assert ran.exit == 1
    assert f"see: cloison why shop/web shop/web:443 -f {world}" not in ran.out
    assert "broken: g" in ran.out
    twice = run_cloison("contract", "check", "-f", str(tmp_path), "--contract", str(contract))
    assert "CON007" not in twice.out
    assert "1 guardrail (1 broken)" in twice.out


def test_without_a_contract_it_says_how_to_write_one() -> None:
    ran = run_cloison("contract", "check", "-f", "-", stdin=POD)
    assert "there is no contract in the source" in ran.err
    assert "kind: Contract" in ran.err


def test_other_commands_do_not_see_a_contract() -> None:
    plain = run_cloison("validate", "-f", "-", stdin=POD)
    with_it = run_cloison("validate", "-f", "-", stdin=POD + BROKEN)
    assert (plain.exit, plain.out, plain.err) == (with_it.exit, with_it.out, with_it.err)


def test_every_guardrail_is_a_case() -> None:
    ran = run_cloison("contract", "check", "-f", EXAMPLE + "-broken", "-o", "junit", "-q")
    report = JUnitXml.fromstring(ran.out.encode())
    cases = {
        case.name: [type(r).__name__ for r in case.result] for suite in report for case in suite
    }
    assert cases["evidence-only-through-cases"] == ["Failure"]
    assert cases["one-way-out"] == []
    assert cases["CON130"] == ["Error"]
    assert len(cases) == 8


def test_a_program_is_told_the_flow_and_how_to_ask_about_it() -> None:
    ran = run_cloison("contract", "check", "-f", EXAMPLE + "-broken", "-o", "json", "-q")
    said = json.loads(ran.out)
    assert said["counts"] == {"holds": 6, "broken": 1, "undetermined": 0, "unasked": 0}
    first = said["guardrails"][0]["counterexamples"][0]
    asked = run_cloison("why", *first["why"], "-f", EXAMPLE + "-broken", "-o", "json", "-q")
    assert json.loads(asked.out)["verdict"] == first["verdict"] == "allowed"


def test_the_group_shows_its_commands() -> None:
    assert "check" in run_cloison("contract").out
