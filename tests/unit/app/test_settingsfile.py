"""The settings file: what it may say, and what is said of one that says something else."""

import json
import os
from pathlib import Path

import jsonschema
import msgspec
import pytest
import yaml

import cloison
from cloison.algebra import AddressSet
from cloison.app.settingsdocument import SettingsDocument
from cloison.app.settingsfile import RESERVED, read, schema
from cloison.base import SourceError
from tests.support.cli import ROOT

WHOLE = """\
apiVersion: cloison.dev/v1alpha1
kind: Settings
sources: [deploy, 'git:main:deploy', '-']
values: [values/prod.yaml]
render: never
namespace: shop
cni: calico@3.32
kubernetesVersion: "1.34"
podCidrs: [10.2.0.0/16, "2001:db8::/64"]
nodeCidrs: [192.0.2.0/24]
serviceCidrs: [10.3.0.0/16]
fieldValidation: strict
names: {Example.com.: [203.0.113.10, "2001:db8::/64"]}
policyChannel: standard
strict: true
failOn: warning
suppressions:
  - code: NPL101
    reason: agreed with the security team
    object: NetworkPolicy shop/*
    path: deploy/*
    expires: 2027-03-31
cilium: {enable-policy: always, labels: ["k8s:app", "!team"], U1: deny-wins}
dnsTables: [dns.yaml]
platform: eks
clusterDomain: corp.example
annotationPrefix: corp.example
components: {gw-traefik: {namespace: edge}}
flows: {store: seen}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cloison.yaml"


def test_everything_it_may_say(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(WHOLE, encoding="utf-8")
    table = "names: {api.example.com: [203.0.113.11]}\ncomplete: true\n"
    file.with_name("dns.yaml").write_text(table, encoding="utf-8")
    below = file.parent / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    found = read(file)
    settings = cloison.Settings.from_file(file)
    said = {field.encode_name for field in msgspec.structs.fields(SettingsDocument)}
    assert set(found.values) == said
    assert str(found.places["cni"]) == "../../cloison.yaml:7:1"
    assert settings.sources == ("../../deploy", "git:main:deploy", "-")
    assert settings.values == ("../../values/prod.yaml",)
    assert (settings.profile, settings.profile_chosen) == ("calico@3.32", "cloison.yaml")
    assert settings.kubernetes == (1, 34)
    assert found.resolved("flows") == "../../seen"
    assert settings.pod_cidrs == ("10.2.0.0/16", "2001:db8::/64")
    assert (settings.render, settings.namespace) == ("never", "shop")
    assert settings.policy_channel == "standard"
    assert settings.read_options().policy_channel == "standard"
    assert settings.networks().names == {
        "example.com": AddressSet.block("203.0.113.10") | AddressSet.block("2001:db8::/64"),
        "api.example.com": AddressSet.block("203.0.113.11"),
    }
    assert settings.dns_tables == ("../../dns.yaml",)
    assert (settings.platform, list(settings.components)) == ("eks", ["gw-traefik"])
    assert settings.networks().complete
    assert settings.cilium == {
        "enable-policy": "always",
        "labels": "k8s:app !team",
        "cilium.U1": "deny-wins",
    }
    assert str(found.places["cilium.U1"]).startswith("../../cloison.yaml:")
    ((suppression, span),) = found.suppressions
    assert str(suppression.expires) == "2027-03-31"
    assert span.line == 18


def test_an_empty_file_says_nothing(file: Path) -> None:
    file.write_text("# later\n", encoding="utf-8")
    assert cloison.Settings.from_file(file) == cloison.Settings(file=read(file))


@pytest.mark.parametrize(
    ("text", "message", "advice"),
    [
        ("cnii: x", "1:1: the settings have no key `cnii`", "did you mean `cni`?"),
        ("names: {a.test: [b]}", "1:18: 'b' is not an address block", "write it as 203.0.113.10"),
        ("names: {'*.test': []}", "'*.test' is a pattern", "write out the name"),
        ("cni: x\npod-cidrs: []", "2:1: the settings have no key `pod-", "`podCidrs`?"),
        ("nonsense: 1", "1:1: the settings have no key `nonsense`", "keys are "),
        ("cni: calic", "1:6: no CNI profile is called 'calic'", "use one of: generic"),
        ("kubernetesVersion: 1.30", "1:20: `kubernetesVersion`: expected", "in quotes"),
        ("kubernetesVersion: new", "1:20: `kubernetesVersion`: expected", "in quotes"),
        ("podCidrs: [10.0.0.0/8, x]", "1:24: 'x' is not an address block", "10.2.0.0/16"),
        ("podCidrs: 10.0.0.0/8", "1:11: `podCidrs`: expected `array`", ""),
        ("failOn: eror", "1:9: `failOn`: invalid enum value", "say error or warning or info or"),
        ("strict: 1", "1:9: `strict`: expected `bool`", ""),
        ("suppressions: [{code: NPL001}]", "1:16: `suppressions[0]`: object missing", "say why"),
        ("suppressions: [{code: X, reason: a}]", "1:23: `suppressions[0].code`", "as NPL003"),
        ("suppressions: [{code: NPL001, reason: ''}]", "`suppressions[0].reason`", ""),
        ("suppressions: [{resaon: a}]", "1:17: a suppression has no key", "did you mean `reason`"),
        ("suppressions: [{code: NPL001, reason: a, expires: soon}]", "1:51: ", "as 2027-03-31"),
        ("suppressions: [1]", "1:16: `suppressions[0]`: expected", ""),
        ("cilium: {enable-policies: a}", "1:10: Cilium has no setting", "mean `enable-policy`"),
        ("cilium: {enable-policy: on}", "1:25: `cilium.enable-policy`: expected", "it is default"),
        ("cilium: {enable-sctp: 3}", "1:23: `cilium.enable-sctp`: expected", "true or false"),
        ("cilium: {labels: 'a('}", "1:18: 'a(' is no value of `labels`", "patterns of label"),
        ("cilium: {cluster-name: A_b}", "1:24: 'A_b' is no value of `cluster-name`", "a name of"),
        ("cilium: {cilium.U1: x}", "1:10: `cilium.U1` goes by `U1` here", "write `U1`"),
        ("cilium: {U9: x}", "1:10: Cilium has no setting `U9`", "say one of"),
        ("cilium: 3", "1:9: `cilium`: expected", ""),
        ("- a", "1:1: settings are a mapping", "key: value"),
        ("a: [", "2:1: ", ""),
        ("cni: generic\n---\ncni: generic", "3:1: a settings file holds one document", "merge"),
        ("cni: generic\ncni: flannel", "2:1: key `cni` is already set", ""),
        ("cni: !!python/object:os.system x", "1:6: tag ", ""),
        ("a: &a [*a]", "1:8: alias", ""),
    ],
)
def test_what_has_no_meaning_is_refused_with_its_place(
    file: Path, text: str, message: str, advice: str
) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        read(file)
    assert caught.value.message.startswith("cloison.yaml:")
    assert message in caught.value.message
    assert advice in (caught.value.help or "")


@pytest.mark.parametrize("key", RESERVED)
def test_what_nothing_reads_yet_is_refused(file: Path, key: str) -> None:
    file.write_text(f"{key}: {{}}\n", encoding="utf-8")
    with pytest.raises(SourceError, match="nothing in this version reads it"):
        read(file)


@pytest.mark.parametrize("name", ["missing.yaml", ".", "a\0b"])
def test_a_file_that_cannot_be_read(file: Path, name: str) -> None:
    with pytest.raises(SourceError, match="cannot read"):
        read(file.parent / name)


def test_a_file_is_small(file: Path) -> None:
    file.write_text("#" * (1 << 20) + "\n#", encoding="utf-8")
    with pytest.raises(SourceError, match="larger than 1 MiB"):
        read(file)


def test_the_shipped_schema_is_the_types(file: Path) -> None:
    """Where this fails, run tools/make_report_schemas.py and note the change for users."""
    shipped = ROOT / "src" / "cloison" / "app" / "schemas" / "settings.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == schema()
    jsonschema.Draft202012Validator.check_schema(schema())


def test_the_schema_agrees_with_the_reader() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    whole = yaml.BaseLoader(WHOLE).get_single_data()  # every scalar as text
    validator.validate(whole | {"strict": True})
    assert validator.is_valid({"components": {"gw-traefik": False}})
    for wrong in (
        {"cnii": "x"},
        {"failOn": "x"},
        {"suppressions": [{"code": "NPL001"}]},
        {"components": {"gw-traefik": True}},
    ):
        assert not validator.is_valid(wrong)


def test_every_setting_says_what_it_is_for() -> None:
    parts = (schema(), *schema()["$defs"].values())
    silent = [k for part in parts for k, v in part["properties"].items() if not v["description"]]
    assert not silent


def test_settings_without_names_read_the_files_sources(file: Path) -> None:
    file.write_text("sources: [here]\nnamespace: shop\n", encoding="utf-8")
    (file.parent / "here").mkdir()
    manifest = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
        "spec: {containers: [{name: c, image: i}]}\n"
    )
    (file.parent / "here" / "a.yaml").write_text(manifest, encoding="utf-8")
    session = cloison.load(settings=cloison.Settings.from_file(file))
    assert [(each.namespace, each.name) for each in session.world.workloads] == [("shop", "a")]


@pytest.mark.parametrize("found", [True, False])
@pytest.mark.parametrize(
    "said", ['sources: ["a\\0b"]', 'dnsTables: ["a\\0b"]', 'flows: {store: "a\\0b"}']
)
def test_a_text_that_can_be_no_path_is_refused_where_it_stands(
    file: Path, said: str, *, found: bool
) -> None:
    file.write_text(f"{said}\n", encoding="utf-8")
    column = said.index('"') + 1
    with pytest.raises(SourceError, match=rf":1:{column}: 'a.x00b' can be no path"):
        read(file, found=found)


@pytest.mark.parametrize("key", ["sources", "dnsTables", "values"])
def test_a_file_that_was_found_has_no_pipe_read(file: Path, key: str) -> None:
    os.mkfifo(file.parent / "pipe")
    file.write_text(f"{key}: [pipe]\n", encoding="utf-8")
    with pytest.raises(SourceError, match="pipe is neither a regular file nor a directory"):
        read(file, found=True)
    assert read(file).resolved(key) == [os.path.relpath(file.parent / "pipe")]
