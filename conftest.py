"""What every kind of test shares: Hypothesis profiles, and the Python in our Markdown."""

import os
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE

import pytest
from hypothesis import HealthCheck, settings
from sybil import Sybil
from sybil.integration.pytest import SybilItem
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

_DONE = pytest.StashKey[set[int]]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Run what stands before an example, where another process does that or nobody was asked to.

    An example uses what those before it defined, and processes share documents out among them.
    """
    if not isinstance(item, SybilItem) or item.parent is None:
        return
    done = item.parent.stash.setdefault(_DONE, set())
    for earlier in item.example.document.examples():
        if earlier.start >= item.example.start:
            break
        if earlier.start not in done:
            earlier.evaluate()
            done.add(earlier.start)
    done.add(item.example.start)
