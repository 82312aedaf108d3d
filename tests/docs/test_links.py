"""Pages outside the built documentation link to files that exist; Sphinx minds the others."""

import re
from pathlib import Path

import pytest

from tests.support.cli import ROOT

PAGES = sorted(
    page
    for pattern in (
        "*.md",
        "changes/*.md",
        "conformance/**/*.md",
        "examples/**/*.md",
        "src/**/*.md",
        "tests/**/*.md",
    )
    for page in ROOT.glob(pattern)
)
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    broken = [link for link in links if not (page.parent / link).exists()]
    assert not broken
