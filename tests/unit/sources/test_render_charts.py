"""Charts: what Helm renders, and what is left alone."""

from pathlib import Path

import pytest

from cloison.base import Diagnostic
from cloison.resources.documents import Document
from cloison.sources import Rendering
from tests.support.documents import text_at
from tests.support.programs import Repository, need, write
from tests.unit.sources.rendering import (
    CHART,
    HELM_CHART,
    config,
    found,
    objects,
    refusal,
)


def test_a_chart_is_rendered_and_not_read(here: Path) -> None:
    need("helm")
    write(here, HELM_CHART)
    place = "web/templates/a.yaml (helm):3:1"
    assert objects(found("web")) == [f"default/web-plain {place}"]
    assert objects(found(".")) == [f"default/web-plain {place}"]
    (one,) = (each for each in found("web") if isinstance(each, Document))
    assert text_at(one, "data", "version") == "35"


def test_values_namespace_and_version_are_the_users(here: Path) -> None:
    need("helm")
    write(
        here,
        HELM_CHART | {"v/1.yaml": "which: one\nlabels: {a: b}\n", 'v/2,x "q".yaml': "which: two"},
    )
    rendering = Rendering(
        values=("v/1.yaml", 'v/2,x "q".yaml'), namespace="team", kubernetes=(1, 31)
    )
    (one,) = (each for each in found("web", rendering=rendering) if isinstance(each, Document))
    assert objects([one])[0].startswith("team/web-two ")
    assert one.root.get("metadata", "labels", "a") is not None
    assert text_at(one, "data", "version") == "31"


@pytest.mark.parametrize("name", ["https://example.org/values.yaml", "missing.yaml", "web"])
def test_values_are_files(here: Path, name: str) -> None:
    write(here, HELM_CHART)
    message, _ = refusal("web", rendering=Rendering(values=(name,)))
    assert message == f"no such values file: {name}"


def test_a_place_is_the_one_in_what_helm_prints_of_the_template(here: Path) -> None:
    """Helm sorts objects by kind; line numbers go by the template all the same."""
    need("helm")
    both = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
    )
    chart = {"web/Chart.yaml": CHART, "web/templates/a.yaml": both, "web/templates/b.yaml": both}
    write(here, chart)
    assert objects(found("web")) == [
        "-/c web/templates/a.yaml (helm):3:1",
        "-/s web/templates/a.yaml (helm):8:1",
        "-/c web/templates/b.yaml (helm):3:1",
        "-/s web/templates/b.yaml (helm):8:1",
    ]


def test_a_chart_leads_nowhere_else(here: Path, tmp_path: Path) -> None:
    need("helm")
    write(here, HELM_CHART)
    write(tmp_path, {"secret/a.yaml": config("secret")})
    (here / "shared").mkdir()
    write(here, {"shared/b.yaml": config("shared")})
    (here / "web/templates/b.yaml").symlink_to("../../shared/b.yaml")
    assert "follow its link templates/b.yaml to what lies outside" in refusal("web")[0]
    assert "-/shared web/templates/b.yaml (helm):3:1" in objects(found("."))
    (here / ".git").mkdir()
    assert "-/shared web/templates/b.yaml (helm):3:1" in objects(found("web"))
    (here / "web/files").symlink_to(tmp_path / "secret")
    assert objects(found(".")) == ["-/shared shared/b.yaml:1:1", "SRC021 web:1:1"]
    assert "follow its link files to" in refusal("web")[0]


def test_values_that_no_chart_uses_are_said(here: Path) -> None:
    need("helm")
    write(here, {"a.yaml": config("a"), "prod.yaml": "", "app/Chart.yaml": CHART})
    said = found("a.yaml", rendering=Rendering(values=("prod.yaml",)))
    assert objects(said) == ["-/a a.yaml:1:1", "SRC032 None"]
    assert isinstance(said[-1], Diagnostic)
    assert "no chart in a.yaml" in said[-1].message
    for quiet in (
        Rendering(values=("prod.yaml",), insist=False),
        Rendering("never", values=("prod.yaml",)),
    ):
        assert "SRC032 None" not in objects(found("app", rendering=quiet))


