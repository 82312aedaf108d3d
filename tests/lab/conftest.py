"""Labs need a machine that allows them, and leave nothing on it."""

from collections.abc import Iterator

import psutil
import pytest

from cloison.base import SourceError
from cloison.probe.lab.start import command
from tests.lab.leftovers import seen
from tests.support.machine import need_lab


@pytest.fixture(scope="session")
def machine() -> None:
    """Skip where no lab can run; in CI that is a failure."""
    need_lab()


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left() -> Iterator[None]:
    """See that namespaces, packet filters and processes are afterwards as they were before."""
    try:
        command()
    except SourceError:
        yield
        return
    before = _seen()
    yield
    assert _seen() == before


def _seen() -> dict[str, object]:
    children = {p.pid for p in psutil.Process().children(recursive=True)}
    # Links of the machine's own come and go without labs.
    return {name: text for name, text in seen().items() if name != "links"} | {"own": children}
