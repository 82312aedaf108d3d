"""Charts and kustomizations: what is rendered, by real tools, and what is left alone."""

from pathlib import Path

import pytest

from cloison.base import Diagnostic, SourceError
from cloison.resources.documents import Document
from cloison.sources import Rendering, projects, read
from cloison.sources.walk import inputs
from tests.support.programs import Repository, need, only, write
from tests.unit.sources.rendering import (
    HELM_CHART,
    OVERLAYS,
    config,
    found,
    objects,
    refusal,
)

# ---------------------------------------------------------------- kustomize


def test_a_kustomization_is_rendered_and_not_read(here: Path) -> None:
    need("kustomize")
    write(here, OVERLAYS)
    assert objects(found("overlays/prod")) == ["prod/web overlays/prod (kustomize):1:1"]
    (one,) = (each for each in found("overlays/prod") if isinstance(each, Document))
    assert one.root.get("data", "where") is not None


def test_kubectl_does_what_kustomize_does(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also an old one: kubectl 1.20 holds kustomize 2.0."""
    write(
        here,
        {"kustomization.yaml": "namespace: prod\nresources: [a.yaml]\n", "a.yaml": config("a")},
    )
    only(tmp_path, monkeypatch, "kubectl")
    assert objects(found(".")) == ["prod/a . (kustomize):1:1"]


def test_a_walk_renders_what_stands_on_top(here: Path) -> None:
    need("kustomize")
    write(here, OVERLAYS | {"plain/a.yaml": config("a")})
    assert objects(found()) == [
        "dev/web overlays/dev (kustomize):1:1",
        "prod/web overlays/prod (kustomize):1:1",
        "-/a plain/a.yaml:1:1",
    ]


def test_a_component_is_part_of_what_names_it(here: Path) -> None:
    need("kustomize")
    component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: c-\n"
    write(
        here,
        {
            "app/kustomization.yml": "resources: [a.yaml]\ncomponents: [../part]\n",
            "app/a.yaml": config("a"),
            "part/kustomization.yaml": component,
            "idle/Kustomization": component,
        },
    )
    assert objects(found()) == ["-/c-a app (kustomize):1:1"]


def test_overlays_that_define_the_same_objects_are_said(here: Path) -> None:
    need("kustomize")
    overlay = "resources: [../base]\n"
    write(
        here,
        {
            "base/kustomization.yaml": "resources: [a.yaml]\n",
            "base/a.yaml": config("a"),
            "one/kustomization.yaml": overlay,
            "two/kustomization.yaml": overlay,
        },
    )
    said = found()
    assert objects(said) == [
        "SRC025 base:1:1",
        "-/a one (kustomize):1:1",
        "-/a two (kustomize):1:1",
    ]
    assert isinstance(said[0], Diagnostic)
    assert "one, two" in said[0].message
    assert objects(found("one")) == ["-/a one (kustomize):1:1"]


def test_what_a_kustomization_leaves_out_is_said(here: Path) -> None:
    need("kustomize")
    tests = "apiVersion: cloison.dev/v1alpha1\nkind: ConnectivityTests\nmetadata: {name: t}\n"
    write(
        here,
        {
            "kustomization.yaml": "resources: [a.yaml]\n",
            "a.yaml": config("a"),
            "left.yaml": config("left"),
            "more/broken.yaml": "{{ .Values.x }}: [",
            "tests.yaml": tests,
            "other/kustomization.yaml": "resources: [b.yaml]\n",
            "other/b.yaml": config("b"),
        },
    )
    said = found(".")
    assert objects(said) == [
        "-/a . (kustomize):1:1",
        "-/t tests.yaml:1:1",
        "SRC026 .:1:1",
        "SRC026 .:1:1",
    ]
    messages = [each.message for each in said if isinstance(each, Diagnostic)]
    assert "left.yaml, more/broken.yaml" in messages[0]
    assert messages[1].endswith(": other")


def test_a_circle_is_kustomizes_to_refuse(here: Path) -> None:
    need("kustomize")
    write(
        here,
        {
            "a/kustomization.yaml": "resources: [../b]\n",
            "b/kustomization.yaml": "resources: [../a]\n",
        },
    )
    (fault,) = found()
    assert isinstance(fault, Diagnostic)
    assert fault.code == "SRC021"
    assert "'a' -> 'b' -> 'a'" in fault.message or "cycle" in fault.message


def test_a_file_of_that_name_of_another_tool_is_a_manifest(here: Path) -> None:
    flux = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\n"
    )
    write(here, {"kustomization.yaml": flux, "a.yaml": config("a")})
    assert objects(found()) == ["-/a a.yaml:1:1", "-/apps kustomization.yaml:1:1"]


def test_a_failure_names_the_directory_and_the_reason(here: Path) -> None:
    need("kustomize")
    write(here, {"app/kustomization.yaml": "resources: [gone.yaml]\n", "a.yaml": config("a")})
    said = found()
    assert objects(said) == ["-/a a.yaml:1:1", "SRC021 app:1:1"]
    message, _ = refusal("app")
    assert message.startswith("app is a kustomization, and k")
    assert "gone.yaml" in message
    assert str(here) not in message


@pytest.mark.parametrize(
    "line",
    [
        "resources: ['https://example.org/base.yaml']",
        "resources: ['github.com/example/base?ref=v1']",
        "resources: ['git@example.org:team/base.git']",
        "bases: ['https://example.org/team/base//deploy?ref=main']",
        "components: ['ssh://git@example.org/team/base']",
        "patches: [{path: 'http://localhost:8080/patch.yaml'}]",
        "configMapGenerator: [{name: a, files: ['x=https://example.org/x']}]",
        "crds: ['http://127.0.0.1/crd.json']",
        "openapi: {path: 'https://example.org/schema.json'}",
        "Resources: ['http://localhost/base.yaml']",
        "re\u017fources: ['http://localhost/base.yaml']",
        "configmapGenerator: [{Name: a, FILES: ['x=http://[::1]/x']}]",
        "generators: [plugin.yaml]",
        "transformers:\n- |\n  kind: PatchTransformer\n  path: http://127.0.0.1:80/x",
    ],
)
def test_nothing_is_fetched(here: Path, line: str) -> None:
    write(
        here,
        {
            "app/kustomization.yaml": f"resources: [../far]\n{line}\n".replace(
                "resources: [../far]\nresources: [", "resources: [../far, "
            ),
            "far/kustomization.yaml": "",
            "app/plugin.yaml": (
                "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: a}\n"
                'files: ["x=http\\x3a//LOCALHOST:80/x"]\n'
            ),
        },
    )
    message, advice = refusal("app")
    assert "nothing is fetched from the network" in message
    assert "kustomize build app" in advice


@pytest.mark.parametrize(
    "text", ["a: [", "- a", "{}\n---\n{}\n", "resources: []\n" + "# pad\n" * 200_000]
)
def test_what_cannot_be_looked_into_is_not_rendered(here: Path, text: str) -> None:
    write(here, {"app/kustomization.yaml": text})
    assert "it cannot be looked into before it is rendered: app/kusto" in refusal("app")[0]


def test_words_about_this_machine_are_nothing_to_fetch(here: Path) -> None:
    need("kustomize")
    literal = "configMapGenerator: [{name: a, literals: ['API=http://localhost:80']}]\n"
    write(here, {"app/kustomization.yaml": literal})
    assert [one for one in found("app") if isinstance(one, Document)]


def test_a_walk_renders_only_so_many(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("kustomize")
    monkeypatch.setattr(projects, "_MOST", 2)
    for name in "abc":
        write(here, {f"all/{name}/kustomization.yaml": "resources: [x.yaml]\n"})
        write(here, {f"all/{name}/x.yaml": config(name)})
    said = objects(found("all"))
    assert said == [
        "SRC033 all:1:1",
        "-/a all/a (kustomize):1:1",
        "-/b all/b (kustomize):1:1",
    ]
    assert objects(found("all/c")) == ["-/c all/c (kustomize):1:1"]


def test_a_base_far_below_is_not_fetched_either(here: Path) -> None:
    write(
        here,
        {
            "top/kustomization.yaml": "resources: [../middle]\n",
            "middle/kustomization.yaml": "resources: ['https://example.org/x']\n",
        },
    )
    assert objects(found()) == ["SRC024 middle/kustomization.yaml:1:13"]


def test_helm_is_not_run_by_kustomize(here: Path) -> None:
    write(
        here, {"app/kustomization.yaml": "helmCharts: [{name: a, repo: 'https://example.org'}]\n"}
    )
    message, advice = refusal("app")
    assert "runs Helm" in message
    assert "--enable-helm" in advice


def test_variables_of_the_caller_do_not_reach_objects(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("kustomize")
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "leaked")
    write(
        here,
        {
            "kustomization.yaml": "configMapGenerator: [{name: a, envs: [names.env]}]\n",
            "names.env": "SECRET_OF_THE_CALLER\n",
        },
    )
    for one in found("."):
        assert not isinstance(one, Document) or "leaked" not in str(one.root.plain())


# ---------------------------------------------------------------- without


def test_without_tools_one_message_for_each_directory(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here, HELM_CHART | OVERLAYS | {"a.yaml": config("a")})
    only(tmp_path, monkeypatch)
    said = found()
    assert objects(said) == [
        "-/a a.yaml:1:1",
        "SRC020 overlays/dev:1:1",
        "SRC020 overlays/prod:1:1",
        "SRC020 web:1:1",
    ]
    helps = [each.help or "" for each in said if isinstance(each, Diagnostic)]
    assert "install kustomize or kubectl" in helps[0]
    assert "`helm template web | cloison ... -f -`" in helps[-1]


@pytest.mark.parametrize(("name", "tool"), [("web", "helm"), ("base", "kustomize or kubectl")])
def test_a_named_directory_cannot_do_without(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, tool: str
) -> None:
    write(here, HELM_CHART | OVERLAYS)
    only(tmp_path, monkeypatch)
    message, advice = refusal(name)
    assert message.endswith(f"rendering it needs {tool}, which is not installed")
    assert f"install {tool}" in advice


def test_rendering_can_be_switched_off(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here, HELM_CHART | OVERLAYS | {"a.yaml": config("a")})
    only(tmp_path, monkeypatch)
    never = Rendering("never")
    assert objects(found(rendering=never)) == [
        "-/a a.yaml:1:1",
        "SRC022 overlays/dev:1:1",
        "SRC022 overlays/prod:1:1",
        "SRC022 web:1:1",
    ]
    assert objects(found("web", rendering=never)) == ["SRC022 web:1:1"]


def test_a_program_that_prints_rubbish_costs_its_directory(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here, OVERLAYS)
    program = tmp_path / "programs" / "kustomize"
    write(program.parent, {"kustomize": "#!/bin/sh\necho '{{ rubbish'\necho careful >&2\n"})
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/bin:/usr/bin")
    codes = [each.code for each in found("base") if isinstance(each, Diagnostic)]
    assert codes == ["SRC023", "SRC002"]


def test_counting_files_renders_nothing(here: Path) -> None:
    need("helm")
    need("kustomize")
    write(here, HELM_CHART | OVERLAYS | {"a.yaml": config("a")})
    assert inputs(["."]).files == 4


# ---------------------------------------------------------------- revisions


def test_a_revisions_overlay_is_rendered(repository: Repository) -> None:
    need("kustomize")
    repository.commit({f"deploy/{name}": text for name, text in OVERLAYS.items()})
    before = repository.state()
    assert objects(found("git:HEAD:deploy/overlays/prod")) == [
        "prod/web git:HEAD:deploy/overlays/prod (kustomize):1:1"
    ]
    assert objects(found("git:main")) == [
        "dev/web git:main:deploy/overlays/dev (kustomize):1:1",
        "prod/web git:main:deploy/overlays/prod (kustomize):1:1",
    ]
    assert repository.state() == before


def test_a_revisions_chart_is_rendered(repository: Repository) -> None:
    need("helm")
    repository.commit({f"charts/{name}": text for name, text in HELM_CHART.items()})
    expected = "default/web-plain git:HEAD:charts/web/templates/a.yaml (helm):3:1"
    assert objects(found("git:HEAD:charts/web")) == [expected]
    assert objects(found("git:HEAD")) == [expected]


def test_a_failure_in_a_revision_speaks_of_the_revision(repository: Repository) -> None:
    need("kustomize")
    repository.commit({"app/kustomization.yaml": "resources: [gone.yaml]\n"})
    message, _ = refusal("git:HEAD:app")
    assert message.startswith("git:HEAD:app is a kustomization")
    assert "git:HEAD:app/gone.yaml" in message
    assert "cloison-" not in message


def test_forged_trees_stay_where_they_are_put(repository: Repository, tmp_path: Path) -> None:
    need("kustomize")
    blob = repository.git("hash-object", "-w", "--stdin", stdin=config("a"))
    marker = repository.git("hash-object", "-w", "--stdin", stdin="resources: [a.yaml]\n")
    rows = bytearray()
    for name, oid in (("..", blob), ("a.yaml", blob), ("kustomization.yaml", marker)):
        rows += b"100644 " + name.encode() + b"\0" + bytes.fromhex(oid)
    file = tmp_path / "tree"
    file.write_bytes(bytes(rows))
    tree = repository.git("hash-object", "-w", "-t", "tree", "--literally", str(file))
    assert objects(found(f"git:{tree}")) == [f"-/a git:{tree} (kustomize):1:1"]


# ---------------------------------------------------------------- anything at all


@pytest.mark.parametrize(
    "text",
    [
        "resources: {a: b}",
        "resources: [1, null, [x], {a: b}]",
        'resources: ["a\\0b", "\\ud800", ""]',
        f"resources: [{'x' * 5000}]",
        "patches: [1, null, {path: [x]}]",
        "configMapGenerator: {files: 1}",
        "configMapGenerator: [{files: ['=', 'a=', '=b']}]",
        "- a",
        "text",
        "a: [",
        "",
        "apiVersion: [x]\nkind: {}",
        "resources: &a [*a]",
        "helmCharts: 1",
    ],
)
def test_a_kustomization_may_hold_anything(here: Path, text: str) -> None:
    write(here, {"a/kustomization.yaml": text, "b/Chart.yaml": text, "c/d.yaml": config("d")})
    for never in (Rendering("never"), Rendering()):
        assert "-/d c/d.yaml:1:1" in objects(found(rendering=never))


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v2\nname: [1]\ndependencies: 1",
        "apiVersion: v2\nname: a\ndependencies: [1, {repository: 'file://\\0'}]",
        'apiVersion: v2\nname: a\ndependencies: [{repository: "file://\\0"}]',
        "apiVersion: v2\nname: '--help'",
    ],
)
def test_a_chart_may_say_anything(here: Path, text: str) -> None:
    write(here, {"a/Chart.yaml": text, "d.yaml": config("d")})
    assert "-/d d.yaml:1:1" in objects(found())


def test_names_may_be_anything() -> None:
    for name in ("git:" + "x" * 5000, "x" * 5000, "a\0b", "git:a\0b", "git:a:b\0c"):
        with pytest.raises(SourceError):
            read([name])
    with pytest.raises(SourceError):
        read(["."], rendering=Rendering(values=("x" * 5000,)))
