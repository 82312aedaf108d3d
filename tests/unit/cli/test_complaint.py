"""What is said of the input on standard error, beside an answer that says what it lacks."""

from pathlib import Path

import pytest

from cloison.cli import main
from tests.support.cli import ROOT

GOOD = str(ROOT / "examples" / "case-management")
BROKEN = str(ROOT / "examples" / "case-management-broken")
REFUSED = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: No_Name, namespace: evidence}
spec: {podSelector: {}}
"""


@pytest.fixture
def half(tmp_path: Path) -> str:
    """A file whose only document does not parse."""
    file = tmp_path / "half.yaml"
    file.write_text("kind: [\n", encoding="utf-8")
    return str(file)


def test_text_and_standard_error_share_the_work(
    half: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["map", "-f", GOOD, "-f", half, "--focus", "evidence/evidence-api"]
    assert main(asked) == 0
    out, err = capsys.readouterr()
    assert f"could not be read: {half}:" in " ".join(out.split())
    assert err.startswith("error[SRC001]: ")
    assert "in the input" not in err
    assert main([*asked, "-o", "csv"]) == 0
    out, err = capsys.readouterr()
    assert all(line.count(",") > 1 for line in out.splitlines())
    assert err.endswith("\n\n1 error in the input; see cloison validate\n")
    assert main([*asked, "-o", "csv", "--strict", "-q"]) == 2


def test_a_difference_says_which_side_lacks_what(
    half: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, side in enumerate(("before", "after")):
        sources = [half, GOOD] if number == 0 else [GOOD, half]
        for output in ("text", "md", "svg", "dot", "mermaid"):
            assert main(["diff", *sources, "-o", output, "-q"]) == 1
            assert f"1 document could not be read ({side})" in capsys.readouterr().out, output


def test_warnings_of_two_sources_are_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", GOOD, BROKEN])
    told = f"5 warnings in {BROKEN}; see cloison validate -f {BROKEN}\n"
    assert capsys.readouterr().err == told


def test_what_comes_with_a_change_is_told_and_not_looked_for_in_the_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["diff", "-f", GOOD, "--what-if", f"{BROKEN}/40-evidence.yaml"])
    err = capsys.readouterr().err
    assert err.count("warning[") == 2
    assert "validate" not in err
    file = tmp_path / "change.yaml"
    file.write_text(REFUSED, encoding="utf-8")
    main(["diff", "-f", BROKEN, "--what-if", str(file)])
    out, err = capsys.readouterr()
    assert "1 object is left out (after): NetworkPolicy evidence/No_Name (" in " ".join(out.split())
    assert err.startswith("error[OBJ005]: ")
    assert err.endswith("\n\n5 warnings in the input; see cloison validate\n")
    main(["diff", "-f", GOOD, "--delete", "netpol/evidence/evidence-api"])
    assert capsys.readouterr().err == ""


def test_what_is_too_much_to_print_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "change.yaml"
    names = [REFUSED.replace("No_Name", f"No_{number}") for number in range(7)]
    file.write_text("---\n".join(names), encoding="utf-8")
    main(["diff", "-f", GOOD, "--what-if", str(file)])
    out, err = capsys.readouterr()
    assert err.count("error[OBJ005]") == 5
    assert err.endswith("\n\n2 errors more from the change\n")
    words = " ".join(out.split())
    assert "7 objects are left out (after): NetworkPolicy evidence/No_0 (" in words
    assert words.count("NetworkPolicy evidence/No_") == 3
    assert "and 4 more" in words
