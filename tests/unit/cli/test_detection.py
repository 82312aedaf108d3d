"""The profile that the input gives away, on the command line."""

import json
from pathlib import Path

import pytest

from cloison.cli import main

INPUT = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: x}
---
apiVersion: crd.projectcalico.org/v1
kind: GlobalNetworkPolicy
metadata: {name: default.g}
spec: {selector: "projectcalico.org/name == 'b'", types: [Ingress]}
"""
FOUND = "detected from GlobalNetworkPolicy"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "all.yaml").write_text(INPUT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str, capsys: pytest.CaptureFixture[str]) -> str:
    code = main([*args, "--config", "none"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out


@pytest.mark.usefixtures("here")
def test_answers_say_what_it_was_detected_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert f"profile calico@3.32 ({FOUND})" in run("why", "x/a", "x/b:80", capsys=capsys)
    said = json.loads(run("map", "-o", "json", capsys=capsys))["profile"]
    assert (said["name"], said["chosen"]) == ("calico@3.32", FOUND)


@pytest.mark.usefixtures("here")
def test_settings_show_it(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = [
        line for line in run("config", "show", capsys=capsys).splitlines() if line[:4] == "cni "
    ]
    assert line.split(maxsplit=2) == ["cni", "calico@3.32", FOUND]
    listed = json.loads(run("config", "show", "-o", "json", capsys=capsys))["settings"]
    (origin,) = [each["origin"] for each in listed if each["name"] == "cni"]
    assert (origin["kind"], origin["name"]) == ("detected", FOUND)


@pytest.mark.usefixtures("here")
def test_who_says_a_profile_has_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLOISON_CNI", "calico@3.31")
    assert "calico@3.31" in run("config", "show", capsys=capsys)
    assert "profile generic (--cni)" in run(
        "why", "x/a", "x/b:80", "--cni", "generic", capsys=capsys
    )


def test_where_nothing_can_be_read_the_settings_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = run("config", "show", "-f", str(tmp_path / "none.yaml"), capsys=capsys)
    assert "generic" in shown
