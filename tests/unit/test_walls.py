"""Walls that import contracts cannot see."""

import re
from pathlib import Path

import pytest

from cloison.dialects import TABLE
from tests.support.cli import ROOT

SOURCE = ROOT / "src" / "cloison"
_VENDORS = re.compile(
    r"antrea|aws|azure|calico|cilium|eks|felix|flannel|gke|istio|kube-?ovn|kube-?router|kindnet"
    r"|linkerd|openshift|ovn|tigera|weave",
    re.IGNORECASE,
)
_NEUTRAL = [
    file for package in ("algebra", "ir", "engine") for file in (SOURCE / package).rglob("*.py")
]


@pytest.mark.parametrize("file", _NEUTRAL, ids=lambda file: str(file.relative_to(SOURCE)))
def test_no_vendor_is_named_where_meaning_is_decided(file: Path) -> None:
    """What one product does differently is data in `platform`, or a dialect.

    Citing a file by its owner and repository (`owner/repository path`) is not naming.
    """
    lines = file.read_text(encoding="utf-8").splitlines()
    named = [
        f"{number}: {line.strip()}"
        for number, line in enumerate(lines, 1)
        for word in re.findall(r"[A-Za-z]+(?:-[A-Za-z]+)*", re.sub(r"[\w.-]+/[\w./-]+", "", line))
        if _VENDORS.fullmatch(word)
    ]
    assert not named


_ANSWERS = [file for package in ("analyses", "report") for file in (SOURCE / package).rglob("*.py")]
_KINDS = {kind for row in TABLE for _, kind in row.kinds if kind.endswith("Policy")}
_KINDS.remove("NetworkPolicy")


@pytest.mark.parametrize("file", _ANSWERS, ids=lambda file: str(file.relative_to(SOURCE)))
def test_no_answer_depends_on_a_dialect(file: Path) -> None:
    """A new dialect changes neither what is analysed nor how it is shown."""
    text = re.sub(r"[\w.-]+/[\w./-]+", "", file.read_text(encoding="utf-8"))
    words = set(re.findall(r"[A-Za-z]+(?:-[A-Za-z]+)*", text))
    assert not words & _KINDS
    assert not [word for word in words if _VENDORS.fullmatch(word)]
    assert "cloison.dialects" not in text


def test_there_is_something_to_look_at() -> None:
    assert min(len(_NEUTRAL), len(_ANSWERS), len(_KINDS)) > 10


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        str(file.relative_to(SOURCE))
        for file in SOURCE.rglob("__init__.py")
        if not file.read_text(encoding="utf-8").startswith('"""')
    ]
    assert not silent


def test_a_file_is_one_thing() -> None:
    """What a file holds beyond this belongs in another one; most are far shorter."""
    folders = ("src", "tests", "benchmarks", "tools", "docs/_ext")
    files = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    larger = {file.relative_to(ROOT).as_posix() for file, n in lengths.items() if n > _MOST_LINES}
    assert not larger


_MOST_LINES = 500


def test_constraints_name_versions_and_no_place_to_get_them() -> None:
    """Whoever installs Cloison chooses the index."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    odd = [line for line in lines if not re.fullmatch(r"#.*|[\w.-]+==[\w.+!-]+", line)]
    assert not odd
