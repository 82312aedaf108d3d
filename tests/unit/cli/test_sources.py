"""Revisions, charts and kustomizations on the command line."""

import json
from pathlib import Path

import pytest

from cloison.cli import main
from tests.support.programs import NEUTRAL, Repository, need, only, write

PODS = """\
apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: one}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: two, labels: {app: two}}
spec: {containers: [{name: c, image: i}]}
"""
CLOSED = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    for key, value in NEUTRAL.items():
        monkeypatch.setenv(key, value)
    made = Repository.make(tmp_path / "repository")
    monkeypatch.chdir(made.top)
    return made


def _run(*args: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(list(args))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_two_revisions_are_compared(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"deploy/pods.yaml": PODS, "deploy/closed.yaml": CLOSED})
    (repository.top / "deploy" / "closed.yaml").unlink()
    repository.commit({})
    (repository.top / "cloison.yaml").write_text("sources: [deploy]\n", encoding="utf-8")
    sides = ("git:HEAD~1:deploy", "git:HEAD")
    code, out, _ = _run("diff", *sides, "--fail-on", "opened", capsys=capsys)
    assert code == 1
    assert "git:HEAD~1:deploy/closed.yaml:1" in out
    assert _run("diff", *reversed(sides), "--fail-on", "opened", capsys=capsys)[0] == 0
    assert _run("diff", "git:HEAD", "deploy", "--fail-on", "any", capsys=capsys)[0] == 0


def test_a_verdict_names_the_place_in_the_revision(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"pods.yaml": PODS, "closed.yaml": CLOSED})
    args = ("why", "default/two", "default/one:80", "-f", "git:HEAD")
    code, out, _ = _run(*args, capsys=capsys)
    assert code == 0
    assert out.startswith("DENIED")
    assert "git:HEAD:closed.yaml:1" in out


def test_a_namespace_is_that_of_objects_too(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"pods.yaml": PODS})
    code, out, _ = _run("why", "two", "one:80", "-n", "shop", "-f", "git:HEAD", capsys=capsys)
    assert code == 0
    assert out.startswith("ALLOWED  shop/two -> shop/one:80/TCP")


@pytest.mark.parametrize("strict", [False, True])
def test_a_missing_tool_costs_what_it_would_render(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    strict: bool,
) -> None:
    here = tmp_path / "here"
    write(here, {"pods.yaml": PODS, "web/Chart.yaml": "apiVersion: v2\nname: web\n"})
    monkeypatch.chdir(here)
    only(tmp_path, monkeypatch)
    code, _, err = _run("map", *(["--strict"] if strict else []), capsys=capsys)
    assert code == (2 if strict else 0)
    assert "web is a Helm chart, and rendering it needs helm, which is not installed" in err
    code, out, err = _run("map", "-f", "web", capsys=capsys)
    assert (code, out) == (2, "")
    assert "help: install helm" in err
    assert _run("map", "-f", "web", "--render", "never", "-q", capsys=capsys)[0] == 0
    assert _run("validate", "-f", "web", "--render", "never", capsys=capsys)[0] == 0


def test_values_reach_the_chart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    need("helm")
    template = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Values.name }}}\n"
        "spec: {containers: [{name: c, image: i}]}\n"
    )
    write(
        tmp_path,
        {
            "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
            "web/templates/a.yaml": template,
            "v.yaml": "name: here\n",
            "cloison.yaml": "sources: [web]\nvalues: [v.yaml]\nnamespace: shop\n",
        },
    )
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    code, out, _ = _run("map", "-o", "json", "--self", capsys=capsys)
    assert code == 0
    sources = [edge["src"] for edge in json.loads(out)["edges"]]
    assert {"kind": "pod", "namespace": "shop", "name": "here"} in sources
