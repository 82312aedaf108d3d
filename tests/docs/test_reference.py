"""The generated pages cover what there is to cover."""

from typing import Any

import click
import pytest
from generated import (
    PROGRAM,
    cli_reference,
    dialect_packages,
    field_reference,
    pages,
    schema_files,
    schema_reference,
)

from cloison.cli.app import cli
from tests.support.cli import ROOT


def _paths(info: dict[str, Any], path: str) -> list[str]:
    below = info.get("commands", {})
    return [path, *(p for name, sub in below.items() for p in _paths(sub, f"{path} {name}"))]


def _commands() -> list[str]:
    return _paths(click.Context(cli, info_name=PROGRAM).to_info_dict()["command"], PROGRAM)


@pytest.mark.parametrize("command", _commands())
def test_every_command_has_a_heading(command: str) -> None:
    assert f"## `{command}`\n" in cli_reference()


def test_every_command_says_what_it_does() -> None:
    silent = [
        name
        for name, info in click.Context(cli).to_info_dict()["command"]["commands"].items()
        if not info["help"]
    ]
    assert not silent


def test_every_schema_has_a_heading_and_a_description() -> None:
    assert schema_files()
    for name, schema in schema_files().items():
        assert f"## `{name}`\n" in schema_reference()
        assert schema.get("description"), name


@pytest.mark.parametrize("dialect", dialect_packages())
def test_every_dialect_has_its_page_with_every_field(dialect: str) -> None:
    page = (ROOT / "docs" / "dialects" / f"{dialect}.md").read_text(encoding="utf-8")
    assert f"dialects/{dialect}/README.md" in page
    assert f"_generated/fields-{dialect}.md" in page
    assert "modelled" in field_reference(dialect)


@pytest.mark.parametrize("name", sorted(pages()))
def test_every_generated_page_is_included_somewhere(name: str) -> None:
    holders = [
        page
        for page in (ROOT / "docs").rglob("*.md")
        if f"_generated/{name}\n" in page.read_text(encoding="utf-8")
    ]
    assert holders
