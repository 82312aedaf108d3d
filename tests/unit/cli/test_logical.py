"""`map --logical` and `--wire` on the command line."""

import json

import pytest

from tests.support.cli import ROOT, run_cloison

EXAMPLE = ("-f", str(ROOT / "examples" / "case-management"))


@pytest.mark.parametrize("other", ["--wire", "--self", "--nodes", "--tiers", "--exposure"])
def test_calls_do_not_go_with_what_is_about_packets(other: str) -> None:
    ran = run_cloison("map", *EXAMPLE, "--logical", other)
    assert ran.exit == 2
    assert "does not go with" in ran.err


def test_the_wire_is_the_default() -> None:
    assert run_cloison("map", *EXAMPLE, "--wire").out == run_cloison("map", *EXAMPLE).out


@pytest.mark.parametrize("output", ["csv", "dot", "html"])
def test_calls_can_be_had_in_other_forms(output: str) -> None:
    ran = run_cloison("map", *EXAMPLE, "--logical", "-n", "web", "-o", output)
    assert ran.exit == 0
    assert "case-portal" in ran.out
    assert "gateway" in ran.out.lower()


def test_groups_of_calls_expand_to_the_same_edges() -> None:
    whole = json.loads(run_cloison("map", *EXAMPLE, "--logical", "-o", "json").out)
    small = json.loads(run_cloison("map", *EXAMPLE, "--logical", "--grouped", "-o", "json").out)
    members = {group["id"]: group["members"] for group in small["groups"]}
    found = [
        (src, dst, edge["traffic"])
        for edge in small["edges"]
        for src in members[edge["src"]]
        for dst in members[edge["dst"]]
    ]
    told = [(edge["src"], edge["dst"], edge["traffic"]) for edge in whole["edges"]]
    assert sorted(found, key=str) == sorted(told, key=str)
