"""Sphinx settings. Built by `make docs`, with warnings fatal."""

import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "src")]

project = "Cloison"
author = "the Cloison contributors"
release = metadata.version("cloison")
version = ".".join(release.split(".")[:2])
language = "en"

extensions = ["myst_parser", "generated"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_generated"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Cloison {release}"
html_show_copyright = False
html_show_sphinx = False
