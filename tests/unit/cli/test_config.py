"""The settings file on the command line: found, overridden, shown."""

import json
import os
from pathlib import Path

import click
import msgspec
import pytest

from cloison.app.settingsdocument import SettingsDocument
from cloison.cli import main, settings
from cloison.cli.app import cli
from cloison.sources.inputs import SETTINGS_FILE
from tests.support.platforms import container, workload
from tests.unit.report.results import CORNERS

BROKEN = CORNERS.replace(
    "spec:\n  podSelector: {matchLabels: {app: one}}",
    "spec:\n  podSelektor: {}\n  podSelector: {matchLabels: {app: one}}",
)

HTTP = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: paths, namespace: a}
spec:
  endpointSelector: {}
  ingress:
  - toPorts:
    - ports: [{port: "80", protocol: TCP}]
      rules: {http: [{path: /public}]}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "repo" / "deploy"
    place.mkdir(parents=True)
    (place / "corners.yaml").write_text(BROKEN, encoding="utf-8")
    monkeypatch.chdir(place)
    return place


def configure(here: Path, text: str) -> None:
    (here.parent / "cloison.yaml").write_text(text, encoding="utf-8")


def _run(*args: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(list(args))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def shown(*args: str, capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[object, str]]:
    """Return every setting with its value, and where that comes from in a word."""
    code, out, err = _run("config", "show", "-o", "json", *args, capsys=capsys)
    assert (code, err) == (0, "")
    return {
        each["name"]: (
            each["value"],
            f"{o['file']}:{o['line']}" if o["file"] else o["name"] or o["kind"],
        )
        for each in json.loads(out)["settings"]
        for o in [each["origin"]]
    }


def test_flag_before_environment_before_file_before_default(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(here, "cni: flannel\nkubernetesVersion: '1.31'\npodCidrs: [10.0.0.0/8]\n")
    monkeypatch.setenv("CLOISON_CNI", "kube-router")
    monkeypatch.setenv("CLOISON_KUBERNETES_VERSION", "1.32")
    monkeypatch.setenv("CLOISON_NODE_CIDR", "192.0.2.0/25 192.0.2.128/25")
    found = shown("--cni", "antrea", capsys=capsys)
    assert found["cni"] == ("antrea", "--cni")
    assert found["kubernetesVersion"] == ("1.32", "CLOISON_KUBERNETES_VERSION")
    assert found["podCidrs"] == (["10.0.0.0/8"], "../cloison.yaml:3")
    assert found["nodeCidrs"] == (["192.0.2.0/25", "192.0.2.128/25"], "CLOISON_NODE_CIDR")
    assert found["serviceCidrs"] == ([], "default")
    assert found["sources"] == (["."], "default")


def test_every_setting_is_shown_and_has_its_option(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {field.encode_name for field in msgspec.structs.fields(SettingsDocument)}
    known -= {"apiVersion", "kind", "suppressions"}
    assert set(shown(capsys=capsys)) == known
    # Those of Cilium are put together one by one.
    assert set(settings.PARAMETERS) == known - {"sources", "cilium", *settings.FILE_ONLY}
    assert settings.FILE == SETTINGS_FILE
    info = click.Context(cli).to_info_dict()["command"]["commands"]["config"]["commands"]["show"]
    # Where the store of flows is, commands about flows ask.
    assert set(settings.PARAMETERS.values()) - {"store"} <= {
        each["name"] for each in info["params"]
    }


def test_the_switches_of_cilium_are_shown_one_by_one(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(here, "cni: cilium@1.19\ncilium:\n  enable-policy: always\n  U1: deny-wins\n")
    monkeypatch.setenv("CLOISON_CILIUM", "cluster-name=east U1=localhost-wins")
    found = shown(capsys=capsys)
    assert "cilium" not in found
    said = {name: found[f"cilium.{name}"] for name in ("enable-policy", "U1", "cluster-name", "U2")}
    assert said == {
        "enable-policy": ("always", "../cloison.yaml:3"),
        "U1": ("localhost-wins", "CLOISON_CILIUM"),
        "cluster-name": ("east", "CLOISON_CILIUM"),
        "U2": ("undetermined", "default"),
    }


def test_every_value_of_the_file_takes_effect(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(
        here,
        "sources: [deploy/corners.yaml]\nvalues: [deploy/v.yaml]\nrender: never\nnamespace: a\n"
        "cni: flannel\nplatform: k3s\ncomponents: {gw-traefik: false}\n"
        "kubernetesVersion: '1.31'\npodCidrs: [10.0.0.0/8]\n"
        "nodeCidrs: [192.0.2.0/24]\nserviceCidrs: [10.9.0.0/16]\nclusterDomain: corp.test\n"
        "fieldValidation: strict\n"
        "names: {a.test: [192.0.2.1, 192.0.2.2]}\ndnsTables: [deploy/dns.yaml]\n"
        "policyChannel: experimental\nannotationPrefix: a.test\n"
        "flows: {store: seen}\nstrict: true\nfailOn: info\n"
        "cilium: {patch: 4}\n",
    )
    (here / "dns.yaml").write_text("b.test: [192.0.2.3]\n", encoding="utf-8")
    found = shown(capsys=capsys)
    assert [where for _, where in found.values()] == [f"../cloison.yaml:{n}" for n in range(1, 22)]
    assert found["names"][0] == ["a.test=192.0.2.1", "a.test=192.0.2.2"]
    assert found["sources"][0] == ["corners.yaml"]
    assert found["values"][0] == ["v.yaml"]
    assert found["dnsTables"][0] == ["dns.yaml"]


def test_the_nearest_file_holds_and_one_is_named_with_config(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(here, "cni: flannel\n")
    (tmp_path / "cloison.yaml").write_text("cni: antrea\n", encoding="utf-8")
    other = tmp_path / "other.yaml"
    other.write_text("cni: kube-router\n", encoding="utf-8")
    assert shown(capsys=capsys)["cni"][0] == "flannel"
    assert shown("--config", str(other), capsys=capsys)["cni"][0] == "kube-router"
    assert shown("--config", "none", capsys=capsys)["cni"] == ("generic", "default")
    assert shown("--config", "", capsys=capsys)["cni"] == ("generic", "default")
    monkeypatch.setenv("CLOISON_CONFIG", str(other))
    assert shown(capsys=capsys)["cni"][0] == "kube-router"


@pytest.mark.parametrize("said", ["cni: auto\n", "cni: flannel\n"])
def test_auto_is_what_the_input_gives_away(
    here: Path, capsys: pytest.CaptureFixture[str], said: str
) -> None:
    configure(here, said)
    agent = workload("calico-node", container("calico-node", "calico/node:v3.31.2"))
    assert shown("--cni", "auto", capsys=capsys)["cni"] == ("generic", "default")
    (here / "agent.json").write_text(json.dumps(agent), encoding="utf-8")
    found = shown("-f", str(here), "--cni", "auto", capsys=capsys)
    assert found["cni"] == (
        "calico@3.31",
        "detected from DaemonSet kube-system/calico-node (3.31.2)",
    )


def test_a_directory_that_everybody_may_write_to_is_passed_over(here: Path, tmp_path: Path) -> None:
    configure(here, "cni: flannel\n")
    assert settings.find(here) == here.parent / "cloison.yaml"
    here.parent.chmod(0o777)
    assert settings.find(here) is None
    assert settings.find(here.parent) == here.parent / "cloison.yaml"


@pytest.mark.skipif(os.name != "posix", reason="files have other owners there")
def test_someone_elses_file_where_everybody_may_write_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(here, "cni: flannel\n")
    monkeypatch.chdir(here.parent)
    here.parent.chmod(0o1777)
    assert shown(capsys=capsys)["cni"][0] == "flannel"
    mine = os.lstat(here.parent)
    other = os.stat_result((mine.st_mode, 0, 0, 0, mine.st_uid + 1, *mine[5:10]))
    monkeypatch.setattr(Path, "lstat", lambda _self: other)
    code, _, err = _run("config", "show", capsys=capsys)
    assert code == 2
    assert "someone else's" in err
    assert shown("--config", "cloison.yaml", capsys=capsys)["cni"][0] == "flannel"


def test_a_file_that_is_found_has_no_table_read_from_elsewhere(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("a.test: [192.0.2.1]", encoding="utf-8")
    (here / "link").symlink_to(secret)
    for name in (str(secret), "../secret.yaml", "deploy/link"):
        configure(here, f"dnsTables: ['{name}']\n")
        code, out, err = _run("config", "show", capsys=capsys)
        assert (code, out) == (2, "")
        assert f"{name} leads out of the directory repo" in err
    assert shown("--config", f"../{SETTINGS_FILE}", capsys=capsys)["dnsTables"][0] == ["link"]


@pytest.mark.parametrize("key", ["sources", "values"])
def test_a_file_that_is_found_does_not_lead_elsewhere(
    here: Path, tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("{}", encoding="utf-8")
    (here / "link").symlink_to(secret)
    file = f"../{SETTINGS_FILE}"
    for name in (str(secret), "../secret.yaml", "deploy/link", "git:x/../../../secret.yaml"):
        configure(here, f"{key}: [deploy, '{name}']\n")
        (here / "git:x").mkdir(exist_ok=True)
        code, out, err = _run("config", "show", capsys=capsys)
        assert (code, out) == (2, "")
        assert f"{file}:1:{len(key) + 12}: {name} leads out of the directory repo" in err
        assert f"--config {file}" in err
        assert shown("--config", file, capsys=capsys)[key][1].startswith(file)
    (tmp_path / ".git").mkdir()
    assert shown(capsys=capsys)[key][1].startswith(file)
    configure(here, f"{key}: ['-', 'git:main:../../x', 'a\\0b']\n")
    assert shown(capsys=capsys)[key][1].startswith(file)


def test_a_mistake_in_the_file_stops_the_command(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(here, "zones: []\n")
    code, out, err = _run("map", capsys=capsys)
    assert (code, out) == (2, "")
    assert err.startswith("error: ../cloison.yaml:1:1: `zones` is reserved")
    assert _run("map", "--config", "none", capsys=capsys)[0] == 0


def test_answers_say_that_the_file_chose_the_profile(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(here, "cni: calico@3.32\n")
    out = _run("why", "a/two", "a/one:80", "-o", "json", capsys=capsys)[1]
    profile = json.loads(out)["profile"]
    assert (profile["name"], profile["chosen"]) == ("calico@3.32", "cloison.yaml")


def test_the_files_threshold_is_for_findings(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("validate", capsys=capsys)[0] == 1
    configure(here, "failOn: never\n")
    assert _run("validate", capsys=capsys)[0] == 0
    assert _run("validate", "--fail-on", "error", capsys=capsys)[0] == 1
    assert _run("map", capsys=capsys)[0] == 0


def test_suppressed_notes_are_counted_beside_an_answer(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "http.yaml").write_text(HTTP, encoding="utf-8")
    configure(here, "suppressions: [{code: CIL253, reason: no server tells them apart}]\n")
    assert "(1 more suppressed)" in _run("map", capsys=capsys)[2]


def test_suppressed_findings_are_counted_and_shown_on_demand(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = _run("validate", capsys=capsys)[1]
    assert "unknown field `spec.podSelektor`" in out
    configure(here, "suppressions: [{code: OBJ002, reason: on its way out, path: deploy/*}]\n")
    code, out, _ = _run("validate", capsys=capsys)
    assert code == 0
    assert "podSelektor" not in out
    assert "1 suppressed; --show-suppressed lists them" in out
    out = _run("validate", "--show-suppressed", capsys=capsys)[1]
    assert "unknown field `spec.podSelektor`" in out
    assert "suppressed: on its way out" in out
    (run,) = json.loads(_run("validate", "-o", "sarif", capsys=capsys)[1])["runs"]
    held = [r["ruleId"] for r in run["results"] if r.get("suppressions")]
    assert held == ["OBJ002"]
    document = json.loads(_run("validate", "-o", "json", capsys=capsys)[1])
    assert document["summary"]["suppressed"] == 1
    assert document["suppressed"][0]["reason"] == "on its way out"
    assert "OBJ002" not in {each["code"] for each in document["findings"]}


def test_an_answer_still_counts_what_is_left(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "1 error" in _run("map", capsys=capsys)[2]
    configure(here, "suppressions: [{code: OBJ002, reason: r}]\n")
    assert "error" not in _run("map", capsys=capsys)[2]


def test_completion_reads_no_settings_file(here: Path) -> None:
    configure(here, "zones: []\n")
    with click.Context(cli, info_name="cloison", resilient_parsing=True) as parent:
        command = cli.get_command(parent, "map")
        assert command is not None
        command.make_context("map", [], parent=parent, resilient_parsing=True)


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run("config", "schema", capsys=capsys)
    assert code == 0
    assert json.loads(out)["title"] == "cloison.yaml"


def test_without_a_subcommand_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run("config", capsys=capsys)
    assert code == 0
    assert "show" in out
