"""Whether a connection passes, without the reasons, is what the answer with reasons says."""

from collections import Counter

from benchmarks.worlds.estate import calls, estate
from cloison.analyses.doctor.clinic import Clinic, on
from cloison.analyses.doctor.judged import tried
from cloison.app import load_objects
from cloison.app.answers import hop
from cloison.ir.fidelity import Verdict

SIZE = 60


def test_passes_is_what_reach_says() -> None:
    session = load_objects(list(estate(SIZE)), profile="generic")
    clinic = Clinic(session.engine, session.site, lambda asked, _=None: hop(session, asked))
    seen: Counter[bool] = Counter()
    for source, destination in calls(SIZE):
        ends = [session.names.end(text) for text in (source, destination.removesuffix(":80"))]
        for port in (80, 81):
            first = clinic.passes(ends[0], ends[1], on("TCP", port))
            answer = tried(clinic, ends[0], ends[1], on("TCP", port))
            assert first is (answer is not None and answer.verdict is Verdict.ALLOWED)
            # And again, from what is remembered.
            assert clinic.passes(ends[0], ends[1], on("TCP", port)) is first
            seen[first] += 1
    assert min(seen[True], seen[False]) >= SIZE // 10, seen


def test_an_estate_has_something_to_find_in_every_part() -> None:
    codes = Counter(
        found.code for found in load_objects(list(estate(10 * SIZE)), profile="generic").doctor()
    )
    assert codes["DEP001"] == sum(number % 9 == 4 for number in range(10 * SIZE))
    assert {code[:3] for code in codes} >= {"DNS", "GWY", "DEP"}
