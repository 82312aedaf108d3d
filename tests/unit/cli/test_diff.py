"""`cloison diff`: how its sources are named, and what its exit code says."""

from pathlib import Path

import pytest

from cloison.cli import main
from tests.support.cli import ROOT

WAS = str(ROOT / "examples" / "case-management")
NOW = str(ROOT / "examples" / "case-management-broken")
OPENING = f"{NOW}/40-evidence.yaml"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("fail_on", "code"), [("any", 1), ("opened", 1), ("closed", 1), ("changed", 0), ("never", 0)]
)
def test_the_exit_code_is_what_was_asked_for(
    fail_on: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", WAS, NOW, "-q", "--fail-on", fail_on]) == code
    assert "1 edge opened, 0 changed, 11 closed" in capsys.readouterr().out


def test_only_what_is_opened_fails(capsys: pytest.CaptureFixture[str]) -> None:
    opened = ["diff", "-q", "-f", WAS, "--what-if", OPENING, "--fail-on"]
    assert main([*opened, "opened"]) == 1
    assert main([*opened, "closed"]) == 0
    assert main(["diff", "-q", WAS, WAS]) == 0
    assert "no difference in connectivity\n" in capsys.readouterr().out


def test_a_part_may_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", WAS, NOW, "-q", "-n", "evidence", "--fail-on", "closed"]) == 1
    told = capsys.readouterr().out
    assert "1 edge opened, 0 changed, 1 closed; only part was asked for" in told
    assert main(["diff", WAS, NOW, "-q", "--port", "53/UDP"]) == 1
    assert "0 edges opened, 0 changed, 1 closed" in capsys.readouterr().out
    assert main(["diff", WAS, NOW, "-q", "--focus", "telemetry/otel-collector"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message", "help_"),
    [
        ([], "name two sources to compare", "cloison diff BEFORE AFTER"),
        ([WAS], "name two sources to compare", "--what-if FILE"),
        ([WAS, "--what-if", OPENING], "named with -f", f"did you mean -f {WAS}?"),
        ([WAS, NOW, "-f", WAS], "two sources are arguments", f"cloison diff {WAS} {NOW}"),
        (["-", "-"], "standard input can be read once", "name a file"),
        (["-f", "-", "--what-if", "-"], "both the source and the change", "from a file"),
        ([WAS, "nowhere"], "no such file or directory: nowhere", "check the path"),
        (["-f", WAS, "--delete", "x"], "'x' names no object", "KIND/NAMESPACE/NAME"),
        (["-f", WAS, "--delete", "ns/webb"], "no Namespace webb", "did you mean web?"),
    ],
)
def test_what_cannot_be_answered_is_exit_code_2(
    arguments: list[str], message: str, help_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert help_ in said


def test_what_either_side_lacks_is_said_and_strict_makes_it_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("kind: [\n", encoding="utf-8")
    whole = tmp_path / "whole.yaml"
    whole.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", encoding="utf-8")
    for sides in ((broken, whole), (whole, broken)):
        names = [str(side) for side in sides]
        assert main(["diff", *names]) == 0
        assert "broken.yaml" in capsys.readouterr().err
        assert main(["diff", *names, "--strict"]) == 2
        capsys.readouterr()


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "it is empty"), ("kind: [\n", "a value is missing"), ("# nothing\n", "it is empty")],
)
def test_a_proposal_that_holds_no_object_is_no_answer(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proposal = tmp_path / "proposal.yaml"
    proposal.write_text(text, encoding="utf-8")
    assert main(["diff", "-f", WAS, "--what-if", str(proposal), "--what-if", OPENING]) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert f"proposal.yaml holds no object to propose: {message}" in printed.err


def test_policies_that_differ_without_effect_are_counted_and_not_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(WAS, "40-evidence.yaml").read_text(encoding="utf-8")
    was, now = tmp_path / "was.yaml", tmp_path / "now.yaml"
    was.write_text(text, encoding="utf-8")
    now.write_text(text.replace("name: default-deny", "name: closed"), encoding="utf-8")
    assert main(["diff", str(was), str(now), "-q"]) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    assert first == "no difference in connectivity; 1 policy differs without effect"


def test_policies_that_differ_without_anybody_to_apply_to_are_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: b}\n"
        "spec: {podSelector: {}, ingress: []}\n"
    )
    was, now = tmp_path / "was.yaml", tmp_path / "now.yaml"
    was.write_text(text, encoding="utf-8")
    now.write_text(text.replace("[]", "[{}]"), encoding="utf-8")
    assert main(["diff", str(was), str(was)]) == 0
    assert main(["diff", str(was), str(now), "--fail-on", "opened"]) == 2
    assert "no workload was read" in capsys.readouterr().out


def test_a_proposal_of_a_mistyped_kind_is_said_to_be_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proposal = tmp_path / "proposal.yaml"
    proposal.write_text(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolcy\n"
        "metadata: {name: a, namespace: web}\nspec: {podSelector: {}}\n",
        encoding="utf-8",
    )
    assert main(["diff", "-f", WAS, "--what-if", str(proposal)]) == 0
    printed = capsys.readouterr()
    assert "1 object is left out (after): NetworkPolcy web/a" in printed.out
    assert "did you mean `kind: NetworkPolicy`?" in printed.err
