"""`--staged` and `--tiers` on the command line."""

import pytest

from tests.support.cli import ROOT, run_cloison

SOURCE = str(ROOT / "examples" / "guardrails")
PLAIN = str(ROOT / "examples" / "case-management")
CALICO = ("--cni", "calico@3.32")
NOTE = "nothing is staged here; the answer is the same without --staged\n"


def test_one_source_is_compared_with_what_it_would_be() -> None:
    named = run_cloison("diff", SOURCE, "--staged", *CALICO)
    given = run_cloison("diff", "-f", SOURCE, "--staged", *CALICO)
    assert named.exit == given.exit == 1
    assert named.out == given.out
    assert "enforced: StagedNetworkPolicy shop/web" in named.out
    assert named.err == ""


def test_the_threshold_counts() -> None:
    assert run_cloison("diff", SOURCE, "--staged", "--fail-on", "opened", *CALICO).exit == 0


def test_two_sources_are_both_taken_with_what_is_staged() -> None:
    ran = run_cloison("diff", SOURCE, SOURCE, "--staged", *CALICO)
    assert ran.exit == 0
    assert ran.out.startswith("no difference in connectivity\n")


def test_a_change_is_taken_with_what_is_staged() -> None:
    delete = ("--delete", "networkpolicy/shop/db")
    was = run_cloison("diff", "-f", SOURCE, *delete, *CALICO)
    assert was.exit == 1
    now = run_cloison("diff", "-f", SOURCE, *delete, "--staged", *CALICO)
    assert now.exit == 0, now.out


def test_relations_are_of_what_is_staged() -> None:
    one = run_cloison("relate", "equivalent", SOURCE, SOURCE, "--staged", *CALICO)
    assert one.exit == 0, one.out
    found = run_cloison("relate", "empty", "-f", SOURCE, *CALICO).out
    assert run_cloison("relate", "empty", "-f", SOURCE, "--staged", *CALICO).out != found


def test_a_source_is_named_once() -> None:
    ran = run_cloison("diff", SOURCE, "-f", SOURCE, "--staged")
    assert ran.exit == 2
    assert "cloison diff" in ran.err


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("map", "-f", PLAIN, "--staged"), 0),
        (("diff", PLAIN, "--staged"), 0),
        (("verify", "-f", PLAIN, "--staged"), 0),
        (("relate", "disjoint", "-f", PLAIN, "--staged"), 1),
        (("effective", "web/case-portal", "-f", PLAIN, "--staged"), 0),
    ],
)
def test_says_where_nothing_is_staged(command: tuple[str, ...], code: int) -> None:
    ran = run_cloison(*command)
    assert ran.exit == code
    assert NOTE in ran.err
    assert NOTE not in run_cloison(*command, "-q").err


def test_why_answers_as_if_it_were_enforced() -> None:
    asked = ("why", "shop/api", "shop/db:9999", "-f", SOURCE, *CALICO)
    assert run_cloison(*asked).out.startswith("ALLOWED")
    assert run_cloison(*asked, "--staged").out.startswith("DENIED")


def test_what_is_staged_is_not_said_to_take_no_part() -> None:
    plain = run_cloison("map", "-f", SOURCE, "-o", "json", *CALICO).out
    shown = run_cloison("map", "-f", SOURCE, "-o", "json", "--staged", *CALICO).out
    assert "ask with --staged" in plain
    assert "ask with --staged" not in shown


@pytest.mark.parametrize("flag", ["--exposure", "--matrix", "--grouped", "--self", "--nodes"])
def test_tiers_are_no_map(flag: str) -> None:
    form = ("-o", "json") if flag == "--grouped" else ()
    ran = run_cloison("map", "--tiers", flag, "-f", SOURCE, *form)
    assert ran.exit == 2
    assert "does not go with" in ran.err


def test_tiers_have_no_picture() -> None:
    ran = run_cloison("map", "--tiers", "-o", "svg", "-f", SOURCE)
    assert ran.exit == 2
    assert "--tiers has no svg output" in ran.err
