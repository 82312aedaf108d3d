"""Which pages have console blocks that are run."""

from tests.support.cli import ROOT

PAGES = sorted(
    page
    for pattern in ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "examples/**/*.md")
    for page in ROOT.glob(pattern)
    if not any(part.startswith("_") for part in page.relative_to(ROOT).parts)
)
