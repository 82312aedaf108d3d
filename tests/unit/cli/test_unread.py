"""An object that cannot be read is told of alike by every command, and `--strict` minds it."""

import json
from pathlib import Path

import pytest

from cloison.cli.main import main
from tests.support.smallworlds import Manifest, policy, text, thing, workload

ROUTE = thing("Ingress", "x", "a", api="networking.k8s.io/v1", spec={"rules": {}})
POLICY = thing("NetworkPolicy", "x", "a", api="networking.k8s.io/v1", spec={"podSelector": []})
NOTHING = thing("ConfigMap", "x", "a")
COMMANDS = (
    ("cni",),
    ("convert", "--to", "networkpolicy"),
    ("doctor",),
    ("effective", "a/web"),
    ("egress",),
    ("map",),
    ("portability",),
    ("relate", "empty"),
    ("validate",),
    ("why", "a/web", "a/web:80"),
)


@pytest.fixture(params=[ROUTE, POLICY], ids=["route", "policy"])
def unreadable(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a file with an object in it that cannot be read."""
    return written(tmp_path, request.param)


def written(directory: Path, item: Manifest) -> str:
    """Return a file with a workload, a policy and something else."""
    file = directory / "in.yaml"
    file.write_text(text(workload("web"), policy(egress=[]), item))
    return str(file)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each[0])
def test_strict_minds_it(
    command: tuple[str, ...], unreadable: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [*command, "-f", unreadable]
    assert main(asked) < 2
    assert main([*asked, "--strict"]) == 2
    capsys.readouterr()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each[0])
def test_strict_minds_nothing_else(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [*command, "-f", written(tmp_path, NOTHING)]
    assert main([*asked, "--strict"]) < 2
    capsys.readouterr()


def test_the_doctor_says_what_validate_says_and_says_it_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, ROUTE)
    found = {}
    for command in ("validate", "doctor"):
        assert main([command, "-f", file, "-o", "json"]) == 1
        out, err = capsys.readouterr()
        assert "OBJ003" not in err
        found[command] = [e for e in json.loads(out)["findings"] if e["code"] == "OBJ003"]
    (one,), (other,) = found["validate"], found["doctor"]
    assert one["message"] == "`spec.rules` is a mapping, not a list"
    assert one["help"] == "begin each item with `- `"
    assert (one["file"], one["object"]) == (file, "Ingress a/x")
    assert {key: other[key] for key in one} == one


@pytest.mark.parametrize("form", ["text", "json", "yaml", "csv", "sarif"])
def test_every_form_of_validate_says_it(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "-f", written(tmp_path, ROUTE), "-o", form]) == 1
    assert "spec.rules" in capsys.readouterr().out


def test_other_answers_say_that_they_lack_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["map", "-f", written(tmp_path, ROUTE)])
    out, err = capsys.readouterr()
    assert "1 object is left out: Ingress a/x" in out
    assert "error[OBJ003]" in err
