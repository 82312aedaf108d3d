"""Blocks of settings with bits beyond their prefix are warned of, with their place."""

from pathlib import Path

import pytest

from cloison.app import Settings, load
from cloison.app.masked import CODE
from cloison.base import Severity

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: web}\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "objects.yaml"
    path.write_text(POD)
    return path


def _said(source: Path, settings: Settings) -> list[tuple[str, str]]:
    found = [each for each in load(str(source), settings=settings).diagnostics if each.code == CODE]
    assert all(each.severity is Severity.WARNING and each.effect and each.help for each in found)
    return [(str(each.span or ""), each.message.partition(",")[0]) for each in found]


def test_options(source: Path) -> None:
    settings = Settings(
        pod_cidrs=("10.2.3.4/16", "10.8.0.0/16"),
        node_cidrs=("192.0.2.1/24",),
        service_cidrs=("2001:db8::1/64", "10.9.0.1"),
        names={"api.example.com": ("203.0.113.7", "203.0.113.7/28")},
    )
    assert [message for _, message in _said(source, settings)] == [
        "--node-cidr is 192.0.2.1/24",
        "--pod-cidr is 10.2.3.4/16",
        "--service-cidr is 2001:db8::1/64",
        "an address of api.example.com is 203.0.113.7/28",
    ]


def test_a_settings_file(source: Path) -> None:
    file = source.parent / "cloison.yaml"
    file.write_text("serviceCidrs:\n  - 10.2.3.4/16\n")
    ((place, message),) = _said(source, Settings.from_file(file))
    assert "cloison.yaml:1" in place
    assert message == "--service-cidr is 10.2.3.4/16"


def test_a_dns_table(source: Path) -> None:
    table = source.parent / "names.yaml"
    table.write_text("b.example.com: 203.0.113.1\na.example.com: [203.0.113.7/28]\n")
    ((place, message),) = _said(source, Settings(dns_tables=(str(table),)))
    assert "names.yaml:2" in place
    assert message == "an address of a DNS table is 203.0.113.7/28"