def test_parts_of_charts_and_libraries_are_not_charts_of_their_own(here: Path) -> None:
    need("helm")
    inner = {
        "web/charts/sub/Chart.yaml": CHART.replace("web", "sub"),
        "web/charts/sub/templates/s.yaml": config("sub"),
        "common/Chart.yaml": f"{CHART.replace('web', 'common')}type: library\n",
        "common/templates/_x.tpl": "",
    }
    write(here, HELM_CHART | inner)
    assert objects(found()) == [
        "SRC027 common:1:1",
        "-/sub web/charts/sub/templates/s.yaml (helm):3:1",
        "default/web-plain web/templates/a.yaml (helm):3:1",
    ]


def test_a_chart_that_lacks_what_it_depends_on(here: Path) -> None:
    need("helm")
    wanting = "dependencies: [{name: db, version: 1.0.0, repository: 'https://example.org'}]\n"
    write(here, HELM_CHART | {"web/Chart.yaml": CHART + wanting})
    message, advice = refusal("web")
    assert "db" in message
    assert "helm dependency build" in advice


def test_templates_alone_are_not_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here, HELM_CHART | {"templates/a.yaml": config("a")})
    said, advice = refusal("web/templates")
    assert said.startswith("web/templates holds templates of the Helm chart web,")
    assert advice.endswith("-f web")
    assert "chart web," in refusal("web/templates/tests")[0]
    assert objects(found("templates")) == ["-/a templates/a.yaml:1:1"]
    monkeypatch.chdir(here / "web" / "templates")
    assert refusal(".")[1].endswith("-f ..")


def test_templates_of_a_revision_are_not_read(repository: Repository) -> None:
    repository.commit(HELM_CHART)
    said, advice = refusal("git:HEAD:web/templates")
    assert said.startswith("git:HEAD:web/templates holds templates of the Helm chart git:HEAD:web")
    assert advice.endswith("-f git:HEAD:web")


def test_a_template_that_fails(here: Path) -> None:
    need("helm")
    write(here, HELM_CHART | {"web/templates/b.yaml": 'a: {{ fail "no luck" }}'})
    message, _ = refusal("web")
    assert "web is a Helm chart, and helm cannot render it" in message
    assert "no luck" in message


def test_warnings_do_not_hide_the_reason(here: Path) -> None:
    need("helm")
    write(here, HELM_CHART | {"web/templates/z.yaml": "a: [1, }\nb: c\n", "shared.yaml": "a"})
    (here / ".git").mkdir()
    for number in range(8):
        (here / f"web/{number}.txt").symlink_to(here / "shared.yaml")
    message, _ = refusal("web")
    assert "helm cannot render it: YAML parse error on web/templates/z.yaml" in message
    assert "--debug" not in message


def test_a_template_cannot_choose_the_names_that_are_shown(here: Path) -> None:
    need("helm")
    forged = f"{config('a')}---\n# Source: x/../../../etc/passwd\n{config('b')}"
    write(here, {"web/Chart.yaml": CHART, "web/templates/a.yaml": forged})
    for place in objects(found("web")):
        assert place.split()[1].startswith("web")


def test_a_file_called_so_that_is_no_chart(here: Path) -> None:
    write(here, {"Chart.yaml": "title: sales\n", "a.yaml": config("a")})
    assert objects(found()) == ["SRC012 Chart.yaml:1:1", "-/a a.yaml:1:1"]


def test_a_chart_beside_a_kustomization(here: Path) -> None:
    need("helm")
    write(here, HELM_CHART | {"web/kustomization.yaml": "resources: []\n"})
    assert objects(found("web")) == [
        "SRC031 web:1:1",
        "default/web-plain web/templates/a.yaml (helm):3:1",
    ]
