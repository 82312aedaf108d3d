"""Small worlds that documentation, tests and the demo share."""

from pathlib import Path

from cloison.base import QuestionError

NAMES = ("case-management", "case-management-broken", "guardrails")
"""The examples there are."""


def path(name: str) -> Path:
    """Return the directory of an example: packaged, or at the top of a checkout.

    Raises:
        QuestionError: There is no such example, or it was left out of this installation.

    >>> (path("case-management") / "tests.yaml").is_file()
    True
    """
    here = Path(__file__).resolve().parent
    if name in NAMES:
        for directory in (here / name, here.parents[2] / "examples" / name):
            if directory.is_dir():
                return directory
        msg = f"the example {name} is not part of this installation"
        raise QuestionError(msg, "use a checkout, or install the released package")
    msg = f"there is no example {name!r}"
    raise QuestionError(msg, f"examples are {', '.join(NAMES)}")


def practice() -> Path:
    """Return the directory of the exercises, `NN-name` each.

    >>> (practice() / "01-no-policy" / "exercise.yaml").is_file()
    True
    """
    return Path(__file__).resolve().parent / "practice"
