"""What the doctor proposes, done: it then has nothing more to propose."""

import pytest

from cloison.app import load_texts
from cloison.app.doctor import doctor
from tests.conformance.platformcases import platform_cases
from tests.support.doctoring import mended

CASES = ("P1", "P2", "P8", "P17", "P18", "P24", "P28", "P37", "P66")


@pytest.mark.parametrize("name", CASES)
def test_proposals_done_leave_nothing_to_propose(name: str) -> None:
    (case,) = [each for each in platform_cases() if each.id == name]
    files = sorted(case.runs["broken"].directory.rglob("*.yaml"))
    texts = {str(path): path.read_text("utf-8") for path in files}
    found = doctor(load_texts(texts))
    assert any(each.mend for each in found)
    left = doctor(load_texts(mended(texts, found)))
    assert [each.message for each in left if any(mend.manifest for mend in each.mend)] == []
