"""What fields of Cilium's policies mean that no case of the sheet's catalogue is about."""

import pytest

from cloison.app import load_texts
from cloison.ir.fidelity import Verdict
from tests.conformance.cases import Case, Row, cases, read
from tests.conformance.test_cilium_oracle import version
from tests.oracle.raw import End
from tests.oracle.raw_cilium import RawCiliumOracle

CASES = cases("cilium-fields")
ROWS = [
    pytest.param(case, row, profile, id=f"{case.ids[0]}-{number}-{profile}")
    for case in CASES
    for number, row in enumerate(case.rows, start=1)
    for profile in case.under
]


def _end(text: str) -> End:
    namespace, slash, name = text.partition("/")
    return ("pod", namespace, name) if slash else ("ip", text)


@pytest.mark.parametrize(("case", "row", "profile"), ROWS)
def test_row(case: Case, row: Row, profile: str) -> None:
    session = load_texts(case.texts(), profile=profile, **case.told())
    protocol, _, port = row.on.partition("/")
    answer = session.why(row.src, row.dst, port=int(port), protocol=protocol)
    assert answer.verdict is Verdict(row.verdict), case.why


@pytest.mark.parametrize(("case", "row", "profile"), ROWS)
def test_two_readings_agree(case: Case, row: Row, profile: str) -> None:
    documents = [doc for text in case.texts().values() for doc in read(text)]
    oracle = RawCiliumOracle(documents, version(profile), {}, case.told().get("names"))
    protocol, _, port = row.on.partition("/")
    source, destination = _end(row.src), _end(row.dst)
    (word,) = oracle.answers(source, destination, protocol, int(port), 4, None)
    assert word == row.answer, case.why


@pytest.mark.parametrize("profile", ["cilium@1.19", "cilium@1.20"])
@pytest.mark.parametrize(
    ("sni", "verdict"),
    [
        ("a.example.com", Verdict.ALLOWED),
        ("x.b.example.com", Verdict.ALLOWED),
        ("b.example.com", Verdict.DENIED),
        ("x.y.b.example.com", Verdict.DENIED),
        (None, Verdict.MIXED),
    ],
)
def test_names_of_servers(sni: str | None, verdict: Verdict, profile: str) -> None:
    (case,) = (each for each in CASES if each.id == "cilium-names-of-servers")
    session = load_texts(case.texts(), profile=profile)
    answer = session.why("shop/web", "203.0.113.9", port=443, sni=sni)
    assert answer.verdict is verdict


@pytest.mark.parametrize(
    ("profile", "verdict"),
    [("cilium@1.18", Verdict.UNDETERMINED), ("cilium@1.19", Verdict.ALLOWED)],
)
def test_what_rules_require(profile: str, verdict: Verdict) -> None:
    (case,) = (each for each in CASES if each.id == "cilium-what-rules-require")
    session = load_texts(case.texts(), profile=profile)
    assert session.why("shop/web", "shop/api", port=8080).verdict is verdict
    # Whom the rule does not concern, it does not make unsure.
    assert session.why("shop/web", "shop/db", port=8080).verdict is Verdict.ALLOWED
    refused = [each.code for each in session.diagnostics if each.code == "CIL122"]
    assert len(refused) == (verdict is Verdict.ALLOWED)
