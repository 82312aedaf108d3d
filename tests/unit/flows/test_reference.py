"""The page on flow records names every column, in order, and no other."""

import re

from cloison.flows import schema
from tests.support.cli import ROOT

PAGE = (ROOT / "docs" / "reference" / "flows.md").read_text(encoding="utf-8")


def test_every_column_is_on_the_page() -> None:
    table = PAGE.partition("## Columns of flows")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert [name for row in rows for name in re.findall(r"`(\w+)`", row)] == schema.FLOWS.names


def test_every_table_is_on_the_page() -> None:
    assert not [name for name in schema.TABLES if f"`{name}`" not in PAGE]
