"""What tests ask of the machine they run on."""

import os
from collections.abc import Sequence
from typing import NoReturn

import pytest

from cloison.base import SourceError
from cloison.probe.lab.start import command, run


def need_lab() -> None:
    """Skip where no lab can run; in CI that is a failure."""
    try:
        command()
    except SourceError as error:
        lacking(str(error))


def need_users(line: Sequence[str]) -> None:
    """Skip where users have no namespaces of their own; in CI that is a failure.

    Args:
        line: What makes such namespaces and runs in them what follows.
    """
    if run([*line, "true"]).code:
        lacking("this machine does not let users have namespaces")


def lacking(what: str) -> NoReturn:
    """Skip a test for what the machine lacks; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and CI must be able to: see .ci/run")
    pytest.skip(what)
