"""What tests ask of the machine they run on."""

import os

import pytest

from cloison.base import SourceError
from cloison.probe.lab.start import command


def need_lab() -> None:
    """Skip where no lab can run; in CI that is a failure."""
    try:
        command()
    except SourceError as error:
        if os.environ.get("CI"):
            pytest.fail(f"{error}, and CI must be able to: see .ci/run")
        pytest.skip(str(error))
