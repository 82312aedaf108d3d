"""What a settings file says of the platform and of its components."""

from pathlib import Path

import pytest

from cloison.app import Settings, load
from cloison.base import SourceError
from cloison.platform.components import Placed

EXAMPLE = "write false for one that is nowhere, or {namespace: dns, podLabels: {app: dns}}"


def write(path: Path, text: str) -> Path:
    file = path / "cloison.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_it_says_where_components_are(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "platform: eks\ncomponents:\n  dns-coredns-helm: {namespace: dns, podLabels: {app: dns}}\n"
        "  gw-traefik: false\n  gw-kong: {}\n",
    )
    settings = Settings.from_file(file)
    assert settings.platform == "eks"
    first = settings.components["dns-coredns-helm"]
    assert isinstance(first, Placed)
    assert (first.namespace, first.pod_labels) == ("dns", {"app": "dns"})
    assert first.span is not None
    assert first.span.line == 3
    assert settings.components["gw-traefik"] is None
    empty = settings.components["gw-kong"]
    assert empty is not None
    assert (empty.namespace, empty.pod_labels) == (None, {})


def test_sessions_have_it(tmp_path: Path) -> None:
    said = Settings.from_file(write(tmp_path, "platform: k3s\ncomponents: {gw-kong: {}}\n"))
    source = tmp_path / "empty.yaml"
    source.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", encoding="utf-8")
    session = load(source, settings=said)
    assert (session.platform.name, session.platform.said) == ("k3s", True)
    assert [each.component.id for each in session.components] == ["gw-kong"]
    assert [each.id for each in session.enforcers] == ["kube-router"]
    assert session.profile.name == "kube-router"


@pytest.mark.parametrize(
    ("text", "message", "advice"),
    [
        ("platform: eksx\n", "no platform is called 'eksx'", "use one of: aks, aks-automatic"),
        ("components: [a]\n", "`components` is a mapping by id", EXAMPLE),
        (
            "components: {dns-coredns-help: {}}\n",
            "no component is called 'dns-coredns-help'",
            "did you mean dns-coredns-helm",
        ),
        (
            "components: {gw-kong: true}\n",
            "`components.gw-kong` does not say where it is",
            EXAMPLE,
        ),
        ("components: {gw-kong: web}\n", "`components.gw-kong` does not say where", EXAMPLE),
        (
            "components: {gw-kong: {podlabels: {}}}\n",
            "a component has no key `podlabels`",
            "did you mean `podLabels`?",
        ),
        (
            "components: {gw-kong: {x: 1}}\n",
            "a component has no key `x`",
            "keys are namespace, podLabels",
        ),
        ("components: {gw-kong: {namespace: 3}}\n", "`namespace` is a name", "leave it out"),
        (
            "components: {gw-kong: {podLabels: {a: true}}}\n",
            "`podLabels` are texts by key",
            'values such as "true" in quotes',
        ),
        ("components: {gw-kong: {podLabels: a}}\n", "`podLabels` are texts by key", "write"),
    ],
)
def test_what_has_no_meaning_is_refused(
    tmp_path: Path, text: str, message: str, advice: str
) -> None:
    with pytest.raises(SourceError) as raised:
        Settings.from_file(write(tmp_path, text))
    assert message in raised.value.message
    assert "cloison.yaml:1:" in raised.value.message
    assert advice in str(raised.value.help)


@pytest.mark.parametrize("text", ["cni: auto\n", "{}\n"])
def test_auto_is_what_is_done_where_nothing_is_said(tmp_path: Path, text: str) -> None:
    settings = Settings.from_file(write(tmp_path, text))
    assert (settings.profile, settings.profile_chosen) == ("generic", "default")
    named = settings.but(profile="antrea")
    assert named.but(profile="auto").profile_chosen == "default"
