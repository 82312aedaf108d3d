"""What every kind of test shares: Hypothesis profiles, and the Python in our Markdown."""

import os
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE

from hypothesis import HealthCheck, settings
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

# The same examples on every run and no clock: a test that fails in CI fails here too, and one
# that passes says something. `make nightly` looks further.
settings.register_profile(
    "default",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("nightly", settings.get_profile("default"), derandomize=False)
settings.load_profile("nightly" if os.environ.get("CLOISON_FLOWS") else "default")

pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=ELLIPSIS | NORMALIZE_WHITESPACE),
        SkipParser(),
    ],
    patterns=["*.md"],
    excludes=["_generated/*", "tests/*"],
).pytest()
